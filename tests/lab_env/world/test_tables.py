from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest

from lab_env.world import ZONES, World, WorldError, as_frame, write_orders


def test_the_same_call_writes_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    for path in (one, other):
        write_orders(path, scenario="monsoon", seed=3, first_day=4, days=2)
    assert one.read_bytes() == other.read_bytes()


def test_columns_are_typed_and_cancelled_orders_are_null(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "orders.parquet"
    rows = write_orders(path, scenario="monsoon", days=20)
    table = pq.read_table(path)
    assert table.num_rows == rows
    assert {field.name: str(field.type) for field in table.schema} == {
        "order_id": "int64",
        "day": "int32",
        "placed": "double",
        "hour": "int8",
        "weekday": "int8",
        "zone": "string",
        "restaurant": "int16",
        "distance_km": "double",
        "items": "int8",
        "basket_eur": "double",
        "promotion": "bool",
        "festival": "bool",
        "rain_mm": "double",
        "temperature_c": "double",
        "couriers_free": "int16",
        "kitchen_queue": "int16",
        "minutes": "double",
        "labelled": "double",
    }
    assert set(table["zone"].to_pylist()) <= set(ZONES)
    assert 0 < table["minutes"].null_count < rows / 20
    known_at_once = set(table.column_names) - {"minutes", "labelled"}
    assert all(table[name].null_count == 0 for name in known_at_once)


def test_a_quarter_is_large_enough_to_hurt_git_and_small_enough_for_a_lab(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    write_orders(path, scenario="monsoon", days=90)
    assert 1_000_000 < path.stat().st_size < 2_500_000


def test_an_unfinished_file_is_never_left(tmp_path: Path) -> None:
    taken = tmp_path / "data" / "orders.parquet"
    taken.mkdir(parents=True)
    with pytest.raises(OSError, match=r"orders\.parquet"):
        write_orders(taken, scenario="monsoon", days=1)
    assert list(taken.parent.iterdir()) == [taken]


def test_a_refused_world_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    path.write_text("mine")
    with pytest.raises(WorldError, match="no scenario"):
        write_orders(path, scenario="drought", days=1)
    assert path.read_text() == "mine"


def test_a_frame_has_words_and_nulls_where_the_columns_have_codes_and_nan() -> None:
    columns = World(orders_per_day=300).orders(0, 10)
    frame = as_frame(columns)
    assert frame["zone"].tolist() == [ZONES[code] for code in columns["zone"]]
    assert frame["minutes"].isna().sum() == frame["labelled"].isna().sum() > 0
    assert frame["distance_km"].tolist() == columns["distance_km"].tolist()
