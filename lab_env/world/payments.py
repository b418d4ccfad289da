"""Payments: which are frauds, what the bank tells and when, and the exact probability of each.

A payment is first a fraud or not, then its features are drawn: frauds look different. So the probability
given the features follows from Bayes' rule, and a shift of how many frauds there are leaves how they look
alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab_env.world.city import DAY, WEEK, City, Vector
from lab_env.world.columns import Columns
from lab_env.world.laws import Bernoulli
from lab_env.world.orders import IDS_PER_DAY, Day
from lab_env.world.streams import Part

PAYMENTS_PER_ORDER = 3.0
"""Payments are a larger sample than orders, as frauds are rare."""

LET_THROUGH = 0.01
"""Share of all payments that no rule may block: what they turn out to be is all one can learn from."""

FIRST_CHARGEBACK, LAST_CHARGEBACK = 10.0, 45.0
"""Days until the card's owner complains. Tiffin's choice for a short course: card schemes allow months."""


@dataclass(frozen=True)
class Look:
    """How the payments of one kind look; every feature by itself.

    Attributes:
        amount: mean and standard deviation of the log of the amount in euros.
        age_days: mean age of the account; it is exponential.
        new_device: share from a device that was not seen before.
        failed: chance of one more failed attempt before, each time.
        voucher: share that buy a gift voucher.
        night: share whose hour is drawn from the whole day evenly, and not from the hours of orders.
    """

    amount: tuple[float, float]
    age_days: float
    new_device: float
    failed: float
    voucher: float
    night: float

    def log_density(self, payments: Columns) -> Vector:
        """Of the features, up to a term that all kinds share."""
        mean, sd = self.amount
        z = (np.log(payments["amount_eur"]) - mean) / sd
        hours = (1 - self.night) * DAY + self.night / 24
        return np.asarray(
            -0.5 * z**2
            - np.log(sd)
            - payments["account_days"] / self.age_days
            - np.log(self.age_days)
            + np.log(np.where(payments["new_device"], self.new_device, 1 - self.new_device))
            + payments["failed_attempts"] * np.log(self.failed)
            + np.log1p(-self.failed)
            + np.log(np.where(payments["voucher"], self.voucher, 1 - self.voucher))
            + np.log(hours)[payments["hour"]]
        )


GENUINE = Look(amount=(3.2, 0.45), age_days=400, new_device=0.06, failed=0.05, voucher=0.05, night=0.05)
FRAUD = Look(amount=(3.7, 0.6), age_days=70, new_device=0.5, failed=0.35, voucher=0.08, night=0.4)
RING = Look(amount=(3.0, 0.25), age_days=600, new_device=0.1, failed=0.04, voucher=0.92, night=0.1)
"""The ring buys small gift vouchers from old, stolen accounts: until it came, the safest of all payments."""

LOOKS = (GENUINE, FRAUD, RING)
PLAIN = ("age_days", "new_device", "failed", "voucher", "night")


@dataclass(frozen=True)
class Bank:
    """What became of a day's payments.

    Attributes:
        fraud: 1.0 or 0.0; what nobody will ever know included.
        labelled: when it becomes known; NaN for a blocked payment.
        law: the probability of a fraud given what is known when the payment is made.
    """

    fraud: Vector
    labelled: Vector
    law: Bernoulli


def base_rate(city: City, odds: float) -> float:
    """Share of frauds among all payments."""
    prior = city.fraud_rate / (1 - city.fraud_rate) * odds
    return prior / (1 + prior)


def paid_on(day: Day) -> tuple[Columns, Bank]:
    """All payments of a day in their order, and what became of them."""
    rng = day.draw(Part.PAYMENTS)
    count = int(rng.poisson(day.orders_per_day * PAYMENTS_PER_ORDER * WEEK[day.number % 7]))
    luck = day.draw(Part.PAYERS).random((count, 8))
    fraud = luck[:, 0] < base_rate(day.city, day.now.fraud_odds)
    kind = np.where(fraud, np.where(luck[:, 1] < day.now.ring_share, 2, 1), 0)
    payments = _features(day, kind, luck)
    order = np.argsort(payments["placed"], kind="stable")
    payments = {name: values[order] for name, values in payments.items()}
    payments["payment_id"] = day.number * IDS_PER_DAY + np.arange(count)
    bank = _settle(day, payments, fraud[order].astype(float))
    return {"payment_id": payments.pop("payment_id")} | payments, bank


def probability(payments: Columns, city: City, *, odds: float = 1.0, ring_share: float = 0.0) -> Vector:
    """The probability of a fraud, by Bayes' rule."""
    genuine, fraud, ring = (look.log_density(payments) for look in LOOKS)
    frauds = np.logaddexp(fraud + np.log1p(-ring_share), ring + np.log(ring_share)) if ring_share else fraud
    rate = base_rate(city, odds)
    return np.asarray(1 / (1 + np.exp(genuine - frauds) * (1 - rate) / rate))


def rule_blocks(payments: Columns) -> NDArray[np.bool_]:
    """The rule by which Tiffin blocks: much money from a new device, or two failed attempts."""
    large = payments["new_device"] & (payments["amount_eur"] > 40)
    return np.asarray(large | (payments["failed_attempts"] >= 2))


def _features(day: Day, kind: NDArray[np.int64], luck: Vector) -> Columns:
    """What the payments of each kind look like. `luck` is uniform; its columns from 2 on are still unused."""
    by_kind = {name: np.array([getattr(look, name) for look in LOOKS])[kind] for name in PLAIN}
    mean, sd = (np.array([look.amount[at] for look in LOOKS])[kind] for at in (0, 1))
    at_night = np.floor(luck[:, 3] * 24)
    as_orders = np.searchsorted(DAY.cumsum(), luck[:, 3], side="right")
    hour = np.minimum(np.where(luck[:, 2] < by_kind["night"], at_night, as_orders), 23).astype(np.int64)
    amount = np.exp(mean + sd * day.draw(Part.AMOUNTS).standard_normal(kind.size))
    attempts = np.log1p(-day.draw(Part.ATTEMPTS).random(kind.size)) // np.log(by_kind["failed"])
    return {
        "day": np.full(kind.size, day.number, dtype=np.int32),
        "placed": np.round(day.number + (hour + luck[:, 4]) / 24, 5),
        "hour": hour.astype(np.int8),
        "amount_eur": np.round(amount, 2),
        "account_days": np.round(-by_kind["age_days"] * np.log1p(-luck[:, 5]), 1),
        "new_device": luck[:, 6] < by_kind["new_device"],
        "failed_attempts": np.minimum(attempts, 99).astype(np.int8),
        "voucher": luck[:, 7] < by_kind["voucher"],
    }


def _settle(day: Day, payments: Columns, fraud: Vector) -> Bank:
    """What is blocked, and what the bank tells when."""
    luck = day.draw(Part.BANK).random((fraud.size, 2))
    payments["let_through"] = luck[:, 0] < LET_THROUGH
    payments["blocked"] = rule_blocks(payments) & ~payments["let_through"]
    complaint = FIRST_CHARGEBACK + (LAST_CHARGEBACK - FIRST_CHARGEBACK) * luck[:, 1] ** 1.5
    told = payments["placed"] + np.where(fraud > 0, complaint, LAST_CHARGEBACK)
    law = Bernoulli(probability(payments, day.city, odds=day.now.fraud_odds, ring_share=day.now.ring_share))
    return Bank(fraud, np.where(payments["blocked"], np.nan, told), law)
