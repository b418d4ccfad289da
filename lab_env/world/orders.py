"""Orders of one day: who orders what, where and when."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab_env.world import demand
from lab_env.world.city import DAY, City, Vector
from lab_env.world.columns import Columns
from lab_env.world.conditions import OLD_ZONES, ZONES, Conditions
from lab_env.world.streams import Part, stream
from lab_env.world.weather import Weather

Draw = Callable[[Part], np.random.Generator]

ORDERS_PER_DAY = 650
"""A sample. Tiffin delivers 40,000 orders a day; a lab's files should stay small."""

IDS_PER_DAY = 1_000_000
FLEET = 14.0
ITEMS = 1.4
ITEMS_BY_LUCK = np.array([0.2466, 0.5918, 0.8335, 0.9463, 0.9857, 0.9968, 0.9994, 1.0])
"""Poisson with a mean of 1.4, cumulated: how many items come on top of the first."""


@dataclass(frozen=True)
class Day:
    """Everything that is settled before a day's first order."""

    number: int
    seed: int
    city: City
    now: Conditions
    weather: Weather
    orders_per_day: float

    def draw(self, part: Part) -> np.random.Generator:
        """The day's luck in one part of the world."""
        return stream(self.seed, part, self.number)

    def draw_for_new_zone(self, part: Part) -> np.random.Generator:
        """The same for a zone that was not there before, so that the old ones keep theirs."""
        return stream(self.seed, Part.NEW_ZONE + part, self.number)

    def rates(self) -> Vector:
        """Expected orders, shape (24, zones)."""
        return demand.rates(self.number, self.city, self.now, self.weather, self.orders_per_day)


def batches(day: Day) -> list[tuple[Columns, Draw]]:
    """The orders of a day with what is known when each is placed, and where the rest of their luck is drawn.

    One batch, and another one of the new zone while it is open; each is in the order of time.
    """
    old = _batch(day, np.arange(OLD_ZONES), day.draw)
    if not day.now.new_zone:
        return [(old, day.draw)]
    new = _batch(day, np.arange(OLD_ZONES, len(ZONES)), day.draw_for_new_zone)
    new["order_id"] += IDS_PER_DAY * 9 // 10
    return [(old, day.draw), (new, day.draw_for_new_zone)]


def _batch(day: Day, zones: NDArray[np.int64], draw: Draw) -> Columns:
    """The orders from some of the zones."""
    counts = demand.counts(day.rates()[:, zones], draw(Part.COUNTS)).ravel()
    cell = np.repeat(np.arange(counts.size), counts)
    within = (draw(Part.CLOCK).random(cell.size) * 3600).astype(np.int64)
    key = np.sort((cell // zones.size * 3600 + within) * 16 + zones[cell % zones.size])
    second, zone = key >> 4, key & 15
    hour = second // 3600
    columns: Columns = {
        "order_id": day.number * IDS_PER_DAY + np.arange(cell.size),
        "day": np.full(cell.size, day.number, dtype=np.int32),
        "placed": np.round(day.number + second / 86_400, 5),
        "hour": hour.astype(np.int8),
        "weekday": np.full(cell.size, day.number % 7, dtype=np.int8),
        "zone": zone.astype(np.int8),
    }
    return columns | _basket(zone, day, draw) | _streets_and_kitchens(hour, day, draw)


def _basket(zone: NDArray[np.int64], day: Day, draw: Draw) -> Columns:
    """What a customer chooses."""
    city, now = day.city, day.now
    rng = draw(Part.CUSTOMERS)
    luck = rng.random((zone.size, 3))
    spread = draw(Part.BASKETS).standard_normal((zone.size, 2))
    restaurant = np.searchsorted(city.restaurants, zone + luck[:, 0])
    items = 1 + np.searchsorted(ITEMS_BY_LUCK, luck[:, 1])
    if now.items_factor != 1:
        items = 1 + np.rint((items - 1) * now.items_factor).astype(np.int64)
    distance = city.reach_km[zone] * now.distance_factor * np.exp(0.45 * spread[:, 0])
    return {
        "restaurant": restaurant.astype(np.int16),
        "distance_km": np.round(np.maximum(distance, 0.1), 2),
        "items": items.astype(np.int8),
        "basket_eur": np.round(items * np.exp(2.2 + 0.35 * spread[:, 1]), 2),
        "promotion": luck[:, 2] < now.promotion_rate,
        "festival": np.full(zone.size, now.festival),
    }


def _streets_and_kitchens(hour: NDArray[np.int64], day: Day, draw: Draw) -> Columns:
    """What Tiffin's own systems and the weather service say at that moment."""
    rain, busy = day.weather.rain_mm, demand.load(day.now, day.weather)
    luck = draw(Part.STREETS).standard_normal((hour.size, 2))
    free = FLEET * (1 - 4.2 * DAY) / (1 + 0.15 * rain) * day.now.couriers_factor / np.sqrt(busy)
    waiting = (0.6 + 24 * DAY) * busy
    return {
        "rain_mm": rain[hour],
        "temperature_c": day.weather.temperature_c[hour],
        "couriers_free": _around(free, hour, luck[:, 0]),
        "kitchen_queue": _around(waiting, hour, luck[:, 1]),
    }


def _around(mean: Vector, hour: NDArray[np.int64], luck: Vector) -> NDArray[np.int16]:
    """Counts that spread about as a Poisson variable of that mean does."""
    return np.maximum(np.rint(mean[hour] + np.sqrt(mean)[hour] * luck), 0).astype(np.int16)
