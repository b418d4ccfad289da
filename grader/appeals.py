"""All evidence for one grade: what came in and when, every result there is, every grade that was written."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader import audit
from grader.classroom import Classroom
from grader.deadlines import attempts_of
from grader.errors import CourseError
from grader.manifest import Lab
from grader.marks import Row
from grader.receipts import collected, utc
from grader.results import Result
from grader.texts import lesson, line, plain


def evidence(classroom: Classroom, lab: Lab, row: Row) -> str:
    """The evidence as text, oldest first; strangers' words are spelled out where they would not be seen.

    Raises:
        CourseError: a receipt cannot be read.
    """
    parts = [
        (f"{row.learner}, {lab.id} · {lab.title}", _standing(row)),
        ("Handed in", _handed_in(classroom, lab, row.learner)),
        ("Results", _results(classroom, lab, row.learner)),
        ("Marks as they count", _marks(row)),
        ("Grades written", _log(classroom, lab, row)),
    ]
    lines: list[str] = []
    for title, body in parts:
        lines += [title, *(f"  {text}" for one in body for text in one.split("\n")), ""]
    return "\n".join(lines)


def _standing(row: Row) -> Iterator[str]:
    yield f"Status: {row.status}."
    if row.points is not None:
        yield f"{row.points:g} of {row.possible:g} points; the grade is {row.grade:g}."
        yield f"Submission {row.snapshot[:16]}, release {row.release[:16]}."
    if row.lateness:
        yield line(row.lateness.because, longest=400)


def _handed_in(classroom: Classroom, lab: Lab, learner: str) -> Iterator[str]:
    counted = attempts_of(classroom, learner, lab.id)
    for at, receipt in enumerate(collected(classroom, learner, lab.id), start=1):
        beyond = f", beyond the {counted} that count" if counted and at > counted else ""
        yield f"{utc(receipt.collected_at)}: {receipt.snapshot[:16]} from {line(receipt.source)}{beyond}"
        yield from (f"  note: {line(note)}" for note in receipt.notes)


def _results(classroom: Classroom, lab: Lab, learner: str) -> Iterator[str]:
    files = [*classroom.results(learner, lab.id).glob("*/result.json")]
    files += classroom.results(learner, lab.id).glob("*/earlier-*.json")
    for file in sorted(files, key=lambda one: (one.stat().st_mtime_ns, one.name)):
        result = _read(file)
        if result is None:
            yield f"{file} cannot be read."
            continue
        what = f"{result.snapshot[:16]} by release {result.release[:16]}, box {line(result.box)}"
        since = "" if file.name == "result.json" else ", judged again since"
        yield f"{result.points:g} of {result.possible:g} for {what}{since}"
        yield from (f"  judged again: {line(why)}" for why in result.tries)
        yield from (f"  the host was weak: {line(wall)}" for wall in result.weak)
        for check in result.checks:
            yield f"  {check.id}: {check.verdict} ({check.points:g} of {check.possible:g})"
            if not check.passed:
                yield from (f"      {text}" for part in lesson(asdict(check)) for text in part.split("\n"))


def _read(file: Path) -> Result | None:
    try:
        return Result.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, CourseError):
        return None


def _marks(row: Row) -> Iterator[str]:
    for name, mark in row.marks.items():
        hand = "" if mark.by_hand is None else f", {mark.by_hand:g} by hand"
        extra = f", {mark.extra:g} extra" if mark.extra else ""
        auto = "open" if mark.auto is None else f"{mark.auto:g}"
        yield f"{name}: {mark.points:g} ({auto} by the judge{hand}{extra})"
        if mark.comment:
            yield f"  A person says: {plain(mark.comment)}"


def _log(classroom: Classroom, lab: Lab, row: Row) -> Iterable[str]:
    broken = audit.first_broken(classroom)
    if broken is not None:
        yield f"The log was changed by somebody: the line of {line(str(broken.get('at')))}, or one before it."
    last: dict[str, Any] = {}
    for entry in audit.entries(classroom):
        if (entry["learner"], entry["lab"]) == (row.learner, lab.id):
            last = entry
            told = {key: line(str(entry.get(key, ""))) for key in ("at", "by", "event", "box", "why")}
            points = f"{_number(entry.get('points_before'))} → {_number(entry['points'])}"
            points += f" of {_number(entry.get('possible'))}"
            why = f", because: {told['why']}" if told["why"] else ""
            release = line(str(entry.get("release", "")))[:16]
            box = f" in {told['box']}" if told["box"] else ""
            yield f"{told['at']} {told['by']}: {told['event']}, {points}, release {release}{box}{why}"
            typed = entry["typed"]
            yield from (f"  by hand at {line(name)}: {line(json.dumps(typed[name]))}" for name in typed)
    now = audit.state_of(row)
    if row.points is not None and {key: last.get(key) for key in now} != now:
        yield "The gradebook says something else than the last line. `grader grade` notes what was typed"
        yield "since then; if nothing was, lines were cut off or the gradebook was changed."


def _number(value: object) -> str:
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, int | float) else line(str(value))
