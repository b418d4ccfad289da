"""The city: what stays the same from day to day, drawn from the seed.

Numbers are those of a mid-sized city in Tiffin's world, chosen to be plausible, not measured anywhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab_env.world.conditions import OLD_ZONES, ZONES

Vector = NDArray[np.float64]

RESTAURANTS = 12
"""In each zone."""

WEEK = np.array([0.88, 0.88, 0.92, 0.98, 1.14, 1.16, 1.04])
"""Demand by weekday, Monday first, around 1."""

DAY = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 14, 11, 6, 4, 4, 6, 12, 16, 13, 7, 3, 1]) / 112
"""Share of a day's orders by hour: lunch and dinner."""

RUSH = (
    1 + 0.16 * np.exp(-((np.arange(24) - 18.5) ** 2) / 3) + 0.10 * np.exp(-((np.arange(24) - 8.5) ** 2) / 2)
)
"""How much longer a ride takes by hour: the city drives home."""

YEAR = 365.25


@dataclass(frozen=True)
class City:
    """Arrays have one value per zone of `ZONES`, or per restaurant: zone by zone, `RESTAURANTS` each.

    Attributes:
        share: of all orders, of the old zones; sums to 1. The new zone has their mean.
        reach_km: median straight-line distance.
        handling_min: per restaurant, from order to a packed bag, for one item in a quiet hour.
        restaurants: zone + luck falls into a restaurant's place here; popular ones have wide places.
        pace_min_per_km: of a courier on dry streets, over a straight kilometre.
        item_min: what each item beyond the first adds.
        queue_min: what each order that waits in the kitchen adds.
        rain_slows: share by which rain lengthens a ride, for each of the first five millimetres an hour.
        flood_slows: the same for each millimetre over eight an hour, when streets stand under water.
        warmest_day: of the year.
        year_swing: of demand, around 1; people order more in the cold half.
        fraud_rate: share of frauds among all payments.
    """

    share: Vector
    reach_km: Vector
    handling_min: Vector
    restaurants: Vector
    pace_min_per_km: Vector
    item_min: float
    queue_min: float
    rain_slows: float
    flood_slows: float
    warmest_day: float
    year_swing: float
    fraud_rate: float


def draw_city(rng: np.random.Generator) -> City:
    """A city of plausible zones."""
    zones = len(ZONES)
    out_of_town = np.where(np.arange(zones) < OLD_ZONES, 1.0, 1.4)  # the airport is far, on slow roads
    share = rng.dirichlet(np.full(OLD_ZONES, 12.0))
    popularity = rng.dirichlet(np.full(RESTAURANTS, 2.0), zones).cumsum(axis=1)
    popularity[:, -1] = 1.0
    kitchens = rng.uniform(6.0, 9.5, (zones, 1)) * np.exp(0.15 * rng.standard_normal((zones, RESTAURANTS)))
    return City(
        share=np.append(share, share.mean()),
        reach_km=rng.uniform(1.6, 3.4, zones) * out_of_town,
        handling_min=kitchens.ravel(),
        restaurants=np.asarray((popularity + np.arange(zones)[:, None]).ravel(), dtype=float),
        pace_min_per_km=rng.uniform(3.2, 4.8, zones) * out_of_town,
        item_min=float(rng.uniform(1.1, 1.5)),
        queue_min=float(rng.uniform(0.7, 1.0)),
        rain_slows=float(rng.uniform(0.22, 0.28)),
        flood_slows=float(rng.uniform(0.12, 0.18)),
        warmest_day=float(rng.uniform(125, 145)),
        year_swing=float(rng.uniform(0.04, 0.08)),
        fraud_rate=float(rng.uniform(0.009, 0.012)),
    )
