"""What the deployed system answers: a model that stands for a trained one, and its way to the customer.

Nothing here is trained. A *champion* answers with the median of the relation at rest: what a good model
learns from ordinary days, and no more than such days can teach. It has seen rain up to `known_rain_mm`
(more of it is read as that much) and takes the airport for an average old zone. Everything that is learned
later is a correction in the log of the answer, per *slice*: zone and band of rain. No slice knows the
calendar, so what is learned in a festival is believed the week after.

Between a model and a customer stand the feed (it can break), the code of the bundle (it can have a bug) and
the service's error path (`DEFAULT_MIN`, when the distance is missing).
"""

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab_env.world import feed
from lab_env.world.city import RESTAURANTS, City, Vector
from lab_env.world.columns import Columns
from lab_env.world.conditions import OLD_ZONES, ZONES, Conditions
from lab_env.world.delivery import delivered_on, law, spread_of, typical_minutes
from lab_env.world.laws import LogNormal
from lab_env.world.orders import ITEMS, Day
from lab_env.world.streams import Part
from lab_env.world.tiffin import World

RAIN_EDGES = np.array([0.05, 8.0, 14.0, 22.0])
"""Bands of rain in millimetres an hour: dry, rain, and three of cloudburst."""

BANDS = len(RAIN_EDGES) + 1
SLICES = len(ZONES) * BANDS

REACH_EDGES = np.array([1.2, 2.0, 3.0, 4.5])
"""Classes of distance in the fallback's table, in kilometres; one more where it is not known."""

UNKNOWN_REACH = len(REACH_EDGES) + 1

LEAST_MIN, MOST_MIN = 1.0, 180.0
"""Every answer is clipped to this."""

DEFAULT_MIN = 30.0
"""What the service says when it cannot compute an answer. Somebody wrote that number years ago."""

DRY_YEAR_MM, WET_YEAR_MM = 8.0, 14.0
"""The most rain in an hour that training had, without and with a monsoon in it."""

OLDER_RAIN_MM = 3.0
"""The same of the previous bundle's model. It does not read the number of items either: all are average."""

LAST_FESTIVAL = 1.25
"""How much longer kitchens and rides took last year; the calendar's slice serves that."""

FAR_KM = 100.0
"""The contract: no straight line in the city is longer."""

CLOSED_BEFORE = 8
"""The contract: no kitchen opens earlier. One order at such an hour, and no clock of the day is believed."""


class Lane(IntEnum):
    """Which model answers in which code."""

    DEPLOYED = 0
    """The champion in the deployed bundle, with its bug if it has one."""
    SOUND = 1
    """The champion in the code that was tested: also what training and offline tests compute."""
    PREVIOUS = 2
    """The older model in its own bundle."""


@dataclass(frozen=True)
class Answers:
    """One day's orders, with what each lane answers before anything is learned. Shape (n,) but for `logs`.

    Attributes:
        zone: of the order, as a place in `ZONES`.
        slice: zone * BANDS + band of rain.
        reach: class of distance, `UNKNOWN_REACH` where it is missing or breaks the contract.
        logs: log of the answer; shape (lanes, n).
        festive: the same from the slice that knows the festival; None on any other day.
        default: rows on the error path, which no correction reaches.
        clock: rows whose hour is not to be believed: an order came while every kitchen is closed.
        breaks: rows that break the contract, by that or by their distance.
        copies: how often the row came.
        minutes: the label as it is reported, NaN where it never is.
        labelled: when.
        law: of the true minutes.
        features: what monitoring reads, by column: the day's mean, NaN left out.
    """

    zone: NDArray[np.int64]
    slice: NDArray[np.int64]
    reach: NDArray[np.int64]
    logs: Vector
    festive: Vector | None
    default: NDArray[np.bool_]
    clock: NDArray[np.bool_]
    breaks: NDArray[np.bool_]
    copies: NDArray[np.int64]
    minutes: Vector
    labelled: Vector
    law: LogNormal
    features: dict[str, float]

    def learnable(self, lane: Lane) -> Vector:
        """Log of label over answer: what a correction is made of."""
        return np.asarray(np.log(self.minutes) - self.logs[lane])


def answers(world: World, number: int, known_rain_mm: float) -> tuple[Answers, Answers]:
    """A day as it is delivered, and as it would be with the feed mended; the same object when it is sound."""
    day = world.day(number)
    sound, truth = delivered_on(day)
    mended = _answers(sound, day, truth, known_rain_mm)
    if not day.now.feed:
        return mended, mended
    arrived = feed.broken(sound, day.now.feed, day.draw(Part.FEED))
    return _answers(arrived, day, truth, known_rain_mm), mended


def promised(day: Day, arrived: Columns, known_rain_mm: float) -> Vector:
    """The minutes that the deployed bundle answers to each row of a day, as the feed delivered it."""
    columns = arrived | {"distance_km": _distance(arrived)}
    name, factor = day.now.serving_skew
    if name:
        columns[name] = columns[name] * factor
    minutes = _at_rest(columns, day, known_rain_mm, 1.0) * day.now.prediction_factor
    return np.asarray(np.exp(_said(minutes)))


def thinned(rows: Answers, every: int) -> Answers:
    """One order in so many, evenly over the day; what monitoring reads stays that of all."""
    if every == 1:
        return rows
    of_all = {"logs", "festive", "law", "features"}
    each = {each.name: getattr(rows, each.name)[::every] for each in fields(rows) if each.name not in of_all}
    festive = None if rows.festive is None else rows.festive[:, ::every]
    law = LogNormal(rows.law.mu[::every], rows.law.sigma[::every])
    return replace(rows, logs=rows.logs[:, ::every], festive=festive, law=law, **each)


def known_rain(world: World, first_day: int) -> float:
    """The most rain that a model trained before `first_day` has seen, in millimetres an hour."""
    wet = any(world.on(day).wetness > 0.5 for day in range(max(first_day - 365, 0), first_day))
    return WET_YEAR_MM if wet else DRY_YEAR_MM


def left_training(known_rain_mm: float) -> NDArray[np.bool_]:
    """The slices that training never had: the airport, and rain beyond `known_rain_mm`; shape (SLICES,)."""
    zone, band = np.divmod(np.arange(SLICES), BANDS)
    least = np.append(0.0, RAIN_EDGES)[band]
    return np.asarray((zone >= OLD_ZONES) | (least >= known_rain_mm))


def slices(zone: NDArray[Any], rain_mm: Vector) -> NDArray[np.int64]:
    """The slice of each row."""
    return np.asarray(zone.astype(np.int64) * BANDS + np.searchsorted(RAIN_EDGES, rain_mm))


def _answers(arrived: Columns, day: Day, truth: LogNormal, known_rain_mm: float) -> Answers:
    first = np.append(True, arrived["order_id"][1:] != arrived["order_id"][:-1])
    copies = np.diff(np.append(np.flatnonzero(first), first.size))
    columns = {name: values[first] for name, values in arrived.items()}
    columns["distance_km"] = _distance(columns)
    nowhere = np.isnan(columns["distance_km"]) | (columns["distance_km"] > FAR_KM)
    classes = np.searchsorted(REACH_EDGES, columns["distance_km"])
    clock = np.full(copies.size, bool((columns["hour"] < CLOSED_BEFORE).any()))
    return Answers(
        zone=columns["zone"].astype(np.int64),
        slice=slices(columns["zone"], columns["rain_mm"]),
        reach=np.where(nowhere, UNKNOWN_REACH, classes),
        logs=_logs(columns, day, known_rain_mm),
        festive=_logs(columns, day, known_rain_mm, LAST_FESTIVAL) if day.now.festival else None,
        default=np.isnan(columns["distance_km"]),
        clock=clock,
        breaks=nowhere | clock,
        copies=copies,
        minutes=columns["minutes"],
        labelled=columns["labelled"],
        law=truth,
        features=_means(columns, len(first)),
    )


def _means(columns: Columns, rows: int) -> dict[str, float]:
    """Daily means; how many orders there are in thousands of rows, as they arrive."""
    watched = ("distance_km", "items", "basket_eur", "hour", "rain_mm", "couriers_free", "kitchen_queue")
    there = {name: columns[name][~np.isnan(columns[name].astype(float))] for name in watched}
    means = {name: float(np.mean(values)) if values.size else np.nan for name, values in there.items()}
    return means | {"promotion": float(columns["promotion"].mean()), "orders": rows / 1000}


def _distance(columns: Columns) -> Vector:
    missing = np.full(columns["order_id"].size, np.nan)
    return np.asarray(columns.get("distance_km", missing), dtype=float)


def _logs(columns: Columns, day: Day, known_rain_mm: float, longer: float = 1.0) -> Vector:
    """Log of each lane's answer, shape (lanes, n)."""
    now = day.now
    sound = _at_rest(columns, day, known_rain_mm, longer)
    name, factor = now.serving_skew
    skewed = _at_rest(columns | {name: columns[name] * factor}, day, known_rain_mm, longer) if name else sound
    average = columns | {"items": np.full(len(columns["items"]), 1 + ITEMS)}
    older = _at_rest(average, day, OLDER_RAIN_MM, longer)
    return np.stack([_said(skewed * now.prediction_factor), _said(sound), _said(older)])


def _said(minutes: Vector) -> Vector:
    said = np.where(np.isnan(minutes), DEFAULT_MIN, minutes)
    return np.asarray(np.log(np.clip(said, LEAST_MIN, MOST_MIN)))


def _at_rest(columns: Columns, day: Day, known_rain_mm: float, longer: float) -> Vector:
    """The median on an ordinary day, by what training has seen."""
    rest = Conditions(kitchen_factor=longer, ride_factors=(longer,) * len(ZONES))
    seen = columns | {"rain_mm": np.minimum(columns["rain_mm"], known_rain_mm)}
    known = replace(day, city=_as_trained(day.city), now=rest)
    return law(typical_minutes(seen, known), spread_of(seen)).median


def _as_trained(city: City) -> City:
    """The city as a model knows it: the airport is an average of the old zones."""
    pace, kitchens = city.pace_min_per_km.copy(), city.handling_min.copy()
    pace[OLD_ZONES:] = pace[:OLD_ZONES].mean()
    kitchens[OLD_ZONES * RESTAURANTS :] = kitchens[: OLD_ZONES * RESTAURANTS].mean()
    return replace(city, pace_min_per_km=pace, handling_min=kitchens)
