"""Checks of lab 01: the questions, the split, the errors, the baseline and the leaks."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from grader.checks import Expect, Student, between, near
from lab_env.warehouse import LEAKS, PACE, RIDE, joined
from lab_env.world import World, as_frame

PAGE = "modules/01-first-model.md"
NOTEBOOK = "first_model.ipynb"
DAYS, TEST_DAYS = 98, 14


def test_slowest_zone_is_named(student: Student, expect: Expect) -> None:
    expect(
        student.notebook(NOTEBOOK).call("slowest_zone", _some_orders()),
        "hills",
        looked_at="slowest_zone, for eight orders of which those to the hills take longest",
        why="This cell came to you working; the others follow its pattern.",
        link=f"{PAGE}#ask-the-table",
        misconception="given-cell-changed",
    )


def test_questions_are_answered(student: Student, expect: Expect) -> None:
    notebook = student.notebook(NOTEBOOK)
    link = f"{PAGE}#ask-the-table"
    expect(
        notebook.call("share_cancelled", _some_orders()),
        near(0.25, within=0.001),
        looked_at="share_cancelled, for eight orders of which two have no minutes",
        why="An order without minutes was cancelled: nobody will ever know how long it would have taken. A "
        "share is a number from 0 to 1 of *all* orders of the table that the function is given.",
        link=link,
        misconception="cancelled-not-counted",
    )
    expect(
        notebook.call("busiest_hour", _some_orders()),
        19,
        looked_at="busiest_hour, for eight orders of which four came at 19 and one at 22",
        why="Asked is the hour with the most orders in the table that the function is given.",
        link=link,
        misconception="answer-typed",
    )
    expect(
        notebook.call("wait_when_queue_is_missing", _some_orders()),
        near(19, within=0.01),
        looked_at="wait_when_queue_is_missing, for orders of 40 and 42 minutes without a queue, and of 18 "
        "to 24 "
        "with one",
        why="Compare the two medians. That the orders without a value are the slow ones is what to "
        "remember when "
        "you are about to drop them.",
        link=f"{PAGE}#ask-the-table",
        misconception="missing-not-compared",
    )


def test_split_is_by_time(student: Student, expect: Expect) -> None:
    orders = _weeks(0, 21)
    train, test = _split(student, orders, 7)
    days = {int(day) for day in test["day"]}
    expect.that(
        len(train) + len(test) == len(orders) and set(train["order_id"]).isdisjoint(test["order_id"]),
        looked_at="split_by_time, on 21 days of orders with test_days=7",
        found=f"{len(train)} orders to learn from and {len(test)} to test, of {len(orders)}",
        expected="every order on one side",
        why="Orders that are dropped here are missing in the error too, and they are seldom the easy ones.",
        link=f"{PAGE}#split-by-time",
        misconception="orders-lost",
    )
    expect.that(
        days.isdisjoint(train["day"]),
        looked_at="split_by_time, on 21 days of orders with test_days=7",
        found=f"{len(days & set(train['day']))} days with orders on both sides",
        expected="no day on both sides",
        why="Orders of one day share its luck: a storm, a short crew. Who has seen half of a day knows "
        "something of "
        "the other half, and no model in service has seen half of tomorrow.",
        link=f"{PAGE}#split-by-time",
        misconception="random-split",
    )
    expect(
        sorted(days),
        list(range(14, 21)),
        looked_at="the days in the test, for 21 days of orders with test_days=7",
        why="The test stands for the future: it is the last days, as many as asked for.",
        link=f"{PAGE}#split-by-time",
        misconception="other-days",
    )


def test_lot_and_time_are_compared(student: Student, expect: Expect) -> None:
    notebook = student.notebook(NOTEBOOK)
    link = f"{PAGE}#what-a-random-split-hides"
    expect(
        notebook.value("gain_by_lot"),
        between(0.02, 0.3),
        looked_at="gain_by_lot",
        why="With orders drawn by lot, the column knows how the day went for the very orders that are "
        "tested.",
        link=link,
        misconception="compared-the-wrong-way",
    )
    expect(
        notebook.value("gain_by_time"),
        between(-0.4, -0.02),
        looked_at="gain_by_time",
        why="On a new day the column is empty, and the model has learned to lean on it. Measure it on the "
        "two tables "
        "that split_by_time gave.",
        link=link,
        misconception="compared-by-lot-only",
    )


def test_errors_are_measured(student: Student, expect: Expect) -> None:
    notebook = student.notebook(NOTEBOOK)
    actual, predicted = np.array([20.0, 30, 40, 50, 60]), np.array([21.0, 28, 43, 46, 70])
    expect(
        notebook.call("mae", actual, predicted),
        near(4, within=0.001),
        looked_at="mae, of five orders that are off by 1, -2, 3, -4 and 10 minutes",
        why="Too early and too late do not cancel out: each customer waits alone. Take the mean of the "
        "misses "
        "without their sign.",
        link=f"{PAGE}#errors-are-slis",
        misconception="errors-cancel-out",
    )
    actual, predicted = np.full(11, 30.0), 30.0 + np.array([0, 1, -1, 2, -2, 3, -3, 4, -5, 9, -20])
    expect(
        notebook.call("p90_error", actual, predicted),
        near(9, within=0.001),
        looked_at="p90_error, of eleven orders that are off by 0, 1, 1, 2, 2, 3, 3, 4, 5, 9 and 20 minutes",
        why="One order in ten is worse than this. It is the p90 that you know from latency, of the miss.",
        link=f"{PAGE}#errors-are-slis",
        misconception="not-the-p90",
    )


def test_baseline_knows_the_past_only(student: Student, expect: Expect) -> None:
    orders = _weeks(0, DAYS)
    past = orders[orders["day"] < DAYS - TEST_DAYS]
    medians = past.groupby("zone")["minutes"].median()
    table = pd.DataFrame({"zone": medians.index.to_numpy()})
    found = np.asarray(student.notebook(NOTEBOOK).call("baseline_predict", table), dtype=float)
    everything = orders.groupby("zone")["minutes"].median()
    expect.that(
        found.shape == medians.shape and bool(np.abs(found - medians.to_numpy()).max() < 0.001),
        looked_at="baseline_predict, for one order of each zone",
        found=_listed(medians.index, found),
        expected=_listed(medians.index, medians),
        why="These are the medians of all days, the test weeks among them: the baseline has seen its exam. "
        "Take them from `train`."
        if found.shape == everything.shape and np.allclose(found, everything)
        else "The baseline is each zone's median time on the days before the test weeks.",
        link=f"{PAGE}#a-baseline",
        misconception="baseline-of-all-days"
        if found.shape == everything.shape and np.allclose(found, everything)
        else "",
    )


def test_leaks_are_found(student: Student, expect: Expect) -> None:
    found = student.notebook(NOTEBOOK).value("leaks")
    named = {str(name) for name in found} if isinstance(found, list) else set()
    missing, more = sorted(set(LEAKS) - named), sorted(named - set(LEAKS))
    expect.that(
        not missing,
        looked_at="leaks",
        found=", ".join(sorted(named)) or "nothing",
        expected="both columns that are not known when the order is placed",
        why="One that stays in is enough: in service it is empty or, worse, filled with something else. "
        "Ask of "
        "every column who has this number at that moment.",
        link=f"{PAGE}#leaks",
        misconception="day-mean-overlooked"
        if missing == [PACE]
        else "ride-overlooked"
        if missing == [RIDE]
        else "",
    )
    expect.that(
        not more,
        looked_at="leaks",
        found=", ".join(more),
        expected="none but the two",
        why="These are known when the order is placed: the kitchen, the map and the weather service have "
        "told. "
        "That a column is useful does not make it a leak.",
        link=f"{PAGE}#leaks",
        misconception="useful-is-no-leak",
    )


def test_leaks_are_weighed(student: Student, expect: Expect) -> None:
    worth = student.notebook(NOTEBOOK).value("worth")
    link = f"{PAGE}#leaks"
    for leak, low, high in ((RIDE, 0.6, 1.3), (PACE, 0.08, 0.35)):
        value = _number(worth, leak)
        expect(
            value,
            between(low, high),
            looked_at=f"worth[{leak!r}], in minutes of error on the test",
            why="A leak lowers the error of the test: take the error without it less the error with it, "
            "both on "
            "`test`, with this one column added to the known ones.",
            link=link,
            misconception="worth-the-wrong-way" if -high <= value <= -low else "",
        )


def _some_orders() -> pd.DataFrame:
    """Eight orders whose answers can be counted on the fingers."""
    return pd.DataFrame(
        {
            "order_id": np.arange(8),
            "zone": ["river", "hills", "river", "hills", "river", "river", "hills", "river"],
            "hour": np.array([19, 12, 19, 13, 19, 12, 19, 22]),
            "minutes": [18.0, 40.0, np.nan, 42.0, 20.0, 24.0, np.nan, 24.0],
            "kitchen_queue": [1.0, np.nan, 2.0, np.nan, 0.0, 3.0, 5.0, 2.0],
        }
    )


def _split(student: Student, orders: pd.DataFrame, test_days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    train, test = student.notebook(NOTEBOOK).call("split_by_time", orders, test_days=test_days)
    return train, test


@cache
def _weeks(first: int, days: int) -> pd.DataFrame:
    """Days of the warehouse's table, as `prepare` makes it."""
    return joined(as_frame(World(scenario="quiet", orders_per_day=400).orders(first, days)))


def _listed(zones: Any, values: Any) -> str:
    return ", ".join(f"{zone} {value:.2f}" for zone, value in zip(zones, np.ravel(values), strict=False))


def _number(table: Any, name: str) -> float:
    value = table.get(name) if isinstance(table, dict) else None
    return float(value) if isinstance(value, int | float) else float("nan")
