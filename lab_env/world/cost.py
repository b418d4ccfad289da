"""What a day costs in euros, in every state that an operator can bring the delivery system into.

Costs are *expected* ones, by the law of each order, so luck never decides who acted better; and they are
counted above the floor, so a model that knows everything costs nothing. All states of a day are read off
one table: per slice, the loss as a function of the log of the correction is computed once on a grid.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab_env.world.city import Vector
from lab_env.world.incidents import Action
from lab_env.world.learned import Lessons, Logbook, Shelf, View, fallback, lessons, logbook
from lab_env.world.served import LEAST_MIN, MOST_MIN, SLICES, Answers, Lane, thinned
from lab_env.world.tiffin import World

TIFFIN_ORDERS = 40_000
"""Orders a day that Tiffin really has; the sample's costs are scaled to it."""

_SIDE = np.concatenate([np.arange(0.02, 0.2, 0.02), np.arange(0.2, 0.61, 0.05)])
GRID = np.concatenate([np.linspace(-3, -0.9, 6), -_SIDE[::-1], [0.0], _SIDE, np.linspace(0.9, 4.2, 8)])
"""Logs of a correction at which losses are computed; read between them on straight lines."""


@dataclass(frozen=True)
class Prices:
    """Euros, chosen to be plausible for a company of 40,000 orders a day; none is measured.

    Attributes:
        minute: one order, one minute of expected error above the floor: refunds and customers who leave.
        refund_min: minutes of an order's error beyond which it gets no dearer; by then it is refunded.
        retrain: four hours of a machine, and a reviewer's day; what was trained serves from the next day on.
        rollback: two people for an hour, and the release.
        offset: half a day to compute, check and configure it.
        cover: to switch on the fallback, the quarantine or the calendar's slice: an hour, and its review.
        cover_day: somebody looks at what was caught, on each day that something is.
        mend: calling the team that owns the feed, out of its hours: an escalation.
        false_alarm: an action when nothing harmful holds: an afternoon, and trust in the next alarm.
        blind_day: broken labels harm nobody, but until they are mended a real incident cannot be seen.
        copy: an order that comes twice: one in a few hundred is cooked twice.
        slow: one answer that takes longer than `bound_ms`: some customers don't wait.
        bound_ms: what was agreed for an answer.
    """

    minute: float = 0.03
    refund_min: float = 15.0
    retrain: float = 900.0
    rollback: float = 150.0
    offset: float = 250.0
    cover: float = 100.0
    cover_day: float = 50.0
    mend: float = 400.0
    false_alarm: float = 300.0
    blind_day: float = 100.0
    copy: float = 0.03
    slow: float = 0.02
    bound_ms: float = 300.0

    def of(self, action: Action) -> float:
        """What it costs to take an action once."""
        return {
            Action.WAIT: 0.0,
            Action.RETRAIN: self.retrain,
            Action.RETRAIN_RECENT: self.retrain,
            Action.ROLLBACK: self.rollback,
            Action.OFFSET: self.offset,
            Action.MEND: self.mend,
        }.get(action, self.cover)


PRICES = Prices()

HARMLESS_EUR = 75.0
"""A day that costs less is not worth an action. It is a twentieth of a minute an order."""


class Cover(IntEnum):
    """What stands between the model and the customer. It touches only the rows that it is for."""

    NONE = 0
    FALLBACK = 1
    """A table of typical values, for slices that the model never learned and rows that break the contract."""
    QUARANTINE = 2
    """The same for rows that break the contract alone, which no training reads."""
    CALENDAR = 3
    """The slice that knows last year's festival."""


COVERS = {
    Action.FALLBACK: Cover.FALLBACK,
    Action.QUARANTINE: Cover.QUARANTINE,
    Action.CALENDAR: Cover.CALENDAR,
}


class Learned(IntEnum):
    """How a correction was made."""

    OFFSET = 0
    RETRAINED = 1
    RECENT = 2


LEARNING = {
    Action.OFFSET: Learned.OFFSET,
    Action.RETRAIN: Learned.RETRAINED,
    Action.RETRAIN_RECENT: Learned.RECENT,
}


class Model(NamedTuple):
    """What is deployed.

    Attributes:
        rolled_back: whether it runs in the previous bundle's code.
        how: it was learned; None for the bundle's own model, as it was released.
        day: on whose morning it was learned.
        view: what its training got to read.
    """

    rolled_back: bool = False
    how: Learned | None = None
    day: int = 0
    view: View = View.DELIVERED


CHAMPION = Model()
PREVIOUS = Model(rolled_back=True)


@dataclass(frozen=True)
class Losses:
    """One day's loss in minutes above the floor, summed per slice; one feed, one lane.

    Attributes:
        sound: of rows that keep the contract, at each correction of `GRID`; shape (SLICES, grid).
        untold: of those among them that the fallback's table has no answer for.
        broken: of rows that break the contract.
        festive: of all rows, from the calendar's slice; None on any other day.
        typical: of the other rows of `sound`, by the fallback's table; shape (SLICES,).
        broken_typical: of all rows of `broken`.
    """

    sound: Vector
    untold: Vector
    broken: Vector
    festive: Vector | None
    typical: Vector
    broken_typical: float


@dataclass(frozen=True)
class Costs:
    """The table: what each day of a range costs in each state.

    Attributes:
        world: that it is about.
        first_day: of the range.
        days: of the range.
        table: euros; shape (days, feed as delivered and mended, covers, models).
        faults: what is broken in the feed, per day.
        versions: of the deployed bundle, per day.
        views: how many ways there are to read the past: one where nothing is ever broken.
    """

    world: World
    first_day: int
    days: int
    table: Vector
    faults: tuple[frozenset[str], ...]
    versions: tuple[int, ...]
    views: int

    @property
    def models(self) -> list[Model]:
        """Every model that can ever be served, by its place in the table."""
        return models(self.first_day, self.days, self.views)

    def place(self, model: Model) -> int:
        """Where a model stands in the table."""
        if model.how is None:
            return int(model.rolled_back)
        kind = (model.rolled_back * self.views + model.view) * len(Learned) + model.how
        return 2 + kind * self.days + model.day - self.first_day

    def of(self, day: int, model: Model, cover: Cover = Cover.NONE, *, mended: bool = False) -> float:
        """Euros on one day in one state."""
        return float(self.table[day - self.first_day, int(mended), cover, self.place(model)])

    def harmful(self, day: int) -> bool:
        """Whether something holds that harms, if nobody does anything."""
        at = day - self.first_day
        return bool(self.faults[at]) or bool(self.table[at, 0, 0, 0] > HARMLESS_EUR)


@dataclass(frozen=True)
class DeliveryCosts(Costs):
    """The table of delivery times, and what it was made from.

    Attributes:
        log: what was answered.
        bench: the models' corrections.
    """

    log: Logbook
    bench: "Bench"

    def said(self, day: int, model: Model, cover: Cover = Cover.NONE, *, mended: bool = False) -> Vector:
        """Log of the minutes that customers were told, order by order; NaN where typical values were."""
        rows, place = self.log.of(day, mended=mended), self.place(model)
        festive = rows.festive if cover is Cover.CALENDAR else None
        base = (rows.logs if festive is None else festive)[self.bench.lanes[place]]
        logs = base + np.where(rows.default, 0.0, self.bench.corrections[rows.slice, place])
        covered = rows.breaks & (cover in (Cover.FALLBACK, Cover.QUARANTINE))
        covered |= self.bench.strange[rows.slice, place] & (cover is Cover.FALLBACK)
        return np.where(covered, np.nan, np.clip(logs, np.log(LEAST_MIN), np.log(MOST_MIN)))


def models(first_day: int, days: int, views: int) -> list[Model]:
    """Every model of a range of days: the bundles' own, and what can be learned each morning."""
    mornings = range(first_day, first_day + days)
    return [
        CHAMPION,
        PREVIOUS,
        *(
            Model(rolled_back, how, day, view)
            for rolled_back in (False, True)
            for view in list(View)[:views]
            for how in Learned
            for day in mornings
        ),
    ]


def costs(
    world: World, first_day: int, days: int, *, every: int = 1, shelf: Shelf | None = None
) -> DeliveryCosts:
    """The table of a range of days. The model that is deployed was trained on the days before it.

    Ninety days take about a second. `every` counts the euros of one order in so many, and what is observed
    and learned stays that of all: the costs are expected ones, so few orders tell them well. Worlds of one
    city are made quicker with one `shelf`, and are the same.

    >>> quiet = costs(World(scenario="quiet", orders_per_day=200), 30, 5)
    >>> quiet.of(31, CHAMPION) < HARMLESS_EUR < quiet.of(31, PREVIOUS)
    True
    """
    log = logbook(world, first_day, days, shelf)
    views = [View.DELIVERED] if log.is_sound else list(View)
    bench = Bench(log, [lessons(log, view) for view in views])
    now = [world.on(day) for day in range(first_day, first_day + days)]
    faults = tuple(frozenset(name for name, _ in each.feed) for each in now)
    versions = tuple(each.version for each in now)
    feeds = 1 if log.is_sound else 2
    table = np.zeros((days, 2, len(Cover), len(bench.models)))
    for day in range(first_day, first_day + days):
        for mended in range(feeds):
            at = day - first_day
            if mended and not faults[at]:
                table[at, 1] = table[at, 0]
            else:
                table[at, mended] = _day(world, bench, day, every, mended=bool(mended))
    if feeds == 1:
        table[:, 1] = table[:, 0]
    return DeliveryCosts(world, first_day, days, table, faults, versions, len(views), log, bench)


class Bench:
    """All models with their corrections, side by side.

    Attributes:
        models: by their place.
        lanes: in which each answers.
        corrections: of the log of the answer; shape (SLICES, models).
        knows: slices that each was trained on, beside the champion's; same shape.
        strange: slices that each has never seen; same shape.
    """

    def __init__(self, log: Logbook, views: list[Lessons]) -> None:
        self.log = log
        self.models = models(log.first_day, log.days, len(views))
        corrections, knows = [np.zeros((2, SLICES))], [np.zeros((2, SLICES), dtype=bool)]
        lanes = [Lane.DEPLOYED, Lane.PREVIOUS]
        for rolled_back in (False, True):
            retrained = Lane.SOUND if rolled_back else Lane.DEPLOYED
            offset = Lane.PREVIOUS if rolled_back else Lane.DEPLOYED
            for lesson in views:
                nothing = np.zeros_like(lesson.knows[0])
                corrections += [lesson.offset[offset], lesson.retrained, lesson.recent]
                knows += [nothing, *lesson.knows]
                for lane in (offset, retrained, retrained):
                    lanes += [lane] * log.days
        self.lanes = np.array(lanes)
        self.corrections = np.ascontiguousarray(np.concatenate(corrections).T)
        self._step = np.clip(np.searchsorted(GRID, self.corrections, side="right") - 1, 0, GRID.size - 2)
        self._part = np.clip((self.corrections - GRID[self._step]) / np.diff(GRID)[self._step], 0.0, 1.0)
        self.knows = np.concatenate(knows).T
        self.strange = log.left[:, None] & ~self.knows
        self.born = np.array([model.day for model in self.models])
        self.rolled_back = np.array([model.rolled_back for model in self.models])

    def read(self, losses: Vector, there: NDArray[np.int64]) -> Vector:
        """Losses at the corrections of some models; shape (SLICES, models that are there)."""
        found, some = np.zeros((SLICES, there.size)), np.flatnonzero(losses.any(axis=1))
        place = np.ix_(some, there)
        step, slices = self._step[place], some[:, None]
        low = losses[slices, step]
        found[some] = low + self._part[place] * (losses[slices, step + 1] - low)
        return found


def _day(world: World, bench: Bench, day: int, every: int, *, mended: bool) -> Vector:
    """Euros of one day; shape (covers, models). Models that are not born yet cost nothing."""
    rows, now = thinned(bench.log.of(day, mended=mended), every), world.on(day)
    scale = TIFFIN_ORDERS / world.orders_per_day * every
    minutes = np.zeros((len(Cover), len(bench.models)))
    same = np.array_equal(rows.logs[Lane.DEPLOYED], rows.logs[Lane.SOUND])
    typical = _typical_loss(bench.log, day, rows, every)
    for lanes in ((Lane.DEPLOYED, Lane.SOUND), (Lane.PREVIOUS,)) if same else ((lane,) for lane in Lane):
        losses = _losses(rows, lanes[0], typical)
        there = np.flatnonzero(np.isin(bench.lanes, lanes) & (bench.born <= day))
        minutes[:, there] = _minutes(losses, bench, there)
    euros = minutes * scale * PRICES.minute
    euros[:, ~bench.rolled_back] += (now.latency_ms > PRICES.bound_ms) * PRICES.slow * scale * rows.slice.size
    copies = PRICES.copy * scale * int((rows.copies - 1).sum())
    euros[[Cover.NONE, Cover.CALENDAR]] += copies
    if not mended and any(name == "broken-labels" for name, _ in now.feed):
        euros += PRICES.blind_day
    caught = bool(copies) or bool(rows.breaks.any())
    euros[Cover.QUARANTINE] += PRICES.cover_day * caught
    outside = bench.log.left[rows.slice].mean() > 0.01
    euros[Cover.FALLBACK] += PRICES.cover_day * (caught or outside)
    return euros


def _typical_loss(log: Logbook, day: int, rows: Answers, every: int) -> Vector:
    """What the fallback loses on each row; NaN where no cover asks it, or it has no answer.

    It answers from its table; where only the clock is wrong, with the model and the service's own clock.
    """
    asked = rows.breaks | log.left[rows.slice]
    if not asked.any():
        return np.full(rows.slice.size, np.nan)
    own_clock = np.exp(log.of(day, mended=True).logs[Lane.SOUND][::every])
    said = np.where(rows.clock & ~rows.default, own_clock, fallback(log, day, rows))
    return np.where(asked, _excess(rows, said), np.nan)


def _excess(rows: Answers, said: Vector) -> Vector:
    """Expected minutes of error above the floor, up to the refund; shape of `said`."""
    above = rows.law.absolute_error(np.clip(said, LEAST_MIN, MOST_MIN)) - rows.law.absolute_error()
    return np.clip(above, 0.0, PRICES.refund_min)


def _losses(rows: Answers, lane: Lane, typical: Vector) -> Losses:
    in_order = np.argsort(rows.slice, kind="stable")
    there, first = np.unique(rows.slice[in_order], return_index=True)

    def by_slice(values: Vector, which: NDArray[np.bool_]) -> Vector:
        sums = np.zeros((SLICES, *values.shape[:-1]))
        sums[there] = np.add.reduceat(np.where(which, values, 0.0)[..., in_order], first, axis=-1).T
        return sums

    def on_grid(logs: Vector) -> Vector:
        moved = np.where(rows.default, 0.0, GRID[:, None])
        return _excess(rows, np.exp(logs + moved))

    loss = on_grid(rows.logs[lane])
    everything = np.ones(rows.slice.size, dtype=bool)
    return Losses(
        sound=by_slice(loss, ~rows.breaks),
        untold=by_slice(loss, ~rows.breaks & np.isnan(typical)),
        broken=by_slice(loss, rows.breaks),
        festive=None if rows.festive is None else by_slice(on_grid(rows.festive[lane]), everything),
        typical=by_slice(np.nan_to_num(typical), ~rows.breaks),
        broken_typical=float(typical[rows.breaks].sum()),
    )


def _minutes(losses: Losses, bench: Bench, there: NDArray[np.int64]) -> Vector:
    """Minutes of one day above the floor, all orders together; shape (covers, models that are there)."""
    by_slice = bench.read(losses.sound, there)
    sound, broken = by_slice.sum(axis=0), bench.read(losses.broken, there).sum(axis=0)
    caught = losses.typical[:, None] + bench.read(losses.untold, there)
    covered = np.where(bench.strange[:, there], caught, by_slice).sum(axis=0)
    none, typical = sound + broken, losses.broken_typical
    calendar = none if losses.festive is None else bench.read(losses.festive, there).sum(axis=0)
    return np.stack([none, covered + typical, sound + typical, calendar])
