"""Random numbers: one stream per part of the world and day.

A day's numbers depend on the seed, the part and the day, and on nothing else. So days 90 to 120 are
the same whether or not days 0 to 90 were made first, and a new part leaves the others where they are.
"""

from enum import IntEnum

import numpy as np

SEED = 2026
"""The seed of the Tiffin that the course's labs share."""


class Part(IntEnum):
    """What draws random numbers. The values are part of the world: never change or reuse one."""

    CITY = 0
    WEATHER = 1
    DEMAND = 2
    DELIVERY = 3


def stream(seed: int, part: Part, day: int = 0) -> np.random.Generator:
    """The generator of one part on one day."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(part, day)))
