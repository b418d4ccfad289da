"""The gradebook's file: nbgrader's database, opened by one program at a time. nbgrader's one door."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader.classroom import Classroom
from grader.errors import CourseError
from grader.locks import Held, hold, note
from grader.manifest import Lab
from grader.texts import line

FILE = "gradebook.db"
COURSE_ID = "class"
CONFIG, OTHER, HIDDEN = "nbgrader_config.py", "nbgrader_config.json", ".formgrader"  # formgrader runs these
WAIT_S = 10.0
OURS = (
    "CREATE TABLE IF NOT EXISTS grader_projected (learner TEXT, lab TEXT, snapshot TEXT, lab_release TEXT, "
    "PRIMARY KEY (learner, lab))",
    "CREATE TABLE IF NOT EXISTS grader_by_hand (learner TEXT, lab TEXT, snapshot TEXT, check_id TEXT, "
    "points FLOAT, extra FLOAT, comment TEXT, PRIMARY KEY (learner, lab, snapshot, check_id))",
)


def sql(book: Any, statement: str, **values: Any) -> list[Any]:
    """Run a statement on an open gradebook; its rows."""
    from sqlalchemy import text

    done = book.db.execute(text(statement), values)
    return list(done) if done.returns_rows else []


@contextmanager
def writer(classroom: Classroom, lab: Lab, wait_s: float) -> Iterator[None]:
    """Be the one writer; make the gradebook when there is none.

    Raises:
        CourseError: another program writes it, or it cannot be written.
    """
    try:
        with hold(classroom.folder / ".gradebook.lock", wait_s=wait_s) as lock:
            note(lock)
            if not (classroom.folder / FILE).is_file():
                _make(classroom.folder)
            yield
    except Held as held:
        raise CourseError(
            _busy(classroom, f"process {held.pid} writes it", f"grader grade {lab.number}")
        ) from held
    except OSError as error:
        raise CourseError(
            f"{error.filename or classroom.folder / FILE} cannot be written ({error.strerror or error}). The "
            f"results are safe. Mend that, then run `grader grade {lab.number}` again."
        ) from error


def _make(folder: Path) -> None:
    """A new gradebook, whole or not at all: nbgrader goes on with a half-made one and never mends it.

    Made of nbgrader's own tables, as its constructor would, but without the program `alembic`, which it
    takes from PATH and waits seconds for.
    """
    with _quiet():
        import nbgrader
        from alembic.script import ScriptDirectory
        from nbgrader.api import Base
        from sqlalchemy import create_engine, text
    new = folder / f".{FILE}.new"
    new.unlink(missing_ok=True)
    version = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
    engine = create_engine(f"sqlite:///{new}")
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
    engine.dispose()
    new.replace(folder / FILE)


@contextmanager
def open_book(classroom: Classroom, wait_s: float, retry: str) -> Iterator[Any]:
    """The gradebook; `retry` is what to type when another program holds it.

    Raises:
        CourseError: it is held or broken.
    """
    with _quiet():
        from nbgrader.api import Gradebook, InvalidEntry
        from sqlalchemy import URL
        from sqlalchemy.exc import DatabaseError
    file = classroom.folder / FILE
    try:
        with _quiet():
            url = URL.create("sqlite", database=str(file), query={"timeout": str(wait_s)})
            book = Gradebook(url, COURSE_ID)
            try:
                for statement in OURS:
                    sql(book, statement)
                yield book
            finally:
                book.close()
    except (DatabaseError, InvalidEntry) as error:
        said = str(error.args[0]) if error.args else str(error)
        if "locked" in said:
            raise CourseError(_busy(classroom, f"it was locked for {wait_s:g} s", retry)) from error
        raise CourseError(
            f"{file} cannot be used: {line(said)}. The results are safe. When the file is broken, bring it "
            "back from a backup, or move it away: the next `grader grade` makes a new one, without what "
            "was typed by hand."
        ) from error


def _busy(classroom: Classroom, why: str, retry: str) -> str:
    return (
        f"{classroom.folder / FILE} is busy: {why}. The results are safe. Close what holds it (another "
        f"`grader`, a database browser), then run `{retry}` again: it only brings the gradebook up to date."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep nbgrader's warnings and its logged tracebacks to itself; what matters is raised."""
    log = logging.getLogger("tornado.application")
    before, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before


def add_grade(book: Any, cell_id: str, notebook: Any) -> None:
    """A place for points that a submission from before the check has not."""
    from nbgrader.api import Grade

    book.db.add(Grade(cell_id=cell_id, notebook=notebook))


def add_comment(book: Any, cell_id: str, notebook: Any) -> None:
    """The same for a comment."""
    from nbgrader.api import Comment

    book.db.add(Comment(cell_id=cell_id, notebook=notebook))
