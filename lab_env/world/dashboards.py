"""Dashboards: what an operator of Tiffin's models can see, a number a day, and pictures of it.

The delivery model that is watched is `served`'s champion: it knows ordinary days perfectly and nothing else.
The fraud model knows the frauds of ordinary days.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab_env.world import pictures
from lab_env.world.city import Vector
from lab_env.world.columns import Columns, joined
from lab_env.world.conditions import OLD_ZONES, ZONES, Conditions
from lab_env.world.incidents import CATALOGUE
from lab_env.world.payments import probability
from lab_env.world.pictures import Panel
from lab_env.world.scenarios import SCENARIOS
from lab_env.world.served import BANDS, RAIN_EDGES, Lane, answers, known_rain
from lab_env.world.tiffin import World
from lab_env.world.truth import floors

ENOUGH = 20
"""Quiet days that a band needs."""

NEXT_DAY = 2.0
"""Days after its beginning that a day's error is computed: at the end of the next one."""


@dataclass(frozen=True)
class Watch:
    """What can be seen of a range of days."""

    world: World
    first_day: int
    days: int

    @cached_property
    def orders(self) -> Columns:
        """As the feed delivers them; `distance_km` is null where it is missing."""
        orders = self.world.orders(self.first_day, self.days)
        return {"distance_km": np.full(orders["zone"].size, np.nan)} | orders

    @cached_property
    def answered(self) -> Columns:
        """What the service told, an order each, what its model says offline, and what is reported of it."""
        known = known_rain(self.world, self.first_day)
        return joined([_answered(self.world, self.first_day + at, known) for at in range(self.days)])

    @cached_property
    def payments(self) -> Columns:
        """With every label that ever comes."""
        return self.world.payments(self.first_day, self.days)

    def daily(self, values: Vector, day: Vector) -> Vector:
        """The mean of the known values on each day."""
        place = (day - self.first_day).astype(np.int64)
        there = (place >= 0) & (place < self.days) & ~np.isnan(values)
        rows = np.bincount(place[there], minlength=self.days)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.bincount(place[there], weights=values[there], minlength=self.days) / rows)

    def on(self, fact: Callable[[Conditions], float]) -> Vector:
        """A fact of each day's conditions."""
        days = range(self.first_day, self.first_day + self.days)
        return np.array([fact(self.world.on(day)) for day in days])


def _answered(world: World, day: int, known_rain_mm: float) -> Columns:
    arrived, _ = answers(world, day, known_rain_mm)
    return {
        "day": np.full(arrived.zone.size, day),
        "zone": arrived.zone,
        "band": arrived.slice % BANDS,
        "told": np.exp(arrived.logs[Lane.DEPLOYED]),
        "offline": np.exp(arrived.logs[Lane.SOUND]),
        "minutes": arrived.minutes,
        "reported": arrived.labelled <= day + NEXT_DAY,
        "floor": np.where(np.isnan(arrived.minutes), np.nan, arrived.law.absolute_error()),
    }


@dataclass(frozen=True)
class Measure:
    """One number a day, and its name with the unit."""

    title: str
    of: Callable[[Watch], Vector]


def _mean(name: str) -> Callable[[Watch], Vector]:
    return lambda watch: watch.daily(watch.orders[name].astype(float), watch.orders["day"])


def _share(which: Callable[[Columns], NDArray[Any]]) -> Callable[[Watch], Vector]:
    return lambda watch: 100 * watch.daily(which(watch.orders).astype(float), watch.orders["day"])


def _of_answers(what: Callable[[Columns], Vector]) -> Callable[[Watch], Vector]:
    return lambda watch: watch.daily(what(watch.answered), watch.answered["day"])


def _wettest(watch: Watch) -> Vector:
    """The wettest hour of each day in which anyone ordered."""
    most = np.zeros(watch.days)
    np.maximum.at(most, (watch.orders["day"] - watch.first_day).astype(np.int64), watch.orders["rain_mm"])
    return most


def _count(watch: Watch) -> Vector:
    return np.bincount(watch.orders["day"] - watch.first_day, minlength=watch.days).astype(float)


def _frauds(watch: Watch, *, voucher: bool) -> Vector:
    payments = watch.payments
    there = payments["voucher"] if voucher else np.ones(payments["day"].size, dtype=bool)
    return 100 * watch.daily(payments["fraud"][there], payments["day"][there])


SHOWN: dict[str, Measure] = {
    "decoy-week": Measure("Items per order", _mean("items")),
    "monsoon": Measure("Rain while people ordered, mm an hour", _mean("rain_mm")),
    "unseen-rain": Measure("Rain in the wettest hour, mm", _wettest),
    "new-zone": Measure("Orders from the airport, %", _share(lambda orders: orders["zone"] == OLD_ZONES)),
    "courier-shortage": Measure("Couriers free when an order is placed", _mean("couriers_free")),
    "new-bridge": Measure("Straight-line distance, km", _mean("distance_km")),
    "order-stacking": Measure("Orders waiting in the kitchen", _mean("kitchen_queue")),
    "festival": Measure("Orders a day in the sample", _count),
    "metres": Measure("distance_km as the feed has it", _mean("distance_km")),
    "nulls": Measure("Orders without a distance, %", _share(lambda orders: np.isnan(orders["distance_km"]))),
    "renamed-column": Measure(
        "Orders without a distance_km, %", _share(lambda orders: np.isnan(orders["distance_km"]))
    ),
    "doubled-feed": Measure("Orders a day in the feed", _count),
    "shifted-clock": Measure("Orders before 8 in the morning, %", _share(lambda orders: orders["hour"] < 8)),
    "broken-labels": Measure("Minutes reported, mean", _mean("minutes")),
    "bad-deploy": Measure("Minutes promised, mean", _of_answers(lambda told: told["told"])),
    "serving-skew": Measure(
        "Online against offline answer, minutes", _of_answers(lambda told: told["told"] - told["offline"])
    ),
    "slow-service": Measure("Time for a prediction, ms", lambda watch: watch.on(lambda now: now.latency_ms)),
    "late-labels": Measure(
        "Labels known at the end of the next day, %", _of_answers(lambda told: 100.0 * told["reported"])
    ),
    "fraud-wave": Measure(
        "Frauds among all labelled payments, %", lambda watch: _frauds(watch, voucher=False)
    ),
    "fraud-ring": Measure("Frauds among labelled vouchers, %", lambda watch: _frauds(watch, voucher=True)),
}
"""What to look at for each incident: the number that it moves, or the one that people suspect."""

PLAIN = Measure("Orders a day", _count)


def _error_where(which: Callable[[Columns], NDArray[np.bool_]]) -> Callable[[Watch], Vector]:
    """The error of some of the orders, by what is reported at the end of the next day."""

    def error(told: Columns) -> Vector:
        return np.where(told["reported"] & which(told), np.abs(told["minutes"] - told["told"]), np.nan)

    return _of_answers(error)


def _floor_where(which: Callable[[Columns], NDArray[np.bool_]]) -> Callable[[Watch], Vector]:
    return _of_answers(lambda told: np.where(which(told), told["floor"], np.nan))


def _everywhere(told: Columns) -> NDArray[np.bool_]:
    return np.ones(told["day"].size, dtype=bool)


def _fraud_loss(watch: Watch) -> Vector:
    payments = watch.payments
    chance = probability(payments, watch.world.city)
    loss = -np.log(np.where(payments["fraud"] > 0, chance, 1 - chance))
    return watch.daily(np.where(np.isnan(payments["fraud"]), np.nan, loss), payments["day"])


def _fraud_floor(watch: Watch) -> Vector:
    return np.asarray(floors(watch.world, "fraud", watch.first_day, watch.days)["log_loss"])


ERRORS: dict[str, tuple[Measure, Callable[[Watch], Vector]]] = {
    "delivery": (
        Measure("Mean error of the promise, minutes", _error_where(_everywhere)),
        _floor_where(_everywhere),
    ),
    "fraud": (Measure("Log loss, once all labels are in", _fraud_loss), _fraud_floor),
}


FLOOD = int(np.flatnonzero(RAIN_EDGES == 8.0)[0]) + 1

SLICES: dict[str, tuple[str, Callable[[Columns], NDArray[np.bool_]]]] = {
    "unseen-rain": ("when over 8 mm fell", lambda told: told["band"] >= FLOOD),
    "new-zone": ("at the airport", lambda told: told["zone"] >= OLD_ZONES),
    "new-bridge": ("at river and harbour", lambda told: _is_in(told, "river", "harbour")),
}
"""For incidents that harm a part of the orders: what to call it, and which they are."""


def _is_in(told: Columns, *zones: str) -> NDArray[np.bool_]:
    return np.isin(told["zone"], [ZONES.index(zone) for zone in zones])


def panels(world: World, first_day: int, days: int) -> list[Panel]:
    """What moves in each incident of the range, and the error of a model at rest over its floor."""
    watch, quiet = Watch(world, first_day, days), _quiet(world.seed, world.orders_per_day)
    names = list(dict.fromkeys(incident.name for incident in happening(world, first_day, days)))
    measures = [SHOWN[name] for name in names] or [PLAIN]
    errors = [ERRORS[problem] for problem in _problems(names)]
    for words, which in (SLICES[name] for name in names if name in SLICES):
        errors.append((Measure(f"The same {words}", _error_where(which)), _floor_where(which)))
    return [
        *(Panel(each.title, each.of(watch), _band(each, quiet)) for each in measures),
        *(Panel(each.title, each.of(watch), _band(each, quiet), floor(watch)) for each, floor in errors),
    ]


def picture(world: World, first_day: int, days: int, *, alone: bool = True) -> str:
    """The dashboards of a range of days as an SVG, the days of incidents shaded.

    >>> picture(World(scenario="metres", orders_per_day=100), 85, 10).splitlines()[0][:4]
    '<svg'

    Raises:
        WorldError: a day before 0, or no day at all.
    """
    shaded = {day for each in happening(world, first_day, days) for day in each.active_days(first_day, days)}
    return pictures.draw(panels(world, first_day, days), first_day, sorted(shaded), alone=alone)


def happening(world: World, first_day: int, days: int) -> list[Any]:
    """The scenario's incidents that hold on a day of the range."""
    return [each for each in world.scenario.incidents if each.active_days(first_day, days)]


def _problems(names: Sequence[str]) -> list[str]:
    """Whose error tells something about these incidents."""
    of_payments = ["payments" in CATALOGUE[name].touches for name in names]
    return [
        *(["delivery"] if not all(of_payments) or not names else []),
        *(["fraud"] if any(of_payments) else []),
    ]


def _band(measure: Measure, quiet: Watch) -> tuple[float, float] | None:
    """Where nine quiet days in ten lie; None where too few quiet days have any."""
    values = measure.of(quiet)
    values = values[~np.isnan(values)]
    if values.size < ENOUGH:
        return None
    low, high = np.quantile(values, [0.05, 0.95])
    return float(low), float(high)


@lru_cache(maxsize=2)
def _quiet(seed: int, orders_per_day: float) -> Watch:
    """Ninety days on which nothing happens."""
    return Watch(World(seed, SCENARIOS["quiet"], orders_per_day=orders_per_day), 0, 90)
