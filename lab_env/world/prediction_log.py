"""The prediction log: what the deployed model was asked and answered, and the labels that came for it.

Two tables, as in a real system: the service writes the first when it answers, the couriers' app the second
when a bag is handed over. They meet by `order_id`, and not at once.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lab_env.world.columns import Columns, joined
from lab_env.world.scenarios import range_of_days
from lab_env.world.served import known_rain, promised
from lab_env.world.tables import write_columns
from lab_env.world.tiffin import World

TRUTH = ("minutes", "labelled")


@dataclass(frozen=True)
class PredictionLog:
    """A range of days as they stand in the log on the evening of the last one.

    Attributes:
        predictions: a row per answer: what the feed brought, `promised` minutes, the bundle's `version`.
        labels: a row per order that is known to have arrived: `order_id`, `minutes`, `labelled`.
    """

    predictions: Columns
    labels: Columns


def prediction_log(world: World, first_day: int, days: int, *, as_of: float | None = None) -> PredictionLog:
    """The log of some days, as it stands at a moment; by default on the evening of the last day.

    Raises:
        WorldError: a day before 0, or no day at all.
    """
    now = first_day + days if as_of is None else as_of
    numbers = range_of_days(first_day, days)
    arrived = [world.orders(day, 1, as_of=now) for day in numbers]
    day = np.repeat(numbers, [part["order_id"].size for part in arrived])
    table = joined(arrived)
    table |= _answers(world, table, day, known_rain(world, first_day))
    orders, place = np.unique(table["order_id"], return_index=True)
    truth = {name: table.pop(name)[place] for name in TRUTH}
    there = ~np.isnan(truth["labelled"])
    labels = {"order_id": orders[there]} | {name: values[there] for name, values in truth.items()}
    by_time = np.argsort(labels["labelled"], kind="stable")
    return PredictionLog(table, {name: values[by_time] for name, values in labels.items()})


def write_prediction_log(folder: Path, log: PredictionLog) -> tuple[int, int]:
    """Write `predictions.parquet` and `labels.parquet` into a folder, and say how many rows each has.

    Raises:
        OSError: a file cannot be written.
    """
    return (
        write_columns(folder / "predictions.parquet", log.predictions),
        write_columns(folder / "labels.parquet", log.labels),
    )


def _answers(world: World, table: Columns, day: NDArray[np.int64], rain: float) -> Columns:
    """What was answered to each row: `promised`, by the `version` of its day. Days of one deploy at once."""
    said = np.empty(day.size)
    version = np.empty(day.size, dtype=np.int8)
    deploys: dict[tuple[object, ...], list[int]] = {}
    for number in np.unique(day).tolist():
        now = world.on(number)
        deploys.setdefault((now.version, now.serving_skew, now.prediction_factor), []).append(number)
    for days in deploys.values():
        rows = np.isin(day, days)
        asked = {name: values[rows] for name, values in table.items()}
        said[rows] = promised(world.day(days[0]), asked, rain)
        version[rows] = world.on(days[0]).version
    return {"promised": np.round(said, 1), "version": version}
