"""What can be learned from labels by a given morning: offsets, retrained models, the fallback's table.

All of it is computed from rows and labels *as they were delivered*, and from no label that was not known
yet. So a retrain on a broken feed learns the break, one on a single day learns that day's luck, and one on
late labels learns from the fast orders: nobody wrote these down as rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from lab_env.world.city import Vector
from lab_env.world.conditions import OLD_ZONES, ZONES, Conditions
from lab_env.world.served import (
    BANDS,
    SLICES,
    UNKNOWN_REACH,
    Answers,
    Lane,
    answers,
    known_rain,
    left_training,
)
from lab_env.world.tiffin import World

MEMORY_DAYS = 42
"""How far back training looks; weights beyond would be under an eighth."""

HALF_LIFE_DAYS = 14
"""A retrain on old + new counts a day half as much as one that is this many days younger."""

OLD_ROWS, STRANGE_ROWS = 50, 5
"""Rows that the old model counts for when it is retrained, in a slice that it knew and in any other."""

RECENT_DAYS = 7
OFFSET_DAYS = 3
FALLBACK_DAYS = 14

ENOUGH = 20
"""Rows that a mean or median needs."""

TABLE = SLICES * UNKNOWN_REACH + 1
"""Size of the fallback's finest table, and one place for rows that have none in it."""


class View(IntEnum):
    """What of the past a training gets to read."""

    DELIVERED = 0
    FILTERED = 1
    """Without the rows that break the contract."""
    MENDED = 2
    """After the break was mended and the days were filled in again."""


@dataclass(frozen=True)
class Lessons:
    """Corrections of the log of the answer, one row for the morning of each day; shape (days, SLICES).

    Attributes:
        offset: per lane; a zone's mean residual of the last `OFFSET_DAYS`. A zone that the model never had
            gets none: there are no quiet days to compare with.
        retrained: a slice's weighted mean residual, shrunk to the old model.
        recent: of the last `RECENT_DAYS` alone; a slice without data gets the mean of all.
        knows: slices that `retrained` and `recent` have enough rows of; shape (2, days, SLICES).
    """

    offset: dict[Lane, Vector]
    retrained: Vector
    recent: Vector
    knows: NDArray[np.bool_]


@dataclass(frozen=True)
class Logbook:
    """The answers of a range of days and of the days of memory before it.

    Attributes:
        first_day: of the range; the days before it are what the champion was trained on.
        days: of the range.
        oldest: first day in the log.
        arrived: a day each, as the feed delivered it.
        mended: the same with the feed mended.
        left: slices that training never had; shape (SLICES,).
    """

    first_day: int
    days: int
    oldest: int
    arrived: tuple[Answers, ...]
    mended: tuple[Answers, ...]
    left: NDArray[np.bool_]

    def of(self, day: int, *, mended: bool = False) -> Answers:
        """The answers of one day."""
        return (self.mended if mended else self.arrived)[day - self.oldest]

    @property
    def is_sound(self) -> bool:
        """Whether nothing in the log is broken."""
        return all(one is other for one, other in zip(self.arrived, self.mended, strict=True))


@dataclass(frozen=True)
class Shelf:
    """Days that were answered before: worlds of one city share those that are alike in both."""

    days: dict[tuple[int, float, int, Conditions, float], tuple[Answers, Answers]] = field(
        default_factory=dict
    )

    def answers(self, world: World, day: int, rain: float) -> tuple[Answers, Answers]:
        """As `served.answers`; city, size, number, conditions and the rain of training settle a day."""
        key = (world.seed, world.orders_per_day, day, world.on(day), rain)
        if key not in self.days:
            self.days[key] = answers(world, day, rain)
        return self.days[key]


def logbook(world: World, first_day: int, days: int, shelf: Shelf | None = None) -> Logbook:
    """The log of a range of days; those that are on the shelf are taken from there."""
    oldest, rain = max(0, first_day - MEMORY_DAYS), known_rain(world, first_day)
    asked = (shelf or Shelf()).answers
    both = [asked(world, day, rain) for day in range(oldest, first_day + days)]
    arrived, mended = zip(*both, strict=True)
    return Logbook(first_day, days, oldest, arrived, mended, left_training(rain))


def lessons(log: Logbook, view: View) -> Lessons:
    """What can be learned on each morning of the range."""
    sums = {
        lane: np.stack([_sums(day, number, lane, view) for number, day in _read(log, view)]) for lane in Lane
    }
    rows = np.stack([_rows(day, number, view) for number, day in _read(log, view)])
    back = {lane: _looking_back(values, log) for lane, values in sums.items()}
    count = _looking_back(rows, log)
    age = np.arange(1, MEMORY_DAYS + 1)
    weight = (0.5 ** (age / HALF_LIFE_DAYS))[None, :, None]
    old = np.where(log.left, STRANGE_ROWS, OLD_ROWS)
    lately = count[:, :RECENT_DAYS].sum(axis=1)
    return Lessons(
        offset={lane: _offset(back[lane], count) for lane in (Lane.DEPLOYED, Lane.PREVIOUS)},
        retrained=(back[Lane.SOUND] * weight).sum(axis=1) / ((count * weight).sum(axis=1) + old),
        recent=_recent(back[Lane.SOUND][:, :RECENT_DAYS].sum(axis=1), lately),
        knows=np.stack([count.sum(axis=1) >= ENOUGH, lately >= ENOUGH]),
    )


def fallback(log: Logbook, day: int, rows: Answers) -> Vector:
    """Typical minutes for each row: medians of the labels that are known in the morning of the day.

    The finest of these tables that has `ENOUGH` rows answers: zone, rain and distance; rain and distance;
    zone and rain; zone; everything. Only the first two are better than a model that has left its training,
    so a row that keeps the contract gets NaN from the others: the model answers it.
    """
    past = range(max(log.oldest, day - FALLBACK_DAYS), day)
    known = [_keys(log.of(each), log.of(each).labelled <= day) for each in past]
    minutes = np.concatenate([log.of(each).minutes[log.of(each).labelled <= day] for each in past])
    answer = np.full(rows.slice.size, np.nan)
    for level, key in enumerate(_keys(rows, np.ones(rows.slice.size, dtype=bool))):
        table = medians(np.concatenate([keys[level] for keys in known]), minutes, TABLE)
        answer = np.where(np.isnan(answer) & (rows.breaks | (level < 2)), table[key], answer)
    return answer


def medians(key: NDArray[np.int64], values: Vector, size: int) -> Vector:
    """The upper median of the values of each key from 0 to size - 1; NaN under `ENOUGH` of them."""
    order = np.lexsort((values, key))
    count = np.bincount(key, minlength=size)
    middle = np.cumsum(count) - count + count // 2
    enough = count >= ENOUGH
    table = np.full(size, np.nan)
    table[enough] = values[order][middle[enough]]
    return table


def _keys(rows: Answers, there: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """A row's place in each table of the fallback, the finest first; of some of the rows."""
    zone, place, reach = rows.zone[there], rows.slice[there], rows.reach[there]
    nowhere = reach == UNKNOWN_REACH
    fine = [place * UNKNOWN_REACH + reach, place % BANDS * UNKNOWN_REACH + reach]
    return [*(np.where(nowhere, TABLE - 1, key) for key in fine), place, zone, np.zeros_like(zone)]


def _read(log: Logbook, view: View) -> Sequence[tuple[int, Answers]]:
    days = log.mended if view is View.MENDED else log.arrived
    return list(enumerate(days, log.oldest))


def _rows(day: Answers, number: int, view: View) -> Vector:
    """How many rows each slice has by the morning of each later day; shape (MEMORY_DAYS, SLICES)."""
    return _by_morning(day, number, view, np.ones(day.slice.size))


def _sums(day: Answers, number: int, lane: Lane, view: View) -> Vector:
    """The sum of their residuals."""
    return _by_morning(day, number, view, day.learnable(lane))


def _by_morning(day: Answers, number: int, view: View, values: Vector) -> Vector:
    morning = np.maximum(np.ceil(day.labelled - number), 1)
    there = morning <= MEMORY_DAYS
    weight = day.copies if view is View.DELIVERED else np.ones(day.copies.size)
    if view is View.FILTERED:
        there &= ~day.breaks
    place = (morning[there].astype(np.int64) - 1) * SLICES + day.slice[there]
    cells = np.bincount(place, weights=(values * weight)[there], minlength=MEMORY_DAYS * SLICES)
    return np.asarray(cells.reshape(MEMORY_DAYS, SLICES).cumsum(axis=0))


def _looking_back(by_morning: Vector, log: Logbook) -> Vector:
    """From the morning of each day of the range at each day before; shape (days, MEMORY_DAYS, SLICES)."""
    age = np.arange(1, MEMORY_DAYS + 1)
    past = log.first_day - log.oldest + np.arange(log.days)[:, None] - age[None, :]
    return np.where((past >= 0)[:, :, None], by_morning[np.maximum(past, 0), age - 1], 0.0)


def _offset(back: Vector, count: Vector) -> Vector:
    shape = (len(back), len(ZONES), BANDS)
    total = back[:, :OFFSET_DAYS].sum(axis=1).reshape(shape).sum(axis=2)
    rows = count[:, :OFFSET_DAYS].sum(axis=1).reshape(shape).sum(axis=2)
    known = (rows >= ENOUGH) & (np.arange(len(ZONES)) < OLD_ZONES)
    mean = np.where(known, total / np.maximum(rows, 1), 0.0)
    return np.repeat(mean, BANDS, axis=1)


def _recent(total: Vector, rows: Vector) -> Vector:
    overall = total.sum(axis=1) / np.maximum(rows.sum(axis=1), 1)
    return np.where(rows >= ENOUGH, total / np.maximum(rows, 1), overall[:, None])
