"""Scenarios: courses of events with a name. Day 0 is a Monday in March, at the start of the dry season."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from lab_env.world.conditions import Conditions
from lab_env.world.errors import WorldError
from lab_env.world.incidents import (
    CATALOGUE,
    CourierShortage,
    DecoyWeek,
    Festival,
    Incident,
    Metres,
    Monsoon,
    NewBridge,
    refuse_contradictions,
)


@dataclass(frozen=True)
class Scenario:
    """One course of events.

    Attributes:
        name: what commands call it.
        says: one line for a person.
        incidents: what happens; none contradicts another.
    """

    name: str
    says: str
    incidents: tuple[Incident, ...] = ()

    def __post_init__(self) -> None:
        """Refuse incidents that contradict each other.

        Raises:
            WorldError: names both.
        """
        refuse_contradictions(self.incidents)

    def on(self, day: int) -> Conditions:
        """What a day is like."""
        now = Conditions()
        for incident in self.incidents:
            if strength := incident.strength(day):
                now = incident.apply(now, strength)
        return now


def _of(incident: type[Incident]) -> Scenario:
    return Scenario(incident.name, f"Ninety ordinary days, then: {incident.says}", (incident(),))


SCENARIOS = {
    scenario.name: scenario
    for scenario in [
        Scenario("quiet", "Nothing happens but weekdays, weather and the seasons."),
        *(_of(incident) for incident in CATALOGUE.values()),
        Scenario(
            "seen-monsoon",
            "A year with a monsoon in it, and then the next one.",
            (Monsoon(start=90, days=75, every=365),),
        ),
        Scenario(
            "two-at-once",
            "Ninety ordinary days, then a bridge opens while a decoy runs, and the feed breaks.",
            (NewBridge(start=95), DecoyWeek(start=92), Metres(start=120, days=6)),
        ),
        Scenario(
            "half-year",
            "Half a year with a festival, a monsoon, a shortage, a bridge and a broken feed.",
            (
                Festival(start=40),
                Metres(start=60, days=5),
                Monsoon(start=90, days=60),
                CourierShortage(start=120, days=30, ramp_days=10),
                NewBridge(start=150),
            ),
        ),
    ]
}


def find_scenario(name: str) -> Scenario:
    """The scenario called `name`.

    Raises:
        WorldError: there is none; names the nearest.
    """
    if name in SCENARIOS:
        return SCENARIOS[name]
    near = get_close_matches(name, SCENARIOS, n=1, cutoff=0.4)
    hint = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(SCENARIOS)}."
    raise WorldError(f"Tiffin's world has no scenario `{name}`. {hint}")


def range_of_days(first_day: int, days: int) -> Sequence[int]:
    """The days from `first_day` on.

    Raises:
        WorldError: a day before 0, or no day at all.
    """
    if first_day < 0:
        raise WorldError(f"The first day is {first_day}. The world begins on day 0.")
    if days < 1:
        raise WorldError(f"Asked for {days} days. Ask for at least 1.")
    return range(first_day, first_day + days)
