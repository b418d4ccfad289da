"""The hidden check of lab 02: measure.py measures what is there, not what was there."""

# CANARY-5b1e7c02a94d

import json
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import numpy as np

from grader.checks import Evidence, Expect, Hidden, Student
from lab_env.world import World, write_orders


def test_measure_holds_on_other_orders(
    student: Student, evidence: Evidence, hidden: Hidden, expect: Expect
) -> None:
    rng = hidden.rng("orders")
    seed, first, days = int(rng.integers(1, 10_000)), int(rng.integers(10, 60)), int(rng.integers(45, 60))
    paths = [path for path in evidence.dvc.outs() if PurePosixPath(path).name == "orders.parquet"]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "orders.parquet"
        write_orders(file, scenario="monsoon", seed=seed, first_day=first, days=days)
        files = {(paths or ["data/orders.parquet"])[0]: file.read_bytes(), "metrics.json": b""}
    looked_at = f"measure.py on {days} days of orders that it has not seen"
    done = student.run(["python", "measure.py"], files=files)
    expect.that(
        done.code == 0,
        looked_at=looked_at,
        found=(done.stderr.strip().splitlines() or ["no reason given"])[-1],
        expected="a run that writes metrics.json",
        why="measure.py came to you working. Compare it with the first commit.",
        link="modules/02-version-data.md#the-number-is-measured",
    )
    try:
        found = float(json.loads(done.read("metrics.json") or b"")["mae_minutes"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        found = float("nan")
    wanted = _error(World(seed, "monsoon"), first, days)
    expect.that(
        abs(found - wanted) < 0.002,
        looked_at=looked_at,
        found=f"mae_minutes {found:g}",
        expected=f"mae_minutes {wanted:.3f}",
        why="measure.py knows something about its data that is true of this quarter only, such as its "
        "last day. It reproduces both tags and will be wrong at the next version. What changes with "
        "the data has to be read from the data.",
        link="modules/02-version-data.md#the-number-is-measured",
        misconception="split-in-code",
    )


def _error(world: World, first: int, days: int) -> float:
    """How far the promise is off, in minutes: medians of four weeks, judged on the two after."""
    orders = world.orders(first, days)
    zone, minutes, age = orders["zone"], orders["minutes"], first + days - 1 - orders["day"]
    learned, judged = (age >= 14) & (age < 42), age < 14
    promise = np.array([np.nanmedian(minutes[learned & (zone == at)]) for at in range(zone.max() + 1)])
    return float(np.nanmean(np.abs(minutes[judged] - promise[zone[judged]])))
