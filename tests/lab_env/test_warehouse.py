"""The warehouse's table: what it adds is not known at order time, and what it loses is not lost by lot."""

import sys
from pathlib import Path
from subprocess import run

import numpy as np
import pandas as pd
import pytest

from lab_env.warehouse import LEAKS, PACE, RIDE, joined
from lab_env.world import World, as_frame, write_orders


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return as_frame(World(scenario="quiet").orders(0, 14))


def test_nobody_rides_for_an_order_that_was_cancelled(orders: pd.DataFrame) -> None:
    table = joined(orders)
    assert (table[RIDE].isna() == orders["minutes"].isna()).all()


def test_the_ride_tells_of_the_minutes_beyond_the_distance(orders: pd.DataFrame) -> None:
    table = joined(orders).dropna(subset=["minutes"])
    detour = table[RIDE] / table["distance_km"]
    assert np.corrcoef(detour, table["minutes"])[0, 1] > 0.4


def test_the_pace_is_that_of_the_whole_day_and_of_the_order_itself(orders: pd.DataFrame) -> None:
    table = joined(orders)
    one = table.iloc[3]
    same = table[(table["day"] == one["day"]) & (table["restaurant"] == one["restaurant"])]
    assert one[PACE] == pytest.approx(same["minutes"].mean(), abs=0.051)


def test_the_queue_is_lost_where_it_was_long(orders: pd.DataFrame) -> None:
    table = joined(orders)
    lost = table["kitchen_queue"].isna()
    assert 0.05 < lost.mean() < 0.2
    assert orders["kitchen_queue"][lost].min() > orders["kitchen_queue"][~lost].median()
    assert orders["minutes"][lost].median() > orders["minutes"][~lost].median() + 3


def test_the_rest_of_the_orders_is_as_it_was_and_twice_the_same(orders: pd.DataFrame) -> None:
    table = joined(orders)
    pd.testing.assert_frame_equal(table, joined(orders))
    rest = [name for name in orders if name != "kitchen_queue"]
    pd.testing.assert_frame_equal(table[rest], orders[rest])


def test_a_file_is_changed_in_place(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    write_orders(path, scenario="quiet", days=2)
    run([sys.executable, "-m", "lab_env.warehouse", str(path)], check=True)
    assert set(LEAKS) <= set(pd.read_parquet(path).columns)
