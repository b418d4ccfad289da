"""The gradebook for other programs, and a lab's results for the person who teaches it."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from grader.classroom import Classroom, Learner
from grader.manifest import Lab
from grader.marks import Row
from grader.results import CheckResult, Result, Verdict
from grader.runs import is_undecided
from grader.texts import line, plain

Field = str | float | None
COLUMNS = (
    "learner", "name", "email", "lab", "status", "points", "possible", "late", "snapshot", "release", "grade",
    "because",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
INSIDE = re.compile(r"([;|\t\n]\s*)(?=[=+\-@＝＋－＠])")  # where a spreadsheet may cut instead of at commas


def csv_text(classroom: Classroom, rows: Sequence[Row], *, checks: bool = False) -> str:
    """The rows as CSV, with a header; `checks` adds a column of points for each check of each lab.

    A text that a spreadsheet would take for a formula gets a quote before it; control characters are
    spelled out. Fields with commas, quotes or line breaks stand in quotes.
    """
    names = [f"{lab}/{check}" for lab, check in _columns(rows)] if checks else []
    return csv_table([*COLUMNS, *names], (_fields(classroom, row, names) for row in rows))


def _fields(classroom: Classroom, row: Row, names: Sequence[str]) -> list[Field]:
    learner = classroom.roster.get(row.learner, Learner(row.learner))
    late = {True: "yes", False: "no", None: ""}[row.late]
    marks = {f"{row.lab}/{check}": mark.points for check, mark in row.marks.items()}
    who = (row.learner, learner.name, learner.email)
    facts = (row.lab, row.status, row.points, row.possible, late, row.snapshot, row.release)
    because = row.lateness.because if row.lateness else ""
    return [*who, *facts, row.grade, because, *(marks.get(name) for name in names)]


def csv_table(head: Iterable[str], rows: Iterable[Iterable[Field]]) -> str:
    """A table as CSV that no spreadsheet runs and no terminal obeys; each field stays in its cell."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    for row in (head, *rows):
        writer.writerow([_cell(field) if isinstance(field, str) else number(field) for field in row])
    return target.getvalue()


def report(lab: Lab, results: Mapping[str, Result], rows: Sequence[Row]) -> str:
    """How a class did in a lab: each check's counts and misconceptions, what waits for a person, the time."""
    here = [row for row in rows if row.lab == lab.id]
    status = Counter(row.status for row in here)
    lines = [f"{lab.id} · {lab.title}"]
    counts = [f"{len(results)} judged", *(f"{status[one]} {one}" for one in ("to be judged", "missing"))]
    late = sum(bool(row.late) for row in here)
    lines.append(", ".join([*counts, f"{late} late"]))
    seconds = [result.seconds for result in results.values()]
    if seconds:
        lines.append(f"median {median(seconds):.1f} s a submission, longest {max(seconds):.1f} s")
    lines += ["", *_table(lab, list(results.values())), ""]
    flagged = [*_flagged(lab, results, here)]
    lines += ["For a person:", *flagged] if flagged else ["Nothing waits for a person."]
    return "\n".join(lines) + "\n"


def _table(lab: Lab, results: Sequence[Result]) -> list[str]:
    width = max(len(check.id) for check in lab.checks)
    lines = [f"{'check':<{width}}  passed  failed  other"]
    for check in lab.checks:
        found = [one for result in results for one in result.checks if one.id == check.id]
        verdicts = Counter(one.verdict for one in found)
        passed, failed = verdicts.pop(Verdict.PASS, 0), verdicts.pop(Verdict.FAIL, 0)
        others = ", ".join(f"{verdict} {count}" for verdict, count in sorted(verdicts.items()))
        note = f"  {others}" if others else ""
        lines.append(f"{check.id:<{width}}  {passed:>6}  {failed:>6}  {verdicts.total():>5}{note}")
        wrong = Counter(one.misconception for one in found if one.misconception and not one.passed)
        lines += [f"    {count} × {line(name)}" for name, count in wrong.most_common()]
    return lines


def _flagged(lab: Lab, results: Mapping[str, Result], rows: Sequence[Row]) -> list[str]:
    """Who waits for a person and why; a check that a person has marked is done."""
    marks = {row.learner: row.marks for row in rows}
    lines = []
    for name, result in results.items():
        for check in result.checks:
            mark = marks.get(name, {}).get(check.id)
            if mark.to_look_at if mark else is_undecided(check):
                lines.append(f"- {name}: {check.id}: {_why(check, mark.says if mark else '')}")
        lines += [f"- {name}: judged again: {line(why)}" for why in result.tries]
    flagged = {text.split(":")[0].removeprefix("- ") for text in lines}
    for row in rows:
        if row.status == "to be looked at" and row.learner not in flagged:
            lines.append(f"- {row.learner}: flagged in formgrader")
        if row.status == "older release":
            lines.append(
                f"- {row.learner}: judged with an older release; "
                f"`grader regrade {lab.number} --dry-run` says what changes"
            )
    return lines


def _why(check: CheckResult, says: str) -> str:
    if is_undecided(check):
        return f"{check.verdict}: {line(check.found)}"
    by_hand = [text for text in says.splitlines() if text.startswith("By hand for the earlier submission")]
    return line(" ".join(by_hand) or f"{check.verdict}: a person asked for a look")


def _columns(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return sorted({(row.lab, check) for row in rows for check in row.marks})


def number(value: float | None) -> str:
    """Points as people write them, to four digits after the point; empty when there are none."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def _cell(text: str) -> str:
    shown = INSIDE.sub(r"\1'", plain(text))
    return f"'{shown}" if shown.startswith(FORMULA) and shown != "-" else shown
