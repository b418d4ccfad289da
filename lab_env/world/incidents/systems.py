"""Incidents of Tiffin's own systems: the feed, the labels, the deploy; the city itself is as it was."""

from dataclasses import dataclass, replace
from typing import ClassVar

from lab_env.world.conditions import LATENCY_MS, Conditions
from lab_env.world.incidents.base import Action, Incident, Kind, toward

BUG = "It learns the bug, and is wrong again when the feed is mended."
SAME_FEED = "The older model reads the same feed."
MEND_THE_FEED = "Quarantine at the contract, serve the fallback, mend, backfill, replay."


class FeedIncident(Incident):
    """What reaches Tiffin's systems is broken; what happens in the city is not.

    `size` is the share of rows that is hit when the break is full.
    """

    unit = "share of the rows"
    kind = Kind.FEED
    right = (Action.QUARANTINE, Action.FALLBACK, Action.MEND)
    because = (
        "What breaks the contract must reach no prediction and no training set.",
        "Customers get an honest default while the feed is out.",
        "The data broke, so the data is what you mend; then fill the gap and answer again.",
    )
    advice = MEND_THE_FEED
    wrong: ClassVar[tuple[tuple[str, str], ...]] = (
        (Action.RETRAIN, BUG),
        (Action.RETRAIN_RECENT, BUG),
        (Action.OFFSET, BUG),
        (Action.ROLLBACK, SAME_FEED),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """The break of this name, on a share of the rows."""
        return replace(now, feed=(*now.feed, (self.name, self.size * strength)))


@dataclass(frozen=True, kw_only=True)
class Metres(FeedIncident):
    """The map service sends metres where kilometres were agreed."""

    days: int | None = 10

    name = "metres"
    says = "The map service sends metres where kilometres were agreed."
    touches = ("distance_km",)
    told_by = "The contract: a straight line of 3,000 km does not fit into a city."


@dataclass(frozen=True, kw_only=True)
class Nulls(FeedIncident):
    """The map service stops answering for a part of the orders."""

    days: int | None = 10
    size: float = 0.4

    name = "nulls"
    says = "The map service stops answering for two orders in five: their distance is null."
    touches = ("distance_km",)
    told_by = "The contract: a column that must not be null is."


@dataclass(frozen=True, kw_only=True)
class RenamedColumn(FeedIncident):
    """A release upstream renames a column."""

    days: int | None = 6

    name = "renamed-column"
    says = "A release upstream renames `distance_km` to `dist_km`."
    touches = ("distance_km", "dist_km")
    told_by = "The contract: a column is missing, and there is one that nobody knows."


@dataclass(frozen=True, kw_only=True)
class DoubledFeed(FeedIncident):
    """A message queue delivers twice."""

    days: int | None = 8

    name = "doubled-feed"
    says = "The message queue delivers every order twice."
    touches = ("orders",)
    told_by = "The contract: an `order_id` comes twice."
    wrong = (
        (Action.RETRAIN, "It learns each order twice, and its tests see what it was trained on."),
        (Action.ROLLBACK, SAME_FEED),
    )


@dataclass(frozen=True, kw_only=True)
class ShiftedClock(FeedIncident):
    """Times arrive in another time zone."""

    days: int | None = 10

    name = "shifted-clock"
    says = "After a move of servers, times arrive five hours early."
    touches = ("placed", "hour", "day", "weekday")
    told_by = "The contract: orders at hours when every kitchen is closed."


@dataclass(frozen=True, kw_only=True)
class BrokenLabels(Incident):
    """The couriers' new app reports seconds as minutes."""

    days: int | None = 12

    name = "broken-labels"
    says = "The couriers' new app writes seconds where minutes belong."
    unit = "share of the labels"
    kind = Kind.LABELS
    touches = ("minutes",)
    told_by = "Labels jump; predictions and inputs do not."
    right = (Action.WAIT, Action.MEND)
    because = (
        "What customers are told is right: nothing that serves them has to change.",
        "The labels broke, so the labels are what you mend, before anything learns from them.",
    )
    advice = "Freeze training, mend the labels. What customers are told is right."
    wrong = (
        (Action.RETRAIN, "It learns that dinner takes a day."),
        (Action.RETRAIN_RECENT, "It learns that dinner takes a day."),
        (Action.OFFSET, "It corrects what was right."),
        (Action.ROLLBACK, "The model is not what broke."),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """A share of the labels is 60 times too large."""
        return replace(now, feed=(*now.feed, (self.name, self.size * strength)))


@dataclass(frozen=True, kw_only=True)
class LateLabels(Incident):
    """Couriers report when their shift ends: fast orders first."""

    days: int | None = 30
    size: float = 3.0

    name = "late-labels"
    says = "Reports of deliveries come late, and the slow ones last."
    unit = "days until a 30-minute delivery is reported"
    least, most = 0.1, 30.0
    kind = Kind.KNOWLEDGE
    touches = ("labelled",)
    told_by = "Coverage: the share of orders whose label is known."
    right = (Action.WAIT,)
    because = ("Labels ripen. The error of days that have nearly all of theirs can be trusted.",)
    advice = "Wait for mature labels."
    wrong = (
        (Action.OFFSET, '"The error fell": only the fast orders have reported.'),
        (Action.RETRAIN_RECENT, "It learns from the fast orders only."),
        (Action.ROLLBACK, "Nothing is wrong with the model."),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """Every report lags; it grows with the square of the minutes."""
        return replace(now, label_lag_days=self.size * strength)


class SystemIncident(Incident):
    """What is deployed is not what was tested."""

    touches = ("system",)
    kind = Kind.SYSTEM
    right = (Action.ROLLBACK,)
    because = ("The bundle before was well: model, feature code and settings go back together.",)
    advice = "Roll the whole bundle back."
    wrong = (
        (Action.RETRAIN, "The bug stays: it is not in the model."),
        (Action.RETRAIN_RECENT, "The bug stays: it is not in the model."),
        (Action.OFFSET, "It hides a bug that the next deploy brings back."),
    )


@dataclass(frozen=True, kw_only=True)
class BadDeploy(SystemIncident):
    """Version 2 has a bug after the model: its predictions are too short."""

    size: float = 0.75

    name = "bad-deploy"
    says = "Version 2 goes out with a bug behind the model: every promise is too short."
    unit = "factor on the predictions"
    least, most = 0.1, 10.0
    told_by = "The error jumps on the day of the version; inputs and labels are sound."

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """A new version whose predictions are off."""
        return replace(now, version=2, prediction_factor=toward(self.size, strength))


@dataclass(frozen=True, kw_only=True)
class ServingSkew(SystemIncident):
    """Version 2 computes a feature online in another way than in training."""

    size: float = 0.62

    name = "serving-skew"
    says = "Version 2 computes the distance online in miles; training and tests have kilometres."
    unit = "factor on the online feature"
    least, most = 0.1, 10.0
    told_by = "Offline and online answers differ for the same row; the version's date."

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """A new version that reads another distance than was logged."""
        return replace(now, version=2, serving_skew=("distance_km", toward(self.size, strength)))


@dataclass(frozen=True, kw_only=True)
class SlowService(SystemIncident):
    """Version 2 loads its model for every request."""

    size: float = 12.0

    name = "slow-service"
    says = "Version 2 loads its model for every request: it answers, late."
    unit = "factor on the latency"
    least, most = 1.0, 200.0
    told_by = "Latency; the error of what is answered is as before."
    wrong = (
        (Action.WAIT, "Every customer waits a second for a number, and the next peak makes it a queue."),
        (Action.RETRAIN, "The model is not slow: loading it for each request is."),
        (Action.OFFSET, "The answers are right. They are late."),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """A new version that is slow."""
        return replace(now, version=2, latency_ms=LATENCY_MS * toward(self.size, strength))
