"""What happens to Tiffin, told by day: day 0 is a Monday."""

from dataclasses import dataclass
from difflib import get_close_matches

from lab_env.world.errors import WorldError


@dataclass(frozen=True)
class Scenario:
    """One course of events.

    Attributes:
        name: what commands call it.
        says: one line for a person.
        monsoon_day: the day on which the rains begin; they take a week to reach full strength.
    """

    name: str
    says: str
    monsoon_day: int

    def wetness(self, day: int) -> float:
        """How much of the monsoon has arrived: 0 in the dry season, 1 at full strength."""
        return min(max((day - self.monsoon_day + 1) / 7, 0.0), 1.0)


SCENARIOS = {
    scenario.name: scenario
    for scenario in [
        Scenario("monsoon", "Ninety dry days, then the rains come.", monsoon_day=90),
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
