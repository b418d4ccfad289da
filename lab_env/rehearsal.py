"""Rehearse a policy on a scenario, and lay out records of incidents: what lab 10 is done with."""

import csv
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lab_env.errors import LabError
from lab_env.living import (
    DAYS,
    FIRST_DAY,
    ORDERS_PER_DAY,
    Life,
    Respond,
    UnknownAction,
    cheapest,
    live,
    oracle_of,
    untouched,
)
from lab_env.world import World
from lab_env.world.incidents import BrokenLabels, CourierShortage, Incident, ServingSkew
from lab_env.world.pictures import Panel, draw
from lab_env.world.scenarios import Scenario, find_scenario

RECORDS: dict[str, tuple[int, Incident]] = {
    "a": (7, ServingSkew(start=93)),
    "b": (8, BrokenLabels(start=88, days=20)),
    "c": (9, CourierShortage(start=90)),
}
"""What happened in each record, in which city."""

KEPT = (
    *("day", "violations", "copies", "broken_labels", "coverage", "version", "version_days", "latency_ms"),
    *("festival", "alarm", "error", "expected", "strange"),
)
RECORD_FIRST, RECORD_DAYS = 82, 24


def write_records(folder: Path) -> list[Path]:
    """A table per record: what was seen each morning while nobody acted."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (seed, incident) in RECORDS.items():
        world = World(
            seed, Scenario("record", "Something happens.", (incident,)), orders_per_day=ORDERS_PER_DAY
        )
        life = live(name, oracle_of(world, RECORD_DAYS, RECORD_FIRST), lambda _: "wait")
        path = folder / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow([*KEPT, "index", "bias"])
            for morning in life.mornings:
                known = [of for of in morning["bias"].values() if of is not None]
                bias = max(known, key=abs, default=None)
                lines.writerow([*(morning[key] for key in KEPT), morning["index"][0], bias])
        written.append(path)
    return written


def policy_in(path: Path) -> Respond:
    """The function `respond` of a file.

    Raises:
        LabError: there is no such file, it cannot be imported, or has no `respond`.
    """
    if not path.is_file():
        raise LabError(f"There is no {path}. Name the file with your policy, like respond.py.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise LabError(f"{path} is no Python file. Name the file with your policy, like respond.py.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise LabError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(found := getattr(module, "respond", None)):
        raise LabError(f"{path} has no function `respond`. Write `def respond(morning): …`.")
    return found  # type: ignore[no-any-return]


def rehearse(respond: Respond, scenario: str, seed: int, days: int = DAYS) -> Life:
    """A life in a named scenario.

    Raises:
        LabError: the policy raised; says on which day.
        WorldError: there is no such scenario.
        UnknownAction: it answered with what is no action.
    """
    day = FIRST_DAY

    def asked(morning: dict[str, Any]) -> Any:
        nonlocal day
        day = morning["day"]
        return respond(morning)

    oracle = oracle_of(World(seed, find_scenario(scenario), orders_per_day=ORDERS_PER_DAY), days)
    try:
        return live(scenario, oracle, asked)
    except UnknownAction:
        raise
    except (Exception, SystemExit) as error:  # whatever the policy does wrong is the learner's to see
        raise LabError(f"respond raised on day {day}: {type(error).__name__}: {error}") from error


def picture(life: Life) -> str:
    """What each day cost under the policy, under nobody's care, and at best; as SVG."""
    costs, best = life.oracle.costs, (np.array(cheapest(life.oracle)) / 1000).round(3)
    panels = [
        Panel("thousand euros a day, as you acted", (np.array(life.euros) / 1000).round(3), floor=best),
        Panel("the same, had nobody acted", (np.array(untouched(life.oracle)) / 1000).round(3), floor=best),
    ]
    harmed = [day for day in range(costs.first_day, costs.first_day + costs.days) if costs.harmful(day)]
    return draw(panels, costs.first_day, harmed, alone=True)
