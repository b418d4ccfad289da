"""One grader a class, and nothing left of one that was killed.

Everything that a run makes outside the class lies in one folder, whose path stands in the class's lock file
beside the pid. The next run ends the processes that live in it and takes it away.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import IO

import psutil

from grader.boxes import limits
from grader.errors import CourseError
from grader.locks import Held, hold, note

LOCK = ".grading.lock"
PREFIX = "grader-"


@contextmanager
def scratch(class_folder: Path, retry: str) -> Iterator[Path]:
    """The run's own folder for whatever is made by `tempfile` meanwhile; empty again afterwards.

    Raises:
        CourseError: another grader works on this class; names its pid.
        OSError: the lock or the folder cannot be made.
    """
    try:
        with hold(class_folder / LOCK) as lock:
            _sweep(lock)
            folder = Path(tempfile.gettempdir()) / f"{PREFIX}{secrets.token_hex(8)}"
            note(lock, str(folder))  # before it is made: a killed run leaves nothing unknown
            folder.mkdir(mode=0o711)  # a box under another uid passes through
            before, tempfile.tempdir = tempfile.tempdir, str(folder)
            try:
                yield folder
            finally:
                tempfile.tempdir = before
                _clear(folder)
                note(lock)
    except Held as held:
        who = f"process {held.pid}" if held.pid else "another process"
        raise CourseError(
            f"{class_folder} is being graded by {who}. Wait until it ends, then run `{retry}`: "
            "it judges what is missing then."
        ) from held


def end_processes(folder: Path) -> None:
    """Kill what lives in `folder`: works there, or has its temporary files there."""
    for _ in range(50):
        found = [one for one in psutil.process_iter() if one.pid != os.getpid() and _lives_in(one, folder)]
        if not found:
            return
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(0.05)  # never waited for: a judge is reaped by the thread that started it


def _lives_in(process: psutil.Process, folder: Path) -> bool:
    places = []
    with suppress(psutil.Error, OSError):
        places.append(process.cwd())
    with suppress(psutil.Error, OSError):
        places.append(process.environ().get("TMPDIR", ""))
    return any(place and Path(place).is_relative_to(folder) for place in places)


def _sweep(lock: IO[str]) -> None:
    lock.seek(0)
    for text in lock.read().splitlines()[1:]:
        folder = Path(text)
        if folder.is_absolute() and folder.name.startswith(PREFIX) and not folder.is_symlink():
            _clear(folder)


def _clear(folder: Path) -> None:
    if folder.is_dir():
        end_processes(folder)
        rmtree(folder, ignore_errors=True)
    limits.sweep()
