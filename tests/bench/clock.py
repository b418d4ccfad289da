"""How long something takes."""

import statistics
import time
from collections.abc import Callable


def median_s(act: Callable[[], object], rounds: int = 3) -> float:
    """The median of several runs, in seconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
