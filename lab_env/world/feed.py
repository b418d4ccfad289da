"""The feed: what reaches Tiffin's systems, and how it can break on the way. The city does not notice."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lab_env.world.columns import Columns

Rows = NDArray[np.bool_]

SHIFT_HOURS = 5


def broken(columns: Columns, breaks: tuple[tuple[str, float], ...], rng: np.random.Generator) -> Columns:
    """The columns as they arrive when every one of `breaks` hits its share of the rows.

    The rows that a break hits are the same whatever else is broken.
    """
    luck = rng.random(columns["order_id"].size)
    for name, share in breaks:
        columns = BREAKS[name](dict(columns), luck < share)
    return columns


def _metres(columns: Columns, hit: Rows) -> Columns:
    columns["distance_km"] = np.where(hit, columns["distance_km"] * 1000, columns["distance_km"])
    return columns


def _nulls(columns: Columns, hit: Rows) -> Columns:
    columns["distance_km"] = np.where(hit, np.nan, columns["distance_km"])
    return columns


def _renamed(columns: Columns, hit: Rows) -> Columns:
    return {("dist_km" if name == "distance_km" and hit.any() else name): columns[name] for name in columns}


def _doubled(columns: Columns, hit: Rows) -> Columns:
    rows = np.repeat(np.arange(hit.size), 1 + hit)
    return {name: values[rows] for name, values in columns.items()}


def _shifted(columns: Columns, hit: Rows) -> Columns:
    early = np.where(hit, SHIFT_HOURS / 24, 0)
    columns["placed"] = np.round(columns["placed"] - early, 5)
    columns["hour"] = ((columns["hour"] - SHIFT_HOURS * hit) % 24).astype(np.int8)
    columns["day"] = np.floor(columns["placed"]).astype(np.int32)
    columns["weekday"] = (columns["day"] % 7).astype(np.int8)
    return columns


def _seconds(columns: Columns, hit: Rows) -> Columns:
    columns["minutes"] = np.where(hit, np.round(columns["minutes"] * 60), columns["minutes"])
    return columns


BREAKS: dict[str, Callable[[Columns, Rows], Columns]] = {
    "metres": _metres,
    "nulls": _nulls,
    "renamed-column": _renamed,
    "doubled-feed": _doubled,
    "shifted-clock": _shifted,
    "broken-labels": _seconds,
}
