"""The rules of a class as its settings have them: deadlines, what lateness costs, attempts, extensions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from grader.deadlines import Extension, LateRule, Policy, last_reading
from grader.errors import CourseError, ManifestError
from grader.lab import nearest
from grader.manifest import find_lab

KEYS = ("deadlines", "late", "attempts", "extensions")
LATE_KEYS = ("policy", "percent", "at_most", "grace_minutes", "free_days")
EXTENSION_KEYS = ("until", "attempts", "because")
TIME = "2026-12-01T23:59:00"


@dataclass(frozen=True)
class Rules:
    """Deadlines and attempts by lab id, extensions by lab id and learner; moments know their time zone."""

    deadlines: Mapping[str, datetime] = field(default_factory=dict)
    late: LateRule = field(default_factory=LateRule)
    attempts: Mapping[str, int] = field(default_factory=dict)
    extensions: Mapping[tuple[str, str], Extension] = field(default_factory=dict)


def read_rules(
    file: Path, course: Path, data: Mapping[str, Any], zone: ZoneInfo, roster: Mapping[str, object]
) -> Rules:
    """The rules in the settings that were read from `file`.

    Raises:
        CourseError: one of them is wrong; names the key, and what to write.
    """
    return _Reader(file, course, zone).read(data, roster)


class _Reader:
    def __init__(self, file: Path, course: Path, zone: ZoneInfo) -> None:
        self.file = file
        self.course = course
        self.zone = zone

    def read(self, data: Mapping[str, Any], roster: Mapping[str, object]) -> Rules:
        deadlines = {
            lab: self.moment(at, f"the deadline of `{name}`")
            for lab, name, at in self.by_lab("deadlines", data, f'"02" = {TIME}')
        }
        attempts = {
            lab: self.count(times, f"the attempts of `{name}`")
            for lab, name, times in self.by_lab("attempts", data, '"02" = 3')
        }
        extensions = {
            (lab, self.learner(who, roster)): self.extension(given, f"the extension of `{who}` in `{name}`")
            for lab, name, table in self.by_lab("extensions", data, f"anna = {TIME}", '[extensions."02"]')
            for who, given in self.table(table, f"extensions.{name}", f"anna = {TIME}").items()
        }
        return Rules(deadlines, self.late(data.get("late", {})), attempts, extensions)

    def by_lab(
        self, key: str, data: Mapping[str, Any], sample: str, head: str = ""
    ) -> list[tuple[str, str, Any]]:
        """A table's lines with the lab that each one means; no lab twice."""
        found: dict[str, tuple[str, str, Any]] = {}
        for name, value in self.table(data.get(key, {}), key, sample, head).items():
            try:
                lab = find_lab(self.course, name).id
            except ManifestError as error:
                raise CourseError(f"{self.file}: `{key}`: {error}") from error
            if lab in found:
                what = {"deadlines": "deadlines", "attempts": "counts of attempts"}.get(
                    key, "tables of extensions"
                )
                raise CourseError(f"{self.file}: {lab} has two {what}. Take one of them out.")
            found[lab] = (lab, name, value)
        return list(found.values())

    def table(self, value: object, key: str, sample: str, head: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise CourseError(
                f"{self.file}: `{key}` is a table: `{head or f'[{key}]'}`, then lines like `{sample}`."
            )
        return value

    def moment(self, at: object, what: str) -> datetime:
        if not isinstance(at, datetime):
            raise CourseError(f"{self.file}: {what} is {at}. Write it with a time, like {TIME}.")
        try:
            found = at if at.tzinfo else last_reading(at, self.zone)
            _ = found.astimezone(UTC), found.astimezone(self.zone)
        except OverflowError as error:
            raise CourseError(
                f"{self.file}: {what} is {at}, where the calendar ends. Write a day before, like {TIME}."
            ) from error
        return found

    def count(self, value: object, what: str) -> int:
        if type(value) is not int or value < 1:
            raise CourseError(f"{self.file}: {what} is {value!r}. Write a whole number from 1.")
        return value

    def number(self, table: Mapping[str, Any], key: str, most: float) -> float | None:
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise CourseError(f"{self.file}: `late.{key}` is {value!r}. Write a number from 0 to {most:g}.")
        return float(value)

    def learner(self, name: str, roster: Mapping[str, object]) -> str:
        if name not in roster:
            raise CourseError(
                f"{self.file}: `extensions` names `{name}`, who is on no line of roster.csv."
                f"{nearest(name, roster)} Add the learner, or name another."
            )
        return name

    def extension(self, given: object, what: str) -> Extension:
        if not isinstance(given, dict):
            return Extension(self.moment(given, what))
        self.known(given, EXTENSION_KEYS, what)
        until, attempts = given.get("until"), given.get("attempts")
        if until is None and attempts is None:
            raise CourseError(f"{self.file}: {what} gives nothing. Write `until = {TIME}` or `attempts = 5`.")
        return Extension(
            None if until is None else self.moment(until, what),
            None if attempts is None else self.count(attempts, what),
            str(given.get("because", "")),
        )

    def late(self, value: object) -> LateRule:
        table = self.table(value, "late", 'policy = "per day"')
        self.known(table, LATE_KEYS, "`late`")
        try:
            policy = Policy(table.get("policy", "none"))
        except ValueError as error:
            listed = ", ".join(f'"{one}"' for one in Policy)
            raise CourseError(
                f"{self.file}: `late.policy` is {table['policy']!r}. Write one of {listed}."
            ) from error
        percent, at_most = self.number(table, "percent", 100), self.number(table, "at_most", 100)
        if policy is not Policy.NONE and percent is None:
            raise CourseError(
                f"{self.file}: `late.percent` is missing. Write `percent = 10`, the loss for a day."
            )
        days = self.number(table, "free_days", 365)
        if days is not None and not days.is_integer():
            raise CourseError(f"{self.file}: `late.free_days` is {days:g}. Write a whole number of days.")
        if (policy is Policy.LATE_DAYS) != (days is not None):
            raise CourseError(
                f'{self.file}: `late.free_days` goes with `policy = "late days"`, and only with it.'
            )
        grace = timedelta(minutes=self.number(table, "grace_minutes", 1440) or 0)
        return LateRule(policy, percent or 0.0, 100.0 if at_most is None else at_most, grace, int(days or 0))

    def known(self, table: Mapping[str, Any], keys: tuple[str, ...], what: str) -> None:
        for key in sorted(table.keys() - set(keys)):
            raise CourseError(f"{self.file}: {what} has an unknown key `{key}`. The keys: {', '.join(keys)}.")
