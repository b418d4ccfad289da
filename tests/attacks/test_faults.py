"""ATTACKS E, faults in a class: two at once, locks, kills, full disks, times, and marks that must stay."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grader import gradebook
from grader.classroom import read_class
from grader.errors import CourseError
from grader.intake import LOCK, newest
from grader.locks import hold, note
from grader.manifest import read_lab
from grader.release import release
from grader.snapshot import take
from tests.attacks.faults import FATAL, GRADE, NAME, SHOW, TELL, VICTIMS, learners, spoilt, started, waited
from tests.attacks.room import Room, make_room, packed, with_nora
from tests.grader.classes import MINUS
from tests.grader.courses import replace as edit
from tests.lab_env.disks import fill, small_disk

pytestmark = pytest.mark.slow

Noted = Callable[[str, object], None]
SLOW = f"""
import ctypes, time

def add(a, b):
    ctypes.CDLL(None).prctl(15, {NAME.encode()!r})  # PR_SET_NAME: so that a test sees when it runs
    time.sleep(1.5)
    return a + b
"""
WHOLE = ["graded", "6", "6"]
COLLECT = """
import sys
from pathlib import Path
from grader.intake import collect
from tests.attacks.faults import opened
from tests.attacks.room import NOW
room = opened(sys.argv[1])
collect(room.classroom, room.lab, Path(sys.argv[2]), now=NOW)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """A class with Nora graded and marked by hand, and thirty who hand in as tests go."""
    top = tmp_path_factory.mktemp("faults")
    room = make_room(top, *(f"p{number:02}" for number in range(30)))
    with_nora(room, top / "made")
    room.tell()
    return room


@pytest.fixture
def room(made: Room, tmp_path: Path) -> Iterator[Room]:
    """A copy of the class to spoil."""
    with spoilt(made, tmp_path) as one:
        yield one


@pytest.fixture
def small(made: Room, tmp_path: Path) -> Iterator[Room]:
    """A copy on a disk of eight megabytes."""
    with small_disk(tmp_path / "disk", kilobytes=8192) as disk, spoilt(made, disk) as one:
        yield one


def hand_in(room: Room, *learners: str, add: str = "") -> None:
    """Collect work of these learners: the honest one unless `add` is another."""
    files = {"add.py": add} if add else None
    zipped = packed(room.tmp.parent / "made", files)
    room.take_in({f"{name}.zip": zipped for name in learners})


def standing(room: Room, learner: str) -> list[str]:
    """Status, points and possible points of a learner."""
    return room.row(learner).split(",")[4:7]


def test_two_graders_at_once(room: Room, record_property: Noted) -> None:
    record_property("attack", "two graders at once")
    hand_in(room, "p00", add=SLOW)
    first = started(room)
    waited(lambda: learners(first))
    with pytest.raises(CourseError, match=rf"is being graded by process {first.pid}\. Wait until it ends"):
        room.grade()
    assert first.wait(60) == 0
    assert room.grade().judged == 0
    assert standing(room, "p00") == WHOLE


def test_two_who_collect_at_once(room: Room, record_property: Noted) -> None:
    record_property("attack", "two collects at once")
    with hold(room.folder / LOCK), pytest.raises(CourseError, match="Another `grader collect` is at work"):
        hand_in(room, "p00")
    hand_in(room, "p00")
    room.grade()
    assert standing(room, "p00") == WHOLE


def test_two_who_write_the_gradebook_at_once(room: Room, record_property: Noted) -> None:
    record_property("attack", "two writers of the gradebook at once")
    hand_in(room, "p00")
    found = room.judge()
    with hold(room.folder / ".gradebook.lock") as lock:
        note(lock)
        with pytest.raises(CourseError, match=r"is busy: process \d+ writes it\. The results are safe"):
            gradebook.project(room.classroom, room.lab, found.results, wait_s=0.1)
    room.grade()
    assert standing(room, "p00") == WHOLE


@pytest.mark.parametrize("how", ["BEGIN EXCLUSIVE", "BEGIN; SELECT * FROM grade"])
def test_a_locked_gradebook(room: Room, how: str, record_property: Noted) -> None:
    record_property("attack", f"a locked database ({how.partition(';')[0]})")
    hand_in(room, "p00")
    found = room.judge()
    with closing(sqlite3.connect(room.folder / "gradebook.db", isolation_level=None)) as other:
        for statement in how.split("; "):
            other.execute(statement).fetchall()
        with pytest.raises(CourseError, match=r"is busy: it was locked for 0\.2 s\. The results are safe"):
            gradebook.project(room.classroom, room.lab, found.results, wait_s=0.2)
    room.grade()
    assert standing(room, "p00") == WHOLE


@pytest.mark.parametrize("who", VICTIMS)
def test_a_kill_changes_no_grade(room: Room, who: str, record_property: Noted) -> None:
    record_property("attack", f"kill -9 of {who}")
    hand_in(room, "p00", add=SLOW)
    run = started(room)
    VICTIMS[who](run, waited(lambda: learners(run))[0]).kill()
    assert run.wait(90) == (-9 if who == "the controller" else 0)
    room.grade()
    assert standing(room, "p00") == WHOLE


RENAMED = {
    "before a result": (GRADE, "learner.json", 1),
    "between the two parts of a result": (GRADE, "result.json", 1),
    "while the class's settings are written": (SHOW, "nbgrader_config.py", 1),
    "while a notebook of evidence is written": (SHOW, "autograded/p00", 1),
    "while feedback is written": (TELL, "feedback/p00", 1),
    "between two pages of feedback": (TELL, "feedback/p00", 2),
}


@pytest.mark.parametrize("moment", RENAMED)
def test_a_kill_at_the_worst_moment_loses_nothing(room: Room, moment: str, record_property: Noted) -> None:
    record_property("attack", f"kill -9 {moment}")
    script, word, count = RENAMED[moment]
    hand_in(room, "p00")
    if script is not GRADE:
        room.grade()
    for path in (*room.folder.glob("autograded/p00/*/*"), room.folder / "nbgrader_config.py"):
        path.write_text("")  # so that it is written again
    assert started(room, FATAL + script, word, str(count)).wait(60) == -9
    room.grade()
    assert standing(room, "p00") == WHOLE


def test_a_kill_while_collecting(room: Room, record_property: Noted) -> None:
    record_property("attack", "kill -9 of a collect")
    zipped = packed(room.tmp.parent / "made")
    batch = room.inbox / "all"
    batch.mkdir(parents=True)
    names = [f"p{number:02}" for number in range(30)]
    for name in names:
        (batch / f"{name}.zip").write_bytes(zipped)
    run = started(room, COLLECT, str(batch))
    waited(lambda: len([*room.folder.glob("submissions/p*")]) > 3)
    run.kill()
    run.wait()
    assert len([*room.folder.glob("submissions/p*")]) < 30
    assert started(room, COLLECT, str(batch)).wait(60) == 0
    found = newest(room.classroom, room.lab.id)
    assert sorted(found) == ["nora", *names]
    assert all(take(one.work).hash == one.snapshot for one in found.values())


def test_a_full_disk_while_collecting(small: Room, record_property: Noted) -> None:
    record_property("attack", "a full disk while collecting")
    zipped = packed(small.tmp.parent / "made")
    small.inbox.mkdir()
    fill(small.folder)
    with pytest.raises((CourseError, OSError), match="No space left on device"):
        small.take_in({"p00.zip": zipped})
    (small.folder / "filler").unlink()
    small.take_in({"p00.zip": zipped})
    small.grade()
    assert standing(small, "p00") == WHOLE


def test_a_full_disk_while_grading(small: Room, record_property: Noted) -> None:
    record_property("attack", "a full disk while results are written")
    hand_in(small, "p00")
    fill(small.folder)
    with pytest.raises(CourseError, match=r"cannot be written \(No space left.* Every result so far is kept"):
        small.grade()
    (small.folder / "filler").unlink()
    small.grade()
    assert standing(small, "p00") == WHOLE


def test_a_full_disk_while_the_gradebook_is_written(small: Room, record_property: Noted) -> None:
    record_property("attack", "a full disk while the gradebook is written")
    hand_in(small, "p00")
    found = small.judge().results
    fill(small.folder)
    with pytest.raises(CourseError, match=r"gradebook.* The results are safe"):
        gradebook.project(small.classroom, small.lab, found)
    with pytest.raises(CourseError, match=r"cannot be written .*\. The results are safe"):
        small.show()
    (small.folder / "filler").unlink()
    small.grade()
    assert standing(small, "p00") == WHOLE


def test_a_full_disk_while_learners_are_told(small: Room, record_property: Noted) -> None:
    record_property("attack", "a full disk while feedback and exports are written")
    hand_in(small, "p00")
    small.grade()
    fill(small.folder)
    with pytest.raises(CourseError, match=r"p00.* cannot be written \(No space left on device\)"):
        small.tell()
    done = small.run("export", "--output", "grades.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "grades.csv cannot be written (No space left on device)" in done.stderr
    (small.folder / "filler").unlink()
    small.tell()
    assert "6 of 6 points" in (small.folder / "feedback" / "p00" / "01-add.txt").read_text()


def test_grading_twice(room: Room, record_property: Noted) -> None:
    record_property("attack", "grading twice")
    hand_in(room, "p00")
    assert room.grade().judged == 1
    once = room.export()
    files = {path: path.read_bytes() for path in room.folder.glob("results/*/*/*/*.json")}
    assert room.grade().judged == 0
    assert {path: path.read_bytes() for path in files} == files
    assert room.export() == once
    assert room.grade(again=True).judged == 2
    assert room.export() == once


def test_a_mark_by_hand_before_a_regrade(room: Room, record_property: Noted) -> None:
    record_property("attack", "a manual grade before a regrade")
    hand_in(room, "p00", add=MINUS["add.py"])
    room.grade()
    assert standing(room, "p00") == ["graded", "1", "6"]
    room.comment("p00", "adds", 2, "The idea is right.")
    room.grade(again=True)
    assert standing(room, "p00") == ["graded", "3", "6"]
    room.tell()
    page = (room.folder / "feedback" / "p00" / "01-add.txt").read_text()
    assert "A person says: The idea is right." in page
    hand_in(room, "p00")
    room.grade()
    assert standing(room, "p00") == ["to be looked at", "6", "6"]


def test_a_check_that_is_fixed_after_the_release(room: Room, record_property: Noted) -> None:
    record_property("attack", "a check fixed after release")
    hand_in(room, "p00")
    room.grade()
    edit(room.lab.folder / "lab.toml", "points = 3", "points = 4")
    release(read_lab(room.lab.folder))
    fixed = replace(room, lab=read_lab(room.lab.folder))
    assert standing(room, "p00")[0] == "older release"
    fixed.grade()
    assert standing(room, "p00") == ["graded", "7", "7"]
    assert standing(room, "nora") == ["graded", "5.5", "7"]


def test_a_learner_who_left_the_roster(room: Room, record_property: Noted) -> None:
    record_property("attack", "a learner who is taken off the roster")
    hand_in(room, "p00", "p01")
    room.grade()
    edit(room.folder / "roster.csv", "p00,,\n", "")
    later = replace(room, classroom=read_class(room.folder))
    later.grade()
    assert [standing(later, name) for name in ("p00", "p01")] == [WHOLE, WHOLE]
    later.tell()
    assert not (room.folder / "feedback" / "p00").exists()


DEADLINES = {
    "an hour that a clock skips": ("Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:30:00"),
    "an hour that a clock shows twice": ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T01:30:00"),
    "a zone of a quarter of an hour": ("Asia/Kathmandu", "2026-11-16T23:59:00", "2026-11-16T18:14:00"),
    "the other side of the date line": ("Pacific/Kiritimati", "2026-11-17T00:00:00", "2026-11-16T10:00:00"),
    "an offset of its own": ("America/New_York", "2026-11-16T23:59:00+05:30", "2026-11-16T18:29:00"),
}


@pytest.mark.parametrize("kind", DEADLINES)
def test_a_deadline_is_one_moment(room: Room, kind: str, record_property: Noted) -> None:
    record_property("attack", f"a deadline in {kind}")
    zone, local, moment = DEADLINES[kind]
    edit(room.folder / "class.toml", 'timezone = "UTC"', f'timezone = "{zone}"')
    with (room.folder / "class.toml").open("a") as settings:
        settings.write(f'"01" = {local}\n')
    timed = replace(room, classroom=read_class(room.folder))
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    zipped = packed(room.tmp.parent / "made")
    timed.take_in({"p00.zip": zipped}, now=at)
    timed.take_in({"p01.zip": zipped}, now=at + timedelta(seconds=1))
    assert [timed.row(name).split(",")[7] for name in ("p00", "p01")] == ["no", "yes"]
    moved = (room.folder / "class.toml").read_text().replace(local, "2027-01-01T00:00:00")
    (room.folder / "class.toml").write_text(moved)
    timed = replace(room, classroom=read_class(room.folder))
    assert [timed.row(name).split(",")[7] for name in ("p00", "p01")] == ["no", "no"]
