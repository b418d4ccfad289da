"""What is handed over is what Canvas', Moodle's and Gradescope's own importers read back as it was meant."""

import csv
import io
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest

from grader.classroom import Classroom
from grader.deadlines import Lateness
from grader.errors import CourseError
from grader.handover import Sheet, canvas, gradescope, moodle
from grader.manifest import Lab, read_lab
from grader.marks import Mark, Row
from tests.grader.classes import CANARY, MONDAY, a_class, judged
from tests.grader.strings import HOSTILE

# As Canvas writes it: a byte order mark, rows of policies and of points, read-only columns, a test student.
CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Other (99),Add two numbers (4711),Final Score\r\n"
    ",,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,10,6,(read only)\r\n"
    '"Lee, Anna",501,S1,anna@example.invalid,Group A,9,,90\r\n'
    '"Okafor, Ben",502,ben,b,Group A,8,2,80\r\n'
    '"Roe, Cleo",503,,,Group B,7,,70\r\n'
    '"Student, Test",999,,x,Group A,,,\r\n'
)
MOODLE = (
    "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\r\n"
    'Participant 11,Anna Lee,anna@example.invalid,Submitted for grading,,"6,00",Yes,'
    '"Monday, 16 November 2026, 10:00 AM",-,\r\n'
    "Participant 12,Ben Okafor,,Submitted for grading,2.00,6.00,Yes,-,-,See me\r\n"
    "Participant 13,Dan Stranger,d@example.invalid,No submission,,6.00,Yes,-,-,\r\n"
)


@pytest.fixture
def class_of(sound: Lab, tmp_path: Path) -> Classroom:
    people = ("anna,Anna Lee,anna@example.invalid", "ben,Ben Okafor,", "cleo,Cleo Roe,", "dora", "502")
    return a_class(tmp_path / "class", sound, *people)


def rows_of(lab: Lab) -> list[Row]:
    late = Lateness(MONDAY, True, 2, 0, 0.8, "Two days late.")
    return [
        Row("anna", lab.id, "graded", 5.5, 6),
        Row("ben", lab.id, "graded", 5, 6, True, lateness=late),
        Row("cleo", lab.id, "graded", 0, 6),
        Row("dora", lab.id, "to be looked at", 3, 6),
        Row("502", lab.id, "missing"),
        Row("anna", "02-more", "graded", 1, 1),
    ]


def put(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "given.csv").write_text(text, encoding="utf-8", newline="")
    return folder / "given.csv"


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def read_by_canvas(text: str) -> tuple[dict[str, float], dict[str, dict[str, str]]]:
    """What Canvas' `GradebookImporter` takes from a file: points by assignment, grades by student.

    After its rules: the first columns are Student and ID, then both SIS ids or the login alone, then Section;
    a row with `Points Possible` describes; a student is known by ID, SIS id, login, name or sortable name.
    """
    head, *body = table(text)
    assert "Student" in head[0]
    assert "ID" in head[1]
    assert len(head) > 3
    at = 3 + (1 if "SIS Login ID" in head[2] else 2 if "SIS User ID" in head[2] else 0)
    assert "Section" in head[at - 1], head
    titles = head[at:]
    lines = text.splitlines()[:3]
    assert len({len(next(csv.reader([line]))) for line in lines}) == 1  # so it knows the delimiter
    points = {
        title: float(row[at + n])
        for row in body
        if "Points Possible" in row[0]
        for n, title in enumerate(titles)
    }
    people = [row for row in body if "Points Possible" not in row[0]]
    return points, {row[0]: dict(zip(titles, row[at:], strict=True)) for row in people}


def read_by_moodle(text: str) -> dict[str, float]:
    """What Moodle's offline grading takes: the three columns that it looks for, a grade a participant."""
    head, *body = table(text)
    found = {name: head.index(name) for name in ("Identifier", "Grade", "Last modified (grade)")}
    for row in body:
        assert len(row) == len(head)
        assert row[found["Identifier"]].startswith("Participant ")
    return {row[found["Identifier"]]: float(row[found["Grade"]]) for row in body}


def test_canvas_reads_back_the_gradebook_that_it_exported(
    class_of: Classroom, sound: Lab, tmp_path: Path
) -> None:
    sheet = canvas(class_of, sound, rows_of(sound), put(tmp_path / "in", CANVAS))
    points, grades = read_by_canvas(sheet.text)
    assert points == {"Add two numbers (4711)": 6}
    assert grades == {
        "Lee, Anna": {"Add two numbers (4711)": "5.5"},
        "Okafor, Ben": {"Add two numbers (4711)": "4"},
        "Roe, Cleo": {"Add two numbers (4711)": "0"},
    }
    assert [row[1] for row in table(sheet.text)[2:]] == ["501", "502", "503"]
    assert sheet.count == 3
    assert sheet.left_out == ("dora: to be looked at", "502: missing")


def test_canvas_reads_a_file_of_the_class_s_own(class_of: Classroom, sound: Lab) -> None:
    sheet = canvas(class_of, sound, rows_of(sound), None)
    points, grades = read_by_canvas(sheet.text)
    assert points == {"Add two numbers": 6}
    assert {name: one["Add two numbers"] for name, one in grades.items()} == {
        "Anna Lee": "5.5",
        "Ben Okafor": "4",
        "Cleo Roe": "0",
    }
    assert [row[2:4] for row in table(sheet.text)[2:]] == [["anna"] * 2, ["ben"] * 2, ["cleo"] * 2]


def test_moodle_reads_back_its_worksheet(class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    sheet = moodle(class_of, sound, rows_of(sound), put(tmp_path / "in", MOODLE))
    assert read_by_moodle(sheet.text) == {"Participant 11": 5.5, "Participant 12": 4}
    assert [row[-1] for row in table(sheet.text)] == ["Last modified (grade)", "-", "-"]
    assert sheet.left_out == ("dora: to be looked at", "502: missing", "cleo: in no row of given.csv")
    plain = moodle(class_of, sound, rows_of(sound), None)
    assert table(plain.text)[:2] == [
        ["ID number", "Email address", "Full name", "Add two numbers"],
        ["anna", "anna@example.invalid", "Anna Lee", "5.5"],
    ]


def test_moodle_keeps_the_comments_that_somebody_typed_there(
    class_of: Classroom, sound: Lab, tmp_path: Path
) -> None:
    long = MOODLE.replace("See me", f"- {'Read this. ' * 1000}")
    sheet = moodle(class_of, sound, rows_of(sound), put(tmp_path / "in", long))
    assert table(sheet.text)[0] == [
        "Identifier", "Full name", "Email address", "Grade", "Maximum Grade", "Last modified (grade)",
    ]  # fmt: skip
    assert "Read this." not in sheet.text


def test_moodle_skips_nobody_who_has_extra_points(class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    rows = [Row("anna", sound.id, "graded", 7.5, 6), Row("ben", sound.id, "graded", 6, 6)]
    sheet = moodle(class_of, sound, rows, put(tmp_path / "in", MOODLE))
    assert read_by_moodle(sheet.text) == {"Participant 11": 6, "Participant 12": 6}
    assert sheet.left_out == ("anna: 1.5 of 7.5 points, as Moodle takes 6 at most",)


def test_gradescope_reads_points_and_nothing_hidden(sound: Lab) -> None:
    result = judged(
        sound, "5" * 64, found="-1", adds="FAIL", adds_anything="FAIL", is_committed="GRADER_ERROR"
    )
    odd = {"found": CANARY, "expected": CANARY, "why": CANARY}
    checks = tuple(replace(one, **odd) if one.hidden else one for one in result.checks)  # type: ignore[arg-type]  # all texts
    result = replace(result, checks=checks)
    late = Lateness(MONDAY, True, 1, 0, 0.5, "A day\u202e late.")
    marks = {"adds": Mark(2, 0, 2, 0, False, "", "Nearly.")}
    row = Row("anna", sound.id, "graded", 2, 6, True, "5" * 64, sound.release, marks, late)
    text = gradescope(result, row)
    found = json.loads(text)
    assert CANARY not in text
    assert found["score"] == 1
    assert found["output"] == "A day\\u202e late."
    assert [(one["name"], one["score"], one["max_score"], one["visibility"]) for one in found["tests"]] == [
        ("notes_are_there", 0, 0, "visible"),
        ("adds", 2, 3, "visible"),
        ("adds_anything", 0, 2, "visible"),
        ("is_committed", 0, 1, "visible"),
    ]
    assert found["tests"][1]["output"].endswith("A person says: Nearly.")
    assert found["tests"][3]["output"] == "The work is committed\nNot decided yet; a person looks at it."
    known = {"score", "execution_time", "output", "visibility", "stdout_visibility", "extra_data", "tests"}
    assert found.keys() <= known
    assert {key for one in found["tests"] for key in one} <= {
        "score",
        "max_score",
        "name",
        "output",
        "visibility",
    }


def test_forty_hostile_strings_do_nothing_in_any_of_them(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, *(f"p{at:02}" for at in range(40)))
    names = {f"p{at:02}": text for at, text in enumerate(HOSTILE)}
    roster = {name: replace(classroom.roster[name], name=text, email=text) for name, text in names.items()}
    classroom = replace(classroom, roster=roster)
    rows = [Row(name, sound.id, "graded", 1, 6) for name in names]
    target = io.StringIO(newline="")
    csv.writer(target).writerows(
        [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Add two numbers (1)"]]
        + [[text, text, name, "", text, ""] for name, text in names.items()]
    )
    worksheet = io.StringIO(newline="")
    csv.writer(worksheet).writerows(
        [["Identifier", "Full name", "ID number", "Grade", "Last modified (grade)", "Feedback comments"]]
        + [["Participant 1", text, name, "", "-", text] for name, text in names.items()]
    )
    sheets = [
        canvas(classroom, sound, rows, None),
        moodle(classroom, sound, rows, None),
        canvas(classroom, sound, rows, put(tmp_path / "canvas", target.getvalue())),
        moodle(classroom, sound, rows, put(tmp_path / "moodle", worksheet.getvalue())),
    ]
    for sheet in sheets[::2]:
        assert sheet.text.count("\n") == len(table(sheet.text))
    for sheet in sheets:
        assert sheet.count == 40
        cells = [cell for row in table(sheet.text) for cell in row]
        assert not [
            cell for cell in cells if cell.startswith(("=", "+", "-", "@", "＝", "－")) and cell != "-"
        ]
        assert not [sign for sign in sheet.text if not sign.isprintable() and sign not in "\r\n\t"]
    for text in HOSTILE:
        odd = judged(sound, "5" * 64, found=text, adds="FAIL")
        row = Row("anna", sound.id, "graded", 1, 6, marks={"adds": Mark(0, 0, None, 0, False, text, text)})
        given = gradescope(odd, row)
        assert not [sign for sign in given if not sign.isprintable() and sign not in "\r\n\t"]


def test_a_namesake_gets_nobody_s_grade(class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    for text in (MOODLE, CANVAS):
        make = canvas if text == CANVAS else moodle
        strange = text.replace("anna@example.invalid", "another.anna@example.invalid")
        sheet = make(class_of, sound, rows_of(sound), put(tmp_path / "in", strange))
        assert "Lee" not in sheet.text
        assert "anna: in no row of given.csv" in sheet.left_out
        assert "Okafor" in sheet.text


def test_each_learner_is_looked_at_once_for_a_column(sound: Lab, tmp_path: Path) -> None:
    ids = [f"p{at:02}" for at in range(30)]
    classroom = a_class(tmp_path / "class", sound, *ids)
    head = "Student,ID,SIS User ID,SIS Login ID,Section,Add two numbers"
    file = put(tmp_path / "in", "\n".join([head, *(f"x,1,,{one},A," for one in ids)]))
    calls: list[str] = []

    def trace(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name == "_keys":
            calls.append(frame.f_code.co_filename)

    rows = [Row(one, sound.id, "graded", 1, 6) for one in ids]
    sys.setprofile(trace)
    try:
        sheet = canvas(classroom, sound, rows, file)
    finally:
        sys.setprofile(None)
    assert (sheet.count, sheet.left_out, len(calls)) == (30, (), 90)


REFUSED: Mapping[str, tuple[str, str, str]] = {
    "no export": ("canvas", "a,b\n1,2\n", r"given\.csv:1: there is no column `Student`, so this"),
    "no worksheet": ("moodle", CANVAS, r"there is no column `Identifier`.*Export it again, in English"),
    "no column of the lab": ("canvas", CANVAS.replace("Add two", "Add ten"), r"0 columns are called `Add"),
    "two columns of the lab": ("canvas", CANVAS.replace("Other (99)", "01-add (99)"), r"2 columns are"),
    "other points": ("canvas", CANVAS.replace("10,6", "10,60"), r"the assignment has 60 points, and 01-add"),
    "other points in Moodle": ("moodle", MOODLE.replace("6.00", "10.00"), r"assignment has 10\.00 points"),
    "thousands": ("moodle", MOODLE.replace("6.00", '"6,000.00"'), r"has 6,000\.00 points, and 01-add has 6"),
    "theirs": ("moodle", MOODLE.replace("6.00", '"1.006,00"'), r"has 1\.006,00 points, and 01-add has 6\."),
    "a learner twice": ("canvas", CANVAS.replace("503,,", "503,anna,"), r"more than one row is for anna\."),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_filled_is_refused(kind: str, class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    which, text, said = REFUSED[kind]
    make = canvas if which == "canvas" else moodle
    with pytest.raises(CourseError, match=said):
        make(class_of, sound, rows_of(sound), put(tmp_path / "in", text))


def test_the_same_points_are_taken_however_they_are_written(
    class_of: Classroom, sound: Lab, tiny: Lab, tmp_path: Path
) -> None:
    toml = tiny.folder / "lab.toml"
    toml.write_text(toml.read_text().replace("points = 3", "points = 997", 1))
    large = read_lab(tiny.folder)
    for lab, texts in ((sound, ("6", "6,00", "6.00000", "-")), (large, ("1,000.00", "1.000,00", "1’000"))):
        for text in texts:
            points = MOODLE.replace('"6,00"', "6.00").replace("6.00", f'"{text}"')
            given = put(tmp_path / "in", points)
            assert moodle(class_of, lab, rows_of(sound), given).count == 2, text


def test_a_file_that_is_no_text_is_named(class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    (tmp_path / "given.csv").write_bytes(b"\xff\xfe\x00")
    for file in (tmp_path / "given.csv", tmp_path / "none.csv"):
        with pytest.raises(CourseError, match=r"\.csv cannot be read: .*Name the CSV file that your system"):
            moodle(class_of, sound, rows_of(sound), file)


def test_a_column_can_be_named(class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    given = put(tmp_path / "in", CANVAS.replace("Add two numbers (4711)", "Week 1 (4711)"))
    sheet: Sheet = canvas(class_of, sound, rows_of(sound), given, "Week 1")
    assert list(read_by_canvas(sheet.text)[0]) == ["Week 1 (4711)"]
