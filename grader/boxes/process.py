"""A box whose agent is a process of this host: start it, drain what it prints, end it."""

import os
import resource
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Protocol

import psutil

from grader.boxes.base import Budget, Ending, Running
from grader.boxes.limits import Group
from grader.results import Verdict


class Process(Protocol):
    """A started agent. `pid` is None where it is not ours to count."""

    pid: int | None

    def wait(self, timeout_s: float) -> tuple[int, float]:
        """Exit code (negative for a signal) and CPU seconds; a TimeoutError while it runs."""

    def kill(self) -> None:
        """Kill it and what is in its session."""


Start = Callable[[int, int], Process]  # the agent's end of the line, where it prints


class Child(Running):
    """An agent, its folder on this host, and its control group if it has one."""

    def __init__(self, start: Start, home: Path, budget: Budget, group: Group | None = None) -> None:
        self.home = home
        self.group = group or Group()
        self.ending: Ending | None = None
        self.channel, theirs = socket.socketpair()
        prints, out = os.pipe()
        self.prints = open(prints, "rb", buffering=0)  # noqa: PTH123, SIM115  # the drain closes it
        try:
            with theirs:
                self.process = start(theirs.fileno(), out)
        except BaseException:
            self.channel.close()
            self.prints.close()
            raise
        finally:
            os.close(out)
        self.last_words = b""
        self.drain = threading.Thread(target=self._drain, args=(budget.limits.output_kb * 1024,), daemon=True)
        self.drain.start()

    def cpu_s(self) -> float | None:
        """CPU seconds of everything in the box so far: as its group counts, else added up by process."""
        counted = self.group.cpu_s()
        if counted is None and self.process.pid is not None:
            return _family_cpu_s(self.process.pid)
        return counted

    def pressed(self) -> Verdict | None:
        """The limit that this box ran into, as its control group saw it."""
        if self.group.was_out_of_memory():
            return Verdict.MEMORY
        return Verdict.PROCESSES if self.group.was_out_of_processes() else None

    def end(self) -> Ending:
        """Kill what still runs in the box, take away its files, and say how it ended."""
        if self.ending is None:
            self.channel.close()
            code, cpu_s, killed = self._reap()
            cpu_s = max(cpu_s, self.group.cpu_s() or 0.0)
            pressed, peak_mb = self.pressed(), self.group.peak_memory_mb()
            self.group.end()
            self.drain.join(timeout=3)  # the pipe ends with its last writer
            rmtree(self.home, ignore_errors=True)
            self.ending = Ending(
                code,
                cpu_s,
                killed and not self.flooded,
                pressed,
                peak_mb,
                self.last_words.decode(errors="replace"),
            )
        return self.ending

    def _drain(self, cap: int) -> None:
        """Read what the agent prints, so that it never waits for us; past the cap it is killed."""
        seen = 0
        with self.prints:
            while part := self.prints.read(1 << 16):
                seen += len(part)
                self.last_words = (self.last_words + part)[-500:]
                if seen > cap and not self.flooded:
                    self.flooded = True
                    self.process.kill()

    def _reap(self) -> tuple[int, float, bool]:
        """Give the agent a moment to end by itself, so that its own exit code is seen; then kill it."""
        ours = False
        try:
            code, cpu_s = self.process.wait(0.2)
        except TimeoutError:
            ours = True
            self.process.kill()
            code, cpu_s = self.process.wait(10)
        self.process.kill()
        code = 128 - code if code > 128 else code  # a shell and bwrap report a signal so
        return code, cpu_s, code == -signal.SIGKILL and not ours


class Cold:
    """A process started for this box alone, in a session of its own."""

    def __init__(
        self, command: Sequence[str], home: Path, environment: Mapping[str, str], channel: int, out: int
    ) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=home,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=[channel],
            start_new_session=True,
        )
        self.pid: int | None = self._process.pid

    def wait(self, timeout_s: float) -> tuple[int, float]:
        """Exit code and CPU seconds.

        Raises:
            TimeoutError: it still runs.
        """
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return code, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def kill(self) -> None:
        """Kill its session."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _family_cpu_s(pid: int) -> float:
    """CPU seconds of a process, of all below it, and of those that ended and were waited for."""
    total = 0.0
    for one in _family(pid):
        with suppress(psutil.Error):
            times = psutil.Process(one).cpu_times()
            waited = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
            total += times.user + times.system + waited
    return total


def _family(pid: int) -> Iterator[int]:
    """A process and all below it, as the kernel lists them; else found among all processes."""
    yield pid
    lists = Path(f"/proc/{pid}/task")
    if not lists.is_dir():
        with suppress(psutil.Error):
            yield from (child.pid for child in psutil.Process(pid).children(recursive=True))
        return
    for thread in lists.iterdir():
        with suppress(OSError):
            for child in (thread / "children").read_text().split():
                yield from _family(int(child))
