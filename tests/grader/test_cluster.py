"""A Dask cluster judges as this machine does, loses workers without losing grades, and refuses the unfit."""

import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

import psutil
import pytest

import grader
from grader.classroom import Classroom
from grader.cluster import engine_hash, pack_lab, pack_work, unpack
from grader.errors import CourseError, InvalidSubmission
from grader.manifest import Lab
from grader.runs import Begun, Ended, grade
from grader.snapshot import take
from tests.grader.classes import MINUS, RIGHT, a_class, hand_in

ENGINE = Path(grader.__file__).parent.parent
# A host of another name, whose root may do nothing here: no sandbox can be made.
RENAMED = 'echo elsewhere > /proc/sys/kernel/hostname && exec "$@"'
ELSEWHERE = ("unshare", "--user", "--map-root-user", "--uts", "sh", "-c", RENAMED, "sh")


def timeless(classroom: Classroom) -> dict[str, str]:
    """Every record of the class, seconds aside."""
    return {
        path.parent.parent.parent.name: re.sub(r'"seconds": [\d.]+', "", path.read_text())
        for path in sorted(classroom.folder.glob("results/*/*/*/result.json"))
    }


@contextmanager
def running(
    *words: str, ready: str, within: tuple[str, ...] = (), **variables: str
) -> Iterator[tuple[int, str]]:
    """One of Dask's programs: its pid and the line that says it is ready; ended with all that it started."""
    command = [*within, sys.executable, "-m", f"distributed.cli.{words[0]}", *words[1:]]
    with TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, stderr=said, cwd="/", env=os.environ | variables, start_new_session=True
        )
        try:
            for _ in range(600):
                said.seek(0)
                found = [line for line in said if ready in line]
                if found or process.poll() is not None:
                    break
                time.sleep(0.1)
            assert found, "it did not start"
            yield process.pid, found[0]
        finally:
            with suppress(ProcessLookupError):  # the test ended it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


@contextmanager
def scheduler() -> Iterator[str]:
    words = ("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    with running(*words, ready="Scheduler at:") as (_, line):
        yield line.split("at:")[1].strip()


def worker(
    address: str, folder: Path, within: tuple[str, ...] = (), **variables: str
) -> AbstractContextManager[tuple[int, str]]:
    words = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory", str(folder))
    command = ("dask_worker", address, "--host", "127.0.0.1", *words)
    return running(*command, ready="Registered to:", within=within, **variables)


def a_small_class(lab: Lab, folder: Path, learners: int = 4) -> Classroom:
    names = [f"learner{number}" for number in range(learners)]
    classroom = a_class(folder, lab, *names)
    for number, name in enumerate(names):
        hand_in(classroom, lab, name, (RIGHT if number % 2 else MINUS) | {"notes.md": f"By {name}.\n"})
    return classroom


def two_of(classroom: Classroom) -> tuple[Classroom, Classroom]:
    """A class and its copy, with the same submissions."""
    shutil.copytree(classroom.folder, classroom.folder.with_name("there"))
    return classroom, replace(classroom, folder=classroom.folder.with_name("there"))


@pytest.mark.slow
def test_a_cluster_of_its_own_gives_the_same_records(sound: Lab, tmp_path: Path) -> None:
    here, there = two_of(a_small_class(sound, tmp_path / "here"))
    grade(here, sound)
    summary = grade(there, sound, dask="local", workers=2)
    assert (summary.judged, summary.failed) == (4, {})
    assert timeless(there) == timeless(here)
    assert not [one for one in psutil.Process().children(recursive=True) if is_spawned(one)]


def is_spawned(process: psutil.Process) -> bool:
    """Whether it is a worker that still runs."""
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie too: it has ended
        return False


def test_what_a_process_has_imported_does_not_change_its_engine() -> None:
    before = engine_hash()
    importlib.import_module("setuptools")
    assert engine_hash() == before


@pytest.mark.slow
def test_a_lost_workers_jobs_are_done_again(sound: Lab, tmp_path: Path) -> None:
    here, there = two_of(a_small_class(sound, tmp_path / "here", 6))
    grade(here, sound)
    with (
        scheduler() as address,
        worker(address, tmp_path / "one") as (one, _),
        worker(address, tmp_path / "two"),
    ):

        def told(event: Begun | Ended) -> None:
            if isinstance(event, Ended) and event.done == 1:
                os.killpg(one, signal.SIGKILL)

        summary = grade(there, sound, dask=address, told=told)
    assert (summary.judged, summary.failed) == (6, {})
    assert timeless(there) == timeless(here)


@pytest.mark.slow
def test_a_worker_with_another_engine_gets_no_work(sound: Lab, tmp_path: Path) -> None:
    shutil.copytree(
        ENGINE / "grader", tmp_path / "other" / "grader", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (tmp_path / "other" / "grader" / "errors.py").open("a") as file:
        file.write("# another release\n")
    classroom = a_small_class(sound, tmp_path / "class", 1)
    with (
        scheduler() as address,
        worker(address, tmp_path / "one", PYTHONPATH=str(tmp_path / "other")),
        pytest.raises(CourseError, match=r"(?s)No worker .* may judge.*packages are not the controller's"),
    ):
        grade(classroom, sound, dask=address)
    assert timeless(classroom) == {}


@pytest.mark.slow
def test_a_worker_whose_box_does_not_hold_gets_no_work(sound: Lab, tmp_path: Path) -> None:
    classroom = replace(a_small_class(sound, tmp_path / "class", 2), box="bubblewrap")
    with scheduler() as address, worker(address, tmp_path / "one", ELSEWHERE):
        with pytest.raises(CourseError, match=r"elsewhere: its box lacks sandbox\. Run"):
            grade(classroom, sound, dask=address)
        assert timeless(classroom) == {}
        with worker(address, tmp_path / "two"):
            summary = grade(classroom, sound, dask=address)
    assert (summary.judged, summary.failed) == (2, {})
    assert {result.box for result in summary.results.values()} == {"bubblewrap"}


def test_a_scheduler_that_is_not_there_is_named(sound: Lab, tmp_path: Path) -> None:
    classroom = a_small_class(sound, tmp_path / "class", 1)
    with pytest.raises(CourseError, match=r"No Dask scheduler answers at nowhere.*`--dask local`"):
        grade(classroom, sound, dask="nowhere")


def test_a_cluster_without_workers_is_refused(sound: Lab, tmp_path: Path) -> None:
    classroom = a_small_class(sound, tmp_path / "class", 1)
    with (
        scheduler() as address,
        pytest.raises(CourseError, match="No worker of the Dask cluster may judge, or none"),
    ):
        grade(classroom, sound, dask=address)


def test_a_submission_arrives_as_it_was_accepted(sound: Lab, tmp_path: Path) -> None:
    classroom = a_small_class(sound, tmp_path / "class", 1)
    (work,) = classroom.folder.glob("submissions/*/*/*/work")
    (work / "run.sh").write_text("true\n")
    (work / "run.sh").chmod(0o755)
    unpack(pack_work(work), tmp_path / "there")
    assert take(tmp_path / "there").hash == take(work).hash
    (work / "link").symlink_to("/etc/passwd")
    with pytest.raises(InvalidSubmission, match="link is a link"):
        pack_work(work)


def test_a_lab_is_packed_to_the_same_bytes(sound: Lab, tmp_path: Path) -> None:
    one = pack_lab(sound)
    time.sleep(1.1)
    (sound.folder / "lab.toml").touch()
    assert pack_lab(sound) == one
    unpack(one, tmp_path)
    assert not list(tmp_path.glob("solutions/*/work"))
    assert list(tmp_path.glob("solutions/*/checks/test_*.py"))
