"""This side of a template: start it, ask it for a fork, see one to its end."""

import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from grader.boxes.base import Budget
from grader.boxes.limits import resource_limits
from grader.errors import BoxError

IMPORTS_S = 120.0  # what a template may take for its imports
TRIES = 3  # of a template that ends during its imports
FORKS_S = 20.0  # what it may take to fork


class TemplateGone(Exception):
    """The template has ended, or does not answer: make the box cold."""


@dataclass(frozen=True)
class Command:
    """How a template is started: its words, its variables, and a folder that goes when it is up."""

    words: Sequence[str]
    environment: Mapping[str, str]
    home: Path | None = None


@dataclass(frozen=True)
class Hello:
    """What a template says once: why it will not serve, the modules it has imported, the memory they hold."""

    refused: str = ""
    names: frozenset[str] = frozenset()
    data: int = 0


class Template:
    """A process that has done its imports and forks; started again when it has ended.

    Processes that were forked from the one that started it use it too, after `share`.
    """

    def __init__(self, command: Callable[[int, int], Command], *, ours: bool = False) -> None:
        """Start it: `command(line, hello)` says how, with the descriptors that it gets.

        With `ours`, no file of a learner's is where its forks import from.
        """
        self._command = command
        self.ours = ours
        self._failures = 0
        self._start()

    def _start(self) -> None:
        self._line, line = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._hello, hello = os.pipe()
        lifeline, self._lifeline = os.pipe()
        self.hello: Hello | None = None
        self._ended = False
        self._home: Path | None = None
        try:
            command = self._command(line.fileno(), hello)
            self._home = command.home
            self._process = subprocess.Popen(
                command.words,
                env=dict(command.environment),
                stdin=lifeline,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[line.fileno(), hello],
                start_new_session=True,
            )
        except BaseException:
            self._release()
            raise
        finally:
            line.close()
            for number in (hello, lifeline):
                os.close(number)

    @property
    def pid(self) -> int:
        """Its pid; where it waits in a sandbox, that of the sandbox."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        if self.hello is not None and not self._ended:
            self._ended = bool(select.select([self._hello], [], [], 0)[0])
        return not self._ended

    def wait(self, timeout_s: float = IMPORTS_S) -> Hello:
        """What it says when its imports are done.

        Raises:
            TemplateGone: it ended before, or takes longer.
        """
        end, text = time.monotonic() + timeout_s, b""
        while self.hello is None:
            if self._ended:
                raise TemplateGone("The template ended during its imports.")
            if not select.select([self._hello], [], [], max(end - time.monotonic(), 0))[0]:
                raise TemplateGone(f"The template's imports took over {timeout_s:g} s.")
            part = os.read(self._hello, 1 << 16)
            self._ended = not part
            self._failures += self._ended
            text += part
            if text.endswith(b"\n"):
                self._failures = 0
                facts = json.loads(text)
                self.hello = Hello(facts["refused"], frozenset(facts["names"]), facts["data"])
                self._tidy()
        return self.hello

    def revive(self) -> None:
        """Start it again if it has ended, and wait until it serves; what never does is not asked for ever."""
        refused = self.hello is not None and self.hello.refused
        if not self.is_alive() and not refused and self._failures < TRIES:
            self.close()
            self._start()
        with suppress(TemplateGone):
            self.wait()

    def fork(self, spec: Mapping[str, Any], fds: Sequence[int]) -> "Fork":
        """A fork of it that gets `spec` as JSON, readable once, and these descriptors.

        Raises:
            TemplateGone: there will be none.
        """
        if self.wait().refused:
            raise TemplateGone(self.wait().refused)
        control, theirs = socket.socketpair()
        given = descriptor(json.dumps(spec).encode())
        try:
            socket.send_fds(self._line, [b"f"], [theirs.fileno(), given, *fds])
            theirs.close()
            return Fork(control)
        except OSError as error:
            control.close()
            raise TemplateGone(str(error)) from error
        finally:
            theirs.close()
            os.close(given)

    def share(self) -> list[int]:
        """In a fork of the process that started it: use it without keeping it alive. What must stay open."""
        if self._hello < 0:  # it could not be started again
            return []
        os.close(self._lifeline)
        self._lifeline = -1
        return [self._line.fileno(), self._hello]

    def _release(self) -> None:
        self._line.close()
        for number in (self._hello, self._lifeline):
            with suppress(OSError):
                os.close(number)
        self._hello = self._lifeline = -1
        self._ended = True

    def close(self) -> None:
        """End it, and all that was forked from it."""
        if self._hello < 0:
            return
        self._release()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._tidy()

    def _tidy(self) -> None:
        if self._home is not None:
            rmtree(self._home, ignore_errors=True)
            self._home = None


class Fork:
    """A child of a template: its pid as the template has it, and its end."""

    def __init__(self, control: socket.socket, wait_s: float = FORKS_S) -> None:
        """Wait for the pid.

        Raises:
            TemplateGone: it never comes.
        """
        self._control = control
        self._text = b""
        self._ended: tuple[int, float] | None = None
        self.is_lost = False  # it was ended with its template
        try:
            said = self._line(time.monotonic() + wait_s)
        except TimeoutError as error:
            control.close()
            raise TemplateGone("The template does not answer.") from error
        if not said:
            control.close()
            raise TemplateGone("The template has ended.")
        self.pid: int | None = int(said)

    def wait(self, timeout_s: float) -> tuple[int, float]:
        """Exit code (negative for a signal) and CPU seconds; a killed template's forks were killed.

        Raises:
            TimeoutError: it still runs.
        """
        if self._ended is None:
            code, _, cpu_s = self._line(time.monotonic() + timeout_s).partition(b" ")
            self._control.close()
            self.is_lost = not code
            self._ended = (int(code), float(cpu_s)) if code else (-9, 0.0)
        return self._ended

    def kill(self) -> None:
        """Kill it."""
        if self._ended is None:
            with suppress(OSError):
                self._control.sendall(b"k")

    def _line(self, end: float) -> bytes:
        """The next line on the control; nothing when it ends."""
        while b"\n" not in self._text:
            self._control.settimeout(max(end - time.monotonic(), 0.001))
            try:
                part = self._control.recv(100)
            except ConnectionError:
                part = b""
            if not part:
                return b""
            self._text += part
        line, _, self._text = self._text.partition(b"\n")
        return line


def sealed(fork: Fork) -> Fork:
    """A fork in a pid namespace of its template's: what pid it has there says nothing here."""
    fork.pid = None
    return fork


def fits(template: Template, sources: Sequence[Path]) -> bool:
    """Whether a fork of the template imports from these folders what a new process would.

    A file of the learner's that has the name of a module that the template has imported, and a new process
    has not, would go unseen.

    Raises:
        TemplateGone: it does not serve.
    """
    names = template.wait().names
    if template.ours:
        return True
    for source in sources:
        for path in source.rglob("*"):
            module = path.parent.name if path.name == "__init__.py" else path.name.partition(".")[0]
            if path.suffix in (".py", ".so") and module in names:
                return False
    return True


def warm_limits(template: Template, budget: Budget) -> dict[str, int]:
    """A box's resource limits; what the template's imports hold is not the learner's memory."""
    limits = resource_limits(budget)
    return limits | {"RLIMIT_DATA": limits["RLIMIT_DATA"] + template.wait().data}


def descriptor(content: bytes) -> int:
    """An open file with that content that has no name, read from its beginning."""
    if not hasattr(os, "memfd_create"):  # macOS
        return unnamed(content)
    number = os.memfd_create("spec")
    os.write(number, content)
    os.lseek(number, 0, os.SEEK_SET)
    return number


def unnamed(content: bytes) -> int:
    """The same by a pipe, where there are no files in memory.

    Raises:
        BoxError: it is more than a pipe holds.
    """
    read, write = os.pipe()
    try:
        if len(content) > 1 << 14:
            os.close(read)
            raise BoxError(f"A template is told {len(content)} bytes; a pipe takes 16 KiB at once.")
        os.write(write, content)
    finally:
        os.close(write)
    return read
