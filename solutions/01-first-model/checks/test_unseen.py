"""The hidden checks of lab 01: other orders, later weeks, and what must not be known."""

# CANARY-8d20f6b7c1e4

import io
from functools import cache

import numpy as np
import pandas as pd

from grader.checks import Expect, Hidden, NotebookSession, Student, at_least, at_most, near
from lab_env.warehouse import LATER, PACE, RIDE, joined
from lab_env.world import World, as_frame, floors

PAGE = "modules/01-first-model.md"
NOTEBOOK = "first_model.ipynb"
DAYS, TEST_DAYS = 98, 14
GAP = 0.85
MISSING = 0.7
"""Minutes above the law's own error on the orders without a queue, on any 28 of the days that are drawn: good
models have 0.1 to 0.55, those that were fitted without such orders 0.75 to 1.1."""


def test_split_holds_on_any_orders(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("split")
    notebook, first = student.notebook(NOTEBOOK), int(rng.integers(40, 300))
    few = pd.DataFrame({"order_id": np.arange(60), "day": first + np.repeat(np.arange(12), 5)})
    uneven = few.drop(index=range(50, 54)).reset_index(drop=True)
    years = pd.DataFrame({"order_id": np.arange(1460), "day": first + np.arange(1460) // 2})
    cases = {
        "orders that are not sorted": (few.sample(frac=1, random_state=int(rng.integers(1000))), 4),
        "a last but one day with one order and others with five": (uneven, 3),
        "two years of orders": (years, 30),
    }
    for name, (orders, test_days) in cases.items():
        orders = orders.reset_index(drop=True).assign(
            minutes=30.0, kitchen_queue=np.nan, placed=orders["day"] + 0.5
        )
        train, test = notebook.call("split_by_time", orders, test_days=test_days)
        cut = int(orders["day"].max()) - test_days
        wanted = set(orders["order_id"][orders["day"] > cut])
        both = set(train["day"]) & set(test["day"])
        lost = len(orders) - len(train) - len(test)
        expect.that(
            set(test["order_id"]) == wanted and not both and lost == 0,
            looked_at=f"split_by_time, for {name}",
            found=f"{len(test)} orders in the test, {len(both)} days on both sides, {lost} orders lost",
            expected=f"the {len(wanted)} orders of the last {test_days} days, no day on both sides, none "
            "lost",
            why="Rows were counted where days were meant: the next export comes in another order, and days "
            "are not equally long. Decide by the value of `day`.",
            link=f"{PAGE}#split-by-time",
            misconception="sequence-trusted",
        )


def test_errors_hold_with_gaps_and_ties(student: Student, expect: Expect) -> None:
    notebook = student.notebook(NOTEBOOK)
    actual = np.array([20, 20, np.nan, 30, 30, 40, np.nan, 40, 50, 50, 60, 60, 70])
    predicted = actual + np.array([5, -5, 9, 5, 5, 0, 9, 0, 5, 5, -5, 12, 0])
    predicted[2], predicted[6] = 33, 44
    looked_at = (
        "of 13 orders, two of them cancelled: the others are off by 0, 0, 0, 5 (seven times) and 12 minutes"
    )
    link = f"{PAGE}#errors-are-slis"
    for name, wanted in (("mae", 47 / 11), ("p90_error", 5.0)):
        expect(
            notebook.call(name, actual, predicted),
            near(wanted, within=0.001),
            looked_at=f"{name}, {looked_at}",
            why="A cancelled order has no truth to be measured by: leave it out, and do not count it as a "
            "hit.",
            link=link,
            misconception="cancelled-counted",
        )
    predicted[0] = np.nan
    for name in ("mae", "p90_error"):
        found = notebook.call(name, actual, predicted)
        expect.that(
            not (isinstance(found, int | float) and np.isfinite(found)),
            looked_at=f"{name}, when the prediction for a delivered order is missing",
            found=f"{found}",
            expected="no number: NaN, or an error",
            why="A model that says nothing for its hardest orders would get the better number. Leave out "
            "what has "
            "no truth, never what has no prediction.",
            link=link,
            misconception="silence-forgiven",
        )


def test_model_holds_in_the_weeks_to_come(student: Student, hidden: Hidden, expect: Expect) -> None:
    first = int(hidden.rng("weeks").integers(DAYS, DAYS + 42))
    orders, world = _weeks(first, 28), World(scenario="quiet", orders_per_day=400)
    found = _predict(student.notebook(NOTEBOOK), _order_time(orders))
    misses = np.abs(found - orders["minutes"].to_numpy())
    past = _weeks(0, DAYS).query("day < @DAYS - @TEST_DAYS")
    promise = orders["zone"].map(past.groupby("zone")["minutes"].median())
    table = floors(world, "delivery", first, 28)
    floor = float(np.average(table["mae"], weights=table["rows"]))
    baseline, mae = float((orders["minutes"] - promise).abs().mean()), float(np.nanmean(misses))
    looked_at = (
        f"28 days from day {first} on: the baseline is off by {baseline:.2f}, the floor is {floor:.2f}"
    )
    link = f"{PAGE}#between-baseline-and-floor"
    expect(
        (baseline - mae) / (baseline - floor),
        at_least(GAP),
        looked_at=f"{looked_at}, your model is off by {mae:.2f}; the share of the way that it goes",
        why="What an order needs is known when it is placed: the distance, the items, the queue, the "
        "couriers, "
        "the rain, the hour, the zone and the restaurant. Either one of them is missing, or the model "
        "leans on "
        "a column that is empty at that moment.",
        link=link,
        misconception="hardly-better",
    )
    missing = orders["kitchen_queue"].isna().to_numpy()
    best = np.abs(world.delivered(first, 28)[1].median - orders["minutes"].to_numpy())
    expect(
        float(np.nanmean((misses - best)[missing])),
        at_most(MISSING),
        looked_at="the orders of these days that came without `kitchen_queue`: by how many minutes your "
        "error is above "
        "that of somebody who knows the queue and every law of the city",
        why="These orders are slow *because* the kitchen was too busy to tell. A model that never saw "
        "them, or that was "
        "told their queue was an ordinary one, promises them too little.",
        link=f"{PAGE}#ask-the-table",
        misconception="never-saw-the-slow",
    )


def test_promise_is_made_at_order_time(student: Student, expect: Expect) -> None:
    notebook, orders = student.notebook(NOTEBOOK), _weeks(DAYS, 7)
    usual = _predict(notebook, orders)
    link = f"{PAGE}#leaks"
    lies = {
        RIDE: ("after-delivery-column", 9.0),
        PACE: ("day-mean-column", 60.0),
        "minutes": ("label-used", 60.0),
    }
    for column, (misconception, lie) in lies.items():
        found = _predict(notebook, orders.assign(**{column: lie}))
        expect.that(
            bool(np.allclose(found, usual, atol=0.001)),
            looked_at=f"predict, for the same orders with another `{column}`",
            found=f"promises that moved by up to {np.abs(found - usual).max():.1f} minutes",
            expected="the same promises",
            why=f"Nobody knows `{column}` when the order is placed. In service it is empty, or of another "
            "order.",
            link=link,
            misconception=misconception,
        )
    known = orders.drop(columns=list(LATER))
    parts = [_predict(notebook, known[at : at + 40].reset_index(drop=True)) for at in (0, 40)]
    moved = float(np.abs(np.concatenate(parts) - usual[:80]).max())
    expect.that(
        moved < 0.001,
        looked_at="predict, for 80 orders in two tables of 40, beside the same orders in a table of a week",
        found=f"promises that moved by up to {moved:.1f} minutes",
        expected="the same promises",
        why="Something in `predict` is computed from the table that it is given: a mean, a rank, a scale. "
        "In service "
        "the table is one order. Learn it from `train`, keep it, and look it up.",
        link=link,
        misconception="other-orders-used",
    )


def test_test_weeks_stay_unseen(student: Student, expect: Expect) -> None:
    asked = _order_time(_weeks(DAYS, 7))
    usual = _predict(student.notebook(NOTEBOOK), asked)
    other = student.notebook(NOTEBOOK, until="Predict", files={"data/orders.parquet": _other_exam()})
    moved = float(np.abs(_predict(other, asked) - usual).mean())
    expect(
        moved,
        at_most(0.02),
        looked_at="how far your promises move, in minutes, when your notebook is run with other orders in "
        "the last 14 "
        "days and the same before",
        why="The model has learned from its exam: it was fitted, scaled, encoded or chosen with the test "
        "weeks in the "
        "table. The error on them is then no forecast of anything. (If two runs on the same data differ "
        "too, give "
        "`random_state` to what draws by lot.)",
        link=f"{PAGE}#the-exam-stays-closed",
        misconception="learned-from-the-exam",
    )


def _predict(notebook: NotebookSession, orders: pd.DataFrame) -> np.ndarray:
    found = np.asarray(notebook.call("predict", orders), dtype=float).ravel()
    return found if found.size == len(orders) else np.full(len(orders), np.nan)


def _order_time(orders: pd.DataFrame) -> pd.DataFrame:
    """What is known when an order is placed; the other columns are there and empty."""
    return orders.assign(**dict.fromkeys(LATER, np.nan))


@cache
def _other_exam() -> bytes:
    """The learner's table with a test fortnight in which everything is otherwise."""
    orders = _weeks(0, DAYS).copy()
    late = orders["day"] >= DAYS - TEST_DAYS
    orders.loc[late, "minutes"] = 5 + 400 / orders["minutes"][late]
    orders.loc[late, "distance_km"] *= 8
    kept = io.BytesIO()
    orders.to_parquet(kept, index=False)
    return kept.getvalue()


@cache
def _weeks(first: int, days: int) -> pd.DataFrame:
    return joined(as_frame(World(scenario="quiet", orders_per_day=400).orders(first, days)))
