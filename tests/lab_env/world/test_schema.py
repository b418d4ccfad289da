"""The data dictionary is what the world really hands over."""

import doctest

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pytest

from lab_env.world import SCENARIOS, World, as_arrow, schema
from lab_env.world import tables as files
from lab_env.world.schema import TABLES, Column, Known, Role

COURSES = (
    "half-year",
    "unseen-rain",
    "new-zone",
    "order-stacking",
    "decoy-week",
    "fraud-ring",
    "late-labels",
)


def _sound(name: str, course: str, seed: int) -> pa.Table:
    world = World(seed, course, orders_per_day=400)
    if name == "orders":
        return as_arrow(world.orders(86, 40, sound=True))
    return as_arrow(files.TABLES[name](world, 86, 40))


@pytest.fixture(scope="module", params=TABLES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def seen(name: str) -> pa.Table:
    """Forty days of several courses, one after the other."""
    return pa.concat_tables([_sound(name, course, seed) for seed, course in enumerate(COURSES)])


def test_the_example_runs() -> None:
    assert doctest.testmod(schema).failed == 0


def test_the_dictionary_has_every_table_that_can_be_written() -> None:
    assert list(TABLES) == list(files.TABLES)
    assert set(COURSES) <= set(SCENARIOS)


def test_names_and_types_are_those_of_the_files(name: str, seen: pa.Table) -> None:
    found = [(field.name, str(field.type)) for field in seen.schema]
    assert found == [(column.name, column.type) for column in TABLES[name]]


def test_every_value_lies_in_its_range(name: str, seen: pa.Table) -> None:
    for column, (least, most) in _with_range(name):
        low, high = _low_and_high(seen, column)
        assert least <= low <= high <= most, column.name


def test_a_range_is_not_so_wide_that_nothing_breaks_it(name: str, seen: pa.Table) -> None:
    for column, (least, most) in _with_range(name):
        if column.role in (Role.FEATURE, Role.LABEL):
            low, high = _low_and_high(seen, column)
            assert high - low > (most - least) / 10, column.name


def test_a_distance_in_metres_is_out_of_range() -> None:
    distance = next(column for column in schema.ORDERS if column.name == "distance_km")
    fed = World(scenario="metres").orders(92, 1)["distance_km"]
    assert distance.range is not None
    assert np.mean(fed > distance.range[1]) > 0.99


def test_only_what_may_be_null_is(name: str, seen: pa.Table) -> None:
    for column in TABLES[name]:
        assert column.null or seen[column.name].null_count == 0, column.name


def test_what_is_known_later_is_null_at_once_and_nothing_else_is() -> None:
    world = World(orders_per_day=400)
    just_placed = as_arrow(world.orders(3, 1, as_of=3.5)).filter(pc.field("placed") > 3.498)
    assert just_placed.num_rows > 0
    for column in schema.ORDERS:
        nulls = just_placed[column.name].null_count
        assert nulls == (just_placed.num_rows if column.known is Known.LATER else 0), column.name


def test_each_table_has_one_label_and_it_is_known_later(name: str) -> None:
    labels = [column for column in TABLES[name] if column.role is Role.LABEL]
    assert [label.known for label in labels] == [Known.LATER]
    assert all(column.known is Known.AT_ONCE for column in TABLES[name] if column.role is Role.FEATURE)


def _with_range(name: str) -> list[tuple[Column, tuple[float, float]]]:
    found = [(column, column.range) for column in TABLES[name] if column.range is not None]
    assert len(found) > 5
    return found


def _low_and_high(seen: pa.Table, column: Column) -> tuple[float, float]:
    found = pc.min_max(seen[column.name]).as_py()
    return float(found["min"]), float(found["max"])
