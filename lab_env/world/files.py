"""The world as files: the one door to pyarrow."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from lab_env.world.city import World
from lab_env.world.orders import ZONES, Columns
from lab_env.world.streams import SEED


def write_orders(path: Path, *, scenario: str, seed: int = SEED, first_day: int = 0, days: int) -> int:
    """Write a range of days to `path` as Parquet, whole or not at all; missing folders are made.

    Columns: `order_id`, `day`, `placed` (days), `hour`, `zone` (a word), `distance_km` (straight
    line), `items`, `basket_eur`, `rain_mm` (in the hour), `couriers_free`, and `minutes` from order to
    door, null where the order was cancelled.

    Returns:
        The number of orders.

    Raises:
        WorldError: no such scenario, seed or days.
        OSError: the file cannot be written.
    """
    table = _table(World(seed, scenario).orders(first_day, days))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(table, unfinished, compression="snappy")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return int(table.num_rows)


def _table(orders: Columns) -> pa.Table:
    columns = {name: pa.array(values) for name, values in orders.items()}
    columns["zone"] = pa.array(np.array(ZONES, dtype=object)[orders["zone"]])
    columns["minutes"] = pa.array(orders["minutes"], from_pandas=True)
    return pa.table(columns)
