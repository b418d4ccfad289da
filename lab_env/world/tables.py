"""The world's columns as Arrow tables, pandas frames and files: the one door to pyarrow and pandas."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.csv  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from lab_env.world.columns import Columns
from lab_env.world.conditions import ZONES
from lab_env.world.errors import WorldError
from lab_env.world.streams import SEED
from lab_env.world.tiffin import World

if TYPE_CHECKING:
    import pandas as pd

TABLES: dict[str, Callable[[World, int, int], Columns]] = {
    "orders": World.orders,
    "demand": World.demand,
    "payments": World.payments,
}


def as_arrow(columns: Columns) -> pa.Table:
    """The columns with zones as words, yes-or-no labels as such, and null where nothing is known."""
    table = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    if "zone" in columns:
        table["zone"] = pa.array(np.array(ZONES, dtype=object)[columns["zone"]])
    if "fraud" in columns:
        table["fraud"] = table["fraud"].cast(pa.bool_())
    return pa.table(table)


def as_frame(columns: Columns) -> "pd.DataFrame":
    """The same as a pandas frame; unknown numbers are NaN."""
    frame: pd.DataFrame = as_arrow(columns).to_pandas()
    return frame


def write(
    path: Path,
    *,
    table: str = "orders",
    scenario: str,
    seed: int = SEED,
    first_day: int = 0,
    days: int,
    orders_per_day: float | None = None,
) -> int:
    """Write a range of days to `path`, whole or not at all; missing folders are made.

    The ending says how: `.parquet` or `.csv`. Columns: the data dictionary (`schema.TABLES`).

    Returns:
        The number of rows.

    Raises:
        WorldError: no such table, ending, scenario, seed or days.
        OSError: the file cannot be written.
    """
    if table not in TABLES:
        raise WorldError(f"The world has no table `{table}`. There are: {', '.join(TABLES)}.")
    rate = {} if orders_per_day is None else {"orders_per_day": orders_per_day}
    world = World(seed, scenario, **rate)
    return write_columns(path, TABLES[table](world, first_day, days))


def write_columns(path: Path, columns: Columns) -> int:
    """Write columns to `path`, whole or not at all, and say how many rows they have.

    Raises:
        WorldError: the path ends in neither `.parquet` nor `.csv`.
        OSError: the file cannot be written.
    """
    if path.suffix not in (".parquet", ".csv"):
        raise WorldError(f"{path.name} ends in neither .parquet nor .csv. Name a file that does.")
    content = as_arrow(columns)
    write_whole(path, partial(_fill, content, path.suffix))
    return int(content.num_rows)


def write_orders(path: Path, *, scenario: str, seed: int = SEED, first_day: int = 0, days: int) -> int:
    """`write` of the orders."""
    return write(path, scenario=scenario, seed=seed, first_day=first_day, days=days)


def write_whole(path: Path, fill: Callable[[Path], object]) -> None:
    """Make a file appear whole or not at all; missing folders are made.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fill(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(content: pa.Table, suffix: str, path: Path) -> None:
    if suffix == ".csv":
        pyarrow.csv.write_csv(content, path)
    else:
        pq.write_table(content, path, compression="snappy")
