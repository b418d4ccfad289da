"""Bring predictions and labels together, as far as the labels have come."""

# task: join-labels

import numpy as np
import pandas as pd


def join_labels(predictions: pd.DataFrame, labels: pd.DataFrame, as_of: float) -> pd.DataFrame:
    """The predictions, every row of them, with `minutes` and `labelled` where they were known at `as_of`.

    Args:
        predictions: a row per answer of the service; a broken feed can bring an order twice.
        labels: `order_id`, `minutes`, `labelled` (the moment, in days). A report can be corrected: then an
            order has several rows, and at any moment the last one that had come counts.
        as_of: the moment, in days since the world began.
    """
    known = labels[labels["labelled"] <= as_of].sort_values("labelled")
    known = known.drop_duplicates("order_id", keep="last")
    return predictions.merge(known[["order_id", "minutes", "labelled"]], on="order_id", how="left")


def fraud_rate(payments: pd.DataFrame, as_of: float, wait_days: float = 45.0) -> float:
    """The share of frauds among payments whose label is final at `as_of`.

    A fraud is reported 10 to 45 days later. A sound payment is never reported: after 45 days it is *taken*
    for sound and labelled. A blocked payment (`blocked`) is never labelled.

    Args:
        payments: `placed` and `labelled` in days, `fraud` (1, 0, or nothing while nobody knows).
        as_of: the moment.
        wait_days: after which every label that will ever come has come.
    """
    return float(payments["fraud"].astype(float).mean())


def mature_on(joined: pd.DataFrame, share: float = 0.9) -> pd.Series:
    """For each day, the evening on which so many of *all* its orders had a label; inf while they have not.

    Given. Of all, not of those that are labelled by now: of those, everything is labelled.
    """
    days = np.unique(joined["day"])
    return pd.Series(days.astype(float), days)
