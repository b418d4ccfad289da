import os
import re
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from grader.classroom import Classroom, find_class, init_class, read_class
from grader.errors import CourseError
from grader.manifest import Lab
from tests.grader.courses import replace
from tests.lab_env.disks import fill, small_disk


@pytest.fixture
def room(sound: Lab, tmp_path: Path) -> Path:
    """The folder of a new class."""
    return init_class(tmp_path / "class", sound.course, timezone="Europe/Berlin").parent


def roster(room: Path, *lines: str) -> Classroom:
    (room / "roster.csv").write_text("\n".join(["id,name,email", *lines]) + "\n", encoding="utf-8")
    return read_class(room)


def deadline(room: Path, line: str) -> Classroom:
    with (room / "class.toml").open("a") as file:
        file.write(f"{line}\n")
    return read_class(room)


def test_a_new_class_has_settings_a_roster_and_a_secret_of_its_own(
    sound: Lab, tmp_path: Path, room: Path
) -> None:
    assert sorted(path.name for path in room.iterdir()) == [".secret", "class.toml", "roster.csv"]
    assert (room / ".secret").stat().st_mode & 0o777 == 0o600
    assert room.stat().st_mode & 0o777 == 0o700
    found = read_class(room)
    assert (found.course, str(found.timezone), found.box) == (sound.course, "Europe/Berlin", "bubblewrap")
    assert (dict(found.roster), dict(found.deadlines), len(found.secret)) == ({}, {}, 32)
    assert "secret" not in repr(found)
    other = read_class(init_class(tmp_path / "other", sound.course).parent)
    assert other.secret != found.secret
    assert str(other.timezone) == "UTC"
    assert found.submissions("ana", "01-add") == room / "submissions" / "ana" / "01-add"
    assert found.results("ana", "01-add") == room / "results" / "ana" / "01-add"


def test_a_class_is_found_from_any_folder_in_it(room: Path, tmp_path: Path) -> None:
    inner = room / "submissions" / "ana"
    inner.mkdir(parents=True)
    assert find_class(inner).folder == room
    with pytest.raises(CourseError, match=r"is in no class\. Change into one, or make one with `grader init"):
        find_class(tmp_path)


def test_no_class_is_made_where_it_would_do_harm(sound: Lab, tmp_path: Path, room: Path) -> None:
    with pytest.raises(CourseError, match=r"lies inside the course\. .*name a folder elsewhere"):
        init_class(sound.course / "class", sound.course)
    with pytest.raises(CourseError, match=r"class is not an empty folder\. Name a new one for the class"):
        init_class(room, sound.course)
    with pytest.raises(CourseError, match=r"class\.toml is not an empty folder"):
        init_class(room / "class.toml", sound.course)
    with pytest.raises(
        CourseError, match=r"the time zone is 'Mars/Base', which is no time zone\. Write one like"
    ):
        init_class(tmp_path / "new", sound.course, timezone="Mars/Base")
    copytree(sound.course, tmp_path / "published")
    rmtree(tmp_path / "published" / "solutions")
    with pytest.raises(
        CourseError, match=r"it is a published copy, without hidden checks\. Use the full clone"
    ):
        init_class(tmp_path / "new", tmp_path / "published")
    assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_no_half_class(sound: Lab, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=64) as disk:
        (disk / "class").mkdir()
        fill(disk)
        with pytest.raises(
            CourseError, match=r"cannot be written \(No space left on device\)\. Mend that, or"
        ):
            init_class(disk / "class", sound.course)
        assert not list((disk / "class").iterdir())


def test_a_course_whose_path_needs_quotes_is_found_again(sound: Lab, tmp_path: Path) -> None:
    course = tmp_path / 'a "course" \\ of é'
    copytree(sound.course, course)
    assert read_class(init_class(tmp_path / "class", course).parent).course == course


def test_a_relative_course_is_meant_from_the_class(sound: Lab, room: Path) -> None:
    replace(room / "class.toml", f'"{sound.course}"', f'"{os.path.relpath(sound.course, room)}"')
    assert (read_class(room).course / "labs" / "01-add").is_dir()


SETTINGS = [
    ("format = 1", "format = 2", r"class\.toml: `format` is 2; this engine reads 1\. Write `format = 1`"),
    ("format = 1", "format = ", r"class\.toml cannot be read: .*Mend it, or make a class with `grader init`"),
    (
        "format = 1",
        "format = 1\ntimezon = 1",
        r"class\.toml: unknown key `timezon`\. The keys: format, course",
    ),
    ("Europe/Berlin", "Berlin", r"class\.toml: `timezone` is 'Berlin', which is no time zone"),
    ("Europe/Berlin", "../../etc/passwd", r"`timezone` is '\.\./\.\./etc/passwd', which is no time zone"),
    ('box = "bubblewrap"', 'box = "local"', r'`box = "local"` has no walls and is for one\'s own work'),
    (
        "format = 1",
        'format = 1\ndb_url = "sqlite:///x"',
        r"`db_url` is 'sqlite:///x'\. Write postgresql://USER",
    ),
    ("format = 1", 'format = 1\ndb_url = "postgresql://h:x/d"', r"`db_url` is .*, or leave it out"),
    (
        "format = 1",
        'format = 1\ndb_url = "postgresql://a:b@h/d"',
        r"`db_url` has a password in it",
    ),
    (
        "course = ",
        'course = "/nowhere" # ',
        r"`course` is /nowhere, which has no `labs/`\. Write the path of",
    ),
    ("[deadlines]", "deadlines = 3", r"`deadlines` is a table: `\[deadlines\]`, then lines like"),
    (
        "[deadlines]",
        "[deadlines]\n01 = 2026-12-01",
        r"the deadline of `01` is 2026-12-01\. Write it with a time",
    ),
    ("[deadlines]", "[deadlines]\n01 = 'soon'", r"the deadline of `01` is soon\. Write it with a time, like"),
    (
        "[deadlines]",
        "[deadlines]\n07 = 2026-12-01T23:59:00",
        r"class\.toml: `deadlines`: .*has no lab `07`\.",
    ),
    (
        "[deadlines]",
        '[deadlines]\n01 = 2026-12-01T23:59:00\n"01-add" = 2026-12-01T23:59:00',
        r"01-add has two deadlines\. Take one of them out",
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), SETTINGS, ids=[said for _, _, said in SETTINGS])
def test_settings_that_are_wrong_are_named(old: str, new: str, said: str, room: Path) -> None:
    replace(room / "class.toml", old, new)
    with pytest.raises(CourseError, match=said):
        read_class(room)


def test_the_settings_name_what_they_lack(room: Path) -> None:
    (room / "roster.csv").unlink()
    with pytest.raises(CourseError, match=r"roster\.csv cannot be read: .*a UTF-8 CSV file that begins with"):
        find_class(room)
    (room / "class.toml").unlink()
    with pytest.raises(CourseError, match=r"class\.toml cannot be read: .*No such file"):
        read_class(room)


def test_a_roster_is_read_as_spreadsheets_write_it(room: Path) -> None:
    (room / "roster.csv").write_bytes(
        '\ufeffid,name,email,group\r\nana,"Doe, Ana",ana@x.org,1\r\n\r\n 4711 ,Zoë ,\r\nben\r\n'.encode()
    )
    found = read_class(room).roster
    assert [(one.id, one.name, one.email) for one in found.values()] == [
        ("ana", "Doe, Ana", "ana@x.org"),
        ("4711", "Zoë", ""),
        ("ben", "", ""),
    ]


ROSTERS = [
    (
        "ana,,\n../ben,,",
        r"roster\.csv:3: '\.\./ben' is no id\. Use letters, digits, dot, dash and underscore",
    ),
    (".hidden,,", r"roster\.csv:2: '\.hidden' is no id"),
    ("a" * 65 + ",,", r"is no id\. Use letters, digits, dot, dash and underscore, 64 at most"),
    (",Ana,", r"roster\.csv:2: '' is no id"),
    (
        'ana,"two\nlines",\nAna,,',
        r"roster\.csv:4: `Ana` stands twice \(case aside\)\. Give each learner one line",
    ),
]


@pytest.mark.parametrize(("lines", "said"), ROSTERS)
def test_a_roster_that_is_wrong_is_named_by_line(lines: str, said: str, room: Path) -> None:
    with pytest.raises(CourseError, match=said):
        roster(room, lines)


def test_a_roster_of_another_kind_says_how_it_begins(room: Path) -> None:
    (room / "roster.csv").write_text("id;name;email\nana;Ana;\n")
    with pytest.raises(
        CourseError, match=r"roster\.csv:1: there is no column `id`\. Begin with the line `id,name"
    ):
        read_class(room)
    (room / "roster.csv").write_bytes("id,name,email\nzoe,Zoë,\n".encode("latin-1"))
    with pytest.raises(CourseError, match=r"roster\.csv cannot be read: .*It is a UTF-8 CSV file"):
        read_class(room)


def test_a_lost_secret_is_never_made_anew(room: Path) -> None:
    (room / ".secret").write_text("00ff\n")
    with pytest.raises(
        CourseError, match=r"\.secret holds 2 bytes instead of 32\. Bring it back from a backup"
    ):
        read_class(room)
    (room / ".secret").unlink()
    with pytest.raises(CourseError, match=re.escape("without it hidden data would change. Bring it back")):
        read_class(room)


MOMENTS = [
    ("2026-12-01T23:59:00", datetime(2026, 12, 1, 22, 59, tzinfo=UTC)),
    ("2026-07-01T23:59:00", datetime(2026, 7, 1, 21, 59, tzinfo=UTC)),
    ("2026-07-01T23:59:00-05:00", datetime(2026, 7, 2, 4, 59, tzinfo=UTC)),
    ("2026-07-01T23:59:00Z", datetime(2026, 7, 1, 23, 59, tzinfo=UTC)),
    ("2026-10-25T01:59:00", datetime(2026, 10, 24, 23, 59, tzinfo=UTC)),
    ("2026-10-25T02:30:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # shown twice: the later one
    ("2026-03-29T02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # never shown
]


@pytest.mark.parametrize(("local", "moment"), MOMENTS)
def test_a_deadline_is_a_moment_in_the_class_time_zone(local: str, moment: datetime, room: Path) -> None:
    found = deadline(room, f"01 = {local}").deadlines["01-add"]
    assert found.astimezone(UTC) == moment
