"""What lateness costs: computed from the time of collecting whenever somebody asks, and stored nowhere.

A day late ends when the clock on the wall shows the deadline's time again, so it has 23 or 25 hours where the
clock is changed. Of two such moments the later one counts, for the learner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from grader.classroom import Classroom


class Policy(StrEnum):
    """What lateness costs: nothing, a share for each day, or days that each learner has and a share after."""

    NONE = "none"
    PER_DAY = "per day"
    LATE_DAYS = "late days"


@dataclass(frozen=True)
class LateRule:
    """The class's rule. `percent` of the points earned is lost for each day begun, `at_most` in all."""

    policy: Policy = Policy.NONE
    percent: float = 0.0
    at_most: float = 100.0
    grace: timedelta = timedelta()
    days: int = 0


@dataclass(frozen=True)
class Extension:
    """What one learner has that others have not, and why."""

    until: datetime | None = None
    attempts: int | None = None
    because: str = ""


@dataclass(frozen=True)
class Lateness:
    """How late one submission is and what that costs.

    `days` are those begun after the deadline, `free` those of them that the learner had; `factor` is what the
    points earned are multiplied with. `because` says all of it in words.
    """

    deadline: datetime
    late: bool
    days: int = 0
    free: int = 0
    factor: float = 1.0
    because: str = ""


def last_reading(at: datetime, zone: ZoneInfo) -> datetime:
    """The moment that a clock on the wall means; the later one where it shows the time twice."""
    readings = [at.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    return max(readings, key=lambda reading: reading.astimezone(UTC))


def days_late(at: datetime, deadline: datetime, zone: ZoneInfo) -> int:
    """How many days were begun after the deadline; 0 in time.

    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> deadline = datetime(2026, 10, 24, 23, 59, tzinfo=berlin)  # the next day has 25 hours
    >>> days_late(datetime(2026, 10, 25, 23, 59, tzinfo=berlin), deadline, berlin)
    1
    """
    moment, wall = at.astimezone(UTC), deadline.astimezone(zone).replace(tzinfo=None)
    if moment <= deadline.astimezone(UTC):
        return 0
    day = max((moment - deadline.astimezone(UTC)).days, 1)
    while moment > last_reading(wall + timedelta(days=day), zone).astimezone(UTC):
        day += 1
    while day > 1 and moment <= last_reading(wall + timedelta(days=day - 1), zone).astimezone(UTC):
        day -= 1
    return day


def deadline_of(classroom: "Classroom", learner: str, lab_id: str) -> datetime | None:
    """A learner's own deadline of a lab: the class's or the one that somebody gave; None without one.

    The later of both counts: an extension takes no time away when the class's deadline moves.
    """
    extension = classroom.extensions.get((lab_id, learner))
    both = (extension.until if extension else None, classroom.deadlines.get(lab_id))
    return max((one for one in both if one), key=lambda one: one.astimezone(UTC), default=None)


def attempts_of(classroom: "Classroom", learner: str, lab_id: str) -> int | None:
    """How many of a learner's submissions of a lab count, never fewer than the class's; None when all do."""
    extension, counted = classroom.extensions.get((lab_id, learner)), classroom.attempts.get(lab_id)
    given = extension.attempts if extension else None
    return max(counted, given or 0) if counted else None


def lateness(classroom: "Classroom", learner: str, handed_in: Mapping[str, datetime]) -> dict[str, Lateness]:
    """By lab, how late a learner was with what counts, for the labs that have a deadline.

    `handed_in` has the moment of the submission that counts, for each lab. Free days are spent in the order
    of the deadlines, so they do not depend on when somebody graded.
    """
    due = {lab: at for lab in handed_in if (at := deadline_of(classroom, learner, lab)) is not None}
    left, found = classroom.late.days, {}
    for lab in sorted(due, key=lambda lab: (due[lab].astimezone(UTC), lab)):
        one = _one(classroom, learner, lab, due[lab], handed_in[lab], left)
        left -= one.free
        found[lab] = one
    return found


def _one(classroom: "Classroom", learner: str, lab: str, due: datetime, at: datetime, left: int) -> Lateness:
    rule, zone = classroom.late, classroom.timezone
    begun = days_late(at, due, zone)
    extension = classroom.extensions.get((lab, learner))
    is_near = abs(at - due) < timedelta(minutes=1)
    said = f"Handed in {_when(at, zone, is_near)}; due {_when(due, zone, is_near)}"
    if extension and extension.until == due:
        said += f", extended{f' ({extension.because})' if extension.because else ''}"
    if not begun:
        return Lateness(due, False, because=f"{said}: in time.")
    if at.astimezone(UTC) <= due.astimezone(UTC) + rule.grace:
        return Lateness(due, False, because=f"{said}: within the {_minutes(rule.grace)} min of grace.")
    free = min(begun, left) if rule.policy is Policy.LATE_DAYS else 0
    lost = 0.0 if rule.policy is Policy.NONE else min((begun - free) * rule.percent, rule.at_most)
    said += f": {begun} day{'s' if begun > 1 else ''} late"
    if rule.policy is Policy.LATE_DAYS:
        said += f", {free} of {left} free days used"
    return Lateness(due, True, begun, free, 1 - lost / 100, f"{said}, {lost:g} % of the points taken off.")


def _when(at: datetime, zone: ZoneInfo, to_the_second: bool) -> str:
    return at.astimezone(zone).strftime(f"%Y-%m-%d %H:%M{':%S' if to_the_second else ''} %Z")


def _minutes(span: timedelta) -> str:
    return f"{span / timedelta(minutes=1):g}"
