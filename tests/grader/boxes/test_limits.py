"""Control groups: what they count, and that none is left."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from grader.boxes.base import Budget, Session, Stopped
from grader.boxes.bubblewrap import BubblewrapBox
from grader.boxes.limits import PREFIX, Group, make_group, parents, resource_limits, sweep
from grader.lab import Limits
from grader.results import Verdict
from tests.grader.courses import write_files

needs_groups = pytest.mark.skipif(not parents(), reason="this host lets us make no control groups")


@needs_groups
def test_a_group_counts_and_is_removed_with_what_runs_in_it() -> None:
    group = make_group("counted", Budget(Limits(memory_mb=64, disk_mb=1)))
    script = (
        "import os, sys\n"
        "for path in sys.argv[1:]: open(path, 'w').write(str(os.getpid()))\n"
        "print('in', flush=True)\n"
        "while True: pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, group.entrances)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        while (group.cpu_s() or 0) < 0.05:
            assert process.poll() is None
        assert not group.was_out_of_memory()
        assert not group.was_out_of_processes()
        assert (group.peak_memory_mb() or 0) > 0
        group.end()
        assert process.wait(5) < 0
    assert not any(path.exists() for path in group.paths.values())


@needs_groups
def test_groups_of_a_dead_grader_are_swept() -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    left = [parent / f"{PREFIX}{dead.stdout.strip()}-0" for parent in parents().values()]
    kept = make_group("kept", Budget(Limits()))
    for path in left:
        path.mkdir()
    assert sweep() >= len(set(left))
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept.paths.values())
    kept.end()


def test_without_groups_nothing_is_counted() -> None:
    group = Group()
    assert (group.cpu_s(), group.peak_memory_mb(), group.entrances) == (None, None, [])
    assert not group.was_out_of_memory()
    assert not group.was_out_of_processes()
    group.end()


def test_resource_limits_follow_the_budget() -> None:
    budget = Budget(Limits(cpu_s=10, memory_mb=100, disk_mb=3))
    budget.cpu_s = 4.0
    limits = resource_limits(budget)
    assert limits["RLIMIT_CPU"] in (8, 9)
    assert limits["RLIMIT_DATA"] == 100 * 1024**2
    assert limits["RLIMIT_FSIZE"] == 3 * 1024**2
    assert limits["RLIMIT_CORE"] == 0


STEPS = """
import gc, os, socket, time

def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass

def talk(seconds):
    next(one for one in gc.get_objects() if isinstance(one, socket.socket)).sendall(bytes(3))
    for _ in range(3): os.fork()
    burn(seconds)
"""


@pytest.mark.slow
@needs_groups
def test_cpu_time_counts_in_boxes_that_are_still_open_and_not_at_their_start(tmp_path: Path) -> None:
    budget = Budget(Limits(cpu_s=2, wall_s=60))
    work = write_files(tmp_path / "work", {"steps.py": STEPS})
    with ExitStack() as opened:

        def begin() -> Session:
            return opened.enter_context(Session(BubblewrapBox().start(work, {}, budget), budget))

        for number in range(3):
            session = begin()
            assert budget.cpu_s < 0.7 * number + 0.05
            session.call("steps.burn", 0.6)
        session = begin()
        with pytest.raises(Stopped, match=r"Over 2 s of CPU time") as caught:
            session.call("steps.burn", 0.6)
    assert caught.value.verdict is Verdict.TIMEOUT


@pytest.mark.slow
@needs_groups
def test_an_answer_that_begins_buys_no_time(tmp_path: Path) -> None:
    budget = Budget(Limits(cpu_s=1, wall_s=60))
    work = write_files(tmp_path / "work", {"steps.py": STEPS})
    began = time.monotonic()
    with (
        Session(BubblewrapBox().start(work, {}, budget), budget) as session,
        pytest.raises(Stopped) as caught,
    ):
        session.call("steps.talk", 50)
    assert caught.value.verdict is Verdict.TIMEOUT
    assert time.monotonic() - began < 40
