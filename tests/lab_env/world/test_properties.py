"""What holds for every seed, scenario and range of days."""

import ast
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lab_env.world
from lab_env.world import SCENARIOS, Columns, World, floors

SEEDS = st.integers(0, 2**63)
NAMES = st.sampled_from(sorted(SCENARIOS))
DAYS = st.integers(0, 400)
TABLES = st.sampled_from(["orders", "demand", "payments"])

modest = settings(max_examples=25, deadline=None, derandomize=True)

PRINT_HASH = """
import hashlib, sys
from lab_env.world import World
for seed, scenario in ((5, "half-year"), (6, "two-at-once")):
    world = World(seed, scenario)
    for table in ("orders", "demand", "payments"):
        columns = getattr(world, table)(88, 6)
        print(hashlib.sha256(b"".join(columns[name].tobytes() for name in columns)).hexdigest())
"""


def digest(columns: Columns) -> str:
    return hashlib.sha256(b"".join(name.encode() + columns[name].tobytes() for name in columns)).hexdigest()


@modest
@given(SEEDS, NAMES, DAYS, st.integers(1, 4), st.integers(1, 4), TABLES)
def test_ranges_compose(seed: int, name: str, first: int, some: int, more: int, table: str) -> None:
    world = World(seed, name, orders_per_day=60)
    ask = getattr(world, table)
    second, whole, start = ask(first + some, more), ask(first, some + more), ask(first, some)
    for column in whole:
        parts = [part.get(column, np.full(len(part["day"]), np.nan)) for part in (start, second)]
        np.testing.assert_array_equal(np.concatenate(parts), whole[column])


@modest
@given(SEEDS, NAMES, DAYS, TABLES)
def test_the_same_seed_gives_the_same_bytes(seed: int, name: str, first: int, table: str) -> None:
    one, other = (World(seed, name, orders_per_day=60) for _ in range(2))
    getattr(other, table)(first + 3, 1)  # whatever was asked before
    assert digest(getattr(one, table)(first, 2)) == digest(getattr(other, table)(first, 2))


def test_another_process_gives_the_same_bytes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINT_HASH],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7"},
    )
    here = []
    for seed, scenario in ((5, "half-year"), (6, "two-at-once")):
        world = World(seed, scenario)
        for table in ("orders", "demand", "payments"):
            columns = getattr(world, table)(88, 6)
            here.append(hashlib.sha256(b"".join(columns[name].tobytes() for name in columns)).hexdigest())
    assert done.stdout.split() == here


@modest
@given(SEEDS, NAMES, DAYS)
def test_every_day_is_whole(seed: int, name: str, first: int) -> None:
    world = World(seed, name, orders_per_day=100)
    orders = world.orders(first, 1, sound=True)
    law = world.delivery_law(first, 1)
    assert {len(values) for values in orders.values()} == {len(law.median)}
    assert len(np.unique(orders["order_id"])) == len(orders["order_id"])
    assert (np.diff(orders["placed"]) >= 0).all()
    assert (orders["labelled"] > orders["placed"])[~np.isnan(orders["minutes"])].all()
    assert (law.median > 0).all()
    payments = world.payments(first, 1)
    assert (np.diff(payments["placed"]) >= 0).all()
    assert np.isfinite(world.payments_law(first, 1).probability).all()
    assert floors(world, "demand", first, 1)["rows"].tolist() == [len(world.demand(first, 1)["day"])]


def test_no_global_random_state_is_used_or_moved() -> None:
    before = str(np.random.get_state(legacy=False))
    World(3, "half-year").orders(0, 2)
    World(3, "half-year").payments(0, 2)
    assert str(np.random.get_state(legacy=False)) == before


SOURCES = sorted(Path(lab_env.world.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_no_clock_is_read(file: Path) -> None:
    tree = ast.parse(file.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not names & {"time", "datetime", "random", "secrets"}
