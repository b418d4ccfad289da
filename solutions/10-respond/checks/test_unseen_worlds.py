"""Hidden checks of lab 10 on the policy: every kind of incident, in cities that nobody has seen.

How often the master would fail one by luck: `python -m tests.course.luck`.
"""

# CANARY-7d20b5e1c946

import numpy as np

from grader.checks import Expect, Hidden, Student
from lab_env import lives
from lab_env.world.incidents import (
    BadDeploy,
    BrokenLabels,
    CourierShortage,
    DecoyWeek,
    DoubledFeed,
    Festival,
    Incident,
    LateLabels,
    Metres,
    Monsoon,
    NewBridge,
    NewZone,
    Nulls,
    OrderStacking,
    RenamedColumn,
    ServingSkew,
    ShiftedClock,
    SlowService,
    UnseenRain,
)

Course = tuple[str, tuple[Incident, ...]]

ALONE = {"broken": [(1, 2)], "system": [(2,)], "city": [(4,)], "quiet": [(2,)]}
"""Worlds, by their places, that have to be lived well enough by themselves beside all of them together."""

QUIET_EUR = 2_000.0
"""A world: a hand that is raised once too often is no failure."""


def test_broken_data_is_mended(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("broken")
    lives.judge(student.session(), expect, lives.oracles(rng, *broken(rng)), also=ALONE["broken"])


def test_bad_releases_go_back(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("system")
    lives.judge(student.session(), expect, lives.oracles(rng, *system(rng)), also=ALONE["system"])


def test_changed_city_is_followed(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("city")
    lives.judge(student.session(), expect, lives.oracles(rng, *city(rng)), also=ALONE["city"])


def test_quiet_worlds_are_left_alone(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("quiet")
    worlds = lives.oracles(rng, *quiet(rng))
    lives.judge(student.session(), expect, worlds, idle_eur=QUIET_EUR, also=ALONE["quiet"])


def test_two_at_once_are_told_apart(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("two")
    lives.judge(student.session(), expect, lives.oracles(rng, *two(rng)))


def broken(rng: np.random.Generator) -> list[Course]:
    """Feeds that break, and labels."""
    return [
        (
            "distances come in metres, and two weeks later under another name",
            (Metres(start=early(rng), days=of(rng, 5, 8)), RenamedColumn(start=of(rng, 102, 105), days=5)),
        ),
        (
            "two distances in five are null, and later times come early",
            (
                Nulls(start=early(rng), days=of(rng, 6, 9), size=size(rng, 0.35, 0.5)),
                ShiftedClock(start=of(rng, 102, 105), days=6),
            ),
        ),
        (
            "orders come twice, and later labels in seconds",
            (
                DoubledFeed(start=early(rng), days=6),
                BrokenLabels(start=of(rng, 100, 103), days=10, size=size(rng, 0.7, 1.0)),
            ),
        ),
    ]


def system(rng: np.random.Generator) -> list[Course]:
    """Releases."""
    return [
        ("a release has a bug behind the model", (BadDeploy(start=early(rng), size=size(rng, 0.7, 0.78)),)),
        (
            "a release computes the distance in miles",
            (ServingSkew(start=early(rng), size=size(rng, 0.55, 0.65)),),
        ),
        ("a release answers late", (SlowService(start=early(rng), size=size(rng, 8, 14)),)),
    ]


def city(rng: np.random.Generator) -> list[Course]:
    """What changes outside."""
    return [
        (
            "a bridge opens, and people find it by and by",
            (NewBridge(start=early(rng), size=size(rng, 0.5, 0.6), ramp_days=of(rng, 0, 6)),),
        ),
        ("couriers carry two orders", (OrderStacking(start=early(rng), size=size(rng, 5.5, 7.5)),)),
        ("rain comes as never before", (UnseenRain(start=early(rng), size=size(rng, 6, 8)),)),
        ("Tiffin opens at the airport", (NewZone(start=early(rng), size=size(rng, 0.7, 1.0)),)),
        ("the festival comes", (Festival(start=early(rng)),)),
    ]


def quiet(rng: np.random.Generator) -> list[Course]:
    """Where nothing can be done."""
    return [
        (
            "there is a promotion, and later couriers are short",
            (DecoyWeek(start=early(rng)), CourierShortage(start=100, size=size(rng, 0.5, 0.65))),
        ),
        ("the monsoon comes as every year", (Monsoon(start=early(rng)),)),
        ("labels come late", (LateLabels(start=early(rng)),)),
    ]


def two(rng: np.random.Generator) -> list[Course]:
    """Two things in one world."""
    return [
        (
            "a bridge opens, and then distances come in metres",
            (NewBridge(start=early(rng), size=size(rng, 0.5, 0.55)), Metres(start=of(rng, 94, 97), days=6)),
        ),
        (
            "couriers carry two orders while labels come in seconds",
            (
                OrderStacking(start=of(rng, 94, 96), size=size(rng, 6, 7)),
                BrokenLabels(start=early(rng), days=of(rng, 10, 13)),
            ),
        ),
    ]


def early(rng: np.random.Generator) -> int:
    """The first day of an incident."""
    return of(rng, 86, 90)


def of(rng: np.random.Generator, low: int, high: int) -> int:
    """A day, or a number of days."""
    return int(rng.integers(low, high))


def size(rng: np.random.Generator, low: float, high: float) -> float:
    """How large an incident is."""
    return float(rng.uniform(low, high))
