"""What goes wrong on purpose in a class: copies to spoil, processes to kill, what must hold afterwards."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import TypeVar

import psutil

from grader import gradebook
from grader.classroom import read_class
from grader.manifest import list_labs, read_lab
from tests.attacks.room import Room
from tests.grader.courses import replace as edit

T = TypeVar("T")
NAME = "at-work"
OPENED = "import sys; from tests.attacks.faults import opened; "
GRADE = OPENED + "opened(sys.argv[1]).judge()"
SHOW = OPENED + "opened(sys.argv[1]).show()"
TELL = OPENED + "opened(sys.argv[1]).tell([])"
FATAL = """
import os, sys
word, left = sys.argv[2], int(sys.argv[3])

def hook(event, args):
    global left
    if event == "os.rename" and word in str(args[1]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)

sys.addaudithook(hook)
"""


def opened(folder: str) -> Room:
    """The room of a class folder, for a process of its own; it knows no canaries."""
    classroom = read_class(Path(folder))
    lab = list_labs(classroom.course)[0]
    return Room(classroom, lab, Path(folder).parent / "in", Path(tempfile.gettempdir()), {})


@contextmanager
def spoilt(made: Room, top: Path) -> Iterator[Room]:
    """A copy of a room below `top`. Afterwards Nora's row is what it was, and nothing is left or got out."""
    copytree(made.folder, top / "class")
    copytree(made.lab.course, top / "course")
    (top / "tmp").mkdir()
    edit(top / "class" / "class.toml", str(made.lab.course), str(top / "course"))
    lab = read_lab(top / "course" / "labs" / made.lab.id)
    room = replace(made, classroom=read_class(top / "class"), lab=lab, inbox=top / "in", tmp=top / "tmp")
    before = room.row("nora").split(",")
    yield room
    rows = gradebook.rows(room.classroom)
    room.tell(rows)
    export = room.export(rows)
    assert ",".join(before[:6]) in export
    assert room.leaks(export, room.report(rows)) == []
    assert room.left() == []
    assert processes(room) == []


def processes(room: Room) -> list[str]:
    """Whatever runs and knows of the class or of its folder for temporary files; who dies has a moment."""
    until = time.monotonic() + 5
    while (found := [*_processes(str(room.folder.parent))]) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def _processes(place: str) -> Iterator[str]:
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = " ".join(process.info["cmdline"] or ())
        if process.pid != os.getpid() and place in words + (process.info["environ"] or {}).get("TMPDIR", ""):
            yield words


def started(room: Room, script: str = GRADE, *words: str) -> "subprocess.Popen[bytes]":
    """A process of ours at work on the class."""
    command = [sys.executable, "-W", "ignore", "-c", script, str(room.folder), *words]
    return subprocess.Popen(command, cwd=room.folder, env=room.environment, stderr=subprocess.DEVNULL)


def waited(what: Callable[[], T], wait_s: float = 60) -> T:
    """What `what` gives as soon as it gives something."""
    until = time.monotonic() + wait_s
    while not (found := what()):
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)
    return found


def learners(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """Where learner code runs that has called itself `NAME`, below a process of ours."""
    found = []
    with suppress(psutil.Error):
        for one in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                found += [one] if one.name() == NAME else []
    return found


def _up(one: psutil.Process, count: int) -> psutil.Process:
    for _ in range(count):
        above = one.parent()
        assert above is not None
        one = above
    return one


def _judge(template: psutil.Process) -> psutil.Process:
    """The judge at work: a fork of the template."""
    return next(one for one in template.children() if one.cmdline() == template.cmdline())


# From the learner's process upwards: the box's first process, the template of boxes in its sandbox.
VICTIMS: dict[str, Callable[["subprocess.Popen[bytes]", psutil.Process], psutil.Process]] = {
    "the controller": lambda run, _: psutil.Process(run.pid),
    "the template of judges": lambda run, _: psutil.Process(run.pid).children()[0],
    "a judge": lambda run, _: _judge(psutil.Process(run.pid).children()[0]),
    "a sandbox": lambda _, learner: _up(learner, 3),
    "the template of boxes": lambda _, learner: _up(learner, 2),
    "a box": lambda _, learner: _up(learner, 1),
    "a learner's process": lambda _, learner: learner,
}
