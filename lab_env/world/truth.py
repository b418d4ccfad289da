"""Floors: per day and metric, the error that no model can beat except by luck.

A floor is the expected loss of the best predictor for that metric, which knows the law and every column
that is known at order time, averaged over the rows whose label will ever be known. It is exact up to the
rounding of labels (0.1 minutes). Beside it stands what that predictor really lost on the day: days have luck.
"""

from collections.abc import Callable

import numpy as np

from lab_env.world.city import Vector
from lab_env.world.columns import Columns
from lab_env.world.errors import WorldError
from lab_env.world.tiffin import World


def floors(world: World, problem: str, first_day: int, days: int) -> Columns:
    """One row per day: `day`, `rows` (with a label), and a column per metric.

    - `delivery`: `mae` (of the median), `rmse` (of the mean), both in minutes; `best_mae` and `best_rmse`,
      what these two lost. The p90 of the median's error (`tail`) is a reference and no floor.
    - `demand`: `mae`, `rmse`, `best_mae`, `best_rmse`, in orders per zone and hour.
    - `fraud`: `log_loss` (of the true probability) and `best_log_loss`, in nats.

    Raises:
        WorldError: no such problem, a day before 0, or no day at all.
    """
    if problem not in PROBLEMS:
        raise WorldError(f"Tiffin has no problem `{problem}`. There are: {', '.join(PROBLEMS)}.")
    day, losses = PROBLEMS[problem](world, first_day, days)
    return by_day(day, first_day, days, losses)


def tail(world: World, first_day: int, days: int, q: float = 0.9) -> float:
    """The `q` quantile of the absolute error of the best median, in minutes.

    A reference, not a floor: a predictor that aims at it can have a smaller one.
    """
    orders, law = world.delivered(first_day, days)
    return float(np.nanquantile(np.abs(orders["minutes"] - law.median), q))


def by_day(day: Vector, first_day: int, days: int, losses: Columns) -> Columns:
    """The mean of each loss per day; the root of it where its name has `rmse`, NaN on a day without rows."""
    place = (day - first_day).astype(np.int64)
    rows = np.bincount(place, minlength=days)
    table: Columns = {"day": np.arange(first_day, first_day + days), "rows": rows}
    with np.errstate(invalid="ignore"):
        for name, loss in losses.items():
            mean = np.bincount(place, weights=loss, minlength=days) / rows
            table[name] = np.sqrt(mean) if "rmse" in name else mean
    return table


def _delivery(world: World, first_day: int, days: int) -> tuple[Vector, Columns]:
    orders, law = world.delivered(first_day, days)
    there = ~np.isnan(orders["minutes"])
    minutes = orders["minutes"][there]
    error = np.abs(minutes - law.median[there])
    losses = {
        "mae": law.absolute_error()[there],
        "rmse": law.squared_error()[there],
        "best_mae": error,
        "best_rmse": (minutes - law.mean[there]) ** 2,
    }
    return orders["day"][there], losses


def _demand(world: World, first_day: int, days: int) -> tuple[Vector, Columns]:
    table, law = world.demand(first_day, days), world.demand_law(first_day, days)
    losses = {
        "mae": law.absolute_error(),
        "rmse": law.squared_error(),
        "best_mae": np.abs(table["orders"] - law.median),
        "best_rmse": (table["orders"] - law.mean) ** 2,
    }
    return table["day"], losses


def _fraud(world: World, first_day: int, days: int) -> tuple[Vector, Columns]:
    payments, law = world.payments(first_day, days), world.payments_law(first_day, days)
    there = ~np.isnan(payments["fraud"])
    chance, fraud = law.probability[there], payments["fraud"][there]
    losses = {
        "log_loss": law.log_loss()[there],
        "best_log_loss": -np.log(np.where(fraud > 0, chance, 1 - chance)),
    }
    return payments["day"][there], losses


PROBLEMS: dict[str, Callable[[World, int, int], tuple[Vector, Columns]]] = {
    "delivery": _delivery,
    "demand": _demand,
    "fraud": _fraud,
}
