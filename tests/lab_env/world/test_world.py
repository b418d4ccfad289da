import doctest
import hashlib
import subprocess
import sys

import numpy as np
import pytest

import lab_env.world
from lab_env.world import SCENARIOS, ZONES, World, WorldError

PRINT_HASH = """
import hashlib
from lab_env.world import World
orders = World(seed=5).orders(3, 4)
print(hashlib.sha256(b"".join(orders[name].tobytes() for name in orders)).hexdigest())
"""


def test_the_example_in_the_docstring_runs() -> None:
    assert doctest.testmod(lab_env.world).failed == 0


def test_a_range_of_days_equals_its_part_of_a_longer_one() -> None:
    world = World(seed=5)
    whole, part = world.orders(0, 12), world.orders(8, 4)
    there = whole["day"] >= 8
    for name in whole:
        np.testing.assert_array_equal(whole[name][there], part[name])


def test_another_process_gives_the_same_bytes() -> None:
    orders = World(seed=5).orders(3, 4)
    here = hashlib.sha256(b"".join(orders[name].tobytes() for name in orders)).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", PRINT_HASH], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert there == here


def test_the_seed_draws_city_and_orders() -> None:
    one, other = World(seed=1), World(seed=2)
    assert one.city.rain_slows != other.city.rain_slows
    assert one.orders(0, 1)["distance_km"][:5].tolist() != other.orders(0, 1)["distance_km"][:5].tolist()


@pytest.fixture(scope="module")
def quarter() -> dict[str, np.ndarray]:
    return World().orders(0, 90)


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("hour", 8, 23),
        ("distance_km", 0.05, 40),
        ("items", 1, 20),
        ("basket_eur", 0.5, 500),
        ("rain_mm", 0, 60),
        ("couriers_free", 0, 60),
        ("minutes", 3, 240),
    ],
)
def test_values_are_plausible(quarter: dict[str, np.ndarray], column: str, low: float, high: float) -> None:
    values = quarter[column][~np.isnan(quarter[column].astype(float))]
    assert low <= values.min()
    assert values.max() <= high


def test_orders_are_in_time_and_each_has_its_own_id(quarter: dict[str, np.ndarray]) -> None:
    assert (np.diff(quarter["placed"]) >= 0).all()
    assert len(np.unique(quarter["order_id"])) == len(quarter["order_id"])
    np.testing.assert_array_equal(quarter["placed"].astype(int), quarter["day"])


def test_one_to_four_orders_in_a_hundred_are_cancelled(quarter: dict[str, np.ndarray]) -> None:
    assert 0.01 < np.isnan(quarter["minutes"]).mean() < 0.04


def test_every_zone_orders(quarter: dict[str, np.ndarray]) -> None:
    assert {ZONES[zone] for zone in quarter["zone"]} == set(ZONES) - {"airport"}


def test_the_monsoon_brings_rain_and_longer_rides() -> None:
    dry, wet = World().orders(60, 30), World().orders(100, 30)
    assert wet["rain_mm"].mean() > 3 * dry["rain_mm"].mean()
    assert np.nanmean(wet["minutes"]) > np.nanmean(dry["minutes"]) + 0.5


def test_the_monsoon_takes_a_week_to_reach_full_strength() -> None:
    monsoon = SCENARIOS["monsoon"]
    assert [monsoon.on(day).wetness for day in (0, 89, 96, 200)] == [0, 0, 1, 1]
    assert 0 < monsoon.on(90).wetness < monsoon.on(93).wetness < 1


@pytest.mark.parametrize(
    ("scenario", "told"), [("monsun", "Did you mean `monsoon`?"), ("xyz", "There are: quiet, decoy-week")]
)
def test_an_unknown_scenario_is_refused(scenario: str, told: str) -> None:
    with pytest.raises(WorldError, match="no scenario") as refused:
        World(scenario=scenario)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("first_day", "days", "told"), [(-1, 5, "The world begins on day 0"), (0, 0, "Ask for at least 1")]
)
def test_days_that_are_not_there_are_refused(first_day: int, days: int, told: str) -> None:
    with pytest.raises(WorldError, match=told):
        World().orders(first_day, days)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(WorldError, match="The seed is -1"):
        World(seed=-1)
