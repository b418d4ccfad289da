"""Incidents among the payments."""

from dataclasses import dataclass, replace

from lab_env.world.conditions import Conditions
from lab_env.world.incidents.base import Action, Incident, Kind, toward


@dataclass(frozen=True, kw_only=True)
class FraudWave(Incident):
    """More frauds of the known kind: the prior shifts, how a fraud looks does not."""

    days: int | None = 60
    size: float = 4.0

    name = "fraud-wave"
    says = "Stolen cards are for sale: four times as many frauds, of the kind that everyone knows."
    unit = "factor on the odds of a fraud"
    least, most = 0.1, 30.0
    kind = Kind.PRIOR
    touches = ("payments", "fraud")
    told_by = "Mature labels: the share of frauds is up, at every score alike."
    right = (Action.OFFSET,)
    because = ("The odds of every score are off by one factor: few labels suffice to mend that.",)
    advice = "Recalibrate and move the threshold; retrain later."
    wrong = (
        (Action.RETRAIN_RECENT, "Blocked payments have no label: it learns from those that got through."),
        (Action.WAIT, "Frauds of the last 45 days are still unknown: unlabelled is not genuine."),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """The odds rise."""
        return replace(now, fraud_odds=now.fraud_odds * toward(self.size, strength))


@dataclass(frozen=True, kw_only=True)
class FraudRing(Incident):
    """Frauds of a new kind: gift vouchers bought from old accounts."""

    days: int | None = 60
    size: float = 0.5

    name = "fraud-ring"
    says = "A ring buys gift vouchers through old, stolen accounts: what was the safest payment no longer is."
    unit = "share of the frauds that is the ring's"
    most = 0.95
    kind = Kind.RELATION
    touches = ("payments", "fraud")
    told_by = "Mature labels: frauds at low scores, in one slice."
    right = (Action.OFFSET, Action.RETRAIN)
    because = (
        "Until its labels ripen nothing better can be had; a threshold for vouchers alone does more.",
        "With mature labels, let-through payments among them, the ring can be learnt.",
    )
    advice = "Move the threshold for the slice; retrain on mature labels later."
    wrong = (
        (Action.RETRAIN_RECENT, "Blocked payments have no label: it learns from those that got through."),
        (Action.WAIT, "The labels of the last 45 days are not in: by then the ring has moved on, paid."),
        (Action.ROLLBACK, "The older model has never seen the ring either."),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """The ring's frauds come on top: the others are as many as before."""
        ring = self.size * strength
        return replace(now, ring_share=ring, fraud_odds=now.fraud_odds / (1 - ring))
