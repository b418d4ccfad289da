"""Warm sandboxes: forked from one template, they reach neither it nor each other."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from grader.boxes.base import Budget, Session
from grader.boxes.bubblewrap import BubblewrapBox, bubblewrap_template, why_cold
from grader.boxes.warm import Template
from grader.lab import Limits
from tests.grader.courses import write_files

Start = Callable[..., Session]
LOOKS = """
import os, signal

def processes():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())

def keep(text):
    kept = text.upper()
    open("/dev/shm/left", "w").write(kept)
    open("/tmp/left", "w").write(kept)
    globals()["kept"] = kept
    return len(kept)

def holds(text):
    '''Whether this process has the text in capitals anywhere in its memory.'''
    wanted = text.encode()
    found = 0
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            words = line.split()
            if "r" in words[1] and words[-1] not in ("[vvar]", "[vsyscall]"):
                start, end = (int(number, 16) for number in words[0].split("-"))
                memory.seek(start)
                try:
                    part = memory.read(end - start)
                except OSError:
                    continue
                found += part.swapcase().count(wanted)
    return found > 0

def touch(pid):
    got = []
    for name in ("mem", "environ", "fd/0", "root/etc", "cwd"):
        try:
            os.stat(f"/proc/{pid}/{name}") and open(f"/proc/{pid}/{name}", "rb").read(1)
            got.append(name)
        except IsADirectoryError:
            got.append(name)
        except OSError:
            pass
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        try:
            os.kill(pid, number)
            got.append(number.name)
        except OSError:
            pass
    return got

def state():
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
    told = ("Cap", "NoNew", "Sec", "Gro")
    rights = {key: value.strip() for key, value in status.items() if key.startswith(told)}
    return rights | {"root": 0 in os.getresuid() + os.getresgid()}

def left():
    return [name for name in ("/dev/shm/left", "/tmp/left", "left") if os.path.exists(name)]
"""


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    if problem := why_cold():
        pytest.skip(problem)
    made = bubblewrap_template([])
    yield made
    made.close()


@pytest.fixture
def start(template: Template, tmp_path: Path) -> Iterator[Start]:
    work = write_files(tmp_path / "work", {"looks.py": LOOKS})
    with ExitStack() as opened:

        def begin(*, warm: bool = True) -> Session:
            budget = Budget(Limits(memory_mb=256, disk_mb=8))
            box = BubblewrapBox(template if warm else None)
            return opened.enter_context(Session(box.start(work, {}, budget), budget))

        yield begin


def test_a_warm_box_sees_neither_its_template_nor_a_sibling(start: Start) -> None:
    first, second = start(), start()
    for session in (first, second):
        assert session.call("looks.processes") == [1, 2]  # its keeper and itself
    assert first.call("looks.touch", 1) == []
    assert first.call("looks.processes") == [1, 2]


def test_nothing_of_one_job_is_in_the_memory_of_the_next(start: Start) -> None:
    mark = f"q{uuid4().hex}z"
    first = start()
    first.call("looks.keep", mark)
    assert first.call("looks.holds", mark)  # it would be found
    second = start()
    assert not second.call("looks.holds", mark)
    assert second.call("looks.left") == []


def test_a_warm_box_has_the_rights_of_a_cold_one(start: Start) -> None:
    warm, cold = (start(warm=how).call("looks.state") for how in (True, False))
    assert warm == cold
    assert (warm["CapBnd"], warm["NoNewPrivs"], warm["Seccomp"]) == ("0000000000000000", "1", "2")


NO_GROUPS = """
import sys
from pathlib import Path
from grader.boxes import limits
limits.ROOT = Path("/nowhere")
from grader.boxes.bubblewrap import bubblewrap_template, why_cold
from grader.errors import BoxError
print(why_cold())
try:
    bubblewrap_template([])
except BoxError as error:
    print(error)
"""


def test_without_control_groups_boxes_start_cold(template: Template) -> None:
    assert template.wait().refused == ""
    done = subprocess.run([sys.executable, "-c", NO_GROUPS], capture_output=True, text=True, check=False)
    said = "Boxes start cold here: without control groups nobody counts a warm box's CPU time."
    assert done.stdout.splitlines() == [said, said], done.stderr
