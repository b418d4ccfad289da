"""Incidents of the city: inputs that move, and relations that change under them.

Sizes are chosen so that a person at Tiffin would notice the harm, and so that one day is too little to be
sure of it.
"""

from dataclasses import dataclass, replace

from lab_env.world.conditions import ZONES, Conditions
from lab_env.world.incidents.base import Action, Incident, Kind, toward

CROWD = ("orders", "demand", "couriers_free", "kitchen_queue")
NOISE = "A day or two of data is mostly that day's luck: it learns noise."
OLDER = "The older model knows even less."
STAYS = "It does not pass: the city has changed, and the harm is there every day."
SHIFTED = (
    "A constant from some days of errors takes much of the harm away at once.",
    "With enough new days it learns the change, and keeps the rest from all the others.",
    "With enough new days that works too: the old ones tell of a city that is gone.",
)


@dataclass(frozen=True, kw_only=True)
class DecoyWeek(Incident):
    """A promotion for large baskets: inputs move, and nothing is wrong."""

    days: int | None = 7
    size: float = 1.6

    name = "decoy-week"
    says = "A promotion makes baskets larger and brings them further. The model copes."
    unit = "factor on the items beyond the first"
    least, most = 1.0, 2.0
    kind = Kind.INPUTS
    touches = ("items", "basket_eur", "distance_km", "promotion", *CROWD)
    told_by = "Inputs move; the error does not, when compared with quiet days of like inputs."
    right = (Action.WAIT,)
    because = ("The error is at its floor. Note the days, so that nobody trains on them unawares.",)
    advice = "Wait, and annotate the days."
    wrong = (
        (Action.RETRAIN_RECENT, "It forgets everything but the promotion."),
        (Action.ROLLBACK, "There is nothing to mend, and the older model is worse."),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """Larger, further, and more of them."""
        return replace(
            now,
            items_factor=now.items_factor * toward(self.size, strength),
            distance_factor=now.distance_factor * toward(1 + (self.size - 1) / 4, strength),
            promotion_rate=now.promotion_rate + (0.5 - now.promotion_rate) * strength,
        )


@dataclass(frozen=True, kw_only=True)
class Monsoon(Incident):
    """The rains, as every year: a model trained on a year with a monsoon has seen them."""

    ramp_days: int = 6

    name = "monsoon"
    says = "The rains come, as they do every year: from 3 mm a day to 20."
    unit = "wetness"
    kind = Kind.INPUTS
    touches = ("rain_mm", "temperature_c", *CROWD)
    told_by = (
        "Inputs move, and so does even a perfect model's error; against last year's wet days nothing did."
    )
    right = (Action.WAIT,)
    because = ("Against last year's wet days nothing changed: what is left of the error is the rain's own.",)
    advice = "Wait, and compare with last year's wet days."
    wrong = (
        (Action.RETRAIN_RECENT, "It forgets the dry season, which comes back."),
        (Action.ROLLBACK, "There is nothing to mend, and the older model is worse."),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """More wet hours."""
        return replace(now, wetness=max(now.wetness, self.size * strength))


@dataclass(frozen=True, kw_only=True)
class UnseenRain(Incident):
    """Cloudbursts: more rain in an hour than any model has been trained on."""

    days: int | None = 40
    size: float = 7.0

    name = "unseen-rain"
    says = "Cloudbursts: more rain in an hour than any day of training had. Streets stand under water."
    unit = "factor on the millimetres of a wet hour"
    least, most = 1.0, 15.0
    kind = Kind.INPUTS
    touches = ("rain_mm", "temperature_c", *CROWD)
    told_by = "Inputs leave what was trained on; the error rises in the wettest hours only."
    right = (Action.FALLBACK, Action.RETRAIN)
    because = (
        "Beyond what it was trained on, a careful default beats a confident guess.",
        "When enough such hours are in, it learns them and keeps what it knew.",
    )
    advice = "A fallback for those hours; collect, then retrain on old + new."
    wrong = (
        (Action.ROLLBACK, OLDER),
        (Action.RETRAIN_RECENT, "It forgets the dry hours."),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """A few more wet hours, each much wetter."""
        return replace(
            now,
            wetness=max(now.wetness, 0.25 * strength),
            rain_factor=now.rain_factor * toward(self.size, strength),
        )


@dataclass(frozen=True, kw_only=True)
class NewZone(Incident):
    """Tiffin opens the airport: a zone that no model has seen."""

    size: float = 0.8

    name = "new-zone"
    says = "Tiffin opens at the airport: a zone that no model has seen."
    unit = "orders, as a share of an old zone's"
    most = 3.0
    kind = Kind.INPUTS
    touches = ("orders", "demand")
    told_by = "A category that training never had; the error is high in that slice and nowhere else."
    right = (Action.FALLBACK, Action.RETRAIN)
    because = (
        "A default for the zone is honest about what is not known yet.",
        "With some weeks of the airport among all the old days, it is one zone more.",
    )
    advice = "A fallback for the zone; collect, then retrain on old + new."
    wrong = (
        (Action.ROLLBACK, OLDER),
        (Action.RETRAIN_RECENT, NOISE),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """Orders from the airport beside all others."""
        return replace(now, new_zone=self.size * strength)


@dataclass(frozen=True, kw_only=True)
class CourierShortage(Incident):
    """A competitor hires: fewer couriers are free. The model is told, so it copes for the most part."""

    days: int | None = 45
    size: float = 0.6

    name = "courier-shortage"
    says = "A competitor hires Tiffin's couriers: fewer are free at every hour, and every order says so."
    unit = "share of the couriers that is gone"
    most = 0.95
    kind = Kind.INPUTS
    touches = ("couriers_free",)
    told_by = "`couriers_free` moves, known at order time; the error against like conditions hardly does."
    right = (Action.WAIT, Action.RETRAIN)
    because = (
        "The model reads how many are free, and its error stays near the floor.",
        "With enough days it learns the scarce hours better; the old days keep the others.",
    )
    advice = "Wait, or retrain on enough days."
    wrong = (
        (Action.OFFSET, "The relation is what it was: calling it concept drift corrects what is right."),
        (Action.ROLLBACK, OLDER),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """Fewer are free."""
        return replace(now, couriers_factor=now.couriers_factor * toward(1 - self.size, strength))


@dataclass(frozen=True, kw_only=True)
class NewBridge(Incident):
    """A bridge opens: the straight line stays, the way gets shorter."""

    size: float = 0.55
    zones: tuple[str, ...] = ("river", "harbour")

    name = "new-bridge"
    says = "A bridge opens by the river. `distance_km` is the straight line, so no column changes."
    unit = "factor on the minutes per kilometre"
    least, most = 0.2, 3.0
    kind = Kind.RELATION
    touches = ("minutes",)
    told_by = "The error is up in two zones; inputs, version and labels are sound."
    right = (Action.OFFSET, Action.RETRAIN, Action.RETRAIN_RECENT)
    because = SHIFTED
    advice = "An offset for the zones now; retrain on enough days."
    wrong = (
        ("retrain on day 1", NOISE),
        (Action.WAIT, STAYS),
        (Action.ROLLBACK, OLDER),
    )

    def __post_init__(self) -> None:
        """Refuse a zone that there is not."""
        super().__post_init__()
        self.refuse_unknown("zone", self.zones, ZONES)

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """Rides that cross the river are shorter."""
        factor = toward(self.size, strength)
        rides = zip(ZONES, now.ride_factors, strict=True)
        return replace(
            now, ride_factors=tuple(ride * factor if zone in self.zones else ride for zone, ride in rides)
        )


@dataclass(frozen=True, kw_only=True)
class OrderStacking(Incident):
    """Couriers carry two orders at once, and no system records it."""

    size: float = 6.0

    name = "order-stacking"
    says = "Couriers begin to carry two orders at once. Nobody records it."
    unit = "minutes on board"
    least, most = -5.0, 60.0
    kind = Kind.RELATION
    touches = ("minutes",)
    told_by = "The error is up everywhere and to one side; inputs, version and labels are sound."
    right = (Action.OFFSET, Action.RETRAIN, Action.RETRAIN_RECENT)
    because = SHIFTED
    advice = "An offset now; retrain on enough days."
    wrong = (
        ("retrain on day 1", NOISE),
        (Action.WAIT, STAYS),
        (Action.ROLLBACK, OLDER),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """Every order waits on board."""
        return replace(now, stacking_min=now.stacking_min + self.size * strength)


@dataclass(frozen=True, kw_only=True)
class Festival(Incident):
    """The lights festival: everyone orders, and streets are closed. It comes back every year."""

    days: int | None = 4
    every: int | None = 365
    size: float = 1.3

    name = "festival"
    says = "The lights festival: everybody orders, streets are closed, and a few days later it is over."
    unit = "factor on the minutes of kitchens and rides"
    least, most = 1.0, 2.0
    kind = Kind.BOTH
    touches = ("festival", *CROWD, "minutes")
    told_by = "The calendar."
    right = (Action.CALENDAR,)
    because = ("It came last year on a day that the calendar knew: what was learnt then holds now.",)
    advice = "Serve the slice that knows the festival from last year."
    wrong = (
        (Action.RETRAIN, "The week after, it is wrong everywhere else."),
        (Action.RETRAIN_RECENT, "The week after, it is wrong everywhere else."),
        (Action.OFFSET, "It comes too late, and is wrong the week after."),
    )

    def apply(self, now: Conditions, strength: float) -> Conditions:
        """Demand rises with the calendar's flag, and rides and kitchens take longer."""
        factor = toward(self.size, strength)
        return replace(
            now,
            festival=True,
            kitchen_factor=now.kitchen_factor * factor,
            ride_factors=tuple(ride * factor for ride in now.ride_factors),
        )
