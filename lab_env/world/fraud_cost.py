"""What the fraud score costs in euros, in every state; the same idea as for delivery times, smaller.

The rule blocks first (`payments.rule_blocks`); the score decides about the payments that the rule leaves. It
is the exact probability of quiet days. A payment is stopped where the fraud that it would let through costs
more than the customer that it would annoy; who is stopped can confirm it, so the bank still tells.

Labels come 10 to 45 days later, and frauds before all others. Who compares the frauds that were reported
with those *that would have been by now* sees a wave in time; who takes an unlabelled payment for a genuine
one learns that there is no fraud at all.

- An offset shifts all log odds by one number: a wave makes every payment more suspect alike.
- A retrain adds to the probability in each slice, voucher or not and old account or not, what the score
  missed there: a ring comes on top of the frauds that are known, in places of its own.
- A retrain on the new takes who has not complained for genuine.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from lab_env.world.city import Vector
from lab_env.world.cost import TIFFIN_ORDERS, Costs, Cover, Learned, models
from lab_env.world.payments import (
    FIRST_CHARGEBACK,
    FRAUD,
    GENUINE,
    LAST_CHARGEBACK,
    PAYMENTS_PER_ORDER,
    paid_on,
    probability,
)
from lab_env.world.tiffin import World

FEE_EUR = 15.0
"""What the bank asks for a chargeback, on top of the amount."""

MARGIN = 0.1
"""Share of the amount that Tiffin loses, on average, when it stops a genuine payment: some give up."""

GOODWILL_EUR = 1.0
"""What a customer who had to confirm a payment costs beside it."""

OLD_ACCOUNT_DAYS = 180.0

KINDS = 4
"""Slices: voucher or not, from an old account or not."""

MEMORY_DAYS = 60
OFFSET_DAYS = slice(10, 24)
RETRAIN_DAYS = slice(10, 31)
RECENT_DAYS = slice(0, 28)
"""Ages of the payments that a correction is made from, in days before its morning, less one."""

OLD_FRAUDS = 5.0
"""Frauds for which the old model counts, in each comparison."""

OLD_ROWS = 200.0
"""Payments of a slice for which the old model counts when it is retrained."""

GRID = np.linspace(-4.0, 4.0, 81)
"""Shifts of the log odds at which costs are computed."""

ADDED = np.concatenate([np.arange(0.0, 0.2, 0.005), np.arange(0.2, 1.01, 0.05)])
"""The same for what a retrain adds to the probability."""


@dataclass(frozen=True)
class Scored:
    """One day's payments that the rule left. Shape (n,).

    Attributes:
        kind: slice; 2 for a voucher + 1 for an old account.
        log_odds: of a fraud, by the score of quiet days and by the previous bundle's; shape (2, n). That
            one does not read the age of the account.
        bar: log odds above which a payment is stopped.
        passed: what it costs to let it through, expected.
        stopped: what it costs to stop it.
        reported: days from this one to the chargeback; NaN where there is none.
    """

    kind: NDArray[np.int64]
    log_odds: Vector
    bar: Vector
    passed: Vector
    stopped: Vector
    reported: Vector


def fraud_costs(world: World, first_day: int, days: int) -> Costs:
    """The table of a range of days, for the oracle and for plays; covers and mending change nothing in it.

    >>> from lab_env.world.cost import CHAMPION, PREVIOUS
    >>> quiet = fraud_costs(World(scenario="quiet", orders_per_day=200), 60, 5)
    >>> quiet.of(62, CHAMPION) < 1 < quiet.of(62, PREVIOUS)
    True
    """
    oldest = max(0, first_day - MEMORY_DAYS)
    log = [scored(world, day) for day in range(oldest, first_day + days)]
    every = models(first_day, days, views=1)
    born, adds = (
        np.array([each.day for each in every]),
        np.array([each.how is Learned.RETRAINED for each in every]),
    )
    learned, previous = _models(log, first_day, days, oldest)
    scale = TIFFIN_ORDERS / (world.orders_per_day * PAYMENTS_PER_ORDER)
    table = np.zeros((days, 2, len(Cover), born.size))
    for at in range(days):
        rows = log[first_day - oldest + at]
        for lane in (0, 1):
            there = np.flatnonzero((previous == lane) & (born <= first_day + at))
            euros = scale * _euros(rows, lane, learned[:, there], adds[there])
            table[at, :, :, there] = euros[:, None, None]
    versions = tuple(world.on(day).version for day in range(first_day, first_day + days))
    return Costs(world, first_day, days, table, (frozenset(),) * days, versions, views=1)


def scored(world: World, day: int) -> Scored:
    """One day's payments under the score of quiet days."""
    payments, bank = paid_on(world.day(day))
    left = ~payments["blocked"]
    rows = {name: values[left] for name, values in payments.items()}
    chance, amount = bank.law.probability[left], rows["amount_eur"]
    annoyed = MARGIN * amount + GOODWILL_EUR
    by_age = _by_age(rows["account_days"], FRAUD.age_days) - _by_age(rows["account_days"], GENUINE.age_days)
    odds = probability(rows, world.city)
    log_odds = np.log(odds) - np.log1p(-odds)
    return Scored(
        kind=2 * rows["voucher"].astype(np.int64) + (rows["account_days"] >= OLD_ACCOUNT_DAYS),
        log_odds=np.stack([log_odds, log_odds - by_age]),
        bar=np.log(annoyed / (amount + FEE_EUR)),
        passed=chance * (amount + FEE_EUR),
        stopped=(1 - chance) * annoyed,
        reported=np.where(bank.fraud[left] > 0, bank.labelled[left] - day, np.nan),
    )


def told_by(age_days: Vector) -> Vector:
    """Share of frauds whose chargeback has come by this age.

    >>> told_by(np.array([5.0, 10.0, 27.5, 45.0, 60.0])).round(2).tolist()
    [0.0, 0.0, 0.63, 1.0, 1.0]
    """
    part = (age_days - FIRST_CHARGEBACK) / (LAST_CHARGEBACK - FIRST_CHARGEBACK)
    return np.asarray(np.clip(part, 0, 1) ** (1 / 1.5))


def _by_age(account_days: Vector, mean_days: float) -> Vector:
    return np.asarray(-account_days / mean_days - np.log(mean_days))


def _euros(rows: Scored, lane: int, learned: Vector, adds: NDArray[np.bool_]) -> Vector:
    """Euros above the best decisions, a model each; `learned` per kind, shape (KINDS, models)."""
    euros = np.zeros(adds.size)
    for kind in range(KINDS):
        of = rows.kind == kind
        passed, stopped = rows.passed[of], rows.stopped[of]
        log_odds, bar = rows.log_odds[lane, of], rows.bar[of]
        for columns, grid, needed in (
            (~adds, GRID, bar - log_odds),
            (adds, ADDED, expit(bar) - expit(log_odds)),
        ):
            decided = np.where(needed < grid[:, None], stopped, passed) - np.minimum(passed, stopped)
            euros[columns] += np.interp(learned[kind, columns], grid, decided.sum(axis=1))
    return euros


def _models(log: list[Scored], first_day: int, days: int, oldest: int) -> tuple[Vector, Vector]:
    """What every model has learned, shape (KINDS, models); and whether it is the older bundle's."""
    age = np.arange(1, MEMORY_DAYS + 1)
    past = first_day - oldest + np.arange(days)[:, None] - age[None, :]
    there = (past >= 0)[:, :, None]
    told = told_by(np.asarray(age - 0.5, dtype=float))[None, :, None]

    def looking_back(values: list[Vector]) -> Vector:
        return np.where(there, np.stack(values)[np.maximum(past, 0)], 0.0)

    reported = np.stack([_reported(rows) for rows in log])[np.maximum(past, 0), age - 1]
    seen = np.where(there, reported, 0.0)
    rows = looking_back([np.bincount(each.kind, minlength=KINDS).astype(float) for each in log]) * told
    learned, previous = [np.zeros((KINDS, 2))], [np.array([0, 1])]
    for lane in (0, 1):
        expected = looking_back([_expected(each, lane) for each in log])
        by_now = expected * told
        overall = _ratio(seen[:, OFFSET_DAYS].sum(axis=(1, 2)), by_now[:, OFFSET_DAYS].sum(axis=(1, 2)))
        missed = (seen - by_now)[:, RETRAIN_DAYS].sum(axis=1) / (rows[:, RETRAIN_DAYS].sum(axis=1) + OLD_ROWS)
        naive = _ratio(seen[:, RECENT_DAYS].sum(axis=1), expected[:, RECENT_DAYS].sum(axis=1))
        learned += [np.tile(overall, (KINDS, 1)), np.maximum(missed, 0).T, naive.T]
        previous.append(np.full(days * len(Learned), lane))
    return np.concatenate(learned, axis=1), np.concatenate(previous)


def _ratio(frauds: Vector, expected: Vector) -> Vector:
    """Log of how many more frauds there were than the score said."""
    return np.asarray(np.log((frauds + OLD_FRAUDS) / (expected + OLD_FRAUDS)))


def _reported(rows: Scored) -> Vector:
    """Frauds of each kind that are reported by the morning of each later day; shape (MEMORY_DAYS, KINDS)."""
    there = rows.reported <= MEMORY_DAYS
    place = (np.ceil(rows.reported[there]).astype(np.int64) - 1) * KINDS + rows.kind[there]
    cells = np.bincount(place, minlength=MEMORY_DAYS * KINDS)
    return np.asarray(cells.reshape(MEMORY_DAYS, KINDS).cumsum(axis=0), dtype=float)


def _expected(rows: Scored, lane: int) -> Vector:
    """Frauds of each kind that a score expects."""
    return np.bincount(rows.kind, weights=expit(rows.log_odds[lane]), minlength=KINDS).astype(float)
