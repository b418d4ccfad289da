"""The gradebook as a file for a backup, and from such a file into PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from grader.bookfile import FILE, WAIT_S, at, called, engine, lay_out, told
from grader.classroom import Classroom
from grader.errors import CourseError

AS_LAID_OUT = ("alembic_version", "grader_class")  # said anew where a copy is made
ROWS = 1000  # held in memory at once


def as_file(classroom: Classroom, folder: Path) -> Path:
    """Copy the gradebook, as it is at one moment, into a file in `folder`.

    Raises:
        CourseError: it is in PostgreSQL and cannot be read.
        sqlite3.Error: it is a file and cannot be read, or the copy not written.
    """
    copy = folder / FILE
    if not classroom.db_url:
        source = classroom.folder / FILE
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(copy)) as write:
            read.backup(write)
        return copy
    with (
        told(classroom, WAIT_S, "grader backup FILE"),
        engine(classroom) as source,
        at(copy) as target,
        source.connect() as read,
        target.begin() as write,
    ):
        lay_out(write, classroom)
        _copy(read.execution_options(isolation_level="REPEATABLE READ"), write)
    return copy


def bring(file: Path, classroom: Classroom) -> None:
    """Put a file's gradebook into the database of the settings, all of it or nothing.

    Raises:
        CourseError: the database is not empty, or cannot be used; or `file` is no gradebook.
    """
    with (
        told(classroom, WAIT_S),
        at(file) as source,
        engine(classroom) as target,
        source.connect() as read,
        target.begin() as write,
    ):
        if _tables(write):
            raise CourseError(
                f"{called(classroom)} is not empty. Make a new database with `createdb NAME`, and name it "
                "with `--db-url`."
            )
        lay_out(write, classroom)
        _copy(read, write)


def _tables(connection: Any) -> list[Any]:
    """A database's tables, each after those that it refers to."""
    from sqlalchemy import MetaData

    found = MetaData()
    found.reflect(connection)
    return list(found.sorted_tables)


def _copy(read: Any, write: Any) -> None:
    """Copy every row of the tables that both have."""
    theirs = {table.name: table for table in _tables(read)}
    for table in _tables(write):
        if table.name in theirs and table.name not in AS_LAID_OUT:
            found = read.execution_options(yield_per=ROWS).execute(theirs[table.name].select())
            for rows in found.mappings().partitions():
                write.execute(table.insert(), [dict(row) for row in rows])
