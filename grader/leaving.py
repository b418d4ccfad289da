"""Deleting one learner: everything that is kept of them goes, or, after a kill, goes on until it is gone.

While it is under way a note with who it is lies in the class, and no other command works there. Each step can
be done twice, and the note goes last.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from grader import audit
from grader.bookfile import FILE as BOOK
from grader.bookfile import WAIT_S, compact, is_there, open_book, sql
from grader.classroom import FILE, LEAVING, Classroom, Learner, read_class
from grader.errors import CourseError
from grader.intake import LOCK as COLLECTING
from grader.intake import STAGE
from grader.kept import MADE_ANEW, ROSTER, Kept, kept, roster_without, settings_without
from grader.leftovers import scratch
from grader.locks import WHOLE, Held, hold, note
from grader.results import write_json
from grader.texts import line, write_whole

WRITING = ".gradebook.lock"
CERTIFICATES = "certificates"
HALF = re.compile(r"\..+\.\d+\.\w+")  # as `write_whole` names it


@dataclass(frozen=True)
class Gone:
    """What was kept of a learner; `told` says it in words, with counts from before it went."""

    found: Kept
    told: tuple[str, ...]


def delete(classroom: Classroom, learner: str, *, dry_run: bool = False) -> Gone:
    """Take away what is kept of a learner; what that was. With `dry_run` all of it stays.

    Raises:
        CourseError: nothing is kept of such a learner, the class is being worked on, another deletion was
            stopped and comes first, or a file cannot be written. In the last case the same command goes on.
    """
    with quiet(classroom, f"grader learner delete {learner}"):
        classroom = read_class(classroom.folder)  # as whoever was here before has left it
        begun = _begun(classroom)
        if begun and begun.id != learner:
            raise CourseError(
                f"The deletion of `{begun.id}` was stopped. Finish it first: "
                f"`grader learner delete {begun.id}`."
            )
        found = kept(classroom, learner, begun)
        settings, told = settings_without(classroom, learner), tuple(summary(found))
        if not dry_run:
            with _told(classroom, learner):
                _take_away(classroom, found, settings)
    return Gone(found, told)


@contextmanager
def _told(classroom: Classroom, learner: str) -> Iterator[None]:
    """Say in a person's words what stopped a deletion, and how it goes on."""
    try:
        yield
    except (OSError, CourseError) as error:
        raise CourseError(
            f"The deletion of `{learner}` stopped: {getattr(error, 'strerror', None) or error} "
            f"({getattr(error, 'filename', None) or classroom.folder}). What is gone is gone. Mend that, "
            f"then run `grader learner delete {learner}` again: it goes on. Until then nothing "
            "else is done here."
        ) from error


@contextmanager
def quiet(classroom: Classroom, retry: str) -> Iterator[None]:
    """Keep everybody else from collecting, grading and writing, and sweep what a killed run left behind.

    Raises:
        CourseError: somebody is at work, or the locks cannot be written.
    """
    with ExitStack() as held:
        try:
            for name in (WHOLE, COLLECTING, WRITING):
                note(held.enter_context(hold(classroom.folder / name)))
            held.enter_context(scratch(classroom.folder, retry))
        except OSError as error:
            raise CourseError(
                f"{error.filename or classroom.folder} cannot be written ({error.strerror or error}). "
                f"Nothing was done. Mend that, then run `{retry}` again."
            ) from error
        except CourseError as error:
            busy = error if isinstance(error, Held) else error.__cause__
            pid = busy.pid if isinstance(busy, Held) else 0
            raise CourseError(
                f"{classroom.folder} is being worked on (process {pid or 'unknown'}). Wait until it ends, "
                f"then run `{retry}` again."
            ) from error
        yield


def _begun(classroom: Classroom) -> Learner | None:
    """Who is being deleted, by the note of a run that was stopped."""
    file = classroom.folder / LEAVING
    if not file.is_file():
        return None
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return Learner(data["id"], data["name"], data["email"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{file} cannot be read ({type(error).__name__}). It says whose deletion was stopped: take it "
            "away and delete that learner again."
        ) from error


def _take_away(classroom: Classroom, found: Kept, settings: str) -> None:
    """The steps, in an order in which the class can be read after each; the roster's line is the last."""
    who, folder = found.learner, classroom.folder
    write_json(folder / LEAVING, {"id": who.id, "name": who.name, "email": who.email})
    for path in (*found.folders, *found.asides, folder / STAGE):
        if path.is_dir():
            rmtree(path)
    for path in (*found.files, *_pages(folder)):
        path.unlink(missing_ok=True)
    if is_there(classroom):
        _forget_grades(classroom, who.id)
    audit.forget(classroom, who.id)
    _write(folder / FILE, settings)
    _write(folder / ROSTER, roster_without(classroom, who.id))
    os.sync()
    for note_of_it in (*folder.glob(f".{LEAVING}.*"), folder / LEAVING):  # half a note of a killed run, too
        note_of_it.unlink()


def _pages(folder: Path) -> Iterator[Path]:
    """The pages and tables about the whole class; what else somebody put beside them is theirs.

    And what a killed run had half written of them and of certificates.
    """
    for name in (*MADE_ANEW, CERTIFICATES):
        for path in () if (folder / name).is_symlink() else list((folder / name).rglob("*")):
            is_page = path.suffix in (".html", ".csv") and name in MADE_ANEW
            if is_page or HALF.fullmatch(path.name):
                yield path


def _forget_grades(classroom: Classroom, learner: str) -> None:
    """Take a learner out of the gradebook, and their bytes out of its file."""
    with open_book(classroom, WAIT_S, f"grader learner delete {learner}") as book:
        for table in ("grader_projected", "grader_by_hand"):
            sql(book, f"DELETE FROM {table} WHERE learner = :learner", learner=learner)  # noqa: S608  # our own
        book.db.commit()
        if sql(book, "SELECT id FROM student WHERE id = :id", id=learner):
            book.remove_student(learner)
    compact(classroom, f"grader learner delete {learner}")


def _write(file: Path, text: str) -> None:
    """Write one of the class's own files whole; as it was it may hold a byte order mark and any line ends."""
    mode = file.stat().st_mode & 0o777
    write_whole(file, text)
    file.chmod(mode)


def summary(found: Kept) -> list[str]:
    """What is kept of a learner, in words, a line for each place."""
    files = [path for place in found.paths for path in ([place] if place.is_file() else place.rglob("*"))]
    lines = [f"{path}: {_count(path)}" for path in found.folders]
    lines += [str(path) for path in found.files]
    lines += [f"{path}: set aside" for path in found.asides]
    lines += [f"{BOOK}: {found.graded} labs"] if found.in_book else []
    lines += [f"{audit.FILE}: {found.logged} lines"] if found.logged else []
    lines += [f"{FILE}: an extension in {line(lab)}" for lab in found.extensions]
    lines += [f"{ROSTER}: a line"] if found.on_roster else []
    size = sum(path.stat().st_size for path in files if path.is_file())
    return [*lines, f"{sum(path.is_file() for path in files)} files, {size / 1024**2:.1f} MB in all."]


def _count(folder: Path) -> str:
    return f"{sum(path.is_file() for path in folder.rglob('*'))} files"
