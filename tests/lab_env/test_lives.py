"""Lives that were not lived well enough end a check with the dearest mistake."""

import numpy as np
import pytest
from numpy.random import default_rng

from grader.checks import Expect, Failed
from lab_env.lives import hold, oracles
from lab_env.living import Life, Marks, live, world_of
from lab_env.world.incidents import BrokenLabels, Incident, Metres, UnseenRain

pytestmark = pytest.mark.slow


def lived(title: str, word: str, day: int, *incidents: Metres | BrokenLabels) -> Life:
    return live(title, world_of(5, *incidents), lambda seen: word if seen["day"] == day else "wait")


def test_the_dearest_mistake_is_named_with_its_world() -> None:
    quiet = lived("nothing happens", "wait", 0)
    lives = [quiet, lived("metres come", "wait", 0, Metres(start=88, days=6))]
    with pytest.raises(Failed) as failed:
        hold(lives, Expect())
    lesson = failed.value.lesson
    assert lesson.misconception == "feed-left-broken"
    assert lesson.looked_at == "respond, day by day: nothing happens; metres come"
    assert (
        "The dearest: where metres come, on day 88, one of 6 such mornings, `wait`; `" in failed.value.found
    )
    assert failed.value.expected == "at most 25% of the regret of doing nothing"


def test_what_is_dear_only_together_is_told_so() -> None:
    """Labels that are broken for six days: to have them mended on the fourth is no mistake, and late."""
    late = lived("labels come in seconds", "mend", 91, BrokenLabels(start=88, days=6))
    assert late.mistakes() == []
    with pytest.raises(Failed, match="Most of it where labels come in seconds") as failed:
        hold([late], Expect())
    assert failed.value.lesson.why == "Each decision was near the best, and together they were too many."
    share = Marks([late]).share
    hold([late], Expect(), share=share)
    with pytest.raises(Failed) as failed:
        hold([late], Expect(), share=share - 0.01)
    assert failed.value.expected == f"at most {share - 0.01:.0%} of the regret of doing nothing"


def test_an_idle_world_has_a_budget_in_euros() -> None:
    hold([lived("nothing happens", "wait", 0)], Expect(), idle_eur=1_000.0)
    with pytest.raises(Failed, match="euros a world") as failed:
        hold([lived("nothing happens", "retrain", 90)], Expect(), idle_eur=1_000.0)
    assert failed.value.expected == "at most 1,000 euros a world"
    assert failed.value.lesson.misconception == "acted-on-quiet-days"


def test_worlds_of_one_city_are_made_in_turn_and_are_what_each_is_alone() -> None:
    """Days that are alike in both are made once: the table, what is observed and what is learned stay."""
    courses: list[tuple[str, tuple[Incident, ...]]] = [
        ("nothing", ()),
        ("metres", (Metres(start=88),)),
        ("rain", (UnseenRain(start=90),)),
    ]
    for (title, incidents), (name, oracle) in zip(courses, oracles(default_rng(1), *courses), strict=True):
        alone = world_of(oracle.costs.world.seed, *incidents)
        assert (name, oracle.total) == (title, alone.total)
        np.testing.assert_array_equal(oracle.costs.table, alone.costs.table)
        for day in (60, 85, 95):
            one, other = oracle.costs.log.of(day), alone.costs.log.of(day)
            np.testing.assert_array_equal(one.logs, other.logs)
            np.testing.assert_array_equal(one.minutes, other.minutes)
