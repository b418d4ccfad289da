"""A class in one file, and back: whatever was collected, judged, typed and written."""

import gzip
import io
import os
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from errno import ENOSPC
from pathlib import Path, PurePosixPath
from shutil import disk_usage
from typing import Any
from zoneinfo import ZoneInfo

import tomlkit

from grader.bookcopy import as_file, bring
from grader.bookfile import CONFIG, HIDDEN, OTHER, is_there
from grader.bookfile import FILE as BOOK
from grader.classroom import FILE, Classroom, database, read_secret
from grader.errors import CourseError
from grader.intake import LOCK as COLLECTING
from grader.intake import STAGE
from grader.leftovers import LOCK as GRADING
from grader.locks import WHOLE, Held, hold, note
from grader.texts import line, sweep

WRITING = ".gradebook.lock"
LOCKS = (WHOLE, COLLECTING, GRADING, WRITING)
BESIDE = tuple(
    f"{BOOK}{end}" for end in ("-journal", "-wal", "-shm")
)  # SQLite's own copy has what is in them
OURS = ("submissions", "results", "aside", "feedback")  # no link stands in these but a person's own
PROGRAM = (CONFIG, OTHER, HIDDEN)  # formgrader would run them; `grader grade` and `desk` write them
TOP = "class"
PIECE = 1 << 20  # bytes at once; names and other headers are far smaller


def backup(classroom: Classroom, file: Path) -> int:
    """Write all of a class into `file`, a tar with gzip that only its owner may read; how many files.

    It is whole or not there. Nobody collects or grades meanwhile, and the gradebook is copied as it is at one
    moment, so formgrader may be open; from PostgreSQL, too, it becomes a file.

    Raises:
        CourseError: the class is being worked on, a part of it is a link, `file` lies in it or cannot be
            written, or the gradebook cannot be read.
    """
    target = file.resolve()
    if target.is_relative_to(classroom.folder.resolve()):
        raise CourseError(f"{file} lies in the class itself. Name a place elsewhere, best on another disk.")
    try:
        with _quiet_class(classroom), _beside(target) as place:
            half = place / "half"
            count = _pack(classroom, half, place)
            half.replace(target)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise CourseError(
            f"{file} cannot be written ({getattr(error, 'strerror', None) or error}). "
            "The class is as it was. Mend that, or name another place."
        ) from error
    return count


def restore(file: Path, folder: Path, *, db_url: str | None = None) -> int:
    """Put a class back into `folder`, which is new or empty; how many files.

    The gradebook goes where it was, or to `db_url`: an empty database, or, with an empty `db_url`, a file.
    Formgrader's settings and templates, which are a program, are left out.

    Raises:
        CourseError: `folder` holds something, `file` is no backup or is damaged, it cannot be written, or the
            database cannot be used or is not empty.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CourseError(f"{folder} is not an empty folder. Name a new one for the class.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _beside(folder) as place:
            count = _unpack(file, place)
            new = place / TOP
            new.chmod(0o700)
            _bring_book(new, place, db_url)
            if folder.exists():
                folder.rmdir()
            new.replace(folder)
    except (OSError, EOFError, ValueError, OverflowError, tarfile.TarError, zlib.error) as error:
        raise CourseError(
            f"{file} cannot be put back ({getattr(error, 'strerror', None) or error}). "
            f"Nothing was written to {folder}. Try another backup, or another place."
        ) from error
    return count


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A folder of one's own beside `path`; what was left in one by a run that was killed goes."""
    sweep(path)
    with tempfile.TemporaryDirectory(
        dir=path.parent, prefix=f".{path.name}.{os.getpid()}.", ignore_cleanup_errors=True
    ) as place:
        yield Path(place)


def _bring_book(new: Path, place: Path, db_url: str | None) -> None:
    """Put the gradebook of an unpacked class into the database that is to have it, if one is."""
    settings = tomlkit.parse((new / FILE).read_text(encoding="utf-8"))
    if db_url is not None:
        settings["db_url"] = db_url
        (new / FILE).write_text(tomlkit.dumps(settings), encoding="utf-8")
    where = database(new / FILE, settings.get("db_url", ""))
    if where and (new / BOOK).is_file():
        file = (new / BOOK).replace(place / BOOK)
        bring(file, Classroom(new, new, ZoneInfo("UTC"), "", {}, {}, read_secret(new), db_url=where))


@contextmanager
def _quiet_class(classroom: Classroom) -> Iterator[None]:
    """Keep everybody else from collecting, grading and writing."""
    with ExitStack() as held:
        for name in LOCKS:
            try:
                lock = held.enter_context(hold(classroom.folder / name))
            except Held as busy:
                raise CourseError(
                    f"{classroom.folder} is being worked on (process {busy.pid or 'unknown'}). Wait until it "
                    "ends, then back up."
                ) from busy
            lock.seek(0)
            note(lock, *lock.read().splitlines()[1:])  # what a killed run left is swept by the next grade
        yield


def _pack(classroom: Classroom, half: Path, place: Path) -> int:
    """Write the tar; the gradebook as it is at one moment, everything else as it lies there."""
    count, folder = 0, classroom.folder
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as archive:
            if is_there(classroom):
                archive.add(as_file(classroom, place), f"{TOP}/{BOOK}", recursive=False)
                count += 1
            for path in _below(folder):
                name = path.relative_to(folder)
                if name.parts[0] in (*LOCKS, *PROGRAM, STAGE, BOOK, *BESIDE):
                    continue
                if path.is_symlink() and (len(name.parts) == 1 or name.parts[0] in OURS):
                    raise CourseError(
                        f"{path} is a link, and what it points to would be missing from the backup. Put the "
                        "thing itself there, or back that place up with a program of your own."
                    )
                if not _is_plain(path):
                    continue
                archive.add(path, f"{TOP}/{name}", recursive=False)
                _forget(archive)
                count += path.is_file()
        file.flush()
        os.fsync(file.fileno())
    return count


def _below(folder: Path) -> Iterator[Path]:
    """Everything below a folder, each folder before what is in it."""
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)


def _is_plain(path: Path) -> bool:
    return not path.is_symlink() and (path.is_file() or path.is_dir())


def _unpack(file: Path, new: Path) -> int:
    """Unpack a backup below `new`; anything that no class holds is refused."""
    count, room = 0, disk_usage(new).free
    with gzip.open(file) as unpacked, tarfile.open(fileobj=_InPieces(unpacked), mode="r:") as archive:
        while (member := archive.next()) is not None:
            _forget(archive)
            parts = PurePosixPath(member.name).parts
            is_inside = parts[:1] == (TOP,) and len(parts) > 1 and ".." not in parts
            if not is_inside or not (member.isfile() or member.isdir()):
                raise CourseError(f"{file} is no backup of a class: {line(member.name)} is in it.")
            if parts[1] in PROGRAM:
                continue
            room -= member.size
            if room < 0:
                raise OSError(ENOSPC, "more is in it than there is room for")
            archive.extract(member, new, filter="data")
            count += member.isfile()
    for name in (FILE, ".secret", "roster.csv"):
        if not (new / TOP / name).is_file():
            raise CourseError(f"{file} is no backup of a class: {name} is not in it.")
    return count


def _forget(archive: Any) -> None:
    """Let an archive keep no record of each file, nor make a link of one that has two names on the disk."""
    archive.members.clear()
    archive.inodes.clear()


class _InPieces(io.RawIOBase):
    """An unpacked archive that hands out a piece at a time: a hostile header asks for gigabytes at once."""

    def __init__(self, file: gzip.GzipFile) -> None:
        super().__init__()
        self.file = file

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= PIECE:
            raise tarfile.ReadError(f"{size} bytes in one piece are in it")
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()
