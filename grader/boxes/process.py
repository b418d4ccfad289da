"""A box whose agent is a child process of ours: start it, drain what it prints, end it."""

import os
import resource
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

import psutil

from grader.boxes.base import Budget, Ending, Running
from grader.boxes.limits import Group
from grader.results import Verdict


class Child(Running):
    """An agent in a session of its own, its folder on this host, and its control group if it has one."""

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        home: Path,
        environment: Mapping[str, str],
        budget: Budget,
        group: Group | None = None,
    ) -> None:
        """Start `command(channel)`, the number being the agent's end of the line."""
        self.home = home
        self.group = group or Group()
        self.ending: Ending | None = None
        self.channel, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                command(theirs.fileno()),
                cwd=home,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.last_words = b""
        self.drain = threading.Thread(target=self._drain, args=(budget.limits.output_kb * 1024,), daemon=True)
        self.drain.start()

    def cpu_s(self) -> float | None:
        """CPU seconds of everything in the box so far: as its group counts, else added up by process."""
        counted = self.group.cpu_s()
        return _family_cpu_s(self.process.pid) if counted is None else counted

    def pressed(self) -> Verdict | None:
        """The limit that this box ran into, as its control group saw it."""
        if self.group.was_out_of_memory():
            return Verdict.MEMORY
        return Verdict.PROCESSES if self.group.was_out_of_processes() else None

    def end(self) -> Ending:
        """Kill what still runs in the box, take away its files, and say how it ended."""
        if self.ending is None:
            self.channel.close()
            cpu_s, code, killed = self._reap()
            self._kill()
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
        assert self.process.stdout is not None  # noqa: S101  # it was asked for
        seen = 0
        while part := self.process.stdout.read1(1 << 16):  # type: ignore[attr-defined]  # a BufferedReader
            seen += len(part)
            self.last_words = (self.last_words + part)[-500:]
            if seen > cap and not self.flooded:
                self.flooded = True
                self._kill()
        self.process.stdout.close()

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _reap(self) -> tuple[float, int, bool]:
        """Give the agent a moment to end by itself, so that its own exit code is seen; then kill it."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ours = False
        try:
            self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            ours = True
            self._kill()
            self.process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        code = self.process.returncode
        code = 128 - code if code > 128 else code  # a shell and bwrap report a signal so
        return used, code, code == -signal.SIGKILL and not ours


def _family_cpu_s(pid: int) -> float:
    """CPU seconds of a process, of all below it, and of those that ended and were waited for."""
    total = 0.0
    with suppress(psutil.Error):
        head = psutil.Process(pid)
        for one in (head, *head.children(recursive=True)):
            with suppress(psutil.Error):
                times = one.cpu_times()
                waited = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
                total += times.user + times.system + waited
    return total
