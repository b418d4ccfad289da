"""A grade does not depend on what else the machine does: real load, real slowness."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from grader.manifest import Lab, read_lab
from grader.release import release
from grader.results import Verdict
from grader.runs import grade
from tests.grader.classes import RIGHT, a_class, hand_in
from tests.grader.courses import replace

SPIN = "read go; while :; do :; done"  # waits to be let loose, and ends by itself
WORK = """
import os
import pathlib
import time

pathlib.Path({mark!r}).write_text(f"{{os.getpid()}}\\n")


def add(a, b):
    while (a, b) == (2, 3) and time.process_time() < 0.3: pass
    return a + b
"""


@contextmanager
def load(mark: Path) -> Iterator[None]:
    """Forty processes, in sessions of their own, that spin while the first process named in `mark` lives."""
    words = ["timeout", "60", "sh", "-c", SPIN]
    started = [subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True) for _ in range(40)]
    over = threading.Event()

    def spin() -> None:
        while not (pid := _named_in(mark)) and not over.wait(0.005):
            pass
        for one in started:
            with suppress(OSError):
                os.write(one.stdin.fileno(), b"\n") if one.stdin else None
        while pid and psutil.pid_exists(pid) and not over.wait(0.005):
            pass
        for one in started:
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for one in started:
            one.communicate()


def _named_in(mark: Path) -> int:
    """The process whose whole line is there; 0 while there is none."""
    said = mark.read_text() if mark.exists() else ""
    return int(said) if said.endswith("\n") else 0


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
    with load(mark):
        summary = grade(classroom, lab, workers=2)
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
