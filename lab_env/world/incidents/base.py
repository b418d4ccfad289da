"""What an incident is: when it holds, how strongly, and what everyone should know about it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import ClassVar

from lab_env.world.conditions import Conditions
from lab_env.world.errors import WorldError


class Kind(StrEnum):
    """Where an incident acts; that is what a diagnosis must find."""

    INPUTS = "inputs"
    RELATION = "relation"
    BOTH = "inputs and relation"
    FEED = "feed"
    LABELS = "labels"
    SYSTEM = "system"
    KNOWLEDGE = "what is known"
    PRIOR = "how many frauds"


class Action(StrEnum):
    """What an operator can do about a model. `cost.PRICES` has what each costs."""

    WAIT = "wait"
    FALLBACK = "fallback"
    OFFSET = "offset"
    RETRAIN = "retrain on old + new"
    RETRAIN_RECENT = "retrain on the new"
    ROLLBACK = "roll back"
    QUARANTINE = "quarantine"
    MEND = "mend"
    CALENDAR = "serve the slice that knows the festival"


@dataclass(frozen=True, kw_only=True)
class Incident(ABC):
    """One thing that happens to Tiffin.

    Attributes:
        start: its first day.
        days: how many days it lasts; None when it stays.
        ramp_days: days until it has its full size; 0 is sudden.
        every: days from one start to the next; None when it comes once.
        size: how large it is when it is full, in the unit that the class names.
    """

    start: int = 90
    days: int | None = None
    ramp_days: int = 0
    every: int | None = None
    size: float = 1.0

    name: ClassVar[str]
    says: ClassVar[str]
    unit: ClassVar[str]
    least: ClassVar[float] = 0.0
    most: ClassVar[float] = 1.0
    kind: ClassVar[Kind]
    touches: ClassVar[tuple[str, ...]]
    """Columns that it moves, and `orders`, `demand`, `payments` where it changes which rows there are."""
    told_by: ClassVar[str]
    right: ClassVar[tuple[Action, ...]]
    because: ClassVar[tuple[str, ...]]
    """Why each of `right` helps, in their order."""
    advice: ClassVar[str]
    wrong: ClassVar[tuple[tuple[str, str], ...]]
    """What people do instead, and why it does not help."""

    def __post_init__(self) -> None:
        """Refuse what cannot happen.

        Raises:
            WorldError: a day, a length or a size that makes no sense; names the incident and the value.
        """
        for what, value, least in (
            ("start", self.start, 0),
            ("days", self.days, 1),
            ("ramp_days", self.ramp_days, 0),
            ("every", self.every, (self.days or 0) + 1),
        ):
            if value is not None and (not isinstance(value, int) or value < least):
                raise WorldError(f"{self.name}: {what} is {value!r}. Take a whole number from {least} up.")
        if self.every is not None and self.days is None:
            raise WorldError(
                f"{self.name}: it comes back every {self.every} days, so say how many `days` it lasts."
            )
        if not self.least <= self.size <= self.most:
            raise WorldError(
                f"{self.name}: size is {self.size:g} ({self.unit}). Take {self.least:g} to {self.most:g}."
            )

    @abstractmethod
    def apply(self, now: Conditions, strength: float) -> Conditions:
        """The day's conditions with this incident in them, at a strength over 0 and up to 1."""

    def strength(self, day: int) -> float:
        """How much of the incident holds on a day: 0 before its start and after its end, 1 when full."""
        since = day - self.start
        if since < 0:
            return 0.0
        if self.every is not None:
            since %= self.every
        if self.days is not None and since >= self.days:
            return 0.0
        return min((since + 1) / (self.ramp_days + 1), 1.0)

    def active_days(self, first_day: int, days: int) -> list[int]:
        """The days of a range on which it holds."""
        return [day for day in range(first_day, first_day + days) if self.strength(day) > 0]

    def refuse_unknown(self, what: str, values: Sequence[str], known: Sequence[str]) -> None:
        """Refuse a word that is not one of `known`.

        Raises:
            WorldError: names the incident, the word and those that there are.
        """
        for value in values:
            if value not in known:
                raise WorldError(
                    f"{self.name}: no {what} is called `{value}`. There are: {', '.join(known)}."
                )


def toward(full: float, strength: float) -> float:
    """A factor on its way from 1 to `full`."""
    return 1 + (full - 1) * strength


def refuse_contradictions(incidents: Sequence[Incident], horizon: int = 730) -> None:
    """Two incidents that would undo each other cannot hold on one day.

    These are two of one class, and two that break the same column of the feed.

    Raises:
        WorldError: names both and the first day.
    """
    for one, other in combinations(incidents, 2):
        if not clashes(one, other):
            continue
        for day in range(horizon):
            if one.strength(day) and other.strength(day):
                raise WorldError(
                    f"`{one.name}` and `{other.name}` both hold on day {day} and contradict each other"
                    f" (both move {', '.join(sorted(set(one.touches) & set(other.touches)))})."
                    " Give them days of their own."
                )


def clashes(one: Incident, other: Incident) -> bool:
    """Whether two incidents may not hold on one day."""
    if type(one) is type(other):
        return True
    broken = one.kind is other.kind and one.kind in (Kind.FEED, Kind.LABELS, Kind.SYSTEM)
    return broken and bool(set(one.touches) & set(other.touches))
