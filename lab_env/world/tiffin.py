"""The world: a seed and a scenario."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab_env.world import demand, feed
from lab_env.world.city import DAY, draw_city
from lab_env.world.columns import Columns, joined, known
from lab_env.world.conditions import OLD_ZONES, ZONES, Conditions
from lab_env.world.delivery import delivered_on
from lab_env.world.errors import WorldError
from lab_env.world.laws import Bernoulli, LogNormal, NegativeBinomial
from lab_env.world.orders import ORDERS_PER_DAY, Day, batches
from lab_env.world.payments import paid_on
from lab_env.world.scenarios import Scenario, find_scenario, range_of_days
from lab_env.world.streams import SEED, Part, stream
from lab_env.world.weather import weather_of_day

OPEN = np.flatnonzero(DAY)
"""The hours in which anyone orders."""


class World:
    """Tiffin under one seed and one scenario. Time is a number of days, never a clock.

    Whatever is asked for a range of days equals its part of a longer range, whichever was asked first, so
    days can be made in parallel and streamed.
    """

    def __init__(
        self,
        seed: int = SEED,
        scenario: str | Scenario = "monsoon",
        *,
        orders_per_day: float = ORDERS_PER_DAY,
    ) -> None:
        """Draw the city from the seed.

        Args:
            seed: a whole number from 0 up; coefficients and luck are drawn from it.
            scenario: what happens, by name or as it is.
            orders_per_day: the size of the sample; Tiffin has 40,000.

        Raises:
            WorldError: the scenario, the seed or the rate does not exist.
        """
        if seed < 0:
            raise WorldError(f"The seed is {seed}. Take a whole number from 0 up.")
        if not 0 < orders_per_day <= 200_000:
            raise WorldError(
                f"{orders_per_day} orders a day is no city. Take more than 0 and at most 200,000."
            )
        self.seed = seed
        self.scenario = find_scenario(scenario) if isinstance(scenario, str) else scenario
        self.orders_per_day = orders_per_day
        self.city = draw_city(stream(seed, Part.CITY))

    def orders(
        self, first_day: int, days: int, *, as_of: float | None = None, sound: bool = False
    ) -> Columns:
        """Orders of the days `first_day` to `first_day + days - 1`, as the feed delivers them.

        Args:
            first_day: from 0 up.
            days: how many.
            as_of: a moment in days; what was not known then is null, and orders placed later are not there.
            sound: as they were in the city, whatever the feed made of them.

        Raises:
            WorldError: a day before 0, or no day at all.
        """
        return joined([self._orders(day, as_of, sound) for day in range_of_days(first_day, days)])

    def days_of_orders(self, first_day: int, days: int) -> Iterator[Columns]:
        """The same day by day, in flat memory."""
        for day in range_of_days(first_day, days):
            yield self._orders(day, None, sound=False)

    def delivery_law(self, first_day: int, days: int) -> LogNormal:
        """The law of `minutes` for each row of `orders(first_day, days, sound=True)`."""
        return self.delivered(first_day, days)[1]

    def delivered(self, first_day: int, days: int) -> tuple[Columns, LogNormal]:
        """The sound orders together with the law of their minutes, in one go."""
        parts = [delivered_on(self.day(day)) for day in range_of_days(first_day, days)]
        mu, sigma = (np.concatenate([getattr(law, name) for _, law in parts]) for name in ("mu", "sigma"))
        return joined([columns for columns, _ in parts]), LogNormal(mu, sigma)

    def demand(self, first_day: int, days: int, *, as_of: float | None = None) -> Columns:
        """Orders per zone and hour, with what is known when the hour begins (its weather is forecast).

        The airport's rows are there only while it is open.

        Raises:
            WorldError: a day before 0, or no day at all.
        """
        parts = [self._demand(self.day(day)) for day in range_of_days(first_day, days)]
        return known(joined(parts), as_of, "begins", "orders")

    def demand_law(self, first_day: int, days: int) -> NegativeBinomial:
        """The law of `orders` for each row of `demand(first_day, days)`."""
        today = map(self.day, range_of_days(first_day, days))
        rates = [day.rates()[np.ix_(OPEN, _zones(day))].ravel() for day in today]
        return NegativeBinomial(np.concatenate(rates), demand.SHAPE)

    def payments(self, first_day: int, days: int, *, as_of: float | None = None) -> Columns:
        """Payments by time. `fraud` is null where it is never known, as nobody asks about a blocked one.

        Raises:
            WorldError: a day before 0, or no day at all.
        """
        parts = []
        for day in range_of_days(first_day, days):
            columns, bank = paid_on(self.day(day))
            told = np.where(np.isnan(bank.labelled), np.nan, bank.fraud)
            parts.append(columns | {"fraud": told, "labelled": bank.labelled})
        return known(joined(parts), as_of, "placed", "fraud")

    def payments_law(self, first_day: int, days: int) -> Bernoulli:
        """The probability of a fraud for each row of `payments(first_day, days)`, blocked ones too."""
        parts = [paid_on(self.day(day))[1].law.probability for day in range_of_days(first_day, days)]
        return Bernoulli(np.concatenate(parts))

    def on(self, day: int) -> Conditions:
        """What a day is like: the truth behind everything above."""
        range_of_days(day, 1)
        return self.scenario.on(day)

    def day(self, number: int) -> Day:
        """Everything that is settled before a day's first order."""
        now = self.scenario.on(number)
        weather = weather_of_day(number, self.city, now, stream(self.seed, Part.WEATHER, number))
        return Day(number, self.seed, self.city, now, weather, self.orders_per_day)

    def _orders(self, number: int, as_of: float | None, sound: bool) -> Columns:
        day = self.day(number)
        columns, _ = delivered_on(day)
        columns = known(columns, as_of, "placed", "minutes")
        if sound or not day.now.feed:
            return columns
        return feed.broken(columns, day.now.feed, day.draw(Part.FEED))

    def _demand(self, day: Day) -> Columns:
        placed = joined([orders for orders, _ in batches(day)])
        hour, zone = (axis.ravel() for axis in np.meshgrid(OPEN, _zones(day), indexing="ij"))
        cell = placed["hour"] * np.int64(len(ZONES)) + placed["zone"]
        counts = np.bincount(cell, minlength=24 * len(ZONES)).reshape(24, len(ZONES))
        begins = np.round(day.number + hour / 24, 5)
        return {
            "day": np.full(hour.size, day.number, dtype=np.int32),
            "begins": begins,
            "hour": hour.astype(np.int8),
            "weekday": np.full(hour.size, day.number % 7, dtype=np.int8),
            "zone": zone.astype(np.int8),
            "rain_mm": day.weather.rain_mm[hour],
            "temperature_c": day.weather.temperature_c[hour],
            "festival": np.full(hour.size, day.now.festival),
            "promotion_rate": np.full(hour.size, round(day.now.promotion_rate, 3)),
            "orders": counts[hour, zone].astype(float),
            "labelled": np.round(begins + 1 / 24, 5),
        }


def _zones(day: Day) -> NDArray[np.int64]:
    """The zones that are open on a day."""
    return np.arange(len(ZONES) if day.now.new_zone else OLD_ZONES)
