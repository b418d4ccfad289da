"""What a judged submission is worth and why: the record that everything else is made from."""

import builtins
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from grader.errors import CourseError
from grader.texts import json_text

FORMAT = 1


class Verdict(StrEnum):
    """What became of one check.

    Only `PASS` earns points. `GRADER_ERROR` and `NOT_RUN` are no verdict on the work: they are run
    again or looked at by a person, never counted as zero in silence.
    """

    PASS = "PASS"  # noqa: S105  # a verdict, not a password
    FAIL = "FAIL"
    STUDENT_ERROR = "STUDENT_ERROR"
    TIMEOUT = "TIMEOUT"
    MEMORY = "MEMORY"
    PROCESSES = "PROCESSES"
    DISK = "DISK"
    OUTPUT = "OUTPUT"
    BLOCKED = "BLOCKED"
    FORBIDDEN = "FORBIDDEN"
    INVALID_SUBMISSION = "INVALID_SUBMISSION"
    NOT_RUN = "NOT_RUN"
    GRADER_ERROR = "GRADER_ERROR"


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    `points` of `possible` were earned. The five texts are the lesson: what was looked at, what was
    found, what was expected, why it matters, where to read (`link`, a page under docs/).
    """

    id: str
    task: str
    says: str
    hidden: bool
    verdict: Verdict
    points: float
    possible: float
    looked_at: str = ""
    found: str = ""
    expected: str = ""
    why: str = ""
    misconception: str = ""
    link: str = ""
    exception: str = ""
    seconds: float = 0.0
    box: str = ""

    @property
    def passed(self) -> bool:
        """Whether it earned its points."""
        return self.verdict is Verdict.PASS


@dataclass(frozen=True)
class Result:
    """One judged submission: every check of the manifest that was asked for, once each.

    `versions` names the tools that took part; `seeded` the checks that drew from `hidden.rng`,
    `weak` the walls that the host lacked and somebody accepted,
    `tries` why it was judged again, a reason each.
    """

    lab: str
    release: str
    snapshot: str
    box: str
    checks: tuple[CheckResult, ...]
    seconds: float = 0.0
    seeded: tuple[str, ...] = ()
    versions: Mapping[str, str] | None = None
    weak: tuple[str, ...] = ()
    tries: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(check.points for check in self.checks)

    @property
    def possible(self) -> float:
        """Points of all checks in this result."""
        return sum(check.possible for check in self.checks)

    def check(self, check_id: str) -> CheckResult:
        """The result of one check; KeyError when it was not asked for."""
        return {check.id: check for check in self.checks}[check_id]

    def to_dict(self) -> dict[str, Any]:
        """The record as plain values: `result.json`."""
        return {"format": FORMAT, "points": self.points, "possible": self.possible} | asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The record back from what `to_dict` gave.

        Raises:
            CourseError: it was written in another format.
        """
        if data.get("format") != FORMAT:
            raise CourseError(
                f"This result has format {data.get('format')!r}; this engine reads {FORMAT}. "
                "Judge the work again."
            )
        facts = {key: value for key, value in data.items() if key not in ("format", "points", "possible")}
        checks = tuple(
            CheckResult(**{**check, "verdict": Verdict(check["verdict"])}) for check in facts.pop("checks")
        )
        lists: dict[str, Any] = {key: tuple(facts.pop(key, ())) for key in ("seeded", "weak", "tries")}
        return cls(checks=checks, **lists, **facts)


def learner_view(result: Result) -> dict[str, Any]:
    """What the learner may see: `learner.json`.

    Of a hidden check only its promise, verdict, misconception and the type of an exception; no value
    that it looked at, found or expected, as those would give the hidden data away.
    """
    view = result.to_dict()
    for check in view["checks"]:
        if check["hidden"]:
            for key in ("looked_at", "found", "expected", "why", "link"):
                check[key] = ""
            check["seconds"] = 0.0
            if check["exception"] and not hasattr(builtins, check["exception"]):
                check["exception"] = "Exception"  # a type of one's own could be named after the hidden data
    view["seconds"] = round(sum(check["seconds"] for check in view["checks"]), 3)
    return view


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write `data` whole or not at all: a temporary file, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json_text(data))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
