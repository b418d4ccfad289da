from functools import lru_cache

import numpy as np
import pytest

from lab_env.world import World
from lab_env.world.learned import (
    ENOUGH,
    Lessons,
    Logbook,
    View,
    fallback,
    lessons,
    logbook,
    medians,
)
from lab_env.world.served import BANDS, Lane

FIRST, START = 60, 90


@lru_cache
def log_of(scenario: str, days: int = 50) -> Logbook:
    return logbook(World(scenario=scenario), FIRST, days)


@lru_cache
def learned(scenario: str, view: View = View.DELIVERED) -> Lessons:
    return lessons(log_of(scenario), view)


def dry(values: np.ndarray, day: int) -> np.ndarray:
    """The corrections of the old zones' dry slices on a morning."""
    return np.asarray(values[day - FIRST].reshape(-1, BANDS)[:6, 0])


def test_nothing_is_learned_from_the_future() -> None:
    short, long = lessons(log_of("late-labels", 45), View.DELIVERED), learned("late-labels")
    np.testing.assert_array_equal(short.retrained, long.retrained[:45])
    np.testing.assert_array_equal(short.recent, long.recent[:45])
    for lane, offset in short.offset.items():
        np.testing.assert_array_equal(offset, long.offset[lane][:45])


def test_on_quiet_days_there_is_luck_to_learn_and_more_of_it_in_three_days_than_in_forty() -> None:
    quiet = learned("quiet")
    offset, retrained = (
        np.abs(dry(each, 100)).mean() for each in (quiet.offset[Lane.DEPLOYED], quiet.retrained)
    )
    assert retrained < 0.02 < offset + 0.015
    assert retrained < offset < 0.08


def test_an_offset_finds_the_bridge_after_three_days_and_a_retrain_after_weeks() -> None:
    bridge = learned("new-bridge")
    river_and_harbour, others = [1, 4], [0, 2, 3, 5]
    after_four = dry(bridge.offset[Lane.DEPLOYED], START + 4)
    assert (after_four[river_and_harbour] < -0.12).all()
    assert (np.abs(after_four[others]) < 0.1).all()
    early, late = (dry(bridge.retrained, START + days)[river_and_harbour].mean() for days in (4, 19))
    assert late < early - 0.05 < -0.05
    assert dry(bridge.offset[Lane.DEPLOYED], START + 1)[river_and_harbour].mean() > 0.6 * after_four[1]


def test_a_retrain_on_a_broken_feed_learns_the_break_unless_it_is_kept_out_or_mended() -> None:
    day = START + 5
    assert (dry(learned("metres").recent, day) < -1).all()
    for view in (View.FILTERED, View.MENDED):
        assert np.abs(dry(learned("metres", view).recent, day)).max() < 0.1


def test_no_contract_on_inputs_keeps_broken_labels_out() -> None:
    assert dry(learned("broken-labels", View.FILTERED).recent, START + 8).min() > 3
    assert np.abs(dry(learned("broken-labels", View.MENDED).recent, START + 8)).max() < 0.1


def test_late_labels_make_the_errors_of_the_fast_orders_the_lesson() -> None:
    assert dry(learned("late-labels").offset[Lane.DEPLOYED], START + 10).mean() < -0.05


def test_a_bug_in_the_code_is_in_no_training_and_in_every_offset() -> None:
    deploy = learned("bad-deploy")
    assert np.abs(dry(deploy.retrained, START + 15)).max() < 0.05
    assert dry(deploy.offset[Lane.DEPLOYED], START + 5).mean() == pytest.approx(-np.log(0.75), abs=0.06)


def test_a_festival_is_believed_the_week_after() -> None:
    assert dry(learned("festival").recent, START + 5).mean() > 0.06


def test_a_zone_that_training_never_had_gets_no_offset_and_is_known_once_it_was_retrained() -> None:
    airport = learned("new-zone")
    place, day = 6 * BANDS, START + 10 - FIRST
    assert airport.offset[Lane.DEPLOYED][day, place] == 0
    assert airport.retrained[day, place] > 0.05
    assert not airport.knows[0][START - FIRST, place]
    assert airport.knows[0][day, place]


def test_the_fallback_knows_a_zone_and_a_distance() -> None:
    log = log_of("metres")
    broken, before = log.of(START + 3), log.of(START - 3)
    typical = fallback(log, START + 3, broken)
    there = ~np.isnan(broken.minutes)
    assert np.abs(broken.minutes - typical)[there].mean() < 12
    assert np.isnan(fallback(log, START - 3, before)).sum() < 0.05 * before.slice.size
    short, far = (fallback(log, START - 3, before)[before.reach == reach].mean() for reach in (0, 4))
    assert far > short + 8


def test_a_median_needs_enough_rows() -> None:
    key = np.array([0] * ENOUGH + [2] * (ENOUGH - 1))
    values = np.concatenate([np.arange(ENOUGH), np.zeros(ENOUGH - 1)]).astype(float)
    assert medians(key, values, 3).tolist()[0] == ENOUGH // 2
    assert np.isnan(medians(key, values, 3)[1:]).all()
