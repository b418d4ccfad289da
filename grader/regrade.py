"""What a new judgement would change: who, by how much, and why. Nothing is written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.manifest import Lab
from grader.marks import Mark, Row
from grader.results import CheckResult, Result, Verdict
from grader.runs import UNDECIDED, is_undecided
from grader.texts import line

GONE = "The lab has no such check any more."


@dataclass(frozen=True)
class Change:
    """One check whose points change; `points` and `after` are None where a person decides."""

    check: str
    points: float | None
    after: float | None
    why: str


@dataclass(frozen=True)
class Regraded:
    """One learner whose work is the same and whose points are not."""

    learner: str
    points: float
    after: float
    changes: tuple[Change, ...]

    @property
    def falls(self) -> bool:
        """Whether the grade gets lower, or loses points until a person decides."""
        return round(self.after - self.points, 6) < 0  # sums of the same tenths differ by a hair

    @property
    def rises(self) -> bool:
        """Whether the grade gets higher."""
        return round(self.after - self.points, 6) > 0

    @property
    def lines(self) -> list[str]:
        """The change in words, a line for the learner and one for each check."""
        head = f"{self.learner}: {self.points:g} → {self.after:g} ({self.after - self.points:+g})"
        return [
            head,
            *(
                f"    {one.check}: {_points(one.points)} → {_points(one.after)}. {one.why}"
                for one in self.changes
            ),
        ]


def compare(lab: Lab, results: Mapping[str, Result], rows: Sequence[Row]) -> list[Regraded]:
    """Whose points in the gradebook differ from those of a result for the very same work, most lost first.

    Another submission is no regrade: it is not in the list. What a person typed stays and counts.
    """
    found = []
    for row in rows:
        result = results.get(row.learner)
        if row.lab != lab.id or result is None or row.points is None or row.snapshot != result.snapshot:
            continue
        after, changes = _after(row, result)
        if changes:
            found.append(Regraded(row.learner, row.points, after, tuple(changes)))
    return sorted(found, key=lambda one: (one.after - one.points, one.learner))


def losing(lab: Lab, results: Mapping[str, Result], rows: Sequence[Row]) -> list[Regraded]:
    """Who has points for a check that the lab no longer has, and no result now that says what counts."""
    known = {check.id for check in lab.checks}
    judged = {(name, result.snapshot) for name, result in results.items()}
    found = []
    for row in rows:
        gone = {name: mark.points for name, mark in row.marks.items() if name not in known and mark.points}
        if (
            row.lab == lab.id
            and row.points is not None
            and gone
            and (row.learner, row.snapshot) not in judged
        ):
            changes = tuple(Change(name, points, 0.0, GONE) for name, points in gone.items())
            found.append(Regraded(row.learner, row.points, row.points - sum(gone.values()), changes))
    return found


def fallen(results: Mapping[str, Result], rows: Sequence[Row]) -> list[Regraded]:
    """Whose points in `rows`, with no marks but a person's, are more than a result for the same work."""
    found = []
    for row in rows:
        result = results.get(row.learner)
        if result and row.points is not None and row.snapshot == result.snapshot:
            found.append(Regraded(row.learner, row.points, _after(row, result)[0], ()))
    return [one for one in found if one.falls]


def counted(check: Mapping[str, Any], mark: Mark | None) -> str:
    """The verdict that a check's points are for, of a record's check and what the gradebook has for it.

    Judged again for the same release, a check may say something else; as long as that is not let lower the
    grade, it is nobody's.
    """
    auto = None if check["verdict"] in UNDECIDED else check["points"]
    before = mark.says.partition(":")[0] if mark and mark.auto != auto else ""
    return before if before in list(Verdict) else str(check["verdict"])


def _after(row: Row, result: Result) -> tuple[float, list[Change]]:
    """The points after, and the checks that make the difference."""
    total, changes = 0.0, []
    for check in result.checks:
        mark = row.marks.get(check.id)
        auto = None if is_undecided(check) else check.points
        counts = mark.by_hand if mark and mark.by_hand is not None else auto
        total += (counts or 0.0) + (mark.extra if mark else 0.0)
        before = mark.auto if mark else None
        if (mark is None or mark.by_hand is None) and before != auto and (mark is not None or auto):
            changes.append(Change(check.id, before, auto, _why(mark, check)))
    known = {check.id for check in result.checks}
    for name, mark in row.marks.items():
        if name not in known and mark.points:
            changes.append(Change(name, mark.points, 0.0, GONE))
    return total, changes


def _why(mark: Mark | None, check: CheckResult) -> str:
    verdict = mark.says.partition(":")[0] if mark and mark.says else "no such check"
    found = f": {line(check.found, longest=200)}" if check.found and not check.passed else ""
    return f"{verdict} → {check.verdict}{found}"


def _points(value: float | None) -> str:
    return "open" if value is None else f"{value:g}"
