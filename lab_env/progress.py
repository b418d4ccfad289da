"""How far a learner is: what each check said last, and what that adds up to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.manifest import Check, Lab, Task
from grader.results import Result, Verdict, write_json
from lab_env.workspace import Home, Workspace, read_json


@dataclass(frozen=True)
class Tally:
    """Points of the checks that a learner can run; hidden ones are only counted.

    `points` of `possible` belong to the core tasks, `extra` of `extra_possible` to extensions.
    """

    points: float
    possible: float
    extra: float
    extra_possible: float
    passed: int
    checks: int
    at_grading: int

    @property
    def is_finished(self) -> bool:
        """Whether every core point that can be earned here is earned."""
        return self.points == self.possible


@dataclass(frozen=True)
class Standing:
    """Where a learner is with one lab."""

    lab: Lab
    started: str
    given: bool
    finished: str
    checked: str
    verdicts: Mapping[str, str]
    snapshot: str

    @property
    def state(self) -> str:
        """`not started`, `started` or `finished`."""
        if not self.started:
            return "not started"
        return "finished" if self.finished else "started"

    @property
    def tally(self) -> Tally:
        """What the last verdicts add up to."""
        return tally(self.lab, self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """The standing as plain values, for tools and the receipt."""
        sums = self.tally
        return {
            "lab": self.lab.id,
            "title": self.lab.title,
            "state": self.state,
            "given": self.given,
            "started": self.started,
            "checked": self.checked,
            "finished": self.finished,
            "points": sums.points,
            "possible": sums.possible,
            "extra": sums.extra,
            "extra_possible": sums.extra_possible,
            "at_grading": sums.at_grading,
            "checks": dict(self.verdicts),
        }


def tally(lab: Lab, verdicts: Mapping[str, str]) -> Tally:
    """Add up verdicts by check id; a check without one earned nothing yet."""
    points = {True: 0.0, False: 0.0}
    possible = {True: 0.0, False: 0.0}
    passed = 0
    for task in lab.tasks:
        for check in task.checks:
            if check.hidden:
                continue
            worth = float(check.points or 0)
            possible[task.core] += worth
            if verdicts.get(check.id) == Verdict.PASS:
                points[task.core] += worth
                passed += 1
    return Tally(
        points=points[True],
        possible=possible[True],
        extra=points[False],
        extra_possible=possible[False],
        passed=passed,
        checks=len(lab.visible),
        at_grading=len(lab.checks) - len(lab.visible),
    )


def standing(home: Home, lab: Lab) -> Standing:
    """What was noted about a lab."""
    noted = read_json(_file(home, lab.id))
    ids = {check.id for check in lab.visible}
    verdicts = {name: verdict for name, verdict in noted.get("checks", {}).items() if name in ids}
    return Standing(
        lab=lab,
        started=noted.get("started", ""),
        given=bool(noted.get("given")),
        finished=noted.get("finished", ""),
        checked=noted.get("checked", ""),
        verdicts=verdicts,
        snapshot=noted.get("snapshot", ""),
    )


def note_start(home: Home, lab: Lab, *, given: bool, now: datetime) -> None:
    """Note that a lab was laid out; what earlier checks said about an older layout is forgotten."""
    noted = read_json(_file(home, lab.id))
    kept = {key: noted[key] for key in ("started", "finished") if key in noted}
    write_json(_file(home, lab.id), {"started": utc(now)} | kept | {"given": given, "checks": {}})


def note_result(workspace: Workspace, result: Result, *, now: datetime) -> None:
    """Note what the visible checks of a judged workspace said."""
    lab = workspace.lab
    file = _file(workspace.home, lab.id)
    noted = read_json(file) or {"started": utc(now), "given": False}
    said = {check.id: str(check.verdict) for check in result.checks if not check.hidden}
    whole = said.keys() >= {check.id for check in lab.visible}
    if not whole and noted.get("snapshot") == result.snapshot:
        whole = True  # the same files: what was said before still stands
    noted["checks"] = noted.get("checks", {}) | said
    noted["checked"] = utc(now)
    noted["snapshot"] = result.snapshot if whole else ""
    if tally(lab, noted["checks"]).is_finished and whole:
        noted.setdefault("finished", utc(now))
    write_json(file, noted)


def first_failing(lab: Lab, verdicts: Mapping[str, str], among: Sequence[Task] = ()) -> Check | None:
    """The first visible check (of the tasks `among`) that did not pass and is not waiting for another."""
    tasks = {task.id for task in among or lab.tasks}
    failing = [
        check for check in lab.visible if check.task in tasks and verdicts.get(check.id) != Verdict.PASS
    ]
    ready = [check for check in failing if verdicts.get(check.id) != Verdict.BLOCKED]
    return next(iter(ready or failing), None)


def utc(moment: datetime) -> str:
    """A moment as people and tools both read it: 2026-11-21T10:22:41Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> datetime:
    """The present moment in UTC; the one place where the learner's side reads the clock for a record."""
    return datetime.now(UTC)


def _file(home: Home, lab_id: str) -> Path:
    return home.lab_notes(lab_id) / "progress.json"
