"""Feedback says what the learner may know, to the right one, and does nothing by itself."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from grader.classroom import Classroom
from grader.deadlines import Lateness
from grader.errors import CourseError
from grader.feedback import write
from grader.handover import gradescope
from grader.manifest import Lab
from grader.marks import Mark, Row
from grader.results import Result, Verdict
from tests.grader.classes import CANARY, MONDAY, a_class, judged

NASTY = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=a>\"'></p></style>"
    "<!-- \x1b[2J \x00 \u202e $$\\href{javascript:alert(1)}{x}$$ &lt;b&gt; [x](javascript:alert(1))"
)


class Tags(HTMLParser):
    """Every tag and attribute of a page, and what is read of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.read = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.read += data


def row(learner: str, lab: Lab, result: Result, **marks: Mark) -> Row:
    points = sum(check.points for check in result.checks)
    return Row(learner, lab.id, "graded", points, 6, True, result.snapshot, result.release, marks)


def pages(classroom: Classroom, lab: Lab, learner: str) -> tuple[str, str]:
    folder = classroom.folder / "feedback" / learner
    return (folder / f"{lab.id}.html").read_text(), (folder / f"{lab.id}.txt").read_text()


def test_a_judgement_that_lowers_nobody_is_told_to_nobody(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    again = judged(sound, "5" * 64, found="-1", adds="FAIL")
    before = Mark(3, 3, None, 0, False, "PASS: add(2, 3) is 5", "")
    kept = replace(row("anna", sound, again, adds=before), points=6)
    write(classroom, sound, {"anna": again}, [kept])
    _, text = pages(classroom, sound, "anna")
    assert "6 of 6 points\n" in text
    assert "- adds: passed (3 of 3 points)\n    add(2, 3) is 5\n\n" in text
    assert "-1" not in text
    output = {one["name"]: one["output"] for one in json.loads(gradescope(again, kept))["tests"]}
    assert output["adds"] == "add(2, 3) is 5"


def test_a_learner_reads_what_failed_and_why(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna,Anna Lee,a@example.invalid")
    result = judged(
        sound, "5" * 64, found="-1", adds="FAIL", adds_anything="FAIL", is_committed="GRADER_ERROR"
    )
    by_hand = Mark(2, 0, 2, 0, False, "", "Nearly.\nSee me.")
    late = Lateness(MONDAY, True, 2, 0, 0.8, "Handed in on Tuesday, 20 % of the points taken off.")
    shown = replace(row("anna", sound, result, adds=by_hand), points=2, lateness=late)
    written = write(classroom, sound, {"anna": result}, [shown])
    assert [path.name for path in written] == ["01-add.html", "01-add.txt"]
    html, text = pages(classroom, sound, "anna")
    assert text == (
        "01-add · Add two numbers\n"
        "For Anna Lee (anna)\n"
        "2 of 6 points\n"
        f"Submission {'5' * 16}, release {sound.release[:16]}\n"
        "Late. Handed in on Tuesday, 20 % of the points taken off. 1.6 points count.\n"
        "1 not decided yet: a person looks at it, and the points may rise.\n"
        "\n"
        "1 · Look at the file\n"
        "\n"
        "- notes_are_there: passed\n"
        "    notes.md is there\n"
        "\n"
        "2 · Write add\n"
        "\n"
        "- adds: failed (2 of 3 points, by hand)\n"
        "    add(2, 3) is 5\n"
        "    Looked at: add(2, 3)\n"
        "    Found: -1\n"
        "    Expected: 5\n"
        "    Sums are sums.\n"
        "    Misconception: wrong-sum\n"
        "    Read: docs/modules/01-add.md#sums\n"
        "    A person says: Nearly.\n"
        "    See me.\n"
        "\n"
        "- adds_anything: failed (0 of 2 points)\n"
        "    add works for any two numbers\n"
        "    Misconception: wrong-sum\n"
        "    Checked on data that you do not see.\n"
        "\n"
        "3 · Commit it\n"
        "\n"
        "- is_committed: not decided yet; a person looks at it (0 of 1 points)\n"
        "    The work is committed\n"
    )
    for part in ("Anna Lee (anna)", "Nearly.\nSee me.", "Found: -1", "docs/modules/01-add.md#sums"):
        assert part in Tags(html).read


def test_a_page_does_nothing_and_loads_nothing(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    roster = {"anna": replace(classroom.roster["anna"], name=NASTY)}
    classroom = replace(classroom, roster=roster)
    nasty = judged(sound, "5" * 64, found=NASTY, adds="FAIL", is_committed="STUDENT_ERROR")
    checks = tuple(replace(check, exception=NASTY, link=NASTY, found=NASTY) for check in nasty.checks)
    nasty = replace(nasty, checks=checks)
    comment = Mark(0, 0, None, 0, False, NASTY, NASTY)
    write(classroom, sound, {"anna": nasty}, [row("anna", sound, nasty, adds=comment)])
    html, text = pages(classroom, sound, "anna")
    page = Tags(html)
    assert {tag for tag, _ in page.tags} == {
        "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "section",
    }  # fmt: skip
    attributes = {name for _, found in page.tags for name in found}
    assert attributes == {"lang", "charset", "http-equiv", "content", "name", "class"}
    policy = next(found["content"] for _, found in page.tags if "http-equiv" in found)
    assert policy is not None
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-")
    assert NASTY[:25] in page.read
    for content in (html, text):
        assert not {"\x1b", "\x00", "\u202e"} & set(content)
        assert "\\u202e" in content


def test_nobody_reads_of_another_or_of_hidden_data(sound: Lab, tmp_path: Path) -> None:
    names = ("anna-1", "ben-2", "cleo-3")
    classroom = a_class(tmp_path / "class", sound, *names)
    results, rows = {}, []
    for at, name in enumerate(names):
        result = judged(sound, str(at) * 64, found=f"made by {name}", adds="FAIL", adds_anything="FAIL")
        hidden = [check for check in result.checks if check.hidden]
        for check in hidden:
            told = replace(
                check,
                found=f"{CANARY} found",
                expected=CANARY,
                looked_at=CANARY,
                why=CANARY,
                link=CANARY,
                exception=CANARY,
            )
            checks = tuple(told if one.id == check.id else one for one in result.checks)
            result = replace(result, checks=checks)
        results[name] = result
        mark = Mark(0, 0, None, 0, False, CANARY, f"a word to {name}")
        rows.append(row(name, sound, result, adds=mark, adds_anything=mark))
    written = write(classroom, sound, results, [*rows, replace(rows[0], lab="02-more")])
    assert len(written) == 6
    for path in written:
        content = path.read_text()
        mine = path.parent.name
        assert f"a word to {mine}" in content
        assert CANARY not in content
        assert not [name for name in names if name != mine and name in content]


def test_marks_of_another_submission_are_not_shown(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    old, new = judged(sound, "1" * 64), judged(sound, "2" * 64, adds="FAIL")
    stale = row("anna", sound, old, adds=Mark(3, 3, 3, 0, False, "", "Well done."))
    write(classroom, sound, {"anna": new}, [stale])
    _, text = pages(classroom, sound, "anna")
    assert "Well done." not in text
    assert "3 of 6 points" in text
    assert "adds: failed (0 of 3 points)" in text


def test_every_verdict_has_its_words(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    for verdict in Verdict:
        result = judged(sound, "5" * 64, adds=verdict)
        write(classroom, sound, {"anna": result}, [])
        _, text = pages(classroom, sound, "anna")
        assert verdict not in text
        assert "decided by a person" not in text
    result = judged(sound, "5" * 64, adds="NOT_RUN")
    write(
        classroom,
        sound,
        {"anna": result},
        [row("anna", sound, result, adds=Mark(3, None, 3, 0, False, "", ""))],
    )
    _, text = pages(classroom, sound, "anna")
    assert "adds: decided by a person (3 of 3 points, by hand)" in text


def test_a_page_that_cannot_be_written_is_named(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    (classroom.folder / "feedback").write_text("in the way")
    with pytest.raises(CourseError, match=r"01-add\.html cannot be written .*`grader feedback 01` again"):
        write(classroom, sound, {"anna": judged(sound, "5" * 64)}, [])
