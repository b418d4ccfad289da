"""Demand: how many orders a zone has in an hour."""

import numpy as np
from numpy.typing import NDArray

from lab_env.world.city import DAY, WEEK, YEAR, City, Vector
from lab_env.world.conditions import OLD_ZONES, Conditions
from lab_env.world.weather import Weather

SHAPE = 90.0
"""Of the gamma by which a zone's whole day is busy or slow: 1 / sqrt(90), about 11 %."""

FESTIVAL = 1.8


def load(now: Conditions, weather: Weather) -> Vector:
    """How busy each of 24 hours is beside an ordinary one of that weekday and season; around 1.

    Rain keeps people at home and ordering; heat over 30 °C does, a little.
    """
    rain = 1 + 0.05 * np.minimum(weather.rain_mm, 6)
    heat = 1 + 0.02 * np.maximum(weather.temperature_c - 30, 0)
    promotion = 1 + 0.6 * (now.promotion_rate - 0.12)
    return np.asarray(rain * heat * promotion * now.demand_factor * (FESTIVAL if now.festival else 1.0))


def season(day: int, city: City) -> float:
    """Demand by weekday and time of the year, around 1."""
    return float(WEEK[day % 7] * (1 - city.year_swing * np.cos(2 * np.pi * (day - city.warmest_day) / YEAR)))


def rates(day: int, city: City, now: Conditions, weather: Weather, orders_per_day: float) -> Vector:
    """Expected orders, shape (24 hours, zones)."""
    share = city.share.copy()
    share[OLD_ZONES:] *= now.new_zone
    hours = orders_per_day * season(day, city) * DAY * load(now, weather)
    return np.asarray(hours[:, None] * share[None, :])


def counts(expected: Vector, rng: np.random.Generator) -> NDArray[np.int64]:
    """Orders that come, shape of `expected`: Poisson, with a luck that a zone's hours of one day share."""
    luck = rng.standard_gamma(SHAPE, expected.shape[1]) / SHAPE
    return rng.poisson(expected * luck)
