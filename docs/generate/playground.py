"""What the drift playground plays with: a small sample of quiet days, the law of its minutes, and presets.

The page's script (docs/assets/drift.js) moves a column, breaks it, or moves the relation, and computes what
would have been measured. Minutes are made anew from each order's own luck, so that they obey the world's law.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from docs.generate import incidents
from lab_env.world import ZONES, World
from lab_env.world.city import RUSH
from lab_env.world.delivery import COURIER_MIN, LOSS, LUCK
from lab_env.world.schema import TABLES
from lab_env.world.served import DEFAULT_MIN, DRY_YEAR_MM, LEAST_MIN, MOST_MIN

FIRST_DAY, REFERENCE_DAYS, DAYS, QUIET = 40, 60, 30, 10
"""The reference's first day and length; the days looked at, and how many pass before it begins."""

ORDERS_PER_DAY = 60
WHOLE = ("items", "couriers_free", "kitchen_queue")
STEPS = {"distance_km": 0.1, "items": 1, "rain_mm": 0.5, "couriers_free": 1, "kitchen_queue": 1}
STUCK = {
    "distance_km": [0.0, 1.0, 2.0, 5.0],
    "items": [1, 2, 9],
    "rain_mm": [0.0, 5.0, 20.0],
    "couriers_free": [0, 5, 14],
    "kitchen_queue": [0, 3, 20],
}
CROSSED = ("river", "harbour")
STILL = "new-bridge"
"""The incident whose picture stands on the page where no script runs."""


@dataclass(frozen=True)
class Change:
    """What happens to one column, and how much of it.

    `shift` and `scale` happen in the city, so the minutes follow. `nulls`, `unit` and `stuck` happen in the
    feed: the model reads them, the city does not notice.
    """

    kind: str
    amount: float


@dataclass(frozen=True)
class Preset:
    """One of Tiffin's incidents, by this page's means."""

    name: str
    title: str
    changes: dict[str, Change]
    behind: Change
    lesson: str


NONE = Change("none", 0)
PRESETS = (
    Preset(
        "quiet",
        "A quiet month",
        {},
        NONE,
        "Nothing happened. This is what a month of luck looks like; any limit has to stand above it.",
    ),
    Preset(
        "decoy-week",
        "A promotion for large baskets",
        {"items": Change("scale", 1.6), "distance_km": Change("scale", 1.15)},
        NONE,
        "Inputs moved, and the model copes: its error is on its floor. Note the days and wait.",
    ),
    Preset(
        "monsoon",
        "Rain, every day",
        {"rain_mm": Change("shift", 2.5)},
        NONE,
        "The error rose, and the floor and the error that the model expects rose with it: rain makes dinner "
        "late in ways that nobody can foresee. Wait. The watcher of errors is wrong: in rain the days differ "
        "more than the dry ones that its limit came from.",
    ),
    Preset(
        "unseen-rain",
        "Water in the streets",
        {"rain_mm": Change("scale", 7)},
        NONE,
        "Few hours are that wet, so the mean error hardly moves, and PSI does not either: its outermost bin "
        "is open. Wasserstein sees it. Look at slices; serve the fallback there.",
    ),
    Preset(
        "courier-shortage",
        "Where have the couriers gone",
        {"couriers_free": Change("scale", 0.4)},
        NONE,
        "The input alarm is right that couriers are few, and the model knows it from the same column. "
        "Calling this concept drift would correct what is right.",
    ),
    Preset(
        "metres",
        "Kilometres sent as metres",
        {"distance_km": Change("unit", 1000)},
        NONE,
        "The contract says it on the first evening. Stop the feed, serve the fallback, mend, replay. "
        "A retrain would learn the bug.",
    ),
    Preset(
        "nulls",
        "A gap that fills itself",
        {"distance_km": Change("nulls", 0.4)},
        NONE,
        "PSI compares the values that are there, and they look as always. Only the share of holes tells.",
    ),
    Preset(
        "serving-skew",
        "Right on the desk, wrong at the door",
        {"distance_km": Change("unit", 0.62)},
        NONE,
        "Each value is possible, so the contract is silent. The city did not change; the same row has "
        "another number offline. Roll back the bundle.",
    ),
    Preset(
        "new-bridge",
        "A bridge opens",
        {},
        Change("rides", 0.55),
        "No column moved, so nothing that reads inputs can see it, and the model expects no more error than "
        "before. Only labels tell. An offset for the two zones now, a retrain when there are enough days.",
    ),
    Preset(
        "order-stacking",
        "Late in every zone",
        {},
        Change("wait", 6),
        "The same with nothing recorded anywhere: the relation moved. Correct by a constant, then retrain.",
    ),
    Preset(
        "broken-labels",
        "Minutes written as seconds",
        {},
        Change("labels", 60),
        "Predictions and inputs are as always, the labels are impossible. Freeze training and mend them.",
    ),
    Preset(
        "bad-deploy",
        "Version 2",
        {},
        Change("answers", 0.75),
        "Inputs and labels are sound, and the answers begin to differ with a version. Roll back the bundle.",
    ),
)


def fill(page: str, cache: Path) -> str:
    """The page with the still picture where it asks for it."""
    place = "<!-- playground: still -->"
    return page.replace(place, incidents.shown(STILL, cache)["svg"]) if place in page else page


def data_script() -> str:
    """The file that the page loads: a script, as a page opened from a folder cannot fetch."""
    return f"window.TIFFIN = {json.dumps(sample(), separators=(',', ':'))};\n"


def sample() -> dict[str, Any]:
    """Everything that the script needs, as JSON values; rows are columns of equal length."""
    world = World(scenario="quiet", orders_per_day=ORDERS_PER_DAY)
    columns, law = world.delivered(FIRST_DAY, REFERENCE_DAYS + DAYS)
    there = ~np.isnan(columns["minutes"])
    orders = {name: values[there] for name, values in columns.items()}
    city, hour, zone = world.city, orders["hour"], orders["zone"]
    warm = 1 + 0.01 * np.maximum(orders["temperature_c"] - 32, 0)
    rows = {
        "day": orders["day"],
        "crossed": np.isin(zone, [ZONES.index(name) for name in CROSSED]).astype(int),
        "handling": city.handling_min[orders["restaurant"]].round(3),
        "pace": (city.pace_min_per_km[zone] * RUSH[hour] * warm).round(4),
        "luck": ((np.log(orders["minutes"]) - law.mu[there]) / law.sigma[there]).round(3),
        **{name: orders[name] for name in STEPS},
    }
    return {
        "rows": {name: values.tolist() for name, values in rows.items()},
        "features": [_feature(name) for name in STEPS],
        "presets": [asdict(preset) for preset in PRESETS],
        "days": {"reference": FIRST_DAY, "first": FIRST_DAY + REFERENCE_DAYS, "count": DAYS, "quiet": QUIET},
        "city": {
            "item": city.item_min,
            "queue": city.queue_min,
            "slows": city.rain_slows,
            "floods": city.flood_slows,
            "courier": COURIER_MIN,
            "luck": LUCK,
            "loss": LOSS,
        },
        "model": {"rain": DRY_YEAR_MM, "default": DEFAULT_MIN, "least": LEAST_MIN, "most": MOST_MIN},
    }


def _feature(name: str) -> dict[str, Any]:
    column = next(column for column in TABLES["orders"] if column.name == name)
    low, high = column.range or (0.0, np.inf)
    return {
        "name": name,
        "unit": column.unit,
        "low": low,
        "high": high,
        "step": STEPS[name],
        "stuck": STUCK[name],
        "whole": name in WHOLE,
    }
