"""The gradebook is nbgrader's, holds the results and what people typed, and forgets neither."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace as with_
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from types import FrameType

import pytest

from grader.bookfile import engine, url
from grader.classroom import Classroom
from grader.errors import CourseError
from grader.gradebook import project, rows
from grader.locks import hold, note
from grader.manifest import Lab, read_lab
from grader.marks import Row
from grader.release import release
from tests.grader.books import Kept, asked, drop, typed
from tests.grader.classes import MINUS, MONDAY, RIGHT, a_class, hand_in, hand_in_again, judged, record
from tests.grader.courses import replace


@pytest.fixture
def class_of(tmp_path: Path, sound: Lab, new_book: Path, kept_in: Kept) -> Classroom:
    """Anna and Ben, with an empty gradebook."""
    classroom = a_class(tmp_path / "class", sound, "anna,Anna <b>Lee</b>,a@example.invalid", "ben")
    copyfile(new_book, classroom.folder / "gradebook.db")
    return kept_in(classroom)


def give(classroom: Classroom, check: str, points: float, comment: str = "") -> None:
    cell = "(SELECT id FROM base_cell WHERE name = ? AND type = ?)"
    typed(
        classroom,
        f"UPDATE grade SET manual_score = ?, needs_manual_grade = false WHERE cell_id = {cell}",
        points,
        check,
        "GradeCell",
    )
    typed(
        classroom,
        f"UPDATE comment SET manual_comment = ? WHERE cell_id = {cell}",
        comment,
        check,
        "SolutionCell",
    )


def row(classroom: Classroom, learner: str) -> Row:
    return {one.learner: one for one in rows(classroom)}[learner]


@pytest.mark.slow
def test_a_new_gradebook_is_one_that_nbgrader_opens(class_of: Classroom, sound: Lab) -> None:
    drop(class_of)
    (class_of.folder / ".gradebook.db.new").write_text("half made by a run that was killed")
    class_of = with_(class_of, deadlines={sound.id: MONDAY - timedelta(hours=2)})
    snapshot = hand_in(class_of, sound, "anna", RIGHT)
    project(class_of, sound, {"anna": judged(sound, snapshot)})
    done = subprocess.run(
        [sys.executable, "-c", OPENED, url(class_of).render_as_string(), sound.id],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"score": 6.0, "max": 6.0, "late": 7200.0, "students": ["anna", "ben"]}
    assert class_of.db_url or not (class_of.folder / ".gradebook.db.new").exists()


OPENED = """
import json, sys, warnings
warnings.simplefilter("ignore")
from nbgrader.api import Gradebook
with Gradebook(sys.argv[1], "class") as book:
    one = book.find_submission(sys.argv[2], "anna")
    print(json.dumps({"score": one.score, "max": one.max_score, "late": one.total_seconds_late,
                      "students": sorted(student.id for student in book.students)}))
"""


def test_a_check_earns_its_points_or_zero_or_waits_for_a_person(class_of: Classroom, sound: Lab) -> None:
    class_of = with_(class_of, deadlines={sound.id: MONDAY - timedelta(hours=2)})
    snapshot = hand_in(class_of, sound, "anna", MINUS)
    verdicts = {
        "adds": "FAIL",
        "adds_anything": "BLOCKED",
        "is_committed": "GRADER_ERROR",
        "notes_are_there": "NOT_RUN",
    }
    project(class_of, sound, {"anna": judged(sound, snapshot, found="-1", **verdicts)})
    anna, ben = rows(class_of)
    assert (anna.status, anna.points, anna.possible, anna.late) == ("to be looked at", 0, 6, True)
    assert (anna.snapshot, anna.release) == (snapshot, sound.release)
    assert (ben.status, ben.points, ben.marks) == ("missing", None, {})
    found = {name: (mark.auto, mark.to_look_at) for name, mark in anna.marks.items()}
    assert found == {
        "adds": (0, False),
        "adds_anything": (0, False),
        "is_committed": (None, True),
        "notes_are_there": (None, True),
    }
    assert anna.marks["adds"].says == (
        "FAIL: add(2, 3) is 5\nLooked at: add(2, 3)\nFound: -1\nExpected: 5\nSums are sums.\n"
        "Misconception: wrong-sum\nRead: docs/modules/01-add.md#sums"
    )


def test_the_same_results_twice_change_nothing(class_of: Classroom, sound: Lab) -> None:
    snapshot = hand_in(class_of, sound, "anna", MINUS)
    results = {"anna": judged(sound, snapshot, adds="FAIL", is_committed="GRADER_ERROR")}
    project(class_of, sound, results)
    give(class_of, "is_committed", 1, "I saw it.")
    project(class_of, sound, results)
    first = rows(class_of)
    project(class_of, sound, results)
    assert rows(class_of) == first


def test_points_and_comments_by_hand_outlive_a_regrade(class_of: Classroom, sound: Lab) -> None:
    snapshot = hand_in(class_of, sound, "anna", MINUS)
    project(class_of, sound, {"anna": judged(sound, snapshot, adds="FAIL", is_committed="GRADER_ERROR")})
    give(class_of, "adds", 2, "Nearly; see me.")
    give(class_of, "is_committed", 1)
    project(class_of, sound, {"anna": judged(sound, snapshot, adds="TIMEOUT", is_committed="GRADER_ERROR")})
    anna = row(class_of, "anna")
    adds, committed = anna.marks["adds"], anna.marks["is_committed"]
    assert (adds.points, adds.auto, adds.by_hand, adds.comment) == (2, 0, 2, "Nearly; see me.")
    assert adds.says.startswith("TIMEOUT")
    assert (committed.points, committed.to_look_at) == (1, False)
    assert (anna.status, anna.points) == ("graded", 5)


def test_no_score_outlives_its_submission_and_none_is_lost(class_of: Classroom, sound: Lab) -> None:
    first = hand_in(class_of, sound, "anna", MINUS)
    project(class_of, sound, {"anna": judged(sound, first, adds="FAIL")})
    give(class_of, "adds", 2, "Nearly.")
    second = hand_in(class_of, sound, "anna", RIGHT)
    waiting = row(class_of, "anna")
    assert (waiting.status, waiting.points) == ("to be judged", None)

    project(class_of, sound, {"anna": judged(sound, second, adds_anything="FAIL", adds="GRADER_ERROR")})
    anna = row(class_of, "anna")
    assert (anna.points, anna.marks["adds"].auto, anna.marks["adds"].by_hand) == (1, None, None)
    assert anna.marks["adds"].says.endswith(
        f"By hand for the earlier submission {first[:16]}: 2 points, “Nearly.”. Look again."
    )
    assert anna.marks["adds"].to_look_at
    assert anna.marks["adds"].comment == ""

    hand_in_again(class_of, sound, "anna", first)
    project(class_of, sound, {"anna": judged(sound, first, adds="FAIL")})
    back = row(class_of, "anna").marks["adds"]
    assert (back.points, back.comment, back.to_look_at) == (2, "Nearly.", False)


def test_a_stale_result_is_not_written(class_of: Classroom, sound: Lab) -> None:
    first = hand_in(class_of, sound, "anna", MINUS)
    hand_in(class_of, sound, "anna", RIGHT)
    project(class_of, sound, {"anna": judged(sound, first)})
    assert row(class_of, "anna").status == "to be judged"


def test_a_check_mended_after_the_release_changes_the_gradebook(
    class_of: Classroom, sound: Lab, tiny: Lab
) -> None:
    snapshot = hand_in(class_of, sound, "anna", MINUS)
    project(class_of, sound, {"anna": judged(sound, snapshot, adds="FAIL")})
    give(class_of, "adds", 2, "Nearly.")
    give(class_of, "is_committed", 0.5)
    manifest = tiny.folder / "lab.toml"
    replace(manifest, "points = 3", "points = 4")
    replace(manifest, 'id = "is_committed"', 'id = "is_in_git"')
    for checks in tiny.folder.glob("checks/*.py"):
        replace(checks, "def test_is_committed", "def test_is_in_git")
    mended = read_lab(tiny.folder)
    release(mended)
    moved = with_(class_of, course=tiny.course)
    assert row(moved, "anna").status == "older release"
    project(moved, mended, {"anna": judged(mended, snapshot, adds="FAIL")})
    anna = row(moved, "anna")
    assert (anna.status, anna.points, anna.possible) == ("graded", 5, 7)
    assert set(anna.marks) == {"notes_are_there", "adds", "adds_anything", "is_in_git"}
    kept = asked(class_of, "SELECT check_id, points, snapshot FROM grader_by_hand")
    assert kept == [("is_committed", 0.5, snapshot)]


def test_what_was_typed_for_a_check_outlives_a_release_without_it(
    class_of: Classroom, sound: Lab, tiny: Lab
) -> None:
    first = hand_in(class_of, sound, "anna", MINUS)
    project(class_of, sound, {"anna": judged(sound, first, adds="FAIL")})
    give(class_of, "adds", 2, "Nearly.")
    give(class_of, "is_committed", 0.5, "Half.")
    manifest = tiny.folder / "lab.toml"
    text = manifest.read_text()
    manifest.write_text(text[: text.index('[[tasks]]\nid = "commit"')])
    release(read_lab(tiny.folder))
    shorter, moved = read_lab(tiny.folder), with_(class_of, course=tiny.course)
    project(moved, shorter, {"anna": judged(shorter, first, adds="FAIL")})
    second = hand_in(moved, shorter, "anna", RIGHT)
    project(moved, shorter, {"anna": judged(shorter, second)})
    hand_in_again(moved, shorter, "anna", first)
    project(moved, shorter, {"anna": judged(shorter, first, adds="FAIL")})
    assert row(moved, "anna").marks["adds"].comment == "Nearly."

    project(class_of, sound, {"anna": judged(sound, first, adds="FAIL")})
    found = row(class_of, "anna").marks
    assert {name: (mark.by_hand, mark.comment) for name, mark in found.items() if mark.comment} == {
        "adds": (2, "Nearly."),
        "is_committed": (0.5, "Half."),
    }


def test_a_person_can_flag_and_give_extra_points(class_of: Classroom, sound: Lab) -> None:
    snapshot = hand_in(class_of, sound, "anna", RIGHT)
    project(class_of, sound, {"anna": judged(sound, snapshot)})
    typed(class_of, "UPDATE submitted_notebook SET flagged = true")
    typed(class_of, "UPDATE grade SET extra_credit = 1.5 WHERE auto_score = 3")
    anna = row(class_of, "anna")
    assert (anna.status, anna.points, anna.marks["adds"].extra) == ("to be looked at", 7.5, 1.5)


def test_a_lab_is_read_once_for_all_its_learners(class_of: Classroom, sound: Lab) -> None:
    results = {
        name: judged(sound, hand_in(class_of, sound, name, {**RIGHT, "notes.md": name}))
        for name in ("anna", "ben")
    }
    project(class_of, sound, results)
    calls: list[str] = []

    def trace(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name == "read_lab":
            calls.append(frame.f_code.co_filename)

    sys.setprofile(trace)
    try:
        found = rows(class_of)
    finally:
        sys.setprofile(None)
    assert [one.status for one in found] == ["graded", "graded"]
    assert len(calls) == 1


def test_names_cannot_be_markup_in_formgrader(class_of: Classroom, sound: Lab) -> None:
    project(class_of, sound, {})
    names = asked(class_of, "SELECT first_name, last_name FROM student WHERE id = 'anna'")
    assert names == [("Anna", "‹b›Lee‹/b›")]


@contextmanager
def locked(classroom: Classroom) -> Iterator[None]:
    with engine(classroom) as opened, opened.connect() as other:
        other.exec_driver_sql("LOCK TABLE course, grade" if classroom.db_url else "BEGIN EXCLUSIVE")
        yield
        other.rollback()


def test_a_locked_gradebook_is_a_message_and_no_loss(class_of: Classroom, sound: Lab) -> None:
    snapshot = hand_in(class_of, sound, "anna", RIGHT)
    results = {"anna": judged(sound, snapshot)}
    with locked(class_of):
        with pytest.raises(CourseError, match=r"is busy: it was locked for 0\.2 s\. The results are safe"):
            project(class_of, sound, results, wait_s=0.2)
        with pytest.raises(CourseError, match="then run the same command again"):
            rows(class_of, wait_s=0.2)
    project(class_of, sound, results)
    assert row(class_of, "anna").points == 6


@pytest.mark.parametrize("kept_in", ["file"], indirect=True)
def test_one_that_is_locked_midway_is_whole_again_afterwards(class_of: Classroom, sound: Lab) -> None:
    project(class_of, sound, {})
    snapshot = hand_in(class_of, sound, "anna", RIGHT)
    with closing(sqlite3.connect(class_of.folder / "gradebook.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM grade").fetchall()  # others may read, nobody may write
        with pytest.raises(CourseError, match="is busy"):
            project(class_of, sound, {"anna": judged(sound, snapshot)}, wait_s=0.2)
    assert row(class_of, "anna").status == "to be judged"
    project(class_of, sound, {"anna": judged(sound, snapshot)})
    assert row(class_of, "anna").points == 6


PROJECT = """
import sys
from pathlib import Path
from grader.classroom import read_class
from grader.gradebook import project
from grader.manifest import list_labs
from grader.runs import load_results
classroom = read_class(Path(sys.argv[1]))
lab = list_labs(classroom.course)[0]
results = load_results(classroom, lab)
while True:
    project(classroom, lab, {"anna": results["anna"]})
    print("once", flush=True)
    project(classroom, lab, results)
"""


@pytest.mark.slow
def test_a_kill_while_it_is_written_loses_nothing(class_of: Classroom, sound: Lab) -> None:
    results = {}
    for name, files in {"anna": RIGHT, "ben": MINUS}.items():
        result = judged(sound, hand_in(class_of, sound, name, files), adds="FAIL")
        results[name] = record(class_of, sound, name, result)
    project(class_of, sound, {"anna": results["anna"]})
    give(class_of, "adds", 2, "Nearly.")
    process = subprocess.Popen(
        [sys.executable, "-c", PROJECT, str(class_of.folder)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"once\n"
    time.sleep(0.02)  # somewhere in the second one
    process.kill()
    process.communicate()
    project(class_of, sound, results)
    anna, ben = rows(class_of)
    assert (anna.points, anna.marks["adds"].comment) == (5, "Nearly.")
    assert (ben.status, ben.points) == ("graded", 3)


def test_there_is_one_writer(class_of: Classroom, sound: Lab) -> None:
    with hold(class_of.folder / ".gradebook.lock") as lock:
        note(lock)
        with pytest.raises(CourseError, match=r"is busy: process \d+ writes it"):
            project(class_of, sound, {}, wait_s=0.1)


@pytest.mark.parametrize("kept_in", ["file"], indirect=True)
def test_a_broken_gradebook_is_named(class_of: Classroom, sound: Lab) -> None:
    (class_of.folder / "gradebook.db").write_bytes(b"no database" * 1000)
    with pytest.raises(CourseError, match=r"cannot be used: .*not a database.*bring it back"):
        project(class_of, sound, {})


@pytest.mark.parametrize("kept_in", ["file"], indirect=True)
def test_a_gradebook_that_cannot_be_made_is_named(class_of: Classroom, sound: Lab) -> None:
    (class_of.folder / "gradebook.db").unlink()
    (class_of.folder / ".gradebook.db.new").mkdir()
    with pytest.raises(CourseError, match=r"gradebook\.db\.new cannot be written .* The results are safe"):
        project(class_of, sound, {})


def test_without_a_gradebook_there_are_no_rows(class_of: Classroom) -> None:
    drop(class_of)
    with pytest.raises(CourseError, match=r"is not there yet\. Run `grader grade LAB` first"):
        rows(class_of)
