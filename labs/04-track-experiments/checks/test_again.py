"""Checks of lab 04 that do it again: the model in another process, the chosen run from a clean clone."""

import io
import json
import tomllib

import numpy as np
from numpy.typing import NDArray

from grader.checks import Evidence, Expect, Run, Student
from lab_env.world import SEED, World, as_frame

PAGE = "modules/04-track-experiments.md"
WEEK = (28, 7)  # the first day of week 5, and its days
NEAR = 0.002  # minutes; metrics are logged with four digits

PREDICT = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import mlflow, pandas as pd
from model import features
model = mlflow.pyfunc.load_model(sys.argv[1], suppress_warnings=True)  # else it looks at every package
said = model.predict(features(pd.read_parquet("judged.parquet")))
print(json.dumps([float(minutes) for minutes in said]))
"""


def test_model_is_the_runs(evidence: Evidence, student: Student, expect: Expect) -> None:
    run = _chosen(evidence)
    folder = next((model.folder for model in reversed(run.models) if model.folder), "") if run else ""
    orders = as_frame(World(SEED, "quiet").orders(*WEEK)).dropna(subset=["minutes"])
    given = io.BytesIO()
    orders.drop(columns=["minutes", "labelled"]).to_parquet(given, index=False)
    done = student.run(["python", "-c", PREDICT, folder or ""], files={"judged.parquet": given.getvalue()})
    looked_at = "the model of the chosen run, loaded in another process, on week 5"
    expect.that(
        done.code == 0,
        looked_at=looked_at,
        found=(done.stderr.strip().splitlines() or ["no reason given"])[-1],
        expected="a prediction for each order",
        why="An artifact that only its maker can load is not one. Log it with `mlflow.sklearn.log_model` or "
        "as a pyfunc model, with what it needs.",
        link=f"{PAGE}#what-a-signature-is",
    )
    error = _error(done.stdout, orders["minutes"].to_numpy())
    wanted = run.metrics.get("valid_mae", float("nan")) if run else float("nan")
    expect.that(
        abs(error - wanted) < NEAR,
        looked_at=looked_at,
        found=f"an error of {error:.4f} minutes",
        expected=f"{wanted:.4f}, the run's valid_mae",
        why="It has learned from week 5, so it has seen the answers: its error there means nothing, and the "
        "run's number belongs to another model. Publish the very model that was measured: weeks 1 to 4."
        if error < wanted - NEAR
        else "This is not the model that the run measured. Fit it with the run's own parameters, all three.",
        link=f"{PAGE}#what-a-signature-is",
        misconception="fitted-on-everything" if error < wanted - NEAR else "model-of-other-settings",
    )


def test_chosen_run_reproduces(evidence: Evidence, student: Student, expect: Expect) -> None:
    run = _chosen(evidence)
    if run is None:  # choice_follows_the_rule comes first
        raise RuntimeError("there is no chosen run")
    commit = (
        run.tags.get("git_commit")
        or run.params.get("git_commit")
        or run.tags.get("mlflow.source.git.commit", "")
    )
    clone = evidence.dvc.pull(commit)
    looked_at = f"model.py with the run's parameters, in a clean clone at {commit[:7]} after `dvc pull`"
    expect.that(
        clone.ok,
        looked_at=looked_at,
        found=clone.error,
        expected="the orders",
        why="The store lacks the data of this run. `dvc push` at that commit sends it.",
        link=f"{PAGE}#what-makes-a-run-repeatable",
    )
    said = run.metrics["valid_mae"]
    again, why = _measured(student.at(clone), run)
    same = abs(again - said) < NEAR
    today = same or _measured(student, run)[0]
    dirty = not same and abs(today - said) < NEAR
    expect.that(
        same,
        looked_at=looked_at,
        found=f"valid_mae {said:.4f} in the store",
        expected=f"valid_mae {again:.4f}, as the clone gives it{why}",
        why="Today's code gives the number in the store, the commit that the run names does not. Something "
        "was changed and not committed when it ran: the run names a commit that it did not run. Commit "
        "first."
        if dirty
        else "Neither the run's commit nor today's code gives this number. It was typed, rounded, or made "
        "by code that is gone. Log what `measure` returns, and nothing else.",
        link=f"{PAGE}#what-makes-a-run-repeatable",
        misconception="commit-of-a-dirty-tree" if dirty else "metric-typed",
    )


def _error(stdout: str, minutes: NDArray[np.float64]) -> float:
    """The mean absolute error of the predictions on the last line printed; NaN when there are none."""
    try:
        said = np.array(json.loads(stdout.strip().splitlines()[-1]), dtype=float)
        return float(np.abs(said - minutes).mean())
    except (ValueError, TypeError, IndexError, OverflowError, RecursionError):
        return float("nan")


def _measured(student: Student, run: Run) -> tuple[float, str]:
    words = [
        word
        for name in ("leaves", "rate", "seed")
        for word in (f"--{name}", run.params.get(name, "").replace("\0", ""))
    ]
    done = student.run(["python", "model.py", *words])
    try:
        return float(json.loads(done.stdout.strip().splitlines()[-1])["valid_mae"]), ""
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
        last = (done.stderr.strip().splitlines() or ["it printed no valid_mae"])[-1]
        return float("nan"), f" ({last[:200]})"


def _chosen(evidence: Evidence) -> Run | None:
    try:
        said = tomllib.loads(evidence.text("choice.toml") or "").get("run_id")
    except (tomllib.TOMLDecodeError, RecursionError):
        said = None
    return evidence.mlflow.run(str(said))
