"""The world: a seed and a scenario."""

import numpy as np

from lab_env.world.errors import WorldError
from lab_env.world.orders import Columns, draw_city, orders_of_day, rain_by_hour
from lab_env.world.scenarios import find_scenario
from lab_env.world.streams import SEED, Part, stream


class World:
    """Tiffin under one seed and one scenario. Time is a number of days, never a clock."""

    def __init__(self, seed: int = SEED, scenario: str = "monsoon") -> None:
        """Draw the city from the seed.

        Raises:
            WorldError: the scenario or the seed does not exist.
        """
        if seed < 0:
            raise WorldError(f"The seed is {seed}. Take a whole number from 0 up.")
        self.seed = seed
        self.scenario = find_scenario(scenario)
        self.city = draw_city(stream(seed, Part.CITY))

    def orders(self, first_day: int, days: int) -> Columns:
        """Orders of the days `first_day` to `first_day + days - 1`, by time.

        Any range by itself equals its part of a longer one.

        Raises:
            WorldError: a day before 0, or no day at all.
        """
        if first_day < 0:
            raise WorldError(f"The first day is {first_day}. The world begins on day 0.")
        if days < 1:
            raise WorldError(f"Asked for {days} days. Ask for at least 1.")
        parts = [self._day(day) for day in range(first_day, first_day + days)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _day(self, day: int) -> Columns:
        rain = rain_by_hour(self.scenario.wetness(day), stream(self.seed, Part.WEATHER, day))
        return orders_of_day(
            day,
            self.city,
            rain,
            demand=stream(self.seed, Part.DEMAND, day),
            delivery=stream(self.seed, Part.DELIVERY, day),
        )
