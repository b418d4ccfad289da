"""A regrade says who changes, by how much and why; none falls unasked; and every grade leaves its line."""

import json
import os
from dataclasses import replace as with_
from pathlib import Path
from shutil import copyfile

import pytest

from grader import audit
from grader.appeals import evidence
from grader.classroom import Classroom
from grader.errors import CourseError
from grader.gradebook import project, rows
from grader.manifest import Lab, read_lab
from grader.marks import Mark, Row
from grader.regrade import Regraded, compare, losing
from grader.release import release
from grader.results import Result
from grader.runs import load_told
from tests.grader.books import Kept, drop
from tests.grader.classes import MINUS, RIGHT, a_class, hand_in, judged, record
from tests.grader.courses import replace
from tests.grader.strings import HOSTILE
from tests.grader.test_cli_grade import typed
from tests.grader.test_gradebook import give


@pytest.fixture
def class_of(tiny: Lab, tmp_path: Path, new_book: Path, kept_in: Kept) -> Classroom:
    """Anna and Ben, graded: she has all points, he lost three."""
    classroom = a_class(tmp_path / "class", tiny, "anna", "ben", box="bubblewrap")
    copyfile(new_book, classroom.folder / "gradebook.db")
    for name, files, verdict in (("anna", RIGHT, "PASS"), ("ben", MINUS, "FAIL")):
        snapshot = hand_in(classroom, tiny, name, {**files, "notes.md": name})
        record(classroom, tiny, name, judged(tiny, snapshot, found="-1", adds=verdict))
    project(classroom := kept_in(classroom), tiny, results_of(classroom, tiny))
    return classroom


def results_of(classroom: Classroom, lab: Lab) -> dict[str, Result]:
    return load_told(classroom, lab, [])


def released_anew(lab: Lab) -> Lab:
    """The lab after its author mended a check."""
    replace(lab.folder / "lab.toml", 'title = "Add two numbers"', 'title = "Add two numbers, mended"')
    lab = read_lab(lab.folder)
    release(lab)
    return read_lab(lab.folder)


def without_commit(lab: Lab) -> Lab:
    """The lab after its author took out its last task."""
    file = lab.folder / "lab.toml"
    text = file.read_text()
    file.write_text(text[: text.index('[[tasks]]\nid = "commit"')])
    release(read_lab(lab.folder))
    return read_lab(lab.folder)


def turned(classroom: Classroom, lab: Lab) -> dict[str, Result]:
    """Results of a new release in which Anna loses a point and Ben gets his three."""
    before = {row.learner: row.snapshot for row in rows(classroom)}
    results = {
        "anna": judged(lab, before["anna"], found="no commit", is_committed="FAIL"),
        "ben": judged(lab, before["ben"]),
    }
    return {name: record(classroom, lab, name, result) for name, result in results.items()}


def points(classroom: Classroom) -> dict[str, float | None]:
    return {row.learner: row.points for row in rows(classroom)}


def logged(classroom: Classroom) -> list[tuple[str, str, object, object]]:
    found = audit.entries(classroom)
    return [(one["learner"], one["event"], one["points_before"], one["points"]) for one in found]


def test_a_comparison_says_who_by_how_much_and_why(sound: Lab) -> None:
    def mark(auto: float | None, by_hand: float | None = None, extra: float = 0) -> Mark:
        counts = (auto if by_hand is None else by_hand) or 0
        return Mark(counts + extra, auto, by_hand, extra, False, "PASS: ok" if auto else "FAIL: ok", "")

    marks = {"notes_are_there": mark(0), "adds": mark(3), "adds_anything": mark(0), "is_committed": mark(1)}
    gone = mark(2)
    told = [
        Row("anna", sound.id, "graded", 4, 6, snapshot="a", marks=marks),
        Row(
            "ben",
            sound.id,
            "graded",
            5,
            6,
            snapshot="b",
            marks={**marks, "adds": mark(3, 2, 1), "gone": gone},
        ),
        Row("cleo", sound.id, "graded", 4, 6, snapshot="other", marks=marks),
        Row("dora", sound.id, "missing"),
        Row("eve", sound.id, "graded", 4, 6, snapshot="e", marks=marks),
        Row("anna", "02-more", "graded", 4, 6, snapshot="a", marks=marks),
    ]
    results = {
        "anna": judged(sound, "a", found="-1\n\x1b[2J", adds="FAIL"),
        "ben": judged(sound, "b", adds="FAIL", adds_anything="FAIL", is_committed="GRADER_ERROR"),
        "cleo": judged(sound, "c"),
        "eve": judged(sound, "e", adds_anything="FAIL"),
    }
    assert ["\n".join(one.lines) for one in compare(sound, results, told)] == [
        "ben: 5 → 3 (-2)\n    is_committed: 1 → open. PASS → GRADER_ERROR\n"
        "    gone: 2 → 0. The lab has no such check any more.",
        "anna: 4 → 3 (-1)\n    adds: 3 → 0. PASS → FAIL: -1 \\x1b[2J\n    adds_anything: 0 → 2. FAIL → PASS",
    ]


def test_the_same_points_in_another_order_neither_fall_nor_rise() -> None:
    assert 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1
    for points, after in ((0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1), (0.3 + 0.2 + 0.1, 0.1 + 0.2 + 0.3)):
        one = Regraded("anna", points, after, ())
        assert (one.falls, one.rises) == (False, False)


def test_a_grade_for_the_same_work_falls_only_when_asked(class_of: Classroom, tiny: Lab) -> None:
    old, lab = tiny.release, released_anew(tiny)
    results = turned(class_of, lab)
    [kept] = project(class_of, lab, results, lower=False)
    assert (kept.learner, kept.points, kept.after, kept.falls) == ("anna", 6, 5, True)
    assert points(class_of) == {"anna": 6, "ben": 6}
    assert [row.status for row in rows(class_of)] == ["older release", "graded"]
    told = load_told(class_of, lab, rows(class_of))
    assert [one.release for one in told.values()] == [old, lab.release]
    assert project(class_of, lab, results, lower=True, why="The check is right now.") == []
    assert points(class_of) == {"anna": 5, "ben": 6}
    assert logged(class_of) == [
        ("anna", "graded", None, 6),
        ("ben", "graded", None, 3),
        ("ben", "graded", 3, 6),
        ("anna", "graded", 6, 5),
    ]
    last = list(audit.entries(class_of))[-1]
    assert (last["release"], last["box"], last["why"]) == (lab.release, "local", "The check is right now.")
    assert last["by"]


def test_newer_work_may_be_worth_less_without_asking(class_of: Classroom, tiny: Lab) -> None:
    snapshot = hand_in(class_of, tiny, "anna", {**MINUS, "notes.md": "worse"})
    result = record(class_of, tiny, "anna", judged(tiny, snapshot, adds="FAIL"))
    assert project(class_of, tiny, {"anna": result}, lower=False) == []
    assert points(class_of)["anna"] == 3


def test_a_check_that_is_gone_lowers_nobody_in_silence(class_of: Classroom, tiny: Lab) -> None:
    lab = without_commit(tiny)
    before = {row.learner: row.snapshot for row in rows(class_of)}
    results = {"anna": judged(lab, before["anna"])}
    with pytest.raises(
        CourseError,
        match=r"2 grades would fall, as 01-add no longer has is_committed: anna 6 → 5, ben 3 → 2\. Nothing",
    ):
        project(class_of, lab, results, lower=False)
    assert points(class_of) == {"anna": 6, "ben": 3}
    project(class_of, lab, results, why="Nobody commits here.")
    assert points(class_of) == {"anna": 5, "ben": 2}
    assert logged(class_of)[2:] == [("anna", "graded", 6, 5), ("ben", "lost a check", 3, 2)]


def test_who_could_not_be_judged_keeps_a_check_that_is_gone(class_of: Classroom, tiny: Lab) -> None:
    lab = without_commit(tiny)
    with pytest.raises(CourseError, match=r"2 grades would fall, as .* is_committed: anna 6 → 5, ben 3 → 2"):
        project(class_of, lab, {}, lower=False)
    assert points(class_of) == {"anna": 6, "ben": 3}
    assert [one.lines for one in losing(lab, {}, rows(class_of))] == [
        [
            f"{name}: {before} → {before - 1} (-1)",
            "    is_committed: 1 → 0. The lab has no such check any more.",
        ]
        for name, before in (("anna", 6), ("ben", 3))
    ]


def test_a_gradebook_that_was_lost_lowers_nobody(class_of: Classroom, tiny: Lab) -> None:
    give(class_of, "adds", 2.5, "Nearly.")
    project(class_of, tiny, results_of(class_of, tiny))
    given, lines = points(class_of), len(logged(class_of))
    drop(class_of)
    project(class_of, tiny, results_of(class_of, tiny), lower=False)
    assert (points(class_of), len(logged(class_of))) == (given, lines)
    assert {row.marks["adds"].comment for row in rows(class_of)} == {"Nearly."}

    old = {row.learner: row.snapshot for row in rows(class_of)}
    lab = released_anew(tiny)
    results = {name: judged(lab, old[name], adds="FAIL", is_committed="FAIL") for name in old}
    drop(class_of)
    with pytest.raises(
        CourseError,
        match=r"grades would be lower than audit\.jsonl says, .*: anna 5\.5 → 4\.5, ben 5\.5 → 4\.5\. No",
    ):
        project(class_of, lab, results, lower=False)
    assert points(class_of) == {}
    project(class_of, lab, results)
    assert points(class_of) == {"anna": 4.5, "ben": 4.5}


def test_every_grade_leaves_a_line_and_none_twice(class_of: Classroom, tiny: Lab) -> None:
    before = (class_of.folder / audit.FILE).read_bytes()
    project(class_of, tiny, results_of(class_of, tiny))
    assert (class_of.folder / audit.FILE).read_bytes() == before
    give(class_of, "adds", 2.5, "Nearly.")
    project(class_of, tiny, results_of(class_of, tiny))
    assert logged(class_of)[2:] == [("anna", "changed by hand", 6, 5.5), ("ben", "changed by hand", 3, 5.5)]
    [typed_by_hand] = {json.dumps(one["typed"]) for one in list(audit.entries(class_of))[2:]}
    assert json.loads(typed_by_hand) == {"adds": [2.5, 0, "Nearly."]}
    assert audit.first_broken(class_of) is None


def test_a_class_from_before_the_log_is_written_down_as_found(class_of: Classroom, tiny: Lab) -> None:
    (class_of.folder / audit.FILE).unlink()
    project(class_of, tiny, results_of(class_of, tiny))
    assert [event for _, event, _, _ in logged(class_of)] == ["found in the gradebook"] * 2


def test_a_line_that_somebody_changed_shows(class_of: Classroom) -> None:
    file = class_of.folder / audit.FILE
    text = file.read_text()
    for edited in (text.replace('"points": 3', '"points": 6'), text[text.index("\n") + 1 :]):
        file.write_text(edited)
        broken = audit.first_broken(class_of)
        assert broken is not None
        assert broken["learner"] == "ben"
    file.write_text(text)
    assert audit.first_broken(with_(class_of, secret=bytes(32))) is not None


def test_a_line_that_a_kill_cut_off_costs_no_other(class_of: Classroom, tiny: Lab) -> None:
    file = class_of.folder / audit.FILE
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    assert [name for name, *_ in logged(class_of)] == ["anna"]
    project(class_of, tiny, results_of(class_of, tiny))
    assert logged(class_of) == [("anna", "graded", None, 6), ("ben", "found in the gradebook", None, 3)]
    assert audit.first_broken(class_of) is None


def test_a_kill_before_the_line_is_nobody_s_hand(class_of: Classroom, tiny: Lab) -> None:
    file = class_of.folder / audit.FILE
    before, lab = file.read_bytes(), released_anew(tiny)
    project(class_of, lab, turned(class_of, lab))
    file.write_bytes(before)  # what a kill between the gradebook and its log leaves
    project(class_of, lab, load_told(class_of, lab, []))
    assert logged(class_of)[2:] == [
        ("anna", "found in the gradebook", 6, 5),
        ("ben", "found in the gradebook", 3, 6),
    ]


def test_an_appeal_has_all_evidence(class_of: Classroom, tiny: Lab) -> None:
    class_of = with_(class_of, attempts={tiny.id: 1})
    give(class_of, "adds", 2.5, "Nearly.\x1b[2J")
    old, lab = tiny.release, released_anew(tiny)
    project(class_of, lab, turned(class_of, lab), why="Mended.")
    hand_in(class_of, lab, "ben", {**MINUS, "notes.md": "again"})
    [ben] = [row for row in rows(class_of) if row.learner == "ben"]
    text = evidence(class_of, lab, ben)
    for said in (
        "ben, 01-add · Add two numbers, mended",
        "Status: graded.",
        "5.5 of 6 points; the grade is 5.5.",
        f"2026-11-16T10:00:00Z: {ben.snapshot[:16]} from ben.zip",
        ", beyond the 1 that count",
        f"3 of 6 for {ben.snapshot[:16]} by release {old[:16]}, box local",
        f"6 of 6 for {ben.snapshot[:16]} by release {lab.release[:16]}, box local",
        "adds: FAIL (0 of 3)",
        "Found: -1",
        "adds: 2.5 (3 by the judge, 2.5 by hand)",
        "A person says: Nearly.\\x1b[2J",
        "graded, none → 3 of 6",
        "changed by hand, 3 → 5.5 of 6",
        'by hand at adds: [2.5, 0.0, "Nearly.',
        "because: Mended.",
    ):
        assert said in text, said
    (older,) = class_of.results("ben", lab.id).glob(f"*-{old[:16]}/result.json")
    (newer,) = class_of.results("ben", lab.id).glob(f"*-{lab.release[:16]}/result.json")
    newer.rename(newer.with_name("earlier-1.json"))
    for hour, file in enumerate((newer.with_name("earlier-1.json"), older)):
        os.utime(file, (hour, hour))
    text = evidence(class_of, lab, ben)
    in_order = [f"6 of 6 for {ben.snapshot[:16]} by release {lab.release[:16]}", "3 of 6 for"]
    assert text.index(f"{in_order[0]}, box local, judged again since") < text.index(in_order[1])
    (class_of.results("ben", lab.id) / "broken").mkdir()
    (class_of.results("ben", lab.id) / "broken" / "result.json").write_text("{")
    log = class_of.folder / audit.FILE
    log.write_text(log.read_text().replace('"event": "graded"', '"event": "given"', 1))
    text = evidence(class_of, lab, ben)
    assert "result.json cannot be read." in text
    assert "The log was changed by somebody: the line of 20" in text


def test_a_line_of_another_kind_stops_nothing(class_of: Classroom, tiny: Lab) -> None:
    file = class_of.folder / audit.FILE
    before = file.read_text()
    for learner, lab, by_hand in (([], "01-add", {}), ("ben", {}, {}), ("ben", "01-add", [1])):
        odd: dict[str, object] = {
            "learner": learner,
            "lab": lab,
            "points": 1,
            "typed": by_hand,
            "code": "0",
        }
        file.write_text(f"{before}{json.dumps(odd)}\n")
        project(class_of, tiny, results_of(class_of, tiny))
        [_, ben] = rows(class_of)
        assert "ben, 01-add" in evidence(class_of, tiny, ben)
        assert len(logged(class_of)) == 2


def test_an_appeal_sees_lines_that_were_cut_off(class_of: Classroom, tiny: Lab) -> None:
    [_, ben] = rows(class_of)
    assert "than the last line" not in evidence(class_of, tiny, ben)
    file = class_of.folder / audit.FILE
    file.write_text(file.read_text().splitlines(keepends=True)[0])
    assert audit.first_broken(class_of) is None
    assert "The gradebook says something else than the last line." in evidence(class_of, tiny, ben)


def test_forty_hostile_strings_stay_text_in_an_appeal(class_of: Classroom, tiny: Lab) -> None:
    [row] = [row for row in rows(class_of) if row.learner == "anna"]
    for text in HOSTILE:
        odd = judged(tiny, row.snapshot, found=text, adds="FAIL")
        odd = with_(
            odd, tries=(text,), weak=(text,), checks=tuple(with_(one, exception=text) for one in odd.checks)
        )
        record(class_of, tiny, "anna", odd)
        marks = {"adds": Mark(0, 0, None, 0, False, text, text)}
        shown = evidence(class_of, tiny, with_(row, marks=marks))
        assert not [sign for sign in shown if not sign.isprintable() and sign not in "\n\t"], repr(text)


@pytest.mark.slow
def test_a_regrade_names_who_could_not_be_judged(class_of: Classroom, tiny: Lab) -> None:
    lab = released_anew(tiny)
    turned(class_of, lab)
    for file in class_of.results("ben", lab.id).glob(f"*-{lab.release[:16]}/result.json"):
        file.unlink()
    (changed,) = class_of.submissions("ben", lab.id).glob("*/work/notes.md")
    changed.write_text("Other notes.\n")
    done = typed(class_of, "regrade", "01", "--accept-weak", "--lower")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("[1/1] ben: not judged: ")
    assert (
        "01-add: 0 rise, 1 fall, 0 stay.\nNot judged by this release: ben. The lines above say why.\n"
    ) in done.stdout
    assert points(class_of) == {"anna": 5, "ben": 3}


@pytest.mark.slow
def test_a_regrade_is_tried_done_and_appealed_by_command(class_of: Classroom, tiny: Lab) -> None:
    lab = released_anew(tiny)
    turned(class_of, lab)
    tried = typed(class_of, "regrade", "01", "--dry-run")
    assert (tried.returncode, tried.stderr) == (0, "")
    assert tried.stdout == (
        "anna: 6 → 5 (-1)\n    is_committed: 1 → 0. PASS → FAIL: no commit\n"
        "ben: 3 → 6 (+3)\n    adds: 0 → 3. FAIL → PASS\n"
        "01-add: 1 rise, 1 fall, 0 stay.\nThe gradebook is as it was.\n"
    )
    assert points(class_of) == {"anna": 6, "ben": 3}
    graded = typed(class_of, "grade", "01")
    assert graded.returncode == 0
    assert (
        "1 grades would fall for the same work, and stay as they are: anna. Who and why: `grader regrade 01"
        in (graded.stdout)
    )
    kept = typed(class_of, "regrade", "01")
    last = kept.stdout.splitlines()[-1]
    assert (kept.returncode, last) == (1, "Not lowered: anna. With `--lower` they are.")
    assert points(class_of) == {"anna": 6, "ben": 6}
    done = typed(class_of, "regrade", "01", "--lower", "--because", "It was wrong.")
    assert done.returncode == 0
    assert points(class_of) == {"anna": 5, "ben": 6}
    appeal = typed(class_of, "appeal", "anna", "01", "--output", "anna.txt")
    assert appeal.stdout == "The evidence is in anna.txt.\n"
    assert "because: It was wrong." in (class_of.folder / "anna.txt").read_text()
    assert (class_of.folder / "anna.txt").stat().st_mode & 0o777 == 0o600
    assert "anna, 01-add" in typed(class_of, "appeal", "anna", "01").stdout
    for words, said in (
        (("appeal", "../anna", "01"), "`../anna` is in no line of roster.csv"),
        (("appeal", "anna", "01", "--output", "."), "cannot be written"),
    ):
        refused = typed(class_of, *words)
        assert (refused.returncode, said in refused.stderr) == (2, True)
