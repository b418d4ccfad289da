"""Checks of lab 10 on the records, the gate's days, and the retraining job."""

import csv
import json
from typing import Any

import numpy as np
import pandas as pd
import yaml

from grader.checks import Evidence, Expect, Student
from lab_env import shadows

PAGE = "modules/10-respond.md"
STAGES = ("window", "train", "shadow", "gate")


def test_records_are_whole(evidence: Evidence, expect: Expect) -> None:
    for name in "abc":
        table = list(csv.DictReader((evidence.text(f"data/records/{name}.csv") or "").splitlines()))
        expect(
            len(table),
            24,
            looked_at=f"the mornings of data/records/{name}.csv",
            why="A diagnosis is made from what was seen. `lab world records data/records` writes it again.",
            link=f"{PAGE}#what-a-morning-shows",
            misconception="record-changed",
        )


def test_gate_waits_for_days(student: Student, expect: Expect) -> None:
    rng, session = np.random.default_rng(3), student.session()
    for days, unknown, says in (
        (9, 0, "nine days of orders"),
        (14, 5, "fourteen days, of which the last five have no label yet"),
    ):
        table = shadows.shadow(rng, gain=2.0, days=days)
        table.loc[table["day"] >= table["day"].max() - unknown + 1, "minutes"] = np.nan
        shadows.ask(
            session,
            expect,
            table,
            wanted=False,
            looked_at=f"decide on {says}, the challenger better by two minutes",
            why="Weekdays differ, and a week has one Saturday. Count days that have labels, and wait "
            "for fourteen of "
            "them: the challenger loses nothing by it.",
            misconception="gate-without-days",
        )
    shadows.ask(
        session,
        expect,
        shadows.shadow(rng, gain=2.0, days=14),
        wanted=True,
        looked_at="decide on fourteen days, the challenger better by two minutes in every zone",
        why="That is enough, and it is better. A gate that nobody passes is a wall: the old model goes "
        "on harming.",
        misconception="gate-that-never-opens",
    )


def test_alarm_decides(student: Student, expect: Expect) -> None:
    session = student.session()
    trained = [{"act": "retrain", "day": 100}, {"act": "promote", "day": 114}]
    alarm = {"id": "x", "kind": "relation", "since": 90, "says": ""}
    for change, trail, today, wanted, says, name, why in (
        ({}, [], 104, True, "a relation that changed 14 days ago", "never-due", "The city has changed "
         "and there is "
         "enough of it to learn from."),
        ({}, [], 95, False, "a relation that changed 5 days ago", "retrained-on-day-one", "Five days "
         "are mostly "
         "their own luck. An offset helps at once; train when there are fourteen."),
        ({}, trained, 113, False, "an alarm 13 days after the last retraining", "no-cooldown", "What "
         "was trained "
         "has not even been looked at. A loop without a cooldown answers its own noise."),
        ({}, trained, 114, True, "an alarm 14 days after the last retraining", "never-due", "The "
         "cooldown is over."),
        ({"kind": "feed"}, [], 120, False, "a broken feed", "retrained-for-a-feed", "It would learn the "
         "break, and "
         "be wrong again when the feed is mended."),
        ({"kind": "labels"}, [], 120, False, "broken labels", "retrained-for-a-feed", "It would learn "
         "that dinner "
         "takes a day."),
        ({"kind": "input"}, [], 120, False, "an input that moved", "retrained-for-an-input", "An input "
         "that moved "
         "harms nobody by itself. Wait, and look at the error."),
        ({"kind": "system"}, [], 120, False, "a bad release", "retrained-for-a-feed", "The bug is not "
         "in the model."),
    ):  # fmt: skip
        said = session.call("alarm.due", alarm | change, trail, today)
        expect.that(
            isinstance(said, list | tuple)
            and len(said) == 2
            and said[0] is wanted
            and bool(str(said[1]).strip()),
            looked_at=f"due, on day {today}: {says}",
            found=said,
            expected=f"{wanted}, and a reason",
            why=why,
            link=f"{PAGE}#when-a-retraining-is-due",
            misconception=name,
        )


def test_window_knows_its_day(student: Student, expect: Expect) -> None:
    rng = np.random.default_rng(4)
    table = _orders(rng)
    said = student.call("window.window", table, 60, 28)
    whole = isinstance(said, pd.DataFrame) and said.columns.is_unique
    whole = whole and set(table.columns) <= set(said.columns)
    expect.that(
        whole and all(said[name].dtype.kind in "iuf" for name in table.columns if name != "zone"),
        looked_at="window(orders, 60, 28)",
        found={name: str(kind) for name, kind in said.dtypes.items()} if whole else said,
        expected=f"a table with the columns of `orders`, {', '.join(table.columns)}, and their numbers",
        why="The training reads it.",
        link=f"{PAGE}#what-a-training-may-read",
    )
    for rows, says, name, why in (
        (said["day"] >= 60, "orders of day 60 or later", "window-of-tomorrow", "On the morning of day "
         "60 they had not "
         "been placed."),
        (said["day"] < 32, "orders before day 32", "window-without-start", "The window has 28 days: the "
         "city before "
         "them is another one."),
        (said["minutes"].isna(), "orders without a label", "unlabelled-kept", "They teach nothing."),
        (said["labelled"] > 60, "labels that came after the morning of day 60", "label-of-tomorrow", "A "
         "job that runs "
         "again next month has to see what it saw today. Labels that come later make its test look "
         "better than it "
         "was."),
        (~(said["distance_km"] <= 100), "distances that no city has, or none", "feed-learned", "The contract "
         "says so at the door; the training has a door as well."),
        (said["minutes"] > 180, "labels that no delivery has", "labels-learned", "They are seconds."),
        (said["order_id"].duplicated(), "orders twice", "copies-learned", "What comes twice counts twice."),
    ):  # fmt: skip
        expect(
            int(rows.sum()),
            0,
            looked_at=f"{says} in window(orders, 60, 28)",
            why=why,
            link=f"{PAGE}#what-a-training-may-read",
            misconception=name,
        )
    expect(
        len(said),
        _sound(table),
        looked_at="the rows of window(orders, 60, 28)",
        why="All others are sound, and each of them teaches.",
        link=f"{PAGE}#what-a-training-may-read",
        misconception="too-few-kept",
    )


def _orders(rng: np.random.Generator) -> pd.DataFrame:
    days = np.repeat(np.arange(20, 70), 20)
    rows = days.size
    table = pd.DataFrame(
        {
            "order_id": np.arange(rows) + 1000,
            "day": days,
            "zone": rng.choice(["hill", "river"], rows),
            "distance_km": rng.uniform(0.3, 6, rows).round(2),
            "minutes": rng.uniform(12, 60, rows).round(1),
        }
    )
    table["labelled"] = table["day"] + rng.uniform(0.4, 0.99, rows).round(3)
    late = rng.random(rows) < 0.1
    table.loc[late, "labelled"] += 4
    table.loc[rng.random(rows) < 0.05, ["minutes", "labelled"]] = np.nan
    table.loc[rng.random(rows) < 0.05, "distance_km"] = np.nan
    table.loc[rng.random(rows) < 0.05, "distance_km"] *= 1000
    table.loc[rng.random(rows) < 0.05, "minutes"] *= 60
    table = pd.concat([table, table[table["day"].between(40, 42)]])
    return table.sort_values("day", kind="stable").reset_index(drop=True)


def _sound(table: pd.DataFrame) -> int:
    there = table["day"].between(32, 59) & (table["labelled"] <= 60) & (table["minutes"] <= 180)
    return int(table.loc[there & (table["distance_km"] <= 100), "order_id"].nunique())


def test_job_is_recorded(evidence: Evidence, expect: Expect) -> None:
    lock = _lock(evidence)
    missing = [stage for stage in STAGES if stage not in lock]
    expect.that(
        not missing,
        looked_at="the stages in dvc.lock",
        found=", ".join(lock) or "none",
        expected=", ".join(STAGES),
        why="What the pipeline ran stands in dvc.lock, with a hash of all that went in and came out. "
        "What was run by "
        "hand stands nowhere. `python alarm.py alarms/094.json --today 111` runs the job.",
        link=f"{PAGE}#a-job-and-its-record",
        misconception="job-by-hand",
    )
    outs = {one["path"]: one.get("md5") for stage in lock.values() for one in stage.get("outs", [])}
    runs = [run for run in evidence.mlflow.runs("promise") if run.params.get("alarm") not in (None, "none")]
    right = [run for run in runs if run.tags.get("data_md5") == outs.get("data/window.parquet")]
    expect.that(
        bool(right),
        looked_at="the tag data_md5 of MLflow's runs with an alarm, beside data/window.parquet in dvc.lock",
        found=", ".join(f"{run.name}: {run.tags.get('data_md5')}" for run in runs) or "no run with an alarm",
        expected=str(outs.get("data/window.parquet")),
        why="A model whose data nobody can name cannot be trained again, or explained.",
        link=f"{PAGE}#a-job-and-its-record",
        misconception="job-by-hand",
    )
    gate = evidence.read("gate.json") or b""
    expect(
        shadows.md5(gate),
        outs.get("gate.json"),
        looked_at="the hash of gate.json, beside the one in dvc.lock",
        why="gate.json is not what the gate wrote. A verdict that can be edited is a wish: whoever "
        "wants to override "
        "the gate does so on the trail, with a name.",
        link=f"{PAGE}#who-decides",
        misconception="gate-edited-by-hand",
    )
    expect.that(
        any(run.tags.get("model_sha256") == _verdict(gate).get("model_sha256") for run in right),
        looked_at="model_sha256 in gate.json, and of the run",
        found=_verdict(gate).get("model_sha256"),
        expected="the model that this run logged",
        why="The gate has to look at the very file that the run has made.",
        link=f"{PAGE}#a-job-and-its-record",
        misconception="other-artifact-tested",
    )


def _lock(evidence: Evidence) -> dict[str, Any]:
    try:
        found = yaml.safe_load(evidence.text("dvc.lock") or "") or {}
        stages = found.get("stages", {})
        return {
            str(name): {"outs": [one for one in of.get("outs", []) if isinstance(one.get("path"), str)]}
            for name, of in stages.items()
        }
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError):
        return {}


def _verdict(gate: bytes) -> dict[str, Any]:
    try:
        found = json.loads(gate)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
