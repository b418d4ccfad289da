"""Orders per second out of the world, beside drift streams made row by row and beside bare random numbers.

And half a year lived, day by day.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from river.datasets import synth
from threadpoolctl import threadpool_limits

from lab_env.living import ORDERS_PER_DAY, live, oracle_of
from lab_env.world import World

NORMALS = 20
PEAK = """
from pathlib import Path
from lab_env.living import ORDERS_PER_DAY, live, oracle_of
from lab_env.world import World
world = World(1, "half-year", orders_per_day={rate})
{code}
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def measure() -> None:
    """Print rows a second on one core, each also as a ratio to NumPy's normals, and the peak of memory."""
    with threadpool_limits(1):
        normals = _rate(lambda: np.random.default_rng(1).standard_normal((500_000, NORMALS)).shape[0])
        print(f"{NORMALS} normals a row          {normals:12,.0f} rows/s   NumPy, bare")
        for name, rows in (
            ("orders and their law", lambda: _orders(40_000, 20)),
            ("the same, small days", lambda: _orders(650, 600)),
            ("river FriedmanDrift", lambda: _taken(synth.FriedmanDrift(seed=1), 50_000)),
            ("river ConceptDrift", lambda: _taken(synth.ConceptDriftStream(seed=1), 10_000)),
        ):
            rate = _rate(rows)
            print(f"{name:24} {rate:12,.0f} rows/s   {normals / rate:.2f} times as long as the normals")
        lived, made = (_rate(what) / 182 for what in (lambda: _lived(182), lambda: _days(182)))
        print(
            f"half a year lived        {1 / lived:12.1f} s        {made / lived:.1f} times its orders' time"
        )
    whole = _peak(40_000, "world.orders(0, 25)")
    stream = _peak(40_000, "for day in world.days_of_orders(0, 100): pass")
    print(f"a million orders         {whole:6.0f} MB      four million day by day: {stream:.0f} MB")


def _orders(rate: float, days: int) -> int:
    world = World(1, "half-year", orders_per_day=rate)
    return len(world.delivered(0, days)[1].median)


def _days(days: int) -> int:
    """Days whose orders are made as a life needs them."""
    _orders(ORDERS_PER_DAY, days)
    return days


def _lived(days: int) -> int:
    """Days that a policy lives through, with the oracle beside it: what lab 10 is judged with."""
    life = live("x", oracle_of(World(1, "half-year", orders_per_day=ORDERS_PER_DAY), days), lambda _: "wait")
    return len(life.mornings)


def _taken(stream: Any, rows: int) -> int:
    return sum(1 for _ in stream.take(rows))


def _rate(made: Callable[[], int]) -> float:
    """Rows a second, the best of three."""
    best = 0.0
    for _ in range(3):
        began = time.perf_counter()
        rows = made()
        best = max(best, rows / (time.perf_counter() - began))
    return best


def _peak(rate: float, code: str) -> float:
    command = [sys.executable, "-c", PEAK.format(rate=rate, code=code)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


if __name__ == "__main__":
    measure()
