"""Random numbers: one stream per part of the world and day.

A day's numbers depend on the seed, the part and the day, and on nothing else. So days 90 to 120 are
the same whether or not days 0 to 90 were made first, and a new part leaves the others where they are.

A stream gives standard draws only (uniform, normal, exponential), one row after the other; what they mean
is worked out afterwards. So a parameter that an incident moves never moves another column's luck.
"""

from enum import IntEnum

import numpy as np

SEED = 2026
"""The seed of the Tiffin that the course's labs share."""


class Part(IntEnum):
    """What draws random numbers. The values are part of the world: never change or reuse one."""

    CITY = 0
    WEATHER = 1
    COUNTS = 2
    CLOCK = 3
    CUSTOMERS = 4
    BASKETS = 5
    STREETS = 6
    ZONE_LUCK = 7
    RIDES = 8
    CANCELLATIONS = 9
    FEED = 10
    PAYMENTS = 11
    PAYERS = 12
    AMOUNTS = 13
    ATTEMPTS = 14
    BANK = 15
    NEW_ZONE = 100
    """Added to a part's value: the same part for the orders of a zone that was not there before."""


def stream(seed: int, part: int, day: int = 0) -> np.random.Generator:
    """The generator of one part on one day."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(int(part), day))))
