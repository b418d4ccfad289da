"""The small service of `app`, in a process of its own, that a test can kill and start again."""

import collections
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COURSE = Path(__file__).parents[3]


class Serving:
    """uvicorn on a free port, or on a Unix socket; what reaches it is kept in a file across restarts."""

    def __init__(self, folder: Path, *, unix: bool = False) -> None:
        self._seen = folder / "seen.jsonl"
        self._socket = folder / "eta.sock"
        self._port = free_port()
        self._where = ["--uds", str(self._socket)] if unix else ["--port", str(self._port)]
        self.to = f"unix:{self._socket}" if unix else f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        words = ["-m", "uvicorn", "tests.lab_env.replay.app:app", "--log-level", "error", *self._where]
        self._process = subprocess.Popen(
            [sys.executable, *words],
            cwd=COURSE,
            env=os.environ | {"SEEN": str(self._seen), "PYTHONPATH": str(COURSE)},
        )
        until = time.monotonic() + 60
        while not self._listens():
            assert self._process.poll() is None, "the service ended"
            assert time.monotonic() < until, "the service did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: no farewell to anybody."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
            self._socket.unlink(missing_ok=True)

    def seen(self, what: str) -> list[Any]:
        """What reached the service, in that order: an `order`, a `label`."""
        if not self._seen.exists():
            return []
        events = map(json.loads, self._seen.read_text().splitlines())
        return [value for kind, value in events if kind == what]

    def lines(self) -> int:
        """How much has reached it, orders and labels."""
        return self._seen.read_bytes().count(b"\n")

    def twice(self, what: str) -> int:
        """How many of them came again."""
        return sum(times - 1 for times in collections.Counter(self.seen(what)).values())

    def events(self) -> list[tuple[str, Any]]:
        """All of it, in the order in which it came."""
        return [tuple(json.loads(line)) for line in self._seen.read_text().splitlines()]

    def _listens(self) -> bool:
        unix = self._where[0] == "--uds"
        with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as caller:
            try:
                caller.connect(str(self._socket) if unix else ("127.0.0.1", self._port))
            except OSError:
                return False
        return True


def free_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])
