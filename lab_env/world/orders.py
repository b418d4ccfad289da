"""Orders of one day: who orders what, where and when, and how long it takes to the door.

Numbers are those of a mid-sized city in Tiffin's world, chosen to be plausible, not measured anywhere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

Columns = dict[str, NDArray[Any]]
"""Columns of one length, by name."""

ZONES = ("centre", "harbour", "hill", "market", "river", "station")

ORDERS_PER_DAY = 650
"""A sample. Tiffin delivers 40,000 orders a day; a lab's files should stay small."""

WEEK = np.array([0.88, 0.88, 0.92, 0.98, 1.14, 1.16, 1.04])
"""Demand by weekday, Monday first, around 1."""

DAY = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 14, 11, 6, 4, 4, 6, 12, 16, 13, 7, 3, 1]) / 112
"""Share of a day's orders by hour: lunch and dinner."""


@dataclass(frozen=True)
class City:
    """What stays the same from day to day. Arrays have one value per zone of `ZONES`.

    Attributes:
        share: of all orders; sums to 1.
        reach_km: median straight-line distance.
        handling_min: from order to a packed bag, for one item in a quiet hour.
        pace_min_per_km: of a courier on dry streets.
        rain_slows: share by which rain lengthens a ride, for each of the first five millimetres an hour.
    """

    share: Vector
    reach_km: Vector
    handling_min: Vector
    pace_min_per_km: Vector
    rain_slows: float


def draw_city(rng: np.random.Generator) -> City:
    """A city of plausible zones."""
    zones = len(ZONES)
    return City(
        share=rng.dirichlet(np.full(zones, 12.0)),
        reach_km=rng.uniform(1.6, 3.4, zones),
        handling_min=rng.uniform(7.0, 11.0, zones),
        pace_min_per_km=rng.uniform(3.2, 4.8, zones),
        rain_slows=float(rng.uniform(0.22, 0.28)),
    )


def rain_by_hour(wetness: float, rng: np.random.Generator) -> Vector:
    """Millimetres of rain in each of 24 hours: about 3 a day when dry, 20 in the full monsoon."""
    falls = rng.random(24) < 0.08 + 0.52 * wetness
    return np.round(falls * rng.exponential(1.4, 24), 1)


def orders_of_day(
    day: int,
    city: City,
    rain: Vector,
    *,
    demand: np.random.Generator,
    delivery: np.random.Generator,
) -> Columns:
    """All orders placed on `day`, in the order in which they were placed.

    Args:
        day: days since the world began; day 0 is a Monday.
        city: the coefficients.
        rain: shape (24,), millimetres in each hour.
        demand: draws who orders what.
        delivery: draws how it went.

    Returns:
        `minutes` is from order to door; NaN where the order was cancelled, as nobody will ever know.
    """
    known = _placed(day, city, rain, demand)
    return known | {"minutes": _minutes(known, city, delivery)}


def _placed(day: int, city: City, rain: Vector, rng: np.random.Generator) -> Columns:
    """What is known when the order is placed."""
    count = int(rng.poisson(ORDERS_PER_DAY * WEEK[day % 7]))
    second = np.sort(rng.choice(24, count, p=DAY) * 3600 + rng.integers(0, 3600, count))
    hour = second // 3600
    zone = rng.choice(len(ZONES), count, p=city.share)
    items = 1 + rng.poisson(1.4, count)
    couriers = rng.poisson(14 * (1 - 4.2 * DAY[hour]) / (1 + 0.15 * rain[hour]))
    return {
        "order_id": day * 100_000 + np.arange(count),
        "day": np.full(count, day, dtype=np.int32),
        "placed": np.round(day + second / 86_400, 5),
        "hour": hour.astype(np.int8),
        "zone": zone.astype(np.int8),
        "distance_km": np.round(city.reach_km[zone] * rng.lognormal(0, 0.45, count), 2),
        "items": items.astype(np.int8),
        "basket_eur": np.round(items * rng.lognormal(2.2, 0.35, count), 2),
        "rain_mm": rain[hour],
        "couriers_free": couriers.astype(np.int16),
    }


def _minutes(known: Columns, city: City, rng: np.random.Generator) -> Vector:
    """From order to door. A zone has its good and bad days: orders of one day share that luck."""
    zone, rain, couriers = known["zone"], known["rain_mm"], known["couriers_free"]
    rain = np.minimum(rain, 5)
    kitchen = city.handling_min[zone] + 1.3 * (known["items"] - 1) + 30 * DAY[known["hour"]]
    ride = known["distance_km"] * city.pace_min_per_km[zone] * (1 + city.rain_slows * rain)
    wait = 9 / (1 + couriers)
    luck = rng.normal(0, 0.05, len(ZONES))[zone]
    spread = 0.16 + 0.02 * rain
    minutes = (kitchen + ride + wait) * np.exp(luck + spread * rng.standard_normal(len(zone)))
    cancelled = rng.random(len(zone)) < 0.008 + 0.0006 * minutes
    return np.where(cancelled, np.nan, np.round(minutes, 1))
