"""The drift playground's sample obeys the world's law, and what its page claims of it holds."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from docs.generate import playground
from lab_env.world import CATALOGUE, World
from lab_env.world.served import Lane, answers, known_rain
from tests.docs.drift import measured, quiet_rows

QUIET = {"kind": "none", "amount": 0}


@cache
def sample() -> dict[str, Any]:
    return playground.sample()


def alarms(changes: dict[str, tuple[str, float]] | None = None, behind: dict[str, Any] = QUIET) -> Any:
    """The evenings, from 1, on which contract, inputs and error ring."""
    told = {name: {"kind": kind, "amount": amount} for name, (kind, amount) in (changes or {}).items()}
    found = measured(sample(), {"changes": told, "behind": behind})["alarms"]
    begins = sample()["days"]["first"] + sample()["days"]["quiet"]
    return [day if day is None else day - begins + 1 for day in found]


def test_the_file_is_a_script_with_the_whole_sample() -> None:
    script = playground.data_script()
    assert json.loads(script.removeprefix("window.TIFFIN = ").removesuffix(";\n")) == sample()
    assert len({len(column) for column in sample()["rows"].values()}) == 1


def test_the_model_of_the_page_is_the_champion_of_the_world() -> None:
    world = World(scenario="quiet", orders_per_day=playground.ORDERS_PER_DAY)
    rows, minutes, said = quiet_rows(sample())
    for day in (playground.FIRST_DAY, playground.FIRST_DAY + 80):
        champion = answers(world, day, known_rain(world, day))[0]
        there, ours = ~np.isnan(champion.minutes), rows["day"] == day
        assert said[ours] == pytest.approx(np.exp(champion.logs[Lane.SOUND][there]), rel=1e-3)
        assert minutes[ours] == pytest.approx(champion.minutes[there], rel=1e-3)


def test_each_preset_is_one_of_tiffin_s_incidents_or_none() -> None:
    names = [preset.name for preset in playground.PRESETS]
    assert names[0] == "quiet"
    assert set(names[1:]) <= set(CATALOGUE)
    assert playground.STILL in names


@pytest.mark.parametrize(
    ("changes", "behind", "evenings"),
    [
        ({}, QUIET, [None, None, None]),
        ({"couriers_free": ("scale", 0.75)}, QUIET, [None, 2, None]),
        ({"couriers_free": ("scale", 0.9)}, QUIET, [None, 12, None]),
        ({"couriers_free": ("scale", 0)}, QUIET, [None, 2, None]),
        ({"distance_km": ("unit", 1000)}, QUIET, [1, 2, 2]),
        ({"distance_km": ("unit", 0.62)}, QUIET, [None, 2, 2]),
        ({"distance_km": ("unit", 0.8)}, QUIET, [None, None, 9]),
        ({}, {"kind": "rides", "amount": 0.7}, [None, None, None]),
        ({}, {"kind": "rides", "amount": 0.65}, [None, None, 18]),
        ({}, {"kind": "rides", "amount": 0.55}, [None, None, 9]),
        ({"items": ("scale", 1.6)}, {"kind": "wait", "amount": 6}, [None, 2, 2]),
    ],
)
def test_the_alarms_ring_when_the_page_says_so(
    changes: dict[str, tuple[str, float]], behind: dict[str, Any], evenings: list[int | None]
) -> None:
    assert alarms(changes, behind) == evenings


def test_an_index_of_shares_is_blind_to_how_far() -> None:
    setting = {"changes": {"rain_mm": {"kind": "scale", "amount": 10}}, "behind": QUIET}
    rain = next(each for each in measured(sample(), setting)["features"] if each["name"] == "rain_mm")
    assert rain["psi"] < 0.1
    assert rain["wasserstein"] > 0.5


def test_a_decoy_beside_a_harm_moves_the_expected_error_a_little() -> None:
    setting = {
        "changes": {"items": {"kind": "scale", "amount": 1.6}},
        "behind": {"kind": "wait", "amount": 6},
    }
    found = measured(sample(), setting)
    rose = {name: round(found[name]["after"] - found[name]["before"], 1) for name in ("expected", "error")}
    assert rose == {"expected": 0.2, "error": 3.7}
