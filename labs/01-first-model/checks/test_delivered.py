"""Checks of lab 01: the model in the notebook, and what has left it."""

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from grader.checks import Expect, NotebookSession, Student, near
from lab_env.warehouse import LATER, joined
from lab_env.world import World, as_frame, floors

PAGE = "modules/01-first-model.md"
NOTEBOOK = "first_model.ipynb"
DAYS, TEST_DAYS = 98, 14
FIRST_TEST = DAYS - TEST_DAYS
METRICS = ("mae", "p90", "baseline_mae", "floor_mae", "gap_closed")

# Run in the box, apart from the notebook: a learner made the model that it loads.
LOADER = """
import io, json, sys
import joblib, pandas as pd
orders = pd.read_csv(io.StringIO(sys.stdin.read()))
features = json.load(open("model/features.json"))
model = joblib.load("model/model.joblib")
print("\\n" + json.dumps([float(value) for value in model.predict(orders[features])]))
"""


def test_every_order_gets_a_promise(student: Student, expect: Expect) -> None:
    notebook = student.notebook(NOTEBOOK)
    orders = (
        _order_time(_weeks(FIRST_TEST, 1)).dropna(subset=["kitchen_queue"]).head(3).reset_index(drop=True)
    )
    link = f"{PAGE}#inside-the-pipeline"
    cases = {
        "one order": orders.head(1),
        "three orders, one from a zone that is new": orders.assign(zone=["airport", *orders["zone"][1:]]),
        "three orders, one without distance": orders.assign(
            distance_km=orders["distance_km"].where([False, True, True])
        ),
        "three orders, one from a restaurant that is new": orders.assign(
            restaurant=[83, *orders["restaurant"][1:]]
        ),
    }
    for name, table in cases.items():
        found = np.asarray(notebook.call("predict", table), dtype=float).ravel()
        expect.that(
            found.shape == (len(table),) and bool(np.isfinite(found).all()),
            looked_at=f"predict, for {name}",
            found=", ".join(f"{value:.1f}" for value in found[:5]) or "nothing",
            expected=f"{len(table)} numbers, one for each order",
            why="Who has ordered gets a promise, whatever the map service has just lost. A row that is "
            "dropped is a "
            "customer without an answer, and moves all answers behind it to the wrong order.",
            link=link,
            misconception="rows-dropped" if found.size < len(table) else "no-number",
        )


def test_another_process_can_use_it(student: Student, expect: Expect) -> None:
    notebook = student.notebook(NOTEBOOK)
    link = f"{PAGE}#what-leaves-the-notebook"
    features = _stored(notebook, "features")
    later = sorted(set(LATER) & set(features)) if isinstance(features, list) else []
    expect.that(
        not later,
        looked_at="model/features.json",
        found=", ".join(later),
        expected="only columns that are known when an order is placed",
        why="Whoever loads the model has to bring these columns, and at the moment of the order nobody has "
        "them.",
        link=f"{PAGE}#leaks",
        misconception="leak-in-the-features",
    )
    orders = _test_weeks()
    looked_at = f"a fresh process with model/model.joblib, model/features.json and {len(orders):,} orders"
    found, said = _promised(notebook)
    wanted = np.asarray(notebook.call("predict", orders), dtype=float).ravel()
    expect.that(
        found is not None,
        looked_at=looked_at,
        found=said,
        expected=f"{len(orders):,} predictions",
        why="A model is an artifact: it has to work where this notebook is not. What is only in the "
        "notebook's memory, "
        "such as a function that you wrote for it, is not in the file.",
        link=link,
        misconception="needs-the-notebook",
    )
    assert found is not None
    off = float(np.abs(found - wanted).max()) if found.shape == wanted.shape else float("inf")
    expect.that(
        off < 0.01,
        looked_at=looked_at,
        found=f"{np.median(found):.2f} as the median, and up to {off:.2f} away from `predict` in the "
        "notebook",
        expected=f"the same numbers, {np.median(wanted):.2f} as the median",
        why="The file holds another thing than your `predict` does: a step before or after the model, such "
        "as a scaler "
        "or the way back from a logarithm, stayed in the notebook. Save the whole.",
        link=link,
        misconception="step-left-behind",
    )


def test_metrics_are_of_this_model(student: Student, expect: Expect) -> None:
    notebook = student.notebook(NOTEBOOK)
    stored = _stored(notebook, "metrics")
    weeks = _weeks(FIRST_TEST, TEST_DAYS)
    found, _ = _promised(notebook)
    there = weeks["minutes"].notna().to_numpy()
    truth = weeks["minutes"].to_numpy()
    misses = np.abs((found if found is not None and found.size == len(weeks) else np.nan) - truth)
    wanted = _true_metrics(misses[there])
    complete = float(misses[there & weeks["kitchen_queue"].notna().to_numpy()].mean())
    logs = (
        float(np.mean(np.abs(np.log(np.maximum(found, 0.1)) - np.log(truth))[there]))
        if found is not None
        else np.nan
    )
    for name in METRICS:
        value = _number(stored, name)
        misconception, why = "", "Written by the cell that saves the model, it is the number of that model."
        if name == "mae" and abs(value - complete) < 0.03:
            misconception, why = (
                "nulls-dropped",
                (
                    "This is the error without the orders whose queue is missing, and these are the slow "
                    "ones. The promise "
                    "is off for them too; they only are not counted. Keep every delivered order."
                ),
            )
        elif name in ("mae", "p90") and value < 2 * logs + 0.2:
            misconception, why = (
                "metric-of-the-logarithm",
                (
                    "This is no number of minutes: it was measured on the transformed target. Nobody waits "
                    "for a logarithm. "
                    "Turn the prediction back, then measure."
                ),
            )
        elif abs(value - wanted[name]) > 0.02:
            misconception = "metric-of-something-else"
        expect(
            value,
            near(wanted[name], within=0.02),
            looked_at=f"`{name}` in model/metrics.json, beside the saved model on the last 14 days",
            why=why,
            link=f"{PAGE}#what-leaves-the-notebook",
            misconception=misconception,
        )


def test_note_says_what_it_learned_from(student: Student, expect: Expect) -> None:
    note = _stored(student.notebook(NOTEBOOK), "note")
    link = f"{PAGE}#what-leaves-the-notebook"
    said = note.get("predicts") if isinstance(note, dict) else None
    expect.that(
        isinstance(said, str) and "min" in said.lower(),
        looked_at="`predicts` in model/note.json",
        found=said,
        expected="a text with the unit in it",
        why="A file of numbers without a unit has been read as seconds before, and will be again.",
        link=link,
        misconception="no-unit",
    )
    expect(
        [_number(note, "first_day"), _number(note, "last_day")],
        [0.0, FIRST_TEST - 1.0],
        looked_at="`first_day` and `last_day` in model/note.json",
        why="A model knows the days that it learned from and no others. Who asks in a year whether it has "
        "seen a "
        "monsoon looks here. The test weeks are not among them.",
        link=link,
        misconception="other-days-noted",
    )


@cache
def _promised(notebook: NotebookSession) -> tuple[np.ndarray | None, str]:
    """What the saved model predicts in a process of its own; None and its last words when it cannot."""
    done = notebook.run(["python", "-c", LOADER], _test_weeks().to_csv(index=False).encode())
    try:
        return np.array(json.loads(done.stdout.strip().splitlines()[-1]), dtype=float), ""
    except (ValueError, IndexError, TypeError, RecursionError):
        return None, (done.stderr.strip().splitlines() or ["nothing"])[-1]


def _stored(notebook: NotebookSession, name: str) -> Any:
    try:
        return json.loads(notebook.read(f"model/{name}.json") or b"{}")
    except (ValueError, RecursionError):
        return {}


def _true_metrics(misses: np.ndarray) -> dict[str, float]:
    """What a metrics.json of these misses has to say."""
    orders = _weeks(0, DAYS)
    past, test = orders[orders["day"] < FIRST_TEST], _weeks(FIRST_TEST, TEST_DAYS)
    promise = test["zone"].map(past.groupby("zone")["minutes"].median())
    baseline = float((test["minutes"] - promise).abs().mean())
    table = floors(_world(), "delivery", FIRST_TEST, TEST_DAYS)
    floor = float(np.average(table["mae"], weights=table["rows"]))
    mae = float(misses.mean())
    return {
        "mae": mae,
        "p90": float(np.quantile(misses, 0.9)),
        "baseline_mae": baseline,
        "floor_mae": floor,
        "gap_closed": (baseline - mae) / (baseline - floor),
    }


def _test_weeks() -> pd.DataFrame:
    """The orders of the exam, as they were when they were placed."""
    return _order_time(_weeks(FIRST_TEST, TEST_DAYS))


def _order_time(orders: pd.DataFrame) -> pd.DataFrame:
    """What is known when an order is placed; the other columns are there and empty."""
    return orders.assign(**dict.fromkeys(LATER, np.nan))


@cache
def _weeks(first: int, days: int) -> pd.DataFrame:
    """Days of the warehouse's table, with the nulls that `prepare` gives all of them."""
    if (first, days) != (0, DAYS):
        orders = _weeks(0, DAYS)
        return orders[(orders["day"] >= first) & (orders["day"] < first + days)].reset_index(drop=True)
    return joined(as_frame(_world().orders(0, DAYS)))


@cache
def _world() -> World:
    return World(scenario="quiet", orders_per_day=400)


def _number(table: Any, name: str) -> float:
    value = table.get(name) if isinstance(table, dict) else None
    return float(value) if isinstance(value, int | float) else float("nan")
