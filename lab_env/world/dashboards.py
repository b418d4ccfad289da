"""Dashboards: what an operator of Tiffin's models can see, a number a day, and pictures of it.

The model that is watched is *at rest*: it knows the quiet days perfectly, and nothing else. Beyond what
those days had it answers as at their edge, as trees do; for a zone that was not there it takes the mean of
the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab_env.world import pictures
from lab_env.world.city import RESTAURANTS, City, Vector
from lab_env.world.columns import Columns
from lab_env.world.conditions import OLD_ZONES, ZONES, Conditions
from lab_env.world.delivery import law, spread_of, typical_minutes
from lab_env.world.incidents import CATALOGUE
from lab_env.world.orders import Day
from lab_env.world.payments import probability
from lab_env.world.pictures import Panel
from lab_env.world.scenarios import SCENARIOS
from lab_env.world.tiffin import World
from lab_env.world.truth import floors
from lab_env.world.weather import Weather

CLIPPED = ("distance_km", "items", "rain_mm", "temperature_c", "couriers_free", "kitchen_queue")
"""Inputs of the delivery model whose range the quiet days set."""

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
    def payments(self) -> Columns:
        """With every label that ever comes."""
        return self.world.payments(self.first_day, self.days)

    @cached_property
    def promised(self) -> Vector:
        """The minutes that the deployed model promised, an order each."""
        return self._answer(online=True)

    @cached_property
    def offline(self) -> Vector:
        """What the same model says to the logged rows on a desk."""
        return self._answer(online=False)

    @cached_property
    def reported(self) -> NDArray[np.bool_]:
        """Which orders have a label at the end of the next day."""
        return np.asarray(self.orders["labelled"] <= self.orders["day"] + NEXT_DAY)

    def daily(self, values: Vector, day: Vector) -> Vector:
        """The mean of the known values on each day."""
        place = (day - self.first_day).astype(np.int64)
        there = (place >= 0) & (place < self.days) & ~np.isnan(values)
        rows = np.bincount(place[there], minlength=self.days)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.bincount(place[there], weights=values[there], minlength=self.days) / rows)

    def on(self, fact: Callable[[Conditions], float]) -> Vector:
        """A fact of each day's conditions."""
        return np.array(
            [fact(self.world.on(day)) for day in range(self.first_day, self.first_day + self.days)]
        )

    def _answer(self, *, online: bool) -> Vector:
        orders = dict(self.orders)
        place = (orders["day"] - self.first_day).clip(0, self.days - 1).astype(np.int64)
        if online:
            orders["distance_km"] = orders["distance_km"] * self.on(lambda now: now.serving_skew[1])[place]
        answer = at_rest(self.world, orders)
        return answer * self.on(lambda now: now.prediction_factor)[place] if online else answer


def at_rest(world: World, orders: Columns) -> Vector:
    """The median of the minutes by the law of quiet days, an order each."""
    quiet = _quiet(world.seed, world.orders_per_day)
    seen: Columns = dict(orders)
    for name in CLIPPED:
        low, middle, high = np.quantile(quiet.orders[name].astype(float), [0, 0.5, 1])
        values = orders[name].astype(float)
        seen[name] = np.where(np.isnan(values), middle, np.clip(values, low, high))
    day = Day(0, world.seed, _old(world.city), Conditions(), Weather(np.zeros(24), np.zeros(24)), 1)
    return law(typical_minutes(seen, day), spread_of(seen)).median


def _old(city: City) -> City:
    """The city as who has never seen the new zone pictures it."""
    kitchens = city.handling_min[: OLD_ZONES * RESTAURANTS]
    pace = city.pace_min_per_km[:OLD_ZONES]
    return replace(
        city,
        handling_min=np.append(kitchens, np.full(RESTAURANTS, kitchens.mean())),
        pace_min_per_km=np.append(pace, pace.mean()),
    )


@dataclass(frozen=True)
class Measure:
    """One number a day, and its name with the unit."""

    title: str
    of: Callable[[Watch], Vector]


def _mean(name: str) -> Callable[[Watch], Vector]:
    return lambda watch: watch.daily(watch.orders[name].astype(float), watch.orders["day"])


def _share(which: Callable[[Columns], NDArray[Any]]) -> Callable[[Watch], Vector]:
    return lambda watch: 100 * watch.daily(which(watch.orders).astype(float), watch.orders["day"])


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
    "bad-deploy": Measure(
        "Minutes promised, mean", lambda watch: watch.daily(watch.promised, watch.orders["day"])
    ),
    "serving-skew": Measure(
        "Online against offline answer, minutes",
        lambda watch: watch.daily(watch.promised - watch.offline, watch.orders["day"]),
    ),
    "slow-service": Measure("Time for a prediction, ms", lambda watch: watch.on(lambda now: now.latency_ms)),
    "late-labels": Measure(
        "Labels known at the end of the next day, %",
        lambda watch: 100 * watch.daily((watch.reported).astype(float), watch.orders["day"]),
    ),
    "fraud-wave": Measure(
        "Frauds among all labelled payments, %", lambda watch: _frauds(watch, voucher=False)
    ),
    "fraud-ring": Measure("Frauds among labelled vouchers, %", lambda watch: _frauds(watch, voucher=True)),
}
"""What to look at for each incident: the number that it moves, or the one that people suspect."""

PLAIN = Measure("Orders a day", _count)


def _delivery_error(watch: Watch) -> Vector:
    return _error_where(watch, lambda orders: np.ones(orders["day"].size, dtype=bool))


def _fraud_loss(watch: Watch) -> Vector:
    payments = watch.payments
    chance = probability(payments, watch.world.city)
    loss = -np.log(np.where(payments["fraud"] > 0, chance, 1 - chance))
    return watch.daily(np.where(np.isnan(payments["fraud"]), np.nan, loss), payments["day"])


ERRORS: dict[str, tuple[Measure, str]] = {
    "delivery": (Measure("Mean error of the promise, minutes", _delivery_error), "mae"),
    "fraud": (Measure("Log loss, once all labels are in", _fraud_loss), "log_loss"),
}


SLICES: dict[str, tuple[str, Callable[[Columns], NDArray[np.bool_]]]] = {
    "unseen-rain": ("when over 8 mm fell", lambda orders: orders["rain_mm"] > 8),
    "new-zone": ("at the airport", lambda orders: orders["zone"] >= OLD_ZONES),
    "new-bridge": ("at river and harbour", lambda orders: _is_in(orders, "river", "harbour")),
}
"""For incidents that harm a part of the orders: what to call it, and which they are."""


def _is_in(orders: Columns, *zones: str) -> NDArray[np.bool_]:
    return np.isin(orders["zone"], [ZONES.index(zone) for zone in zones])


def _slice(name: str, watch: Watch, quiet: Watch) -> Panel:
    """The error of a part of the orders, over the floor of the same."""
    words, which = SLICES[name]
    measure = Measure(f"The same {words}", lambda each: _error_where(each, which))
    best = watch.world.delivery_law(watch.first_day, watch.days).absolute_error()
    floor = watch.daily(np.where(which(watch.orders), best, np.nan), watch.orders["day"])
    return Panel(measure.title, measure.of(watch), _band(measure, quiet), floor)


def _error_where(watch: Watch, which: Callable[[Columns], NDArray[np.bool_]]) -> Vector:
    error = np.abs(watch.orders["minutes"] - watch.promised)
    return watch.daily(np.where(watch.reported & which(watch.orders), error, np.nan), watch.orders["day"])


def panels(world: World, first_day: int, days: int) -> list[Panel]:
    """What moves in each incident of the range, and the error of a model at rest over its floor."""
    watch, quiet = Watch(world, first_day, days), _quiet(world.seed, world.orders_per_day)
    names = list(dict.fromkeys(incident.name for incident in happening(world, first_day, days)))
    measures = [SHOWN[name] for name in names] or [PLAIN]
    return [
        *(Panel(each.title, each.of(watch), _band(each, quiet)) for each in measures),
        *(_error(problem, watch, quiet) for problem in _problems(names)),
        *(_slice(name, watch, quiet) for name in names if name in SLICES and not _is_broken(watch)),
    ]


def _is_broken(watch: Watch) -> bool:
    """Whether the feed has other rows than the city, so that its rows have no law."""
    return bool(watch.on(lambda now: float(len(now.feed))).any())


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


def _error(problem: str, watch: Watch, quiet: Watch) -> Panel:
    measure, metric = ERRORS[problem]
    floor = floors(watch.world, problem, watch.first_day, watch.days)[metric]
    return Panel(measure.title, measure.of(watch), _band(measure, quiet), floor)


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
