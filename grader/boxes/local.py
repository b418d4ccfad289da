"""The box `local`: a plain subprocess on the learner's own machine. Never for someone else's work.

It has limits where the system offers them and no walls: the work it runs can read and write what the
person who runs it can.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shutil import copytree, rmtree

from grader.boxes.base import Box, Budget, Ending, Running, Stopped
from grader.errors import BoxError
from grader.results import Verdict
from grader.starter import QUIET

AGENT = Path(__file__).parent.parent / "agent.py"
THREADS = ("OPENBLAS", "OMP", "MKL", "NUMEXPR")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in THREADS} | {
    "LOKY_MAX_CPU_COUNT": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
}


class LocalBox(Box):
    """A new process in a new copy of the work, as the same user."""

    name = "local"

    def start(self, work: Path, files: Mapping[str, bytes], budget: Budget) -> Running:
        """Copy the work, start the agent in a session of its own."""
        home = Path(tempfile.mkdtemp(prefix="box-"))
        try:
            inside = home / "work"
            copytree(work, inside)
            for name, content in files.items():
                _lay(inside / name, content, name)
            return _LocalRunning(home, budget)
        except Stopped:
            rmtree(home, ignore_errors=True)
            raise
        except OSError as error:
            rmtree(home, ignore_errors=True)
            raise BoxError(f"The box could not be made in {home.parent}: {error}.") from error


def _lay(target: Path, content: bytes, name: str) -> None:
    """Write a file of the check's over the work."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        found = f"{name} cannot be put into your work: {error.strerror}."
        raise Stopped(Verdict.FAIL, found) from error


class _LocalRunning(Running):
    def __init__(self, home: Path, budget: Budget) -> None:
        self.home = home
        self.ending: Ending | None = None
        self.channel, theirs = socket.socketpair()
        for name in ("home", "tmp"):
            (home / name).mkdir(exist_ok=True)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(AGENT), str(theirs.fileno()), str(home / "work")],
                cwd=home,
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        _limit(self.process.pid, budget)
        self.drain = threading.Thread(target=self._drain, args=(budget.limits.output_kb * 1024,), daemon=True)
        self.drain.start()

    def _drain(self, cap: int) -> None:
        assert self.process.stdout is not None  # noqa: S101  # it was asked for
        seen = 0
        while part := self.process.stdout.read1(1 << 16):  # type: ignore[attr-defined]  # a BufferedReader
            seen += len(part)
            if seen > cap and not self.flooded:
                self.flooded = True
                self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> Ending:
        if self.ending is None:
            self.channel.close()
            cpu_s, code = self._reap()
            self._kill()
            self.drain.join(timeout=1)
            if not self.drain.is_alive() and self.process.stdout is not None:
                self.process.stdout.close()
            rmtree(self.home, ignore_errors=True)
            self.ending = Ending(code, cpu_s)
        return self.ending

    def _reap(self) -> tuple[float, int]:
        """Give the agent a moment to end by itself, so that its own exit code is seen; then kill it."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._kill()
            self.process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return used, self.process.returncode


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin")),
        "HOME": str(home / "home"),
        "TMPDIR": str(home / "tmp"),
        "LANG": "C.UTF-8",
        "DVC_SITE_CACHE_DIR": str(home / "tmp" / "dvc"),
        **QUIET,
        **ONE_THREAD,
    }


def _limit(pid: int, budget: Budget) -> None:
    """Set what the system can limit of one process; those it starts inherit it."""
    limits = budget.limits
    cpu_s = int(budget.cpu_left()) + 1
    wanted = {
        "RLIMIT_CPU": (cpu_s, cpu_s + 2),
        "RLIMIT_DATA": (limits.memory_mb * 1024**2,) * 2,
        "RLIMIT_FSIZE": (limits.disk_mb * 1024**2,) * 2,
        "RLIMIT_CORE": (0, 0),
    }
    if not hasattr(resource, "prlimit"):  # macOS: `lab doctor` says so
        return
    for name, value in wanted.items():
        kind = getattr(resource, name)
        with suppress(ProcessLookupError):
            hard = resource.prlimit(pid, kind)[1]  # nobody but root may raise it
            cap = sys.maxsize if hard == resource.RLIM_INFINITY else hard
            resource.prlimit(pid, kind, (min(value[0], cap), min(value[1], cap)))
