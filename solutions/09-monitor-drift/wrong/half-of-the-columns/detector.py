"""The detector: what is the matter with each day, and does it have to wake somebody?"""

# task: set-the-alarm
# task: tell-the-kind

import numpy as np
import pandas as pd
from signals import signals

FEATURES = ["distance_km", "items", "basket_eur", "promotion", "rain_mm", "couriers_free", "kitchen_queue"]
# The temperature is left out: it has a season, and 90 quiet days of spring say nothing about June.

HARM = ["feed", "labels", "relation"]
"""Kinds that need somebody now. Inputs that moved alone are a note for the morning."""


def limit(quiet: pd.Series) -> float:
    """The value that a number exceeds on a quiet day about once in a hundred."""
    return float(quiet.quantile(0.99))


def two_of_three(over: np.ndarray) -> np.ndarray:
    """Whether at least two of each day and the two before it are over."""
    return np.convolve(over, [1, 1, 1])[: len(over)] >= 2


def scores(quiet: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Each feature's index, in quiet standard deviations above its quiet mean."""
    names = [f"psi_{name}" for name in FEATURES]
    spread = quiet[names].std() + 1e-9
    return ((now[names] - quiet[names].mean()) / spread).rename(columns=lambda name: name[4:])


def watch(reference: pd.DataFrame, current: pd.DataFrame, first_day: int, last_day: int) -> pd.DataFrame:
    """One row for each day from `first_day` to `last_day`: what was to be said on its evening.

    Args:
        reference: quiet days, joined with their labels.
        current: the log of the days to look at, joined with the labels that had come by the last evening.
            It may lack days. No day's row may depend on what came after that day.

    Returns:
        Columns `day`; `kind`: "feed", "labels", "relation", "input" or "none"; `alarm`: whether it wakes
        somebody; `feature`: of the feed or the inputs, the column that is to blame, else "".
    """
    first_quiet, last_quiet = int(reference["day"].min()), int(reference["day"].max())
    quiet = signals(reference, reference, FEATURES, first_quiet, last_quiet)
    now = signals(reference, current, FEATURES, first_day, last_day)

    # the contract: broken days are told first, and nothing else is believed of them
    feed = (now["rows"] == 0) | (now[["nulls", "outside", "doubled"]].max(axis=1) > 0.05)
    odd = (now["odd_labels"] > 0.05) & ~feed
    now.loc[feed | odd, "error"] = np.nan
    now.loc[feed, [name for name in now if name.startswith("psi_")]] = np.nan

    worse = evenings(now["error"] > limit(quiet["error"]), now["error"].notna(), now["known_on"])
    before, score = scores(quiet, quiet), scores(quiet, now)
    over = pd.DataFrame({name: score[name] > limit(before[name]) for name in FEATURES})
    moved = two_of_three((over.mean(axis=1) >= 0.5).to_numpy())

    kind = np.select([feed, odd, worse, moved], ["feed", "labels", "relation", "input"], "none")
    told = pd.DataFrame({"day": now.index, "kind": kind})
    told["alarm"] = told["kind"].isin(HARM)
    blame = score.fillna(-np.inf).idxmax(axis=1).to_numpy()
    told["feature"] = np.select([feed & (now["rows"] > 0), kind == "input"], [now["worst"], blame], "")
    return told


def evenings(over: pd.Series, counts: pd.Series, known_on: pd.Series) -> np.ndarray:
    """For each evening, whether two of the last three days that were known *by then* were over. Given."""
    bad, day, known = over.to_numpy(), over.index.to_numpy(), known_on.where(counts, np.inf).to_numpy()
    last = [np.flatnonzero((known <= now) & (day <= now) & (day > now - 10))[-3:] for now in day]
    return np.array([bad[of].sum() >= 2 for of in last])


def episodes(flags: np.ndarray) -> int:
    """How many times something begins: days in a row are one episode. Given."""
    return int((np.diff(np.concatenate([[0], np.asarray(flags, dtype=int)])) == 1).sum())
