"""The class report says who is where and who may be stuck; strangers' words are text in it, or left out."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grader.charts import histogram, tenths
from grader.class_report import write
from grader.classroom import Classroom, Learner
from grader.errors import CourseError
from grader.manifest import Lab
from grader.marks import Row
from grader.receipts import read_receipt
from grader.results import Result
from grader.runs import load_results
from grader.survey import Survey, survey
from tests.grader.classes import MINUS, MONDAY, RIGHT, a_class, hand_in, judged, record
from tests.grader.strings import HOSTILE
from tests.grader.test_feedback import Tags

NOW = datetime(2026, 11, 21, 23, tzinfo=UTC)
PLAIN = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "section", "a", "ul", "li",
    "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "svg", "rect", "text", "line",
}  # fmt: skip


def graded(lab: Lab, learner: str, result: Result, **facts: object) -> Row:
    given: Mapping[str, object] = {
        "status": "graded",
        "points": result.points,
        "possible": 6,
        "late": False,
        **facts,
    }
    return Row(learner, lab.id, snapshot=result.snapshot, release=result.release, **given)  # type: ignore[arg-type]  # a test's shorthand


def told(classroom: Classroom, lab: Lab, learner: str, snapshot: str, **reported: object) -> None:
    """Let the learner's receipt say something."""
    receipt = read_receipt(classroom.submissions(learner, lab.id) / snapshot[:16])
    (receipt.folder / "receipt.json").write_text(json.dumps(receipt.to_dict() | {"reported": reported}))


def set_aside(classroom: Classroom, name: str, lab: str, reason: str) -> None:
    folder = classroom.folder / "aside" / f"20261116T100000Z-{len(list(classroom.folder.glob('aside/*')))}"
    folder.mkdir(parents=True)
    (folder / "reason.txt").write_text(f"Name: {name}\nLab: {lab}\nReason: {reason}\n")


@pytest.fixture
def class_of(sound: Lab, tmp_path: Path) -> Classroom:
    return full_class(tmp_path / "class", sound)


def full_class(folder: Path, sound: Lab) -> Classroom:
    """Anna has all points, Ben made a mistake twice, Cleo attacked, Dora waits, Eve handed nothing in."""
    people = ("anna,Anna Lee,a@example.invalid", "ben", "cleo", "dora", "eve")
    classroom = a_class(folder, sound, *people)
    classroom = replace(classroom, deadlines={sound.id: MONDAY + timedelta(days=1)})
    times = {"started": "2026-11-16T06:00:00Z", "made": "2026-11-16T09:30:00Z"}
    snapshot = hand_in(classroom, sound, "anna", RIGHT)
    told(classroom, sound, "anna", snapshot, hints={"adds": 2, "is_committed": 1}, **times)
    record(classroom, sound, "anna", judged(sound, snapshot))
    for notes in ("one", "two"):
        snapshot = hand_in(classroom, sound, "ben", {**MINUS, "notes.md": notes})
        record(classroom, sound, "ben", judged(sound, snapshot, adds="FAIL", adds_anything="BLOCKED"))
    told(classroom, sound, "ben", snapshot, started="now", made="then")
    snapshot = hand_in(classroom, sound, "cleo", {**RIGHT, "notes.md": "c"})
    record(classroom, sound, "cleo", judged(sound, snapshot, adds="FORBIDDEN", adds_anything="MEMORY"))
    snapshot = hand_in(classroom, sound, "dora", {**RIGHT, "notes.md": "d"})
    broken = replace(judged(sound, snapshot, found="the disk\nis full", is_committed="GRADER_ERROR"))
    record(
        classroom,
        sound,
        "dora",
        replace(broken, tries=("TIMEOUT in adds beside others",), weak=("processes",)),
    )
    set_aside(classroom, "final.zip", sound.id, "The zip is truncated.")
    return classroom


def rows_of(classroom: Classroom, lab: Lab, results: Mapping[str, Result]) -> list[Row]:
    statuses = {"dora": "to be looked at"}
    rows = [graded(lab, name, one, status=statuses.get(name, "graded")) for name, one in results.items()]
    return [*rows, *(Row(name, lab.id, "missing") for name in classroom.roster.keys() - results.keys())]


def seen(classroom: Classroom, lab: Lab, *, anonymous: bool = False) -> Survey:
    rows = rows_of(classroom, lab, load_results(classroom, lab))
    return survey(classroom, rows, now=NOW, anonymous=anonymous)


def table(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(), newline="")))


def test_a_survey_knows_who_is_where_and_who_may_be_stuck(class_of: Classroom, sound: Lab) -> None:
    [view] = seen(class_of, sound).labs
    places = {place.learner.id: place for place in view.places}
    assert {name: place.stuck for name, place in places.items()} == {
        "anna": "",
        "ben": "failed in both of the last two hand-ins: adds",
        "cleo": "less than half of the points",
        "dora": "",
        "eve": "nothing taken in, and the deadline is over",
    }
    assert [place.hand_ins for place in view.places] == [1, 2, 1, 1, 0]
    assert (places["anna"].hours, places["anna"].hints) == (3.5, {"adds": 2, "is_committed": 1})
    assert (places["ben"].hours, places["ben"].hints) == (None, None)
    assert view.passed("add") == (2, 4)
    assert view.passed("commit") == (3, 3)  # Dora's cannot be told
    assert survey(class_of, [], now=MONDAY).labs[0].places[4].stuck == ""
    for name in ("eve.zip", "anna.zip"):
        set_aside(class_of, name, sound.id, "The zip is truncated.")
    places = {place.learner.id: place for place in seen(class_of, sound).labs[0].places}
    assert places["eve"].stuck == "what came was set aside, and nothing else came"
    assert places["anna"].stuck == ""


def test_the_pages_say_what_the_tables_do(class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    written = write(seen(class_of, sound), tmp_path / "report", site="https://course.example/")
    assert [path.name for path in written] == ["index.html", "01-add.html", "learners.csv", "checks.csv"]
    index, lab = (Tags(path.read_text()) for path in written[:2])
    for said in (
        "5 learners, 1 labs. Made 2026-11-21 23:00 UTC.",
        "4 of 5",
        "Anna Lee anna",
        "01-add, of 6",
        "Who may be stuck: 3 · Mistakes with a name: 1 · Who waits for a person: 1 ·",
        "failed in both of the last two hand-ins: adds: 01-add",
        "01-add, to be looked at (is_committed), 1: dora",
        "cleo, 01-add: adds FORBIDDEN",
        "cleo, 01-add: adds_anything MEMORY",
        "final.zip (01-add): The zip is truncated.",
        "dora, 01-add: is_committed GRADER_ERROR: the disk is full",
        "dora, 01-add: judged again, TIMEOUT in adds beside others",
        "dora, 01-add: the host was weak, processes",
    ):
        assert said in index.read
    for said in (
        "median 3.5 h on the clock, nights included, longest 3.5 h (1 receipts). Planned: 10 min.",
        "Hints taken: median 3, most 3 (1 receipts).",
        "2 of 4",
        "1 BLOCKED, 1 MEMORY",
        "wrong-sum",
        "docs/modules/01-add.md#sums",
    ):
        assert said in lab.read
    links = {found.get("href") for tag, found in lab.tags if tag == "a"}
    assert links == {"index.html", "https://course.example/modules/01-add.html#sums"}
    learners, checks = (table(path) for path in written[2:])
    assert learners[1] == [
        "anna", "Anna Lee", "a@example.invalid", "01-add", "graded", "6", "6", "no", "1", "3", "3.5", "",
        "6",
    ]  # fmt: skip
    assert learners[5] == ["eve", "", "", "01-add", "missing", "", "", "", "0", "", "", learners[5][11], ""]
    assert checks[2] == ["01-add", "add", "adds", "3", "4", "2", "1", "1", "1", "1 × wrong-sum"]


def test_a_release_that_nobody_is_graded_with_yet_changes_no_report(class_of: Classroom, sound: Lab) -> None:
    rows = rows_of(class_of, sound, load_results(class_of, sound))
    [anna] = [row for row in rows if row.learner == "anna"]
    older = judged(sound, anna.snapshot, adds="FAIL")
    record(class_of, sound, "anna", replace(older, release="0" * 64))
    before = [row for row in rows if row.learner != "anna"]
    told = replace(anna, status="older release", points=older.points, release="0" * 64)
    [lab] = survey(class_of, [*before, told], now=NOW).labs
    [place] = [one for one in lab.places if one.row.learner == "anna"]
    assert place.result
    assert (place.row.points, place.result.points) == (older.points, older.points)


def numbers(found: Survey) -> dict[str, str]:
    return {place.row.learner: place.learner.id for place in found.labs[0].places}


def test_an_anonymous_report_names_nobody_and_quotes_nobody(
    class_of: Classroom, sound: Lab, tmp_path: Path
) -> None:
    first, again = seen(class_of, sound, anonymous=True), seen(class_of, sound, anonymous=True)
    assert first == again
    ids = [one.id for one in first.learners]
    assert len({*ids}) == 5
    assert all(re.fullmatch(r"learner-[0-9a-f]{8}", one) for one in ids)
    new = {f"new-{at}": Learner(f"new-{at}") for at in range(20)}
    joined = replace(class_of, roster={**class_of.roster, **new})
    assert numbers(first).items() < numbers(seen(joined, sound, anonymous=True)).items()
    order = [place.hand_ins for place in first.labs[0].places]
    others = [
        survey(replace(class_of, secret=bytes([at] * 32)), [], now=NOW, anonymous=True) for at in range(9)
    ]
    assert any([place.hand_ins for place in one.labs[0].places] != order for one in others)
    text = "".join(path.read_text() for path in write(first, tmp_path / "report"))
    for name in (*class_of.roster, "Anna", "example.invalid", "the disk", "final.zip", "truncated"):
        assert not re.search(rf"\b{name}\b", text)
    assert "01-add: 1 files" in text
    assert "FORBIDDEN" in text


def hostile(folder: Path, sound: Lab) -> Survey:
    """A class in which every text that a stranger may have written is a hostile one."""
    classroom = a_class(folder, sound, *(f"p{at:02}" for at in range(40)))
    named = {f"p{at:02}": text for at, text in enumerate(HOSTILE)}
    roster = {name: replace(classroom.roster[name], name=text, email=text) for name, text in named.items()}
    classroom = replace(classroom, roster=roster)
    rows = []
    for name, text in named.items():
        result = judged(
            sound, hand_in(classroom, sound, name, {**RIGHT, "notes.md": name}), is_committed="NOT_RUN"
        )
        odd = {"found": text, "misconception": text, "link": text, "why": text, "exception": text}
        checks = tuple(replace(one, **odd) for one in result.checks)  # type: ignore[arg-type]  # all are texts
        result = replace(result, checks=checks, tries=(text,), weak=(text,))
        rows.append(graded(sound, name, record(classroom, sound, name, result)))
        set_aside(classroom, text.replace("\n", " "), sound.id, text)
    return survey(classroom, rows, now=NOW)


def test_forty_hostile_strings_stay_text(sound: Lab, tmp_path: Path) -> None:
    assert len(HOSTILE) == 40
    found = hostile(tmp_path / "class", sound)
    written = write(found, tmp_path / "report", site="https://course.example")
    for path in written[:2]:
        tags = Tags(path.read_text())
        assert {tag for tag, _ in tags.tags} <= PLAIN
        links = {str(shown.get("href")) for tag, shown in tags.tags if tag == "a"}
        within = {link for link in links if re.fullmatch("#[a-z]+", link)}
        assert links - within <= {"index.html", "01-add.html", "learners.csv", "checks.csv"}
        assert not [
            name for _, shown in tags.tags for name in shown if name.startswith("on") or name == "style"
        ]
    for path in written:
        text = path.read_text()
        assert not [sign for sign in text if not sign.isprintable() and sign not in "\r\n\t\u200c\u200d"]
    for row in table(written[2])[1:]:
        assert len(row) == 13
        assert not [
            cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
        ]


def test_points_are_counted_in_tenths_and_said_in_words() -> None:
    assert tenths([0, 0.09, 0.1, 0.3, 0.999, 1, 1.2, -0.5]) == [3, 1, 0, 1, 0, 0, 0, 0, 0, 3]
    drawn = histogram([0.05, 0.5, 0.55], "Points of 3")
    assert 'aria-label="Points of 3: 1 at 0 to 10 %, 2 at 50 to 60 %"' in drawn
    assert 'aria-label="None of 0: none"' in histogram([], "None of 0")


def test_a_report_that_cannot_be_made_says_why(class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    found = seen(class_of, sound)
    for site in ("javascript:alert(1)", 'http://x"y', "course"):
        with pytest.raises(CourseError, match=r"--site .* is no address\. Write it like http://127"):
            write(found, tmp_path / "report", site=site)
    (tmp_path / "taken").write_text("in the way")
    with pytest.raises(CourseError, match=r"index\.html cannot be written .*another folder with `--output`"):
        write(found, tmp_path / "taken")
