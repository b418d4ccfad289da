"""A grade does not depend on what else the machine does: real load, real slowness."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from grader.manifest import Lab, read_lab
from grader.release import release
from grader.results import Verdict
from grader.runs import Begun, Ended, grade
from tests.grader.classes import RIGHT, a_class, hand_in
from tests.grader.courses import replace

SPIN = "read go; while :; do :; done"  # waits to be let loose, and ends by itself
WORK = """
import pathlib
import time

pathlib.Path({mark!r}).touch()


def add(a, b):
    while (a, b) == (2, 3) and time.process_time() < 0.3: pass
    return a + b
"""


@contextmanager
def load(mark: Path) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Forty processes that spin from the moment that `mark` is there, each in a session of its own."""
    words = ["timeout", "60", "sh", "-c", SPIN]
    started = [subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True) for _ in range(40)]

    def let_loose() -> None:
        until = time.monotonic() + 60
        while not mark.exists() and time.monotonic() < until:
            time.sleep(0.005)
        for one in started:
            with suppress(OSError):
                os.write(one.stdin.fileno(), b"\n") if one.stdin else None

    thread = threading.Thread(target=let_loose)
    thread.start()
    try:
        yield started
    finally:
        mark.touch()
        thread.join()
        end(started)
        for one in started:
            one.communicate()


def end(processes: list["subprocess.Popen[bytes]"]) -> None:
    """Kill each with what it started."""
    for one in processes:
        with suppress(ProcessLookupError):
            os.killpg(one.pid, signal.SIGKILL)


def quick(lab: Lab, limits: str) -> Lab:
    """The lab with other limits, released again."""
    replace(lab.folder / "lab.toml", "cpu_s = 5\nwall_s = 20", limits)
    release(lab)
    return read_lab(lab.folder)


@pytest.mark.slow
def test_work_that_was_late_on_a_loaded_machine_is_judged_again_when_it_is_alone(
    tiny: Lab, tmp_path: Path
) -> None:
    lab = quick(tiny, "cpu_s = 4\nwall_s = 2")
    classroom = a_class(tmp_path / "class", lab, "anna", "ben")
    mark = tmp_path / "begun"
    hand_in(classroom, lab, "anna", {**RIGHT, "add.py": WORK.format(mark=str(mark))})
    hand_in(classroom, lab, "ben", RIGHT)
    with load(mark) as started:

        def told(event: Begun | Ended) -> None:
            if isinstance(event, Ended):  # of ben; anna waits for her second turn
                end(started)

        summary = grade(classroom, lab, workers=2, told=told)
    assert {name: result.points for name, result in summary.results.items()} == {"anna": 6, "ben": 6}
    assert summary.results["anna"].tries[-1:] == ("TIMEOUT in adds beside others",)


@pytest.mark.slow
def test_who_used_up_cpu_time_is_not_judged_again(tiny: Lab, tmp_path: Path) -> None:
    lab = quick(tiny, "cpu_s = 1\nwall_s = 30")
    classroom = a_class(tmp_path / "class", lab, "anna", "ben")
    for name in ("anna", "ben"):
        hand_in(classroom, lab, name, {**RIGHT, "add.py": "def add(a, b):\n    while True: pass\n"})
    summary = grade(classroom, lab, workers=2)
    for result in summary.results.values():
        assert result.check("adds").verdict is Verdict.TIMEOUT
        assert result.check("adds").found in ("Over 1 s of CPU time.", "Your code used over 1 s of CPU time.")
        assert result.tries == ()
