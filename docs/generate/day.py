"""One day at Tiffin, hour by hour, as a service's dashboard and as a model's dashboard show it.

The day is lived twice on the same luck: with the incident, and without it. Orders and everything that is
known of them when they are placed are the same in both, which is the point of the page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from docs.generate.kept import kept
from lab_env.world import Columns, World
from lab_env.world.conditions import ZONES
from lab_env.world.cost import PRICES
from lab_env.world.pictures import number
from lab_env.world.served import Answers, Lane, answers, known_rain

_PLACE = re.compile(r"<!-- day: ([\w-]+) -->")
SCENARIO, DAY, SAMPLE, TIFFIN = "order-stacking", 95, 1000, 40_000
"""A Friday, the sixth day on which couriers carry two orders at once and nobody records it."""

WET = 22
"""The hour of the day in which it rains."""

SHOWN = (9, 10, 12, 14, 16, 18, 20, 22)
HEADS = ("At", "Orders so far", "Latency, ms", "Labels in, %", "Error so far", "Without it")


@dataclass(frozen=True)
class Lived:
    """A day in one of the two worlds; arrays have an entry for each order."""

    world: World
    day: int = DAY

    @cached_property
    def answered(self) -> Answers:
        """What the service told, and what came true."""
        return answers(self.world, self.day, known_rain(self.world, self.day))[0]

    @cached_property
    def orders(self) -> Columns:
        """As the feed has them."""
        return self.world.orders(self.day, 1)

    @cached_property
    def told(self) -> NDArray[np.float64]:
        """Minutes promised."""
        return np.asarray(np.exp(self.answered.logs[Lane.DEPLOYED]))

    @cached_property
    def late(self) -> NDArray[np.float64]:
        """Minutes later than promised; NaN for a cancelled order."""
        return np.asarray(self.answered.minutes - self.told)

    def known(self, hour: int) -> NDArray[np.bool_]:
        """Orders whose label is in when `hour` begins."""
        return np.asarray(self.answered.labelled <= self.day + hour / 24)

    def placed(self, hour: int) -> NDArray[np.bool_]:
        """Orders placed before `hour`."""
        return np.asarray(self.orders["hour"] < hour)

    def error(self, which: NDArray[np.bool_]) -> float:
        """Mean error of these orders, in minutes."""
        return float(np.nanmean(np.abs(self.late[which])))

    def floor(self, which: NDArray[np.bool_]) -> float:
        """What no model can stay below on these orders."""
        there = which & ~np.isnan(self.late)
        return float(self.answered.law.absolute_error()[there].mean())


def fill(page: str, cache: Path) -> str:
    """The page with every `<!-- day: hours -->` replaced by what was measured of the day; kept in `cache`.

    Raises:
        KeyError: nothing of that name is measured.
    """
    if not _PLACE.search(page):
        return page
    found = measured(cache)
    return _PLACE.sub(lambda place: found[place[1]], page)


def measured(cache: Path) -> dict[str, str]:
    """The table of the day and every figure that the page quotes, by name."""
    return kept(cache, "day", lambda: dict(_measure()), __file__)


def _measure() -> Iterator[tuple[str, str]]:
    day, quiet = Lived(_world(SCENARIO)), Lived(_world("quiet"))
    whole = np.ones(day.told.size, dtype=bool)
    wet = day.orders["hour"] == WET
    error, floor = day.error(whole), day.floor(whole)
    offset = _offset([Lived(day.world, each) for each in range(DAY - 5, DAY)])
    mended = float(np.nanmean(np.abs(day.answered.minutes - day.told * np.exp(offset))))
    yield "hours", "\n".join(_rows(day, quiet))
    yield "same-columns", f"{len(_columns(day))}"
    yield "default", f"{int(day.answered.default.sum())}"
    yield "latency", f"{day.world.on(DAY).latency_ms:.0f}"
    yield "error", number(error)
    yield "error-quiet", number(quiet.error(whole))
    yield "floor", number(floor)
    yield "labels-morning", f"{int(day.known(9).sum())}"
    yield "labels-afternoon", f"{int(day.known(14).sum())}"
    yield "morning", number(day.error(day.known(9)))
    yield "afternoon", number(day.error(day.known(14)))
    yield "late", number(float(np.nanmedian(day.late)))
    yield "least-late", number(min(_late_by_zone(day)))
    yield "most-late", number(max(_late_by_zone(day)))
    yield "offset", f"{100 * (np.exp(offset) - 1):.0f}"
    yield "mended", number(mended)
    yield "wet", number(day.error(wet))
    yield "wet-quiet", number(quiet.error(wet))
    yield "wet-floor", number(day.floor(wet))
    yield "harm", f"{float(f'{(error - floor) * PRICES.minute * TIFFIN:.2g}'):,.0f}"
    yield "price-offset", f"{PRICES.offset:.0f}"


def _world(scenario: str) -> World:
    return World(scenario=scenario, orders_per_day=SAMPLE)


def _columns(day: Lived) -> list[str]:
    """What is known of an order when it is placed."""
    return sorted(set(day.orders) - {"minutes", "labelled"})


def _late_by_zone(day: Lived) -> list[float]:
    zones = [day.answered.zone == zone for zone in range(len(ZONES))]
    return [float(np.nanmedian(day.late[zone])) for zone in zones if zone.any()]


def _offset(before: list[Lived]) -> float:
    """The factor, as a log, that would have made the days before right in the middle."""
    logs = [np.log(day.answered.minutes / day.told) for day in before]
    return float(np.nanmedian(np.concatenate(logs)))


def _rows(day: Lived, quiet: Lived) -> Iterator[str]:
    yield f"| {' | '.join(HEADS)} |"
    yield "|---:" * len(HEADS) + "|"
    for hour in SHOWN:
        placed, known = day.placed(hour), day.known(hour)
        cells = (
            f"{hour}:00",
            f"{placed.sum()}",
            f"{day.world.on(DAY).latency_ms:.0f}",
            f"{100 * known.sum() / placed.sum():.0f}",
            f"{day.error(known):.1f}",
            f"{quiet.error(quiet.known(hour)):.1f}",
        )
        yield f"| {' | '.join(cells)} |"
