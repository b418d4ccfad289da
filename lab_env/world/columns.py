"""Columns: the shape in which everything in the world is handed over."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]
"""Columns of one length, by name. What is not known is NaN."""


def joined(parts: Sequence[Columns]) -> Columns:
    """Parts one after the other. A column that a part does not have is NaN there."""
    names = list(dict.fromkeys(name for part in parts for name in part))
    if all(len(part) == len(names) for part in parts):
        return {name: np.concatenate([part[name] for part in parts]) for name in names}
    return {name: np.concatenate([_or_nan(part, name) for part in parts]) for name in names}


def merged(parts: Sequence[Columns]) -> Columns:
    """Parts with the same columns as one, by the moment that they were placed."""
    if len(parts) == 1:
        return parts[0]
    columns = joined(parts)
    by_time = np.argsort(columns["placed"], kind="stable")
    return {name: values[by_time] for name, values in columns.items()}


def known(columns: Columns, as_of: float | None, placed: str, label: str) -> Columns:
    """What was known at a moment: rows that were there, labels that had come; all of it when None."""
    if as_of is None:
        return columns
    there = columns[placed] <= as_of
    columns = {name: values[there] for name, values in columns.items()}
    unknown = ~(columns["labelled"] <= as_of)
    return columns | {name: np.where(unknown, np.nan, columns[name]) for name in (label, "labelled")}


def _or_nan(part: Columns, name: str) -> NDArray[Any]:
    if name in part:
        return part[name]
    return np.full(len(next(iter(part.values()))), np.nan)
