"""Orders on their way to a service: what is sent of each, when, and when its label becomes known."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from lab_env.replay.errors import ReplayError
from lab_env.world import ZONES, Columns
from lab_env.world.schema import ORDERS, Known

OUTCOMES = frozenset(column.name for column in ORDERS if column.known is Known.LATER)
"""Columns that nobody knows when the order is placed. All others are sent."""

WORDS: Mapping[str, Sequence[str]] = {"zone": ZONES}
"""Columns that hold a place in a list, and the list."""

PER_DAY = 24
"""Ticks in a day: labels come in batches, one each simulated hour."""


@dataclass(frozen=True)
class Tick:
    """A simulated hour.

    Attributes:
        ends: in days since the world began.
        orders: the rows that are sent in it, by time.
        labels: the rows whose label is known when it ends and was not before.
    """

    ends: float
    orders: range
    labels: tuple[int, ...]

    @property
    def day(self) -> int:
        """On which it lies."""
        return round(self.ends * PER_DAY - 1) // PER_DAY


class Stream:
    """A range of days as the feed delivers it.

    Time never runs backwards: where the feed's clock says that a row was placed before the one ahead of
    it, it arrives together with that one. The feed may also deliver an order twice; then both rows are
    sent, and the label of the order once.
    """

    def __init__(self, columns: Columns) -> None:
        """Take columns of one length, as `World.orders` gives them.

        Raises:
            ReplayError: a column that is needed is not there, or there are no orders.
        """
        for name in ("order_id", "placed", *sorted(OUTCOMES)):
            if name not in columns:
                raise ReplayError(f"The orders have no column `{name}`. Take them from `World.orders`.")
        if not len(columns["order_id"]):
            raise ReplayError("There are no orders in these days. Ask for more of them.")
        self.ids: list[int] = columns["order_id"].tolist()
        self.arrived: list[float] = np.maximum.accumulate(columns["placed"]).tolist()
        self.minutes: list[float] = columns["minutes"].tolist()
        self.labelled: list[float] = columns["labelled"].tolist()
        self._known = {name: values for name, values in columns.items() if name not in OUTCOMES}
        self._columns = columns

    def __len__(self) -> int:
        return len(self.ids)

    def body(self, row: int) -> bytes:
        """What is known about an order when it is placed, as JSON; unknown numbers are null."""
        order = {name: values[row].item() for name, values in self._known.items()}
        for name, words in WORDS.items():
            if name in order:
                order[name] = words[order[name]]
        return json.dumps({name: None if value != value else value for name, value in order.items()}).encode()

    def ticks(self) -> Iterator[Tick]:
        """The hours in which something happens, in time, until the last label is known."""
        sent_in = np.floor(np.array(self.arrived) * PER_DAY).astype(np.int64)
        rows = self._labelled_rows()
        known_in = np.ceil(np.array(self.labelled)[rows] * PER_DAY).astype(np.int64) - 1
        known_in = np.maximum(known_in, sent_in[rows])
        by_time = np.lexsort((np.array(self.labelled)[rows], known_in))
        rows, known_in = rows[by_time], known_in[by_time]
        for hour in np.union1d(sent_in, known_in).tolist():
            first, last = np.searchsorted(sent_in, [hour, hour + 1]).tolist()
            of, to = np.searchsorted(known_in, [hour, hour + 1])
            yield Tick((hour + 1) / PER_DAY, range(first, last), tuple(rows[of:to].tolist()))

    def fingerprint(self) -> str:
        """SHA-256 over names and bytes of all columns: whether two streams are the same."""
        total = hashlib.sha256()
        for name, values in self._columns.items():
            total.update(f"{name} {values.dtype} ".encode())
            total.update(np.ascontiguousarray(values).tobytes())
        return total.hexdigest()

    def _labelled_rows(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """The first row of each order, where its label will ever be known."""
        _, first = np.unique(self.ids, return_index=True)
        known = [row for row in first.tolist() if not isnan(self.labelled[row] + self.minutes[row])]
        return np.array(known, dtype=np.int64)
