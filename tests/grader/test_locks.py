"""One holder at a time, and none after its death."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.errors import CourseError
from grader.leftovers import scratch
from grader.locks import Held, hold, note

HOLDER = """
import sys, time
from pathlib import Path
from grader.locks import hold, note
with hold(Path(sys.argv[1])) as lock:
    note(lock, "more")
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_names_its_holder_and_goes_with_it(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with (
        pytest.raises(Held, match=rf"lock is held by another program \(pid {other.pid}\)") as held,
        hold(file),
    ):
        raise AssertionError("it was held")
    assert held.value.pid == other.pid
    other.kill()
    other.communicate()
    with hold(file, wait_s=5) as lock:
        note(lock)
        assert file.read_text() == f"{os.getpid()}\n"


def test_a_lock_that_says_nothing_is_held_by_somebody(tmp_path: Path) -> None:
    with (
        hold(tmp_path / ".grading.lock"),
        pytest.raises(CourseError, match="is being graded by another process"),
        scratch(tmp_path, "grader grade 01"),
    ):
        raise AssertionError("it was held")


def test_a_lock_in_no_folder_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), hold(tmp_path / "none" / "lock"):
        raise AssertionError("there is no such folder")


def test_a_scratch_folder_takes_its_processes_with_it(tmp_path: Path) -> None:
    with scratch(tmp_path, "grader grade 01") as folder:
        daemon = subprocess.Popen(["sleep", "60"], cwd=folder)
        assert (tmp_path / ".grading.lock").read_text() == f"{os.getpid()}\n{folder}\n"
    assert daemon.wait(timeout=10) == -9
    assert not folder.exists()


def test_only_a_folder_of_its_own_is_swept(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    left = tmp_path / "grader-0123"
    left.mkdir()
    link = tmp_path / "grader-link"
    link.symlink_to(precious)
    (tmp_path / ".grading.lock").write_text(f"1\n{precious}\n{left}\n{link}\ngrader-relative\n")
    with scratch(tmp_path, "grader grade 01"):
        assert precious.is_dir()
        assert not left.exists()
