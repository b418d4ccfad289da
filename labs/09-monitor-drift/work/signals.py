"""What can be seen of each day, one row a day: the log's thousands of rows as a dozen numbers.

Given, but for `relative_error` and `expected_error`.
"""

# task: set-the-alarm

import numpy as np
import pandas as pd
from index import cuts, stability_index
from labels import mature_on

RAIN = [0.05, 1.0, 3.0, 6.0]
"""Orders in like weather are compared: dry, and four bands of millimetres an hour."""


def relative_error(log: pd.DataFrame) -> pd.Series:
    """How far the promise was off, as a share of it: 0.2 is 5 minutes of 25, or 10 of 50."""
    return (log["minutes"] - log["promised"]).abs() / log["promised"]


def expected_error(reference: pd.DataFrame, log: pd.DataFrame) -> pd.Series:
    """For each row of `log`, the mean relative error of the quiet rows in like weather: its *matched* error.

    Rain makes even a perfect model's promises less certain. What that explains is no harm.
    """
    return pd.Series(relative_error(reference).mean(), log.index)


def signals(
    reference: pd.DataFrame, log: pd.DataFrame, features: list[str], first_day: int, last_day: int
) -> pd.DataFrame:
    """A row for each day from `first_day` to `last_day`, whether the log has it or not.

    Args:
        reference: quiet days, joined with their labels.
        log: the days to look at, joined with the labels that have come.
        features: the columns whose shape is watched.

    Returns:
        By day: `rows`; `nulls`, `outside`, `doubled`: the share of rows with a hole, with a value that no
        quiet day ever came near, with an order that was there before; `worst`: the column that is to blame;
        `odd_labels`: the share of labels that no delivery can have; `known_on`: the evening on which its
        labels were in; `error`: relative error beyond what is expected in like weather; and for each
        feature its index, as `psi_…`.
    """
    table = pd.DataFrame(index=pd.RangeIndex(first_day, last_day + 1, name="day"))
    log = log[log["day"].between(first_day, last_day)].reset_index(drop=True)
    day = log["day"].to_numpy() - first_day
    rows = np.bincount(day, minlength=len(table))
    table["rows"] = rows

    def share(flags: np.ndarray) -> np.ndarray:
        return np.bincount(day, weights=flags, minlength=len(table)) / np.maximum(rows, 1)

    holes, strange = {}, {}
    for name in [*features, "hour"]:
        column = log.get(name, pd.Series(np.nan, log.index)).to_numpy(dtype=float)
        known = reference[name].to_numpy(dtype=float)
        low, high = np.nanmin(known), np.nanmax(known)
        holes[name] = share(np.isnan(column))
        strange[name] = share((column < low) | (column > 10 * high))
        if name in features:
            edges = cuts(known)
            size = len(edges) + 1
            before = np.bincount(np.searchsorted(edges, known[~np.isnan(known)]), minlength=size)
            there = ~np.isnan(column)
            place = day[there] * size + np.searchsorted(edges, column[there])
            counts = np.bincount(place, minlength=len(table) * size).reshape(len(table), size)
            table[f"psi_{name}"] = stability_index(before, counts)
    table["nulls"], table["outside"] = np.max(list(holes.values()), 0), np.max(list(strange.values()), 0)
    blame = {name: np.maximum(holes[name], strange[name]) for name in holes}
    table["worst"] = pd.DataFrame(blame, table.index).idxmax(axis=1)
    table["doubled"] = share(log["order_id"].duplicated().to_numpy())

    labelled = log["minutes"].notna().to_numpy()
    odd = log["minutes"] > 3 * reference["minutes"].max()
    table["odd_labels"] = share(odd) / np.maximum(share(labelled), 1e-9)
    table["known_on"] = mature_on(log).reindex(table.index, fill_value=np.inf)
    in_time = labelled & (np.ceil(log["labelled"]) - 1 <= log["day"].map(table["known_on"])).to_numpy()
    excess = (relative_error(log) - expected_error(reference, log)).where(in_time)
    table["error"] = excess.groupby(log["day"]).mean().reindex(table.index)
    table.loc[np.isinf(table["known_on"]), "error"] = np.nan
    return table
