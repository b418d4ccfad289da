"""An export is what a spreadsheet reads as it was meant; a report says who waits and why."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from grader.deadlines import Lateness
from grader.exports import csv_text, report
from grader.manifest import Lab
from grader.marks import Mark, Row
from tests.grader.classes import MONDAY, a_class, judged


def mark(points: float, **facts: object) -> Mark:
    whole: Mapping[str, object] = {
        "points": points, "auto": points, "by_hand": None, "extra": 0.0, "to_look_at": False, "says": "",
        "comment": "",
    }  # fmt: skip
    return Mark(**{**whole, **facts})  # type: ignore[arg-type]  # a test's shorthand


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_names_are_no_formulas_and_stay_in_their_fields(sound: Lab, tmp_path: Path) -> None:
    names = {
        "anna": '=HYPERLINK("http://x","y")',
        "ben": "+1",
        "cleo": "-1",
        "dora": "@SUM(A1)",
        "eve": "a, b \"c\"\nd",
        "fay": "Zoë \u202e\x1b[0m",
        "gus": "＝1",
    }  # fmt: skip
    classroom = a_class(tmp_path / "class", sound, *names)
    roster = {name: replace(classroom.roster[name], name=text) for name, text in names.items()}
    classroom = replace(classroom, roster={**roster, "gus": replace(roster["gus"], email="\tx")})
    rows = [Row(name, sound.id, "missing") for name in names]
    text = csv_text(classroom, rows)
    table = read(text)
    assert [line[1] for line in table[1:]] == [
        '\'=HYPERLINK("http://x","y")',
        "'+1",
        "'-1",
        "'@SUM(A1)",
        'a, b "c"\nd',
        "Zoë \\u202e\\x1b[0m",
        "'＝1",
    ]
    assert table[7][2] == "'\tx"
    assert {len(line) for line in table} == {12}
    assert text.encode("utf-8").decode("utf-8") == text


def test_a_spreadsheet_that_cuts_at_semicolons_finds_no_formula(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    names = {
        "Anna;=1+1": "Anna;'=1+1", "Anna\n=1+1": "Anna\n'=1+1", "A; @B|+1": "A; '@B|'+1",
        "Lee; Anna-Maria": "Lee; Anna-Maria", "a=b, c+d": "a=b, c+d",
    }  # fmt: skip
    for name, shown in names.items():
        anna = {"anna": replace(classroom.roster["anna"], name=name)}
        table = read(csv_text(replace(classroom, roster=anna), [Row("anna", sound.id, "missing")]))
        assert table[1][1] == shown


def test_a_row_has_its_points_and_with_checks_each_of_them(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", "ben")
    marks = {"adds": mark(2.5), "is_committed": mark(0, auto=None, to_look_at=True)}
    rows = [
        Row("anna", sound.id, "to be looked at", 2.5, 6, True, "5" * 64, "r" * 64, marks),
        Row("ben", sound.id, "missing", late=None),
        Row("ben", "02-more", "graded", 1, 1, False, "6" * 64, "q" * 64, {"adds": mark(1)}),
    ]
    late = Lateness(MONDAY, True, 2, 0, 0.8, "A day.")
    rows[0] = replace(rows[0], lateness=late)
    assert read(csv_text(classroom, rows)) == [
        ["learner", "name", "email", "lab", "status", "points", "possible", "late", "snapshot", "release",
         "grade", "because"],
        ["anna", "", "", "01-add", "to be looked at", "2.5", "6", "yes", "5" * 64, "r" * 64, "2", "A day."],
        ["ben", "", "", "01-add", "missing", "", "", "", "", "", "", ""],
        ["ben", "", "", "02-more", "graded", "1", "1", "no", "6" * 64, "q" * 64, "1", ""],
    ]  # fmt: skip
    wide = read(csv_text(classroom, rows, checks=True))
    assert wide[0][12:] == ["01-add/adds", "01-add/is_committed", "02-more/adds"]
    assert [line[12:] for line in wide[1:]] == [["2.5", "0", ""], ["", "", ""], ["", "", "1"]]


def test_points_are_written_as_they_count(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    for points, shown in ((1234.5625, "1234.5625"), (0.1 + 0.2, "0.3"), (100.0, "100"), (0.0, "0")):
        [_, row] = read(csv_text(classroom, [Row("anna", sound.id, "graded", points, 6)]))
        assert (row[5], row[10]) == (shown, shown)


def test_a_report_counts_and_names_who_waits(sound: Lab) -> None:
    results = {
        "anna": replace(judged(sound, "a", adds="FAIL", adds_anything="BLOCKED"), seconds=3.0),
        "ben": judged(sound, "b", found="no git\n\x1b[31m here", is_committed="GRADER_ERROR"),
        "cleo": replace(judged(sound, "c", adds="TIMEOUT"), tries=("TIMEOUT in adds beside others",)),
        "dora": judged(sound, "d", is_committed="NOT_RUN"),
        "eve": judged(sound, "e"),
        "fay": judged(sound, "f"),
    }
    earlier = "PASS: ok\nBy hand for the earlier submission 42bb: 2 points. Look again."
    rows = [
        Row("anna", sound.id, "graded", 1, 6, True),
        Row("ben", sound.id, "to be looked at", marks={"is_committed": mark(0, to_look_at=True)}),
        Row("cleo", sound.id, "graded", late=False),
        Row("dora", sound.id, "graded", marks={"is_committed": mark(1, by_hand=1.0)}),
        Row("eve", sound.id, "to be looked at", marks={"adds": mark(3, to_look_at=True, says=earlier)}),
        Row("fay", sound.id, "to be looked at"),
        Row("gus", sound.id, "missing"),
        Row("hal", sound.id, "older release"),
        Row("ina", "02-more", "missing"),
    ]
    assert report(sound, results, rows) == (
        "01-add · Add two numbers\n"
        "6 judged, 0 to be judged, 1 missing, 1 late\n"
        "median 2.5 s a submission, longest 3.0 s\n"
        "\n"
        "check            passed  failed  other\n"
        "notes_are_there       6       0      0\n"
        "adds                  4       1      1  TIMEOUT 1\n"
        "    1 × wrong-sum\n"
        "adds_anything         5       0      1  BLOCKED 1\n"
        "is_committed          4       0      2  GRADER_ERROR 1, NOT_RUN 1\n"
        "\n"
        "For a person:\n"
        "- ben: is_committed: GRADER_ERROR: no git \\x1b[31m here\n"
        "- cleo: judged again: TIMEOUT in adds beside others\n"
        "- eve: adds: By hand for the earlier submission 42bb: 2 points. Look again.\n"
        "- fay: flagged in formgrader\n"
        "- hal: judged with an older release; `grader regrade 01 --dry-run` says what changes\n"
    )
    assert report(sound, {}, []).endswith("Nothing waits for a person.\n")
