"""The program inside a box, spoken to directly. What boxes make of it is in boxes/test_base.py."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copy2
from typing import Any

import pytest

from grader import agent, wire
from grader.boxes.bubblewrap import INSIDE
from tests.grader.courses import write_files

Line = tuple[socket.socket, "subprocess.Popen[bytes]"]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """An agent that has nothing of the engine but what a box gets, and our end of its channel."""
    (tmp_path / "box").mkdir()
    for name in INSIDE:
        copy2(Path(agent.__file__).parent / name, tmp_path / "box")
    work = write_files(tmp_path / "work", {"a.txt": "abc", "learner.py": "def wrong():\n    {}['zone']\n"})
    ours, theirs = socket.socketpair()
    with ours, theirs:
        words = [sys.executable, "-I", str(tmp_path / "box" / "agent.py"), str(theirs.fileno()), str(work)]
        process = subprocess.Popen(words, pass_fds=[theirs.fileno()])
        theirs.close()
        yield ours, process
        ours.close()
        process.wait(10)


def ask(channel: socket.socket, act: str, **parameters: object) -> Any:
    wire.send(channel, {"id": 7, "act": act, "with": parameters})
    reply = wire.receive(channel, wait_s=20)
    assert reply["id"] == 7
    return reply.get("value", reply.get("error"))


def test_it_says_that_it_is_ready_answers_and_ends_with_its_channel(line: Line) -> None:
    channel, process = line
    assert wire.receive(channel, wait_s=20) == {"id": 0, "value": "ready"}
    assert ask(channel, "call", target="math.hypot", args=[3, 4], kwargs={}) == 5.0
    assert ask(channel, "read", path="a.txt", size=2) == b"ab"
    assert ask(channel, "read", path="absent", size=2) is None
    channel.close()
    assert process.wait(10) == 0


def test_it_tells_an_error_with_the_learner_s_line_and_goes_on(line: Line) -> None:
    channel, _ = line
    wire.receive(channel, wait_s=20)
    told = ask(channel, "call", target="learner.wrong", args=[], kwargs={})
    assert told == {"type": "KeyError", "message": "'zone'", "where": "learner.py:2", "kind": ""}
    assert ask(channel, "no such act")["type"] == "KeyError"
    assert ask(channel, "http", method="GET", path="/", body=b"", headers={}, wait_s=1)["kind"] == ""
    assert ask(channel, "read", path="a.txt", size=9) == b"abc"


class PrintsAtItsEnd:
    """A program that prints between a look at its pipes and the question whether it has ended."""

    stdin = None
    returncode = 0

    def __init__(self) -> None:
        reads, self._writes = os.pipe()
        none, self._nothing = os.pipe()
        self.stdout, self.stderr = os.fdopen(reads, "rb", 0), os.fdopen(none, "rb", 0)
        self._said = False

    def poll(self) -> int:
        if not self._said:
            os.write(self._writes, b"42\n")
        self._said = True
        return 0

    def wait(self) -> int:
        return 0

    def kill(self) -> None:
        for number in (self._writes, self._nothing):
            os.close(number)
        self.stdout.close()
        self.stderr.close()


def test_what_a_program_prints_at_its_very_end_is_read() -> None:
    process = PrintsAtItsEnd()
    out, error = agent._drain(process, 1000)
    process.kill()
    assert (bytes(out), bytes(error)) == (b"42\n", b"")
