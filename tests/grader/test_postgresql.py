"""A gradebook in PostgreSQL is as safe as one in a file, and can be taken from one to the other."""

import socket
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import replace as with_
from pathlib import Path

import pytest

from grader import backup as backups
from grader.bookfile import engine, is_there
from grader.classroom import Classroom, read_class
from grader.errors import CourseError
from grader.gradebook import project, rows
from grader.leaving import delete
from grader.manifest import Lab
from grader.marks import Row
from grader.receipts import collected
from tests.grader.books import PASSWORD, Kept, Server, asked, into
from tests.grader.classes import MINUS, a_class, hand_in, hand_in_again, judged
from tests.grader.test_cli_grade import typed as command
from tests.grader.test_gradebook import give

HELD = "SELECT * FROM grader_by_hand ORDER BY nr"


@pytest.fixture
def class_of(sound: Lab, tmp_path: Path, kept_in: Kept) -> Classroom:
    """Anna, who got points by hand for three submissions; those for the first two were put aside."""
    line = "anna,Anna Lee,anna@example.invalid"
    classroom = kept_in(a_class(tmp_path / "class", sound, line, box="bubblewrap"))
    for number, points in ((1, 1.5), (2, 2.5), (3, 0.5)):
        snapshot = hand_in(classroom, sound, "anna", {**MINUS, "notes.md": f"Try {number}."})
        project(classroom, sound, {"anna": judged(sound, snapshot, adds="FAIL")})
        give(classroom, "adds", points, f"Grüße {number} — 100 % “fine”\n")
    return classroom


def row(classroom: Classroom) -> Row:
    [found] = rows(classroom)
    return found


IN_POSTGRESQL = pytest.mark.parametrize("kept_in", ["postgresql"], indirect=True)
IN_A_FILE = pytest.mark.parametrize("kept_in", ["file"], indirect=True)


def test_the_last_of_what_was_put_aside_is_told(class_of: Classroom, sound: Lab) -> None:
    first, second, third = sorted(collected(class_of, "anna", sound.id), key=lambda one: one.sequence)
    hand_in_again(class_of, sound, "anna", first.snapshot)
    project(class_of, sound, {"anna": judged(sound, first.snapshot, adds="FAIL")})
    adds = row(class_of).marks["adds"]
    assert (adds.by_hand, f"{third.snapshot[:16]}: 0.5 points" in adds.says) == (1.5, True)
    hand_in_again(class_of, sound, "anna", second.snapshot)
    project(class_of, sound, {"anna": judged(sound, second.snapshot, adds="FAIL")})
    adds = row(class_of).marks["adds"]
    assert (adds.by_hand, f"{first.snapshot[:16]}: 1.5 points" in adds.says) == (2.5, True)


@IN_A_FILE
def test_a_file_of_an_earlier_release_is_brought_up_to_date(class_of: Classroom) -> None:
    before = asked(class_of, HELD)
    with closing(sqlite3.connect(class_of.folder / "gradebook.db")) as book, book:
        book.execute("ALTER TABLE grader_by_hand DROP COLUMN nr")
        book.execute("DROP TABLE grader_class")
    assert row(class_of).points == 3.5
    assert asked(class_of, HELD) == before


@pytest.mark.slow
def test_a_backup_goes_from_each_kind_to_each(class_of: Classroom, server: Server, tmp_path: Path) -> None:
    held, seen = asked(class_of, HELD), row(class_of)
    assert len(held) == 2
    count = backups.backup(class_of, tmp_path / "class.tar.gz")
    with tarfile.open(tmp_path / "class.tar.gz") as archive:
        assert archive.getnames().count("class/gradebook.db") == 1
    comments = "# A class."
    for url in (server.new(), ""):
        folder = tmp_path / f"back-{bool(url)}"
        assert backups.restore(tmp_path / "class.tar.gz", folder, db_url=url) == count
        back = read_class(folder)
        assert (back.db_url, (folder / "gradebook.db").exists()) == (url, not url)
        assert (asked(back, HELD), row(back)) == (held, seen)
        assert comments in (folder / "class.toml").read_text()
        give(back, "adds", 3)
        assert row(back).points == 6
        assert row(class_of) == seen


@IN_POSTGRESQL
def test_only_an_empty_database_is_filled(class_of: Classroom, tmp_path: Path) -> None:
    backups.backup(class_of, tmp_path / "class.tar.gz")
    before = row(class_of)
    with pytest.raises(CourseError, match=r"class_\S+ is not empty\. Make a new database with"):
        backups.restore(tmp_path / "class.tar.gz", tmp_path / "back")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class", "class.tar.gz"]
    assert row(class_of) == before


@IN_POSTGRESQL
def test_no_class_writes_into_the_database_of_another(
    class_of: Classroom, sound: Lab, tmp_path: Path
) -> None:
    before = row(class_of)
    other = with_(a_class(tmp_path / "other", sound, "ben"), db_url=class_of.db_url)
    for use in (lambda: project(other, sound, {}), lambda: rows(other)):
        with pytest.raises(CourseError, match=r"holds something else than this class's gradebook\."):
            use()
    assert rows(class_of) == [before]


def test_a_database_of_something_else_stays_as_it_is(sound: Lab, tmp_path: Path, server: Server) -> None:
    classroom = into(a_class(tmp_path / "class", sound, "anna"), server.new())
    assert not is_there(classroom)
    for statement in ("CREATE TABLE alembic_version (version_num TEXT)", "CREATE TABLE shop (name TEXT)"):
        server.psql(statement, database_of(classroom))
    with pytest.raises(CourseError, match="holds something else"):
        project(classroom, sound, {})
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    assert server.psql(tables, database_of(classroom)).split() == ["alembic_version", "shop"]


def database_of(classroom: Classroom) -> str:
    return classroom.db_url.split("/")[3].split("?")[0]


@IN_POSTGRESQL
def test_a_file_beside_a_database_is_refused(class_of: Classroom, sound: Lab) -> None:
    (class_of.folder / "gradebook.db").write_bytes(b"")
    with pytest.raises(CourseError, match=r"gradebook\.db is there, and `db_url` .*: only one of them can"):
        project(class_of, sound, {})


def test_a_server_is_logged_in_to_with_a_password_from_outside_the_class(
    sound: Lab, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.new().replace("@/", f"@127.0.0.1:{server.port}/").split("?")[0]
    classroom = into(a_class(tmp_path / "class", sound, "anna", box="bubblewrap"), url)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    with pytest.raises(CourseError, match=r"cannot be used: .*password.*A password belongs into ~/\.pgpass"):
        project(classroom, sound, {})
    (tmp_path / ".pgpass").write_text(f"127.0.0.1:*:*:grader:{PASSWORD}\n")
    (tmp_path / ".pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / ".pgpass"))
    project(classroom, sound, {})
    assert asked(classroom, "SELECT id FROM student") == [("anna",)]


@IN_POSTGRESQL
def test_who_cannot_get_in_lets_go(class_of: Classroom, server: Server) -> None:
    """A connection left open would be the server's to keep until somebody collects garbage."""
    others = f"FROM pg_stat_activity WHERE datname = '{database_of(class_of)}'"
    with engine(class_of) as opened, opened.connect() as other:
        other.exec_driver_sql("LOCK TABLE course")
        with pytest.raises(CourseError, match=r"is busy: it was locked for 0\.2 s") as failed:
            rows(class_of, wait_s=0.2)
        assert server.psql(f"SELECT count(*) {others}") == "1"
    assert failed.value.__traceback__ is not None  # which still holds what was half made


def test_a_server_that_is_down_is_said(sound: Lab, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"postgresql://grader@127.0.0.1:{free.getsockname()[1]}/class"
        classroom = into(a_class(tmp_path / "class", sound, "anna", box="bubblewrap"), url)
        done = command(classroom, "report")
    assert done.returncode == 2
    assert f"{url} cannot be used: " in done.stderr
    assert "Is the server up, and may you log in there?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@IN_POSTGRESQL
def test_a_deletion_takes_the_bytes_out_of_the_tables(class_of: Classroom, server: Server) -> None:
    def told() -> list[str]:
        server.psql("CHECKPOINT")
        base = server.socket / "data" / "base"
        number = server.psql(f"SELECT oid FROM pg_database WHERE datname = '{database_of(class_of)}'")
        return [
            path.name for path in (base / number).iterdir() if b"anna@example.invalid" in path.read_bytes()
        ]

    assert told()
    delete(class_of, "anna")
    assert told() == []
    assert rows(read_class(class_of.folder)) == []
