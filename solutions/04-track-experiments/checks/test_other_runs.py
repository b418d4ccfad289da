"""The hidden check of lab 04: choose() follows the rule on tables of runs that it has never seen."""

# CANARY-9c41d07be5a2

from typing import Any

import numpy as np
import pandas as pd

from grader.checks import Expect, Hidden, Student

PAGE = "modules/04-track-experiments.md"
TABLES = 6


def test_choose_holds_on_other_runs(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("runs")
    with student.session() as session:
        for _ in range(TABLES):
            runs, margin, right, traps = _table(rng)
            said = str(session.call("choose.choose", runs, margin))
            misconception = traps.get(said, "")
            expect.that(
                said == right,
                looked_at=f"choose() on a table of {len(runs)} runs that it has not seen",
                found=_line(runs, said),
                expected=_line(runs, right),
                why=WHY.get(misconception, "Go through the four sentences of rule.toml with this table."),
                link=f"{PAGE}#choose-by-a-rule",
                misconception=misconception,
            )


WHY = {
    "failed-runs-counted": "A run that failed half-way has logged a number that was never finished, often "
    "a very good "
    "one. Only what FINISHED counts.",
    "winner-by-the-test": "It took the run with the smallest test_mae. The test week is for the one report "
    "at the end.",
    "best-seed": "It took the single run with the smallest valid_mae: a lucky seed. Average over the seeds "
    "first.",
    "margin-ignored": "It took the best mean. Within the margin nobody can tell settings apart, and then "
    "the smaller "
    "tree wins: it is cheaper, and it has less room to learn noise.",
}


def _table(rng: np.random.Generator) -> tuple[pd.DataFrame, float, str, dict[str, str]]:
    """Runs, a margin, the right run's id, and the ids that mistakes lead to.

    Three settings: a small tree that is worse by more than the margin, a middle one within it, a large
    one that is best. So the middle one's run with the lowest seed is right.
    """
    margin = float(rng.uniform(0.04, 0.08))
    best = float(rng.uniform(3.0, 6.0))
    small, middle, large = sorted(int(leaves) for leaves in rng.choice(np.arange(3, 120), 3, replace=False))
    means = {small: best + 2.5 * margin, middle: best + 0.5 * margin, large: best}
    seeds = sorted(int(seed) for seed in rng.choice(np.arange(1, 200), 4, replace=False))
    rows: list[dict[str, Any]] = []
    for leaves, mean in means.items():
        noise = rng.normal(0, margin / 4, len(seeds))
        for seed, error in zip(seeds, mean + noise - noise.mean(), strict=True):
            rows.append(_row(rng, "FINISHED", leaves, seed, error))
    lucky = rows[2]  # one seed of the small tree: lucky alone, and its setting all the same the worst
    shift = lucky["metrics.valid_mae"] - (best - 2.0 * margin)
    lucky["metrics.valid_mae"] -= shift
    rows[1]["metrics.valid_mae"] += shift
    rows[3]["metrics.test_mae"] = best - 1.0
    failed = _row(rng, "FAILED", small, seeds[-1] + 1, best - 2.0)
    killed = _row(rng, "KILLED", 2, seeds[0], best - 2.5)
    empty = _row(rng, "FINISHED", 2, seeds[1], float("nan"))
    right = next(row for row in rows if row["params.leaves"] == str(middle))["run_id"]
    first_large = next(row for row in rows if row["params.leaves"] == str(large))["run_id"]
    first_small = rows[0]["run_id"]
    traps = {
        killed["run_id"]: "failed-runs-counted",
        failed["run_id"]: "failed-runs-counted",
        first_small: "failed-runs-counted",
        rows[3]["run_id"]: "winner-by-the-test",
        lucky["run_id"]: "best-seed",
        first_large: "margin-ignored",
    }
    table = pd.DataFrame([*rows, failed, killed, empty])
    return table.iloc[rng.permutation(len(table))].reset_index(drop=True), margin, str(right), traps


def _row(rng: np.random.Generator, status: str, leaves: int, seed: int, error: float) -> dict[str, Any]:
    return {
        "run_id": rng.bytes(16).hex(),
        "status": status,
        "params.leaves": str(leaves),
        "params.rate": "0.1",
        "params.seed": str(seed),
        "metrics.valid_mae": float(error),
        "metrics.test_mae": float(error + rng.normal(0.3, 0.02)),
    }


def _line(runs: pd.DataFrame, run_id: str) -> str:
    found = runs[runs["run_id"] == run_id]
    if found.empty:
        return run_id
    row = found.iloc[0]
    return (
        f"leaves {row['params.leaves']}, seed {row['params.seed']}, {row['status']}, "
        f"valid_mae {row['metrics.valid_mae']:.4f}"
    )
