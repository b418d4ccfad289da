"""Gradebooks of either kind: a file, or a database of a PostgreSQL server that the tests start and end."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

from grader.bookcopy import bring
from grader.bookfile import FILE, engine
from grader.classroom import Classroom
from grader.gradebook import project
from grader.manifest import Lab
from tests.grader.classes import a_class

PROGRAMS = Path("/usr/lib/postgresql")  # Debian's place, a folder for each version
KINDS = ("file", "postgresql")
PASSWORD = "correct horse"
Kept = Callable[[Classroom], Classroom]
_NUMBERS = count()


@dataclass(frozen=True)
class Server:
    """A running server: `socket` is the folder of its socket, where everybody is let in; `port` asks."""

    programs: Path
    socket: Path
    port: int

    def psql(self, statement: str, database: str = "postgres") -> str:
        """What a statement says, run by the server's owner."""
        words = [
            "-h",
            str(self.socket),
            "-p",
            str(self.port),
            "-U",
            "grader",
            "-d",
            database,
            "-qAtc",
            statement,
        ]
        return subprocess.run(
            [self.programs / "psql", *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    def new(self) -> str:
        """The URL of a new database."""
        name = f"class_{os.getpid()}_{next(_NUMBERS)}"
        self.psql(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        """Where a database is, by the socket."""
        return f"postgresql://grader@/{name}?host={self.socket}&port={self.port}"


def programs() -> Path | None:
    """Where the newest server's programs are."""
    found = sorted(PROGRAMS.glob("*/bin/postgres"), key=lambda path: int(path.parent.parent.name))
    return found[-1].parent if found else None


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server with its data below `folder`, for this machine only; it ends with the tests."""
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL is missing. Debian: apt-get install postgresql")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = _as_nobody(folder)
    (folder / "password").write_text(PASSWORD)
    initdb: list[str | Path] = [
        where / "initdb",
        "-D",
        folder / "data",
        "-U",
        "grader",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    auth = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={folder / 'password'}"]
    subprocess.run([*words, *initdb, *auth], check=True, cwd=folder, capture_output=True)
    settings = {
        "fsync": "off",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        "max_connections": 30,
        "autovacuum": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [*words, where / "postgres", "-D", folder / "data", "-p", str(port), *options]
    started = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(where, folder, port)
    try:
        _wait_for(server, started)
        yield server
    finally:
        started.send_signal(signal.SIGINT)  # which waits for no client
        started.wait(timeout=30)


def _as_nobody(folder: Path) -> list[str | Path]:
    """What makes a program end with these tests, and not run as root, which the server refuses."""
    words: list[str | Path] = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        words += ["--reuid", "nobody", "--regid", str(nobody.pw_gid), "--clear-groups"]
    return words


def _wait_for(server: Server, started: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert started.poll() is None, "the server ended while it started"
        try:
            server.psql("SELECT 1")
            return
        except subprocess.CalledProcessError:
            time.sleep(0.05)
    raise AssertionError("the server did not start within 30 s")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests of a process; its folder is short and open to its owner alone."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        with running(folder) as started:
            yield started
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_book(sound: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a gradebook with no assignment in it, made once: that takes seconds."""
    classroom = a_class(tmp_path_factory.mktemp("book") / "class", sound)
    project(classroom, sound, {})
    return classroom.folder / FILE


@pytest.fixture(params=KINDS)
def kept_in(request: pytest.FixtureRequest) -> Kept:
    """Puts a class's gradebook where the kind wants it: both have to do the same."""
    if request.param == "file":
        return lambda classroom: classroom
    started: Server = request.getfixturevalue("server")
    return lambda classroom: into(classroom, started.new())


def into(classroom: Classroom, url: str) -> Classroom:
    """The same class with its gradebook, if it has one, in a database."""
    file, settings = classroom.folder / FILE, classroom.folder / "class.toml"
    settings.write_text(f'db_url = "{url}"\n' + settings.read_text())
    moved = replace(classroom, db_url=url)
    if file.is_file():
        bring(file.rename(classroom.folder / f".{FILE}.moved"), moved)
        (classroom.folder / f".{FILE}.moved").unlink()
    return moved


def typed(classroom: Classroom, statement: str, *values: object) -> None:
    """Type into the gradebook as formgrader does: one statement, committed."""
    with engine(classroom) as opened, opened.begin() as connection:
        words = statement.replace("?", "%s") if classroom.db_url else statement
        assert connection.exec_driver_sql(words, values).rowcount > 0


def asked(classroom: Classroom, query: str) -> list[tuple[object, ...]]:
    """What a query of the gradebook says."""
    with engine(classroom) as opened, opened.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def drop(classroom: Classroom) -> None:
    """Lose the gradebook."""
    if not classroom.db_url:
        (classroom.folder / FILE).unlink()
        return
    with engine(classroom) as opened, opened.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
