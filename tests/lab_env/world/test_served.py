from functools import lru_cache

import numpy as np
import pytest

from lab_env.world import World
from lab_env.world.served import (
    BANDS,
    DEFAULT_MIN,
    DRY_YEAR_MM,
    MOST_MIN,
    UNKNOWN_REACH,
    WET_YEAR_MM,
    Answers,
    Lane,
    answers,
    known_rain,
    left_training,
)


@lru_cache
def on(scenario: str, day: int = 100) -> tuple[Answers, Answers]:
    world = World(scenario=scenario)
    return answers(world, day, known_rain(world, 90))


def test_on_a_quiet_day_the_champion_is_as_good_as_the_floor_and_the_older_model_is_not() -> None:
    arrived, mended = on("quiet")
    assert arrived is mended
    floor = arrived.law.absolute_error().mean()
    champion, older = (arrived.law.absolute_error(np.exp(arrived.logs[lane])).mean() for lane in (1, 2))
    assert champion == pytest.approx(floor, rel=1e-6)
    assert 1.02 * floor < older < 1.2 * floor


@pytest.mark.parametrize(
    ("scenario", "said"), [("metres", MOST_MIN), ("renamed-column", DEFAULT_MIN), ("nulls", DEFAULT_MIN)]
)
def test_a_broken_distance_breaks_the_answer(scenario: str, said: float) -> None:
    arrived, mended = on(scenario, 92)
    struck = arrived.breaks
    assert struck.mean() == pytest.approx(0.4 if scenario == "nulls" else 1.0, abs=0.06)
    assert np.median(np.exp(arrived.logs[Lane.SOUND][struck])) == pytest.approx(said)
    assert (arrived.reach[struck] == UNKNOWN_REACH).all()
    assert not mended.breaks.any()
    np.testing.assert_array_equal(arrived.logs[Lane.SOUND][~struck], mended.logs[Lane.SOUND][~struck])


def test_a_doubled_feed_is_the_same_orders_twice() -> None:
    arrived, mended = on("doubled-feed", 92)
    assert (arrived.copies == 2).all()
    np.testing.assert_array_equal(arrived.logs, mended.logs)
    np.testing.assert_array_equal(arrived.minutes, mended.minutes)


def test_an_order_before_the_kitchens_open_makes_every_clock_of_its_day_suspect() -> None:
    arrived, mended = on("shifted-clock", 92)
    assert arrived.clock.all()
    assert arrived.breaks.all()
    assert (arrived.reach != UNKNOWN_REACH).all()
    assert not mended.breaks.any()


def test_broken_labels_leave_the_answers_alone() -> None:
    arrived, mended = on("broken-labels", 92)
    np.testing.assert_array_equal(arrived.logs, mended.logs)
    assert np.nanmedian(arrived.minutes / mended.minutes) == pytest.approx(60, rel=0.01)


@pytest.mark.parametrize(
    ("scenario", "short"), [("bad-deploy", True), ("serving-skew", True), ("quiet", False)]
)
def test_a_bug_in_the_bundle_is_in_what_is_served_and_in_no_offline_answer(
    scenario: str, short: bool
) -> None:
    arrived, _ = on(scenario)
    tested = on("quiet")[0]
    np.testing.assert_array_equal(arrived.logs[Lane.SOUND], tested.logs[Lane.SOUND])
    np.testing.assert_array_equal(arrived.logs[Lane.PREVIOUS], tested.logs[Lane.PREVIOUS])
    assert bool((arrived.logs[Lane.DEPLOYED] < arrived.logs[Lane.SOUND]).all()) is short


def test_the_festival_has_a_slice_of_its_own_and_the_model_does_not_read_the_calendar() -> None:
    (festive, _), (after, _) = on("festival", 91), on("festival", 95)
    assert after.festive is None
    assert festive.festive is not None
    late = np.log(np.median(festive.minutes[~np.isnan(festive.minutes)])) - np.median(
        festive.logs[Lane.SOUND]
    )
    assert late > 0.1
    typical = (festive.festive - festive.logs)[Lane.SOUND]
    assert 0 < typical.min() < typical.max() < np.log(1.26)


def test_a_year_with_a_monsoon_teaches_more_rain() -> None:
    world = World(scenario="seen-monsoon")
    assert known_rain(world, 90) == DRY_YEAR_MM
    assert known_rain(world, 200) == WET_YEAR_MM
    assert left_training(DRY_YEAR_MM).sum() == left_training(WET_YEAR_MM).sum() + 6


def test_the_airport_is_taken_for_an_average_zone() -> None:
    arrived, _ = on("new-zone")
    there = arrived.zone == 6
    assert left_training(DRY_YEAR_MM)[6 * BANDS :].all()
    late = np.nanmedian(arrived.learnable(Lane.SOUND)[there])
    assert late > 0.1
    assert abs(np.nanmedian(arrived.learnable(Lane.SOUND)[~there])) < 0.05
