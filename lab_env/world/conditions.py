"""What one day is like: every knob that an incident can turn, at rest unless one does."""

from dataclasses import dataclass

ZONES = ("centre", "harbour", "hill", "market", "river", "station", "airport")
"""The parts of the city. Nobody orders from the last one until an incident opens it."""

OLD_ZONES = len(ZONES) - 1

LATENCY_MS = 80.0
"""What the service takes for a prediction when it is well."""


@dataclass(frozen=True)
class Conditions:
    """The state of Tiffin on one day. The defaults are a dry, ordinary day.

    Attributes:
        wetness: how much of the monsoon has arrived, 0 to 1.
        rain_factor: on the millimetres that fall in a wet hour.
        demand_factor: on the orders per hour.
        distance_factor: on the straight-line distance that customers order over.
        items_factor: on the items beyond the first.
        promotion_rate: share of orders with a promotion.
        couriers_factor: on the couriers that are free.
        festival: whether the calendar says so.
        new_zone: orders from the new zone, as a share of what an old one has on average.
        ride_factors: on the minutes per kilometre, per zone of `ZONES`.
        kitchen_factor: on the minutes that a kitchen takes.
        stacking_min: minutes that an order waits on board for another one to be delivered.
        label_lag_days: until a 30-minute delivery is reported; it grows with the square of the minutes.
        fraud_odds: on the odds that a payment is a fraud.
        ring_share: of the frauds, how many are the ring's.
        feed: what breaks the feed: names of `feed.BREAKS` and the share of rows that it hits.
        version: of the deployed bundle.
        prediction_factor: on what the deployed model predicts, by the deploy's fault.
        serving_skew: column and factor by which the online feature differs from the offline one.
        latency_ms: of a prediction.
    """

    wetness: float = 0.0
    rain_factor: float = 1.0
    demand_factor: float = 1.0
    distance_factor: float = 1.0
    items_factor: float = 1.0
    promotion_rate: float = 0.12
    couriers_factor: float = 1.0
    festival: bool = False
    new_zone: float = 0.0
    ride_factors: tuple[float, ...] = (1.0,) * len(ZONES)
    kitchen_factor: float = 1.0
    stacking_min: float = 0.0
    label_lag_days: float = 0.0
    fraud_odds: float = 1.0
    ring_share: float = 0.0
    feed: tuple[tuple[str, float], ...] = ()
    version: int = 1
    prediction_factor: float = 1.0
    serving_skew: tuple[str, float] = ("", 1.0)
    latency_ms: float = LATENCY_MS
