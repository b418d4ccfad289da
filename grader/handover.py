"""Grades in the form that a school's system takes: Canvas, Moodle, Gradescope.

Canvas and Moodle take back a CSV file that they gave out. Grades are put into it, and whoever has none is
left out, as an empty field would take a grade away there. The forms are those that their own importers read:
Canvas' `gradebook_importer.rb`, Moodle's `importgradeslib.php` and `gradeimport_csv`, and Gradescope's
"Autograder Specifications".
"""

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.classroom import Classroom, Learner
from grader.errors import CourseError
from grader.exports import Field, csv_table, number
from grader.manifest import Lab
from grader.marks import Row
from grader.regrade import counted
from grader.results import Result, learner_view
from grader.runs import UNDECIDED
from grader.texts import json_text, lesson, line, plain

CANVAS_IDS = ("ID", "SIS User ID", "SIS Login ID")
CANVAS = ("Student", *CANVAS_IDS, "Integration ID", "Root Account", "Section")
CANVAS_MATCH = ("SIS User ID", "SIS Login ID", "Student")  # `ID` is a number of Canvas' own
NAMES = ("Student", "Full name")
POINTS = "Points Possible"
MOODLE_GRADE, MOODLE_MOST = "Grade", "Maximum Grade"
MOODLE_NEEDS = ("Identifier", MOODLE_GRADE, "Last modified (grade)")
MOODLE_MATCH = ("ID number", "Username", "Email address", "Full name")
MOODLE = ("Identifier", *MOODLE_MATCH, MOODLE_GRADE, MOODLE_MOST, "Last modified (grade)")


@dataclass(frozen=True)
class Sheet:
    """A file to hand over: its text, how many grades are in it, and who was left out and why."""

    text: str
    count: int
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    """A header and the rows below it; every row has every column."""

    head: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def canvas(classroom: Classroom, lab: Lab, rows: Sequence[Row], into: Path | None, column: str = "") -> Sheet:
    """One lab's grades for Canvas; with `into`, for the columns and people of a gradebook that it exported.

    `column` names the assignment there, when it is not called as the lab is.

    Raises:
        CourseError: `into` is no such export, has no such column, or other points.
    """
    grades, left_out = _grades(rows, lab)
    if into is None:
        people = [(_learner(classroom, name), grade) for name, grade in grades.items()]
        body: list[list[Field]] = [
            [line(who.name or who.id), "", who.id, who.id, "", grade] for who, grade in people
        ]
        head = ["Student", *CANVAS_IDS, "Section", lab.title]
        return Sheet(
            csv_table(head, [["    " + POINTS, "", "", "", "", _possible(lab)], *body]), len(body), left_out
        )
    table = _read(into, "Student", "ID", "Section")
    name = _column(table, into, lab, column)
    kept = [one for one in table.head if one in CANVAS]
    points = [row for row in table.rows if POINTS in row["Student"]]
    for row in points:
        _same_points(row[name], lab, into)
    body = [[*(line(row[one]) for one in kept), _possible(lab)] for row in points]
    found, missing = _matched(classroom, table.rows, grades, CANVAS_MATCH, into)
    body += [[*(line(row[one]) for one in kept), grades[learner]] for row, learner in found]
    return Sheet(csv_table([*kept, name], body), len(found), (*left_out, *missing))


def moodle(classroom: Classroom, lab: Lab, rows: Sequence[Row], into: Path | None) -> Sheet:
    """One lab's grades for Moodle: for its gradebook's import, or with `into` in its own grading worksheet.

    Only the columns that Moodle needs are given back. It takes every other text in a worksheet, feedback
    comments above all, for a new one, and ours is not what was typed there: long texts are cut in it. A
    grade above the assignment's most it skips without a word, so that learner is given the most, and named.

    Raises:
        CourseError: `into` is no grading worksheet, or its assignment has other points.
    """
    grades, left_out = _grades(rows, lab)
    if into is None:
        people = [(_learner(classroom, name), grade) for name, grade in grades.items()]
        body: list[list[Field]] = [[who.id, who.email, who.name, grade] for who, grade in people]
        return Sheet(
            csv_table(("ID number", "Email address", "Full name", lab.title), body), len(body), left_out
        )
    table = _read(into, *MOODLE_NEEDS)
    found, missing = _matched(classroom, table.rows, grades, MOODLE_MATCH, into)
    for row, _ in found:
        _same_points(row.get(MOODLE_MOST, ""), lab, into)
    kept = [name for name in table.head if name in MOODLE]
    most = _possible(lab)
    filled: list[dict[str, Field]] = [row | {MOODLE_GRADE: min(grades[who], most)} for row, who in found]
    above = [
        f"{who}: {number(grades[who] - most)} of {number(grades[who])} points, "
        f"as Moodle takes {number(most)} at most"
        for _, who in found
        if grades[who] > most
    ]
    return Sheet(
        csv_table(kept, [[row[one] for one in kept] for row in filled]),
        len(filled),
        (*left_out, *missing, *above),
    )


def graded(rows: Sequence[Row], lab: Lab) -> list[Row]:
    """The rows of a lab whose grade stands: nobody has to look at it any more."""
    return [row for row in rows if row.lab == lab.id and row.status == "graded" and row.grade is not None]


def gradescope(result: Result, row: Row) -> str:
    """What Gradescope takes for one submission, `results.json`, from what its learner may see."""
    tests = []
    for check in learner_view(result)["checks"]:
        mark = row.marks.get(check["id"])
        said = [plain(check["says"])]
        if check["verdict"] in UNDECIDED and (mark is None or mark.to_look_at):
            said.append("Not decided yet; a person looks at it.")
        elif check["verdict"] not in ("PASS", *UNDECIDED) and check["verdict"] == counted(check, mark):
            said += lesson(check)
        said += [f"A person says: {plain(mark.comment)}"] if mark and mark.comment else []
        tests.append(
            {
                "name": check["id"],
                "score": mark.points if mark else check["points"],
                "max_score": check["possible"],
                "output": "\n".join(said),
                "visibility": "visible",
            }
        )
    late = row.lateness.because if row.lateness and row.lateness.late else ""
    whole: dict[str, Any] = {
        "score": row.grade,
        "output": line(late, longest=400),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"lab": result.lab, "release": result.release, "snapshot": result.snapshot},
        "tests": tests,
    }
    return json_text(whole)


def _grades(rows: Sequence[Row], lab: Lab) -> tuple[dict[str, float], tuple[str, ...]]:
    """Grades that stand, by learner; and who has none, with the reason."""
    here = [row for row in rows if row.lab == lab.id]
    found = {row.learner: row.grade or 0.0 for row in graded(rows, lab)}
    return found, tuple(f"{row.learner}: {row.status}" for row in here if row.learner not in found)


def _learner(classroom: Classroom, name: str) -> Learner:
    return classroom.roster.get(name, Learner(name))


def _possible(lab: Lab) -> float:
    """The points of a lab as a school counts them: what an extension gives is extra."""
    return float(sum(check.points or 0 for task in lab.tasks if task.core for check in task.checks))


def _read(file: Path, *needed: str) -> _Table:
    """A CSV file that a system exported."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="", restkey="")
        rows = [{key: value for key, value in row.items() if key} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CourseError(
            f"{file} cannot be read: {error}. Name the CSV file that your system exported."
        ) from error
    head = [name for name in reader.fieldnames or () if name]
    for name in needed:
        if name not in head:
            raise CourseError(
                f"{file}:1: there is no column `{name}`, so this is not what was asked for. Its columns: "
                f"{line(', '.join(head))}. Export it again, in English, and leave its columns as they are."
            )
    return _Table(tuple(head), tuple(rows))


def _column(table: _Table, file: Path, lab: Lab, column: str) -> str:
    """The assignment's column: the one that is named, or the one that is called as the lab is."""
    names = [name for name in table.head if name not in CANVAS]
    wanted = {column} if column else {lab.title, lab.id}
    found = [name for name in names if name in wanted or name.rpartition(" (")[0] in wanted]
    if len(found) != 1:
        raise CourseError(
            f"{file}: {len(found)} columns are called `{column or lab.title}`. Name one with `--column`: "
            f"{line(', '.join(names), longest=600)}."
        )
    return found[0]


def _same_points(text: str, lab: Lab, file: Path) -> None:
    """Refuse to fill in points of 100 where the system counts to 10."""
    readings = _readings(text)
    if readings and _possible(lab) not in readings:
        raise CourseError(
            f"{file}: the assignment has {line(text)} points, and {lab.id} has {_possible(lab):g}. Set it to "
            f"{_possible(lab):g} in your system, then export again."
        )


def _readings(text: str) -> set[float]:
    """What a number may be: `1,000` is one or a thousand, `1,000.00` a thousand; empty when it is none."""
    bare = re.sub(r"[\s'’]", "", text)
    marks = ((",", "."), (".", ","))
    return {
        float(bare.replace(thousands, "").replace(decimal, "."))
        for thousands, decimal in marks
        if re.fullmatch(rf"(\d{{1,3}}(\{thousands}\d{{3}})+|\d+)(\{decimal}\d+)?", bare)
    }


def _matched(
    classroom: Classroom,
    rows: Iterable[Mapping[str, str]],
    grades: Mapping[str, float],
    columns: Sequence[str],
    file: Path,
) -> tuple[list[tuple[dict[str, str], str]], tuple[str, ...]]:
    """Each row of a file with whose it is, for those with a grade; and who of them is in no row.

    The id and the address count before the name, and a name only where it is nobody else's and no address
    says that it is another's.
    """
    known = {column: _people(classroom, column) for column in columns}
    found: list[tuple[dict[str, str], str]] = []
    for row in rows:
        who = _whose(classroom, known, row)
        if who in grades:
            found.append((dict(row), who))
    taken = Counter(who for _, who in found)
    if twice := sorted(who for who, times in taken.items() if times > 1):
        raise CourseError(f"{file}: more than one row is for {', '.join(twice)}. Take the wrong ones out.")
    return found, tuple(f"{who}: in no row of {file.name}" for who in grades if who not in taken)


def _people(classroom: Classroom, column: str) -> Mapping[str, list[str]]:
    """Who may be meant by what stands in a column."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for who in classroom.roster.values():
        for key in _keys(who, column):
            found[key].append(who.id)
    return found


def _whose(classroom: Classroom, known: Mapping[str, Mapping[str, list[str]]], row: Mapping[str, str]) -> str:
    for column, people in known.items():
        text = row.get(column, "").strip().casefold()
        named = people.get(text, []) if text else []
        if len(named) == 1 and not (column in NAMES and _is_namesake(classroom.roster[named[0]], row)):
            return named[0]
    return ""


def _is_namesake(who: Learner, row: Mapping[str, str]) -> bool:
    """Whether the row has addresses, none of them this learner's: somebody else of that name."""
    texts = [row.get(column, "").strip().casefold() for column in (*CANVAS_MATCH, *MOODLE_MATCH)]
    addresses = [text for text in texts if "@" in text]
    return bool(who.email and addresses) and who.email.casefold() not in addresses


def _keys(who: Learner, column: str) -> set[str]:
    """What a system may call a learner in a column."""
    if column == "Email address":
        return {who.email.casefold()}
    if column not in NAMES:
        return {who.id.casefold(), who.email.casefold()} - {""}
    given, _, family = who.name.rpartition(" ")
    return {who.name.casefold(), f"{family}, {given}".casefold()} - {"", ", "}
