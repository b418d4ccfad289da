"""Tiffin's promise as a model: fit it, measure it. Given; it works as it is.

    python model.py --leaves 15 --rate 0.1 --seed 1

Weeks 1 to 4 are learned from, week 5 is for choosing (`valid_mae`), week 6 is for the one report at the end
(`test_mae`). Both are mean absolute errors in minutes.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

ORDERS = Path("data/orders.parquet")
ZONES = ["centre", "harbour", "hill", "market", "river", "station"]
NUMBERS = ["distance_km", "items", "hour", "weekday", "rain_mm", "couriers_free", "kitchen_queue"]


@dataclass(frozen=True)
class Settings:
    """What a run is told: leaves of a tree, how fast it learns, and the seed."""

    leaves: int = 15
    rate: float = 0.1
    seed: int = 1


def features(orders: pd.DataFrame) -> pd.DataFrame:
    """What the model is given of an order: all of it known when the order is placed, all of it numbers."""
    table = orders[NUMBERS].astype("float64")
    for zone in ZONES:
        table[f"in_{zone}"] = (orders["zone"] == zone).astype("float64")
    return table


def weeks(first: int, last: int) -> pd.DataFrame:
    """The delivered orders of these weeks, counted from 1."""
    orders = pd.read_parquet(ORDERS).dropna(subset=["minutes"])
    week = orders["day"] // 7 + 1
    return orders[(week >= first) & (week <= last)]


def fit(settings: Settings) -> HistGradientBoostingRegressor:
    """The model that weeks 1 to 4 give with these settings."""
    model = HistGradientBoostingRegressor(
        max_iter=40,
        max_leaf_nodes=settings.leaves,
        learning_rate=settings.rate,
        max_features=0.2,
        random_state=settings.seed,
    )
    orders = weeks(1, 4)
    return model.fit(features(orders), orders["minutes"])


def measure(model: HistGradientBoostingRegressor) -> dict[str, float]:
    """Its two errors in minutes."""
    errors = {}
    for name, week in (("valid_mae", 5), ("test_mae", 6)):
        orders = weeks(week, week)
        errors[name] = round(float((model.predict(features(orders)) - orders["minutes"]).abs().mean()), 4)
    return errors


def settings_from_command_line() -> Settings:
    """The settings that were typed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leaves", type=int, default=15)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    return Settings(**vars(parser.parse_args()))


if __name__ == "__main__":
    print(json.dumps(measure(fit(settings_from_command_line()))))
