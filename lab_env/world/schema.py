"""The data dictionary: every column of the world's tables, what it means, and when it is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from lab_env.world.conditions import ZONES


class Role(StrEnum):
    """What a column is to a model."""

    NAME = "name"
    TIME = "time"
    FEATURE = "feature"
    RULE = "rule"
    """Decided by Tiffin's own systems after the prediction's features and before the label."""
    LABEL = "label"


class Known(StrEnum):
    """When a column is known."""

    AT_ONCE = "at once"
    """When the order or the payment is made, or the hour begins: when the model is asked."""
    LATER = "later"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: as it stands in the files.
        type: in Arrow's words, as the files have it.
        unit: of its numbers; empty where there is none.
        range: the smallest and the largest value that is plausible in any scenario: what lies beyond came
            from a broken feed. None where values are words, or yes and no.
        means: one line for a person.
        role: what it is to a model.
        known: when it is known.
        null: whether it may be null in sound data.
    """

    name: str
    type: str
    unit: str
    range: tuple[float, float] | None
    means: str
    role: Role = Role.FEATURE
    known: Known = Known.AT_ONCE
    null: bool = False


@dataclass(frozen=True)
class Table:
    """A table: what a row is, and its columns in the order of the files."""

    name: str
    row: str
    asks: str
    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Column]:
        """Its columns."""
        return iter(self.columns)

    def named(self, *roles: Role) -> list[str]:
        """The names of the columns with one of these roles.

        >>> ORDERS.named(Role.LABEL)
        ['minutes']
        """
        return [column.name for column in self.columns if column.role in roles]


LAST_DAY = 36_500
DAY = Column(
    "day",
    "int32",
    "day",
    (0, LAST_DAY),
    "The day, counted from the world's first, a Monday in March.",
    Role.TIME,
)
WEEKDAY = Column("weekday", "int8", "", (0, 6), "0 is Monday.")
ZONE = Column("zone", "string", "", None, f"The part of the city that the order goes to: {', '.join(ZONES)}.")
FESTIVAL = Column("festival", "bool", "", None, "Whether the calendar has the lights festival on this day.")
RAIN = Column("rain_mm", "double", "mm", (0, 150), "Rain in this hour, by the weather service.")
DEGREES = Column(
    "temperature_c", "double", "°C", (10, 45), "Air temperature in this hour, by the weather service."
)


def _id(name: str, what: str) -> Column:
    return Column(
        name,
        "int64",
        "",
        (0, LAST_DAY * 1e6 + 1e6),
        f"One {what}, once: the day times a million and a number.",
        Role.NAME,
    )


def _placed(what: str) -> Column:
    return Column(
        "placed",
        "double",
        "day",
        (0, LAST_DAY + 1),
        f"When the {what} is made; 3.5 is noon on day 3.",
        Role.TIME,
    )


def _labelled(means: str, *, null: bool = True) -> Column:
    return Column("labelled", "double", "day", (0, LAST_DAY + 366), means, Role.TIME, Known.LATER, null)


ORDERS = Table(
    "orders",
    "an order",
    "How many minutes until it is at the door? Asked when it is placed.",
    (
        _id("order_id", "order"),
        DAY,
        _placed("order"),
        Column("hour", "int8", "h", (8, 23), "The hour of the day; kitchens are closed before 8."),
        WEEKDAY,
        ZONE,
        Column(
            "restaurant",
            "int16",
            "",
            (0, 83),
            "Which kitchen; twelve in each zone, and a zone orders from its own.",
        ),
        Column(
            "distance_km",
            "double",
            "km",
            (0.1, 40),
            "From kitchen to door in a straight line, by the map service.",
        ),
        Column("items", "int8", "dishes", (1, 20), "Dishes in the order."),
        Column("basket_eur", "double", "EUR", (0.5, 500), "What the dishes cost."),
        Column("promotion", "bool", "", None, "Whether a promotion was used."),
        FESTIVAL,
        RAIN,
        DEGREES,
        Column(
            "couriers_free", "int16", "couriers", (0, 60), "Couriers free around the kitchen at this moment."
        ),
        Column(
            "kitchen_queue", "int16", "orders", (0, 60), "Orders that wait in the kitchen at this moment."
        ),
        Column(
            "minutes",
            "double",
            "min",
            (1, 900),
            "From order to door. Null when the order was cancelled, or is still under way.",
            Role.LABEL,
            Known.LATER,
            null=True,
        ),
        _labelled("When `minutes` becomes known: at the door, unless reports come late. Null with it."),
    ),
)

DEMAND = Table(
    "demand",
    "a zone and an hour",
    "How many orders will come? Asked when the hour begins.",
    (
        DAY,
        Column("begins", "double", "day", (0, LAST_DAY + 1), "When the hour begins.", Role.TIME),
        Column(
            "hour", "int8", "h", (8, 23), "The hour of the day; nobody orders before 8, so it has no row."
        ),
        WEEKDAY,
        ZONE,
        RAIN,
        DEGREES,
        FESTIVAL,
        Column(
            "promotion_rate",
            "double",
            "share",
            (0, 1),
            "Share of customers who are offered a promotion this day.",
        ),
        Column(
            "orders",
            "double",
            "orders",
            (0, 200),
            "Orders placed, in the sample of 650 a day. Null until the hour is over.",
            Role.LABEL,
            Known.LATER,
            null=True,
        ),
        _labelled("When `orders` becomes known: when the hour is over. Null until then."),
    ),
)

PAYMENTS = Table(
    "payments",
    "a payment",
    "How likely is it a fraud? Asked when it is made.",
    (
        _id("payment_id", "payment"),
        DAY,
        _placed("payment"),
        Column("hour", "int8", "h", (0, 23), "The hour of the day; people pay at night too."),
        Column("amount_eur", "double", "EUR", (0.5, 2000), "What is paid."),
        Column("account_days", "double", "days", (0, 12_000), "Age of the customer's account."),
        Column(
            "new_device",
            "bool",
            "",
            None,
            "Whether the account was never used from this device before.",
        ),
        Column("failed_attempts", "int8", "", (0, 30), "Failed attempts to pay before this one."),
        Column("voucher", "bool", "", None, "Whether a gift voucher is bought, and no dinner."),
        Column(
            "let_through",
            "bool",
            "",
            None,
            "One payment in a hundred, drawn by lot, that no rule may block: to learn from.",
            Role.RULE,
        ),
        Column(
            "blocked",
            "bool",
            "",
            None,
            "Whether Tiffin's rule blocked it. What it was, nobody learns.",
            Role.RULE,
        ),
        Column(
            "fraud",
            "bool",
            "",
            None,
            "Whether the card's owner complained. Null for a blocked payment, and until it is known.",
            Role.LABEL,
            Known.LATER,
            null=True,
        ),
        _labelled("When `fraud` becomes known: 10 to 45 days later for a fraud, 45 for a sound payment."),
    ),
)

TABLES = {table.name: table for table in (ORDERS, DEMAND, PAYMENTS)}
"""By name. `orders` and `demand` are of deliveries, `payments` a larger sample of all that customers pay."""
