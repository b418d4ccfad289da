"""The gradebook's database, a file or PostgreSQL's, with one writer at a time; nbgrader's one door."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
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
    "points FLOAT, extra FLOAT, comment TEXT, nr INTEGER, PRIMARY KEY (learner, lab, snapshot, check_id))",
    "CREATE TABLE IF NOT EXISTS grader_class (mark TEXT)",
)


def url(classroom: Classroom) -> Any:
    """Where the gradebook is, as SQLAlchemy's URL.

    Raises:
        CourseError: the settings name a database, and a file lies in the class too.
    """
    from sqlalchemy import URL, make_url

    file = classroom.folder / FILE
    if not classroom.db_url:
        return URL.create("sqlite", database=str(file))
    if file.exists():
        raise CourseError(
            f"{file} is there, and `db_url` in class.toml names {classroom.db_url}: only one of them can be "
            "the gradebook. To take the file's grades to the database, take `db_url` out, run `grader backup "
            "FILE`, then `grader restore FILE FOLDER --db-url …`. If they are there, move the file away."
        )
    return make_url(classroom.db_url).set(drivername="postgresql+psycopg")


def called(classroom: Classroom) -> str:
    """What the gradebook is called in a message."""
    return classroom.db_url or str(classroom.folder / FILE)


def is_there(classroom: Classroom) -> bool:
    """Whether there is a gradebook yet.

    Raises:
        CourseError: it is in PostgreSQL, which cannot be asked.
    """
    if not classroom.db_url:
        return (classroom.folder / FILE).is_file()
    with told(classroom, WAIT_S), engine(classroom) as opened:
        return _has_tables(opened)


def compact(classroom: Classroom, retry: str) -> None:
    """Take the bytes of what was deleted out of the database's files.

    Raises:
        CourseError: it is held, or broken.
    """
    lines = ["VACUUM FULL"] if classroom.db_url else ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"]
    with told(classroom, WAIT_S, retry), engine(classroom) as opened, opened.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        for one in lines:
            alone.exec_driver_sql(one)


def engine(classroom: Classroom, wait_s: float = WAIT_S) -> AbstractContextManager[Any]:
    """The class's database, for what nbgrader's own doors do not do."""
    return at(_waiting(url(classroom), wait_s))


@contextmanager
def at(where: Any) -> Iterator[Any]:
    """The database that SQLAlchemy's URL names, or the file at a path."""
    from sqlalchemy import URL, create_engine

    opened = create_engine(URL.create("sqlite", database=str(where)) if isinstance(where, Path) else where)
    try:
        yield opened
    finally:
        opened.dispose()


def _waiting(where: Any, wait_s: float) -> Any:
    """The URL, with how long to wait for whoever holds the database."""
    if where.get_backend_name() == "sqlite":
        return where.update_query_dict({"timeout": str(wait_s)})
    asked = {"connect_timeout": str(max(2, round(wait_s))), "options": f"-c lock_timeout={wait_s * 1000:.0f}"}
    return where.update_query_dict({**asked, **where.query})


def _has_tables(opened: Any) -> bool:
    from sqlalchemy import inspect

    return bool(inspect(opened).has_table("alembic_version"))


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
            if not is_there(classroom):
                _make(classroom)
            yield
    except Held as held:
        raise CourseError(
            _busy(classroom, f"process {held.pid} writes it", f"grader grade {lab.number}")
        ) from held
    except OSError as error:
        raise CourseError(
            f"{error.filename or called(classroom)} cannot be written ({error.strerror or error}). The "
            f"results are safe. Mend that, then run `grader grade {lab.number}` again."
        ) from error


def _make(classroom: Classroom) -> None:
    """A new gradebook, whole or not at all: nbgrader goes on with a half-made one and never mends it."""
    new = classroom.folder / f".{FILE}.new"
    new.unlink(missing_ok=True)
    with (
        told(classroom, WAIT_S),
        engine(classroom) if classroom.db_url else at(new) as opened,
        opened.begin() as all_of_it,
    ):
        lay_out(all_of_it, classroom)
    if not classroom.db_url:
        new.replace(classroom.folder / FILE)


def lay_out(connection: Any, classroom: Classroom) -> None:
    """Make nbgrader's own tables, and ours, in an empty database.

    As nbgrader's constructor would, but without the program `alembic`, which it takes from PATH and waits
    seconds for.
    """
    with _quiet():
        import nbgrader
        from alembic.script import ScriptDirectory
        from nbgrader.api import Base
        from sqlalchemy import text
    version = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
    Base.metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
    for statement in OURS:
        connection.execute(text(statement))
    connection.execute(text("INSERT INTO grader_class VALUES (:mark)"), {"mark": _mark(classroom)})


def _mark(classroom: Classroom) -> str:
    """What tells this class from another whose settings were copied from it; a restored one has the same."""
    return sha256(b"gradebook of the class with\0" + classroom.secret).hexdigest()[:16]


@contextmanager
def open_book(classroom: Classroom, wait_s: float, retry: str = "") -> Iterator[Any]:
    """The gradebook; `retry` is what to type when another program holds it, if not the same command.

    Raises:
        CourseError: it is held or broken, or another class's.
    """
    with _quiet():
        from nbgrader.api import Gradebook, InvalidEntry
    with told(classroom, wait_s, retry, InvalidEntry):
        if classroom.db_url:
            _refuse_another(classroom, wait_s)
        with _quiet():
            book = Gradebook.__new__(Gradebook)  # made in two steps: half made, too, it has to let go
            try:
                book.__init__(_waiting(url(classroom), wait_s), COURSE_ID)
                if not classroom.db_url:
                    _bring_up_to_date(book)
                yield book
            finally:
                book.close()


def _refuse_another(classroom: Classroom, wait_s: float) -> None:
    """Let no class write into another's database, nor into one of something else."""
    from sqlalchemy import inspect, text

    with engine(classroom, wait_s) as opened, opened.connect() as connection:
        ours = inspect(connection).has_table("grader_class")
        marks = list(connection.execute(text("SELECT mark FROM grader_class"))) if ours else []
    if [mark for (mark,) in marks] != [_mark(classroom)]:
        raise CourseError(
            f"{called(classroom)} holds something else than this class's gradebook. Give each class a "
            "database of its own: `createdb NAME`, and `db_url` in class.toml."
        )


def _bring_up_to_date(book: Any) -> None:
    """Give a file of an earlier release what ours have by now."""
    for statement in OURS:
        sql(book, statement)
    if "nr" not in [column for _, column, *_ in sql(book, "PRAGMA table_info(grader_by_hand)")]:
        sql(book, "ALTER TABLE grader_by_hand ADD COLUMN nr INTEGER")
        sql(book, "UPDATE grader_by_hand SET nr = rowid")
        book.db.commit()


@contextmanager
def told(classroom: Classroom, wait_s: float, retry: str = "", *more: type[Exception]) -> Iterator[None]:
    """Say in a person's words what the database says, or `more` of its users; nbgrader is not imported.

    `retry` is what to type then; without it, the command that was typed.
    """
    from sqlalchemy.exc import DatabaseError

    kinds: tuple[type[Exception], ...] = (DatabaseError, *more)
    try:
        yield
    except kinds as error:
        said = str(error.args[0]) if error.args else str(error)
        if "locked" in said or "lock timeout" in said:
            raise CourseError(_busy(classroom, f"it was locked for {wait_s:g} s", retry)) from error
        mend = (
            "Is the server up, and may you log in there? A password belongs into ~/.pgpass."
            if classroom.db_url
            else "When the file is broken, bring it back from a backup, or move it away: the next "
            "`grader grade` makes a new one, without what was typed by hand."
        )
        raise CourseError(
            f"{called(classroom)} cannot be used: {line(said)}. The results are safe. {mend}"
        ) from error


def _busy(classroom: Classroom, why: str, retry: str) -> str:
    command = f"`{retry}`" if retry else "the same command"
    return (
        f"{called(classroom)} is busy: {why}. The results are safe. Close what holds it (another "
        f"`grader`, a database browser), then run {command} again: it only brings the gradebook up to date."
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
