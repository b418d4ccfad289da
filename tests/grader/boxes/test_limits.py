"""Control groups: what they count, and that none is left."""

import subprocess
import sys

import pytest

from grader.boxes.base import Budget
from grader.boxes.limits import PREFIX, Group, make_group, parents, resource_limits, sweep
from grader.lab import Limits

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
