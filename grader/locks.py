"""One at a time: a lock on a file that the system lets go when its holder dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from grader.errors import CourseError

WHOLE = ".class.lock"  # in a class: shared by whoever works there, and one's own while somebody is deleted


class Held(CourseError):
    """Somebody else has the lock; `pid` is theirs, 0 when they did not say."""

    def __init__(self, file: Path, pid: int) -> None:
        super().__init__(f"{file} is held by another program (pid {pid or 'unknown'}).")
        self.pid = pid


@contextmanager
def hold(file: Path, *, wait_s: float = 0, shared: bool = False) -> Iterator[IO[str]]:
    """Hold the lock of `file`, open for what its holder wants to leave there; the pid stands first.

    With `shared` others may hold it so as well, and nobody alone.

    Raises:
        Held: another process has it, and did not let go within `wait_s`.
        OSError: the file cannot be made.
    """
    with file.open("a+", encoding="utf-8") as opened:
        until = time.monotonic() + wait_s
        while not _taken(opened, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if time.monotonic() >= until:
                opened.seek(0)
                first = opened.readline().strip()
                raise Held(file, int(first) if first.isdecimal() else 0)
            time.sleep(0.05)
        yield opened


def note(opened: IO[str], *lines: str) -> None:
    """Leave the pid and `lines` in a held file, for who finds it held or left behind."""
    opened.seek(0)
    opened.truncate()
    os.write(
        opened.fileno(), ("\n".join((str(os.getpid()), *lines)) + "\n").encode()
    )  # nothing left to flush


def _taken(opened: IO[str], how: int) -> bool:
    try:
        fcntl.flock(opened, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
