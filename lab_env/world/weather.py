"""Rain and temperature, hour by hour. Days are independent of each other."""

from dataclasses import dataclass

import numpy as np

from lab_env.world.city import YEAR, City, Vector
from lab_env.world.conditions import Conditions


@dataclass(frozen=True)
class Weather:
    """One day's weather; shape (24,) each, millimetres in the hour and degrees Celsius."""

    rain_mm: Vector
    temperature_c: Vector


def weather_of_day(day: int, city: City, now: Conditions, rng: np.random.Generator) -> Weather:
    """About 3 mm of rain on a dry-season day, 20 in the full monsoon; 20 to 32 °C by season and hour."""
    falls = rng.random(24) < 0.08 + 0.52 * now.wetness
    rain = np.round(falls * rng.standard_exponential(24) * 1.4 * now.rain_factor, 1)
    season = 26 + 5 * np.cos(2 * np.pi * (day - city.warmest_day) / YEAR)
    hours = 3.5 * np.cos(2 * np.pi * (np.arange(24) - 15) / 24)
    degrees = season + hours + 1.5 * rng.standard_normal() - 2.0 * (rain > 0)
    return Weather(rain, np.round(degrees, 1))
