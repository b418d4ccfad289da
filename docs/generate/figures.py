"""Figures of the world that a page quotes: measured when the site is built, so none can be out of date."""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from docs.generate.kept import kept
from lab_env.world import (
    SCENARIOS,
    ZONES,
    Columns,
    LogNormal,
    World,
    city,
    conditions,
    delivery,
    floors,
    orders,
    payments,
    tail,
)
from lab_env.world.cost import PRICES, costs
from lab_env.world.oracle import TIE_EUR, Oracle
from lab_env.world.policies import FULL_MARKS, IDLE_BUDGET_EUR, SIMPLE, runbook, score
from lab_env.world.streams import Part, stream
from lab_env.world.weather import weather_of_day

_PLACE = re.compile(r"<!-- figure: ([\w-]+) -->")
DAYS = 90


def fill(page: str, cache: Path) -> str:
    """The page with every `<!-- figure: floor-mae -->` replaced by that figure; they are kept in `cache`.

    Raises:
        KeyError: no such figure.
    """
    if not _PLACE.search(page):
        return page
    found = measured(cache)
    return _PLACE.sub(lambda place: found[place[1]], page)


def measured(cache: Path) -> dict[str, str]:
    """Every figure by its name."""
    return kept(cache, "figures", lambda: {name: measure() for name, measure in FIGURES.items()}, __file__)


@lru_cache(maxsize=1)
def _quiet() -> World:
    return World(scenario="quiet", orders_per_day=1000)


@lru_cache(maxsize=1)
def _orders() -> tuple[Columns, LogNormal]:
    """Ninety quiet days with their laws."""
    return _quiet().delivered(0, DAYS)


@lru_cache(maxsize=1)
def _payments() -> tuple[Columns, NDArray[np.float64]]:
    """The same of payments, with the probability of each."""
    return _quiet().payments(0, DAYS), _quiet().payments_law(0, DAYS).probability


@lru_cache(maxsize=16)
def _floor(scenario: str, problem: str, metric: str) -> float:
    """The mean floor over 45 days, from the ninetieth on."""
    table = floors(World(scenario=scenario, orders_per_day=1000), problem, 90, 45)
    return float(table[metric].mean())


def _quantile(q: float) -> float:
    return float(np.nanquantile(_orders()[0]["minutes"], q))


def _rain(scenario: str) -> float:
    """Millimetres a day, over the days from the hundredth on."""
    seed, found = _quiet().seed, SCENARIOS[scenario]
    weather = [
        weather_of_day(day, _quiet().city, found.on(day), stream(seed, Part.WEATHER, day))
        for day in range(100, 190)
    ]
    return float(np.mean([day.rain_mm.sum() for day in weather]))


def _rings(orders_per_day: float) -> int:
    """Quiet days on which a test by row at 5 % says that the error has moved.

    A day's log errors of the best predictor against those of all other days, by their means.
    """
    world = World(scenario="quiet", orders_per_day=orders_per_day)
    sound, law = world.delivered(0, DAYS)
    there = ~np.isnan(sound["minutes"])
    error, day = np.log(sound["minutes"][there]) - law.mu[there], sound["day"][there]
    rows = np.bincount(day)
    mean = np.bincount(day, weights=error) / rows
    z = (mean - error.mean()) / (error.std() / np.sqrt(rows))
    return int((np.abs(z) > 1.96).sum())


def _one(of: Callable[[LogNormal], NDArray[np.float64]]) -> float:
    """Of the first order of the world."""
    law = _orders()[1]
    return float(of(LogNormal(law.mu[:1], law.sigma[:1]))[0])


def _demand_mean() -> float:
    return float(_quiet_sample().demand(90, 45)["orders"].mean())


def _quiet_sample() -> World:
    return World(scenario="quiet")


def _demand_floor() -> float:
    return float(floors(_quiet_sample(), "demand", 90, 45)["mae"].mean())


def _blocked() -> float:
    return float(_payments()[0]["blocked"].mean())


def _frauds_blocked() -> float:
    """Share of the expected frauds that the rule blocks."""
    columns, chance = _payments()
    return float(chance[columns["blocked"]].sum() / chance.sum())


def _chargeback() -> float:
    """Median days until a fraud is known."""
    columns, _ = _payments()
    there = columns["fraud"] == 1
    return float(np.median((columns["labelled"] - columns["placed"])[there]))


RULES = {
    "never": "Do nothing",
    "nightly": "Retrain every night",
    "weekly with a gate": "Retrain each week, behind a gate",
    "retrain on alarm": "Retrain when the drift alarm rings",
    "always roll back": "Roll back when the alarm rings",
    "runbook": "Look first at what tells incidents apart",
}
WORLDS = ("quiet", "decoy-week", "monsoon", "new-bridge", "metres", "bad-deploy")


def _policies() -> str:
    """A row for each rule: regret beside doing nothing's, and euros lost where there is nothing to do."""
    worlds = [Oracle(costs(World(scenario=name, orders_per_day=200), 80, 38)) for name in WORLDS]
    rows = []
    for name, policy in (SIMPLE | {"runbook": runbook}).items():
        told = score([(world, policy) for world in worlds])
        rows.append(f"| {RULES[name]} | {100 * told.share:,.0f} % | {told.idle_eur:,.0f} |")
    return "\n".join(rows)


FIGURES: dict[str, Callable[[], str]] = {
    "tiffin-orders": lambda: "40,000",
    "sample": lambda: f"{orders.ORDERS_PER_DAY}",
    "old-zones": lambda: f"{conditions.OLD_ZONES}",
    "zones": lambda: ", ".join(ZONES[: conditions.OLD_ZONES]),
    "restaurants": lambda: f"{city.RESTAURANTS}",
    "median": lambda: f"{_quantile(0.5):.0f}",
    "tenth": lambda: f"{_quantile(0.1):.0f}",
    "ninetieth": lambda: f"{_quantile(0.9):.0f}",
    "cancelled": lambda: f"{100 * np.isnan(_orders()[0]['minutes']).mean():.1f}",
    "luck": lambda: f"{100 * delivery.LUCK:.0f}",
    "floor-mae": lambda: f"{_floor('quiet', 'delivery', 'mae'):.1f}",
    "floor-rmse": lambda: f"{_floor('quiet', 'delivery', 'rmse'):.1f}",
    "floor-wet": lambda: f"{_floor('monsoon', 'delivery', 'mae'):.1f}",
    "tail": lambda: f"{tail(_quiet(), 90, 45):.1f}",
    "one-median": lambda: f"{_one(lambda law: law.median):.1f}",
    "one-low": lambda: f"{_one(lambda law: law.quantile(0.1)):.0f}",
    "one-high": lambda: f"{_one(lambda law: law.quantile(0.9)):.0f}",
    "one-floor": lambda: f"{_one(lambda law: law.absolute_error()):.1f}",
    "rain-dry": lambda: f"{_rain('quiet'):.0f}",
    "rain-wet": lambda: f"{_rain('monsoon'):.0f}",
    "rings-small": lambda: f"{_rings(orders.ORDERS_PER_DAY)}",
    "rings-large": lambda: f"{_rings(10_000)}",
    "quiet-days": lambda: f"{DAYS}",
    "demand-mean": lambda: f"{_demand_mean():.1f}",
    "demand-floor": lambda: f"{_demand_floor():.1f}",
    "frauds": lambda: f"{100 * payments.base_rate(_quiet().city, 1):.1f}",
    "floor-fraud": lambda: f"{_floor('quiet', 'fraud', 'log_loss'):.3f}",
    "blocked": lambda: f"{100 * _blocked():.1f}",
    "frauds-blocked": lambda: f"{100 * _frauds_blocked():.0f}",
    "let-through": lambda: f"{100 * payments.LET_THROUGH:.0f}",
    "first-chargeback": lambda: f"{payments.FIRST_CHARGEBACK:.0f}",
    "last-chargeback": lambda: f"{payments.LAST_CHARGEBACK:.0f}",
    "chargeback": lambda: f"{_chargeback():.0f}",
    "price-minute": lambda: f"{PRICES.minute:.2f}",
    "price-retrain": lambda: f"{PRICES.retrain:.0f}",
    "price-offset": lambda: f"{PRICES.offset:.0f}",
    "price-rollback": lambda: f"{PRICES.rollback:.0f}",
    "price-cover": lambda: f"{PRICES.cover:.0f}",
    "price-cover-day": lambda: f"{PRICES.cover_day:.0f}",
    "price-mend": lambda: f"{PRICES.mend:.0f}",
    "price-false-alarm": lambda: f"{PRICES.false_alarm:.0f}",
    "tie": lambda: f"{TIE_EUR:.0f}",
    "policies": _policies,
    "worlds": lambda: ", ".join(WORLDS),
    "full-marks": lambda: f"{100 * FULL_MARKS:.0f}",
    "idle-budget": lambda: f"{IDLE_BUDGET_EUR:,.0f}",
    "latency": lambda: f"{conditions.LATENCY_MS:.0f}",
}
"""By name; numbers are of the course's own seed."""
