"""One drift index by hand: the population stability index, PSI."""

# task: read-an-index

import numpy as np


def cuts(reference: np.ndarray, bins: int = 10) -> np.ndarray:
    """Where to cut a column so that each piece has about as much of `reference`. Given."""
    known = reference[~np.isnan(reference)]
    return np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))


def stability_index(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """How far the shares of `current` have moved away from those of `reference`; 0 when they are equal.

    sum over the bins of (c - r) * ln(c / r), with r and c the *shares* of a bin. A bin that is empty counts
    as half a row, as the logarithm of nothing is infinite.

    Args:
        reference: rows per bin, shape (bins,).
        current: rows per bin, shape (bins,) or (days, bins): an index a day.

    Returns:
        One value, or one a day; NaN for a day without rows.
    """
    rows = current.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.maximum(reference, 0.5) / reference.sum()
        c = np.maximum(current, 0.5) / rows
        index = (c * np.log(c / r)).sum(axis=-1)
    return np.where(rows[..., 0] > 0, index, np.nan)
