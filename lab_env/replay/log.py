"""The log of a replay: one SQLite file that only grows, and survives a `kill -9` at any moment.

Every answer is a transaction of its own, written before the next order is sent, so what is sent twice after
a crash is at most what was in flight. Its key is the row of the stream: no row can be logged twice. A batch
of labels is one transaction too, and its disk write is waited for.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.locks import Held, hold
from lab_env.replay.errors import ReplayError

APPLICATION = 0x7113F1  # in the file's header: "a log of a replay"
FORMAT = 1

SCHEMA = """
CREATE TABLE run (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE answers (
    row INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, day INTEGER NOT NULL, arrived REAL NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('answered', 'refused', 'failed')),
    minutes REAL, model_version TEXT, degraded INTEGER, latency_ms REAL, tries INTEGER NOT NULL
);
CREATE TABLE labels (
    order_id INTEGER PRIMARY KEY, minutes REAL NOT NULL, labelled REAL NOT NULL, delivered REAL NOT NULL
);
CREATE TABLE faults (
    fault INTEGER PRIMARY KEY, arrived REAL NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL,
    said TEXT NOT NULL
);
"""
_ONLY_GROWS = """
CREATE TRIGGER {table}_{act} BEFORE {act} ON {table}
BEGIN SELECT RAISE(ABORT, 'a log only grows'); END;
"""


@dataclass(frozen=True)
class Answer:
    """What came of one row of the stream.

    Attributes:
        row: its place in the stream.
        order_id: the order's.
        day: on which it arrived.
        arrived: when, in days since the world began.
        outcome: `answered`, `refused` (the service answered that it does not take this order), or `failed`
            (no usable answer in all tries).
        minutes: the prediction; None unless answered, as the next three.
        model_version: as the service names it.
        degraded: whether it answered with less than its model.
        latency_ms: of the try that was answered.
        tries: how often it was sent, this one included.
    """

    row: int
    order_id: int
    day: int
    arrived: float
    outcome: str
    minutes: float | None
    model_version: str | None
    degraded: bool | None
    latency_ms: float | None
    tries: int


@dataclass(frozen=True)
class Label:
    """The truth about an order: its minutes, when they were known, and when they were delivered."""

    order_id: int
    minutes: float
    labelled: float
    delivered: float


class Log:
    """An open log. One program at a time writes to it; any may read."""

    def __init__(self, path: Path, run: Mapping[str, str]) -> None:
        """Open the log of `run`, or begin it.

        Args:
            path: the SQLite file; `-wal`, `-shm` and `.lock` stand beside it.
            run: what is replayed, name by name; a log of another run is refused.

        Raises:
            ReplayError: another program writes to it, it is of another run, or no such file can be.
        """
        self.path = path
        if not path.parent.is_dir():
            raise ReplayError(f"There is no folder {path.parent} for the log. Make it, or name another file.")
        if path.is_dir():
            raise ReplayError(f"{path} is a folder. Name a file for the log, like {path / 'replay.db'}.")
        self._lock = hold(path.with_name(f"{path.name}.lock"))
        try:
            self._lock.__enter__()
        except Held as held:
            raise ReplayError(
                f"Another replay writes to {path}. Wait until it ends, or name another file."
            ) from held
        try:
            self._open(run)
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()
        self._lock.__exit__(None, None, None)

    def answer(self, answer: Answer) -> None:
        """Log what came of a row, so that it outlives this program."""
        with self._mended():
            self._base.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(answer))

    def fault(self, arrived: float, path: str, kind: str, said: str) -> None:
        """Log a try that brought nothing."""
        with self._mended():
            self._base.execute(
                "INSERT INTO faults (arrived, path, kind, said) VALUES (?, ?, ?, ?)",
                (arrived, path, kind, said[:200]),
            )

    def deliver(self, labels: Sequence[Label]) -> None:
        """Log labels that the service took, all or none, and wait until they are on the disk."""
        with self._mended(), self._whole():
            self._base.executemany("INSERT INTO labels VALUES (?, ?, ?, ?)", map(astuple, labels))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self._mended():
            return self._base.execute(query).fetchall()

    def _open(self, run: Mapping[str, str]) -> None:
        with self._mended():
            self._base = sqlite3.connect(self.path, isolation_level=None)
            try:
                self._base.execute("PRAGMA journal_mode = WAL")
                if not self.rows("SELECT name FROM sqlite_master"):
                    self._begin(run)
                self._compare(run)
                # From here on an answer is safe from a crash of this program, and labels, which are
                # waited for, make safe from a crash of the machine all that stands before them.
                self._base.execute("PRAGMA synchronous = NORMAL")
            except BaseException:
                self._base.close()
                raise

    def _begin(self, run: Mapping[str, str]) -> None:
        with self._whole():
            for statement in SCHEMA.split(";\n"):
                self._base.execute(statement)
            for table in ("run", "answers", "labels", "faults"):
                for act in ("UPDATE", "DELETE"):
                    self._base.execute(_ONLY_GROWS.format(table=table, act=act))
            self._base.executemany("INSERT INTO run VALUES (?, ?)", run.items())
            self._base.execute(f"PRAGMA application_id = {APPLICATION}")
            self._base.execute(f"PRAGMA user_version = {FORMAT}")

    def _compare(self, run: Mapping[str, str]) -> None:
        ((application,),) = self.rows("PRAGMA application_id")
        ((version,),) = self.rows("PRAGMA user_version")
        if (application, version) != (APPLICATION, FORMAT):
            raise ReplayError(
                f"{self.path} is no log of a replay. Name another file; this one stays as it is."
            )
        logged = dict(self.rows("SELECT name, value FROM run"))
        other = [name for name in run if logged.get(name) != run[name]]
        if other:
            differences = ", ".join(f"{name} {logged.get(name)} (now {run[name]})" for name in other)
            raise ReplayError(
                f"{self.path} is the log of another run: {differences}. Go on with that one, or name another "
                "file."
            )

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """One transaction that is on the disk when it ends."""
        self._base.execute("PRAGMA synchronous = FULL")
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise
        finally:
            self._base.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _mended(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise ReplayError(
                f"The log {self.path} cannot be used: {error}. What it holds already stays. Mend that, or "
                "name another file."
            ) from error
