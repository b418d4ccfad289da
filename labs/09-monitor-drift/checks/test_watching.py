"""Checks of lab 09 that a learner can run: the join, the index, the numbers for Prometheus, no look ahead."""

import tomllib
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import yaml
from prometheus_client.parser import text_string_to_metric_families

from grader.checks import Evidence, Expect, Student, near
from lab_env.panels import KINDS
from lab_env.promtool import require_promtool
from lab_env.world import Scenario, World, as_frame
from lab_env.world.incidents import OrderStacking
from lab_env.world.prediction_log import prediction_log

PAGE = "modules/09-monitor-drift.md"
RATE, QUIET_DAYS = 300, 90
COLUMNS = {
    "distance_km", "items", "basket_eur", "promotion", "rain_mm", "couriers_free", "kitchen_queue", "nothing",
}  # fmt: skip
LOGS = ("decoy-week", "new-bridge", "metres", "broken-labels")

# Run in the box: a learner could have made the files that it reads.
SUMMARY = """
import json
import pyarrow.parquet as pq
files = [f"data/quiet/{name}.parquet" for name in ("predictions", "labels")]
print(json.dumps([pq.read_metadata(file).num_rows for file in files]))
"""


def test_log_is_whole(student: Student, expect: Expect) -> None:
    done = student.run(["python", "-I", "-c", SUMMARY])
    log = prediction_log(World(scenario="quiet", orders_per_day=RATE), 0, QUIET_DAYS)
    wanted = [log.predictions["order_id"].size, log.labels["order_id"].size]
    expect(
        done.stdout.strip(),
        str(wanted),
        looked_at="rows of predictions and of labels in data/quiet",
        why="A row without a label is an order that was cancelled, and a long wait is why people cancel. "
        "Throw such rows away and every number after that is a little too good, and the share of labels "
        "that came is always 100 %. Leave them out of an error, not out of the log.",
        link=f"{PAGE}#the-prediction-log",
        misconception="unlabelled-rows-dropped",
    )


def test_join_keeps_every_answer(student: Student, expect: Expect) -> None:
    predictions = pd.DataFrame({"order_id": [1, 2, 3, 4, 4, 5], "promised": [20.0, 25, 30, 35, 35, 40]})
    labels = pd.DataFrame(
        {
            "order_id": [1, 3, 5, 3, 4, 5, 5],
            "minutes": [21.0, 33.0, 44.0, 31.0, 36.0, 42.0, 99.0],
            "labelled": [1.2, 1.3, 1.4, 1.9, 2.4, 1.6, 2.6],
        }
    )
    joined = student.call("labels.join_labels", predictions, labels, 2.0)
    _require_columns(joined, ["order_id", "minutes", "labelled"], "join_labels", expect)
    looked_at = "join_labels as of 2.0 on five orders: one cancelled, one doubled, two corrected"
    expect(
        len(joined),
        len(predictions),
        looked_at=f"the rows of {looked_at}",
        why="An answer without a label is still an answer that a customer got. A join that keeps only what "
        "has a label hides how much is missing, and shows only orders that came to a good end.",
        link=f"{PAGE}#labels-come-late",
        misconception="unlabelled-rows-dropped",
    )
    found = joined.groupby("order_id")["minutes"].first().reindex([1, 2, 3, 4, 5])
    expect.that(
        found.isna().tolist() == [False, True, False, True, False],
        found=found.tolist(),
        expected="[21.0, nan, 31.0, nan, 42.0]",
        looked_at=looked_at,
        why="Order 2 was cancelled and order 4 is on its way: nobody knows their minutes at 2.0. A 0 for "
        "what is not known is a delivery in no time; a label of tomorrow is of no use to tonight's alarm.",
        link=f"{PAGE}#labels-come-late",
        misconception="label-of-tomorrow",
    )
    expect(
        found.dropna().tolist(),
        [21.0, 31.0, 42.0],
        looked_at=looked_at,
        why="Orders 3 and 5 were corrected. What counts is the last report that had come by then.",
        link=f"{PAGE}#labels-come-late",
    )


def test_fraud_rate_waits(student: Student, expect: Expect) -> None:
    world = World(11, "quiet", orders_per_day=600)
    payments = as_frame(world.payments(0, 70, as_of=70.0))
    payments["fraud"] = payments["fraud"].astype(float)
    final = payments[payments["placed"] <= 25.0]
    found = student.call("labels.fraud_rate", payments, 70.0)
    found = float(found) if isinstance(found, int | float) else float("nan")
    wanted, silent = float(final["fraud"].mean()), float(payments["fraud"].fillna(0).mean())
    early = float(payments["fraud"].mean())
    lesson = {
        "looked_at": "fraud_rate on 70 days of payments, as of day 70",
        "link": f"{PAGE}#labels-come-late",
    }
    guess = "unlabelled-taken-for-sound" if abs(found - silent) < abs(found - early) else "early-labels-only"
    expect(
        found,
        near(wanted, within=wanted / 50),
        **lesson,
        why="No word of a payment is no word: its owner has 45 days to complain. Counted as sound, the last "
        "six weeks always look better than the weeks before, whatever happens."
        if guess == "unlabelled-taken-for-sound"
        else "What is labelled early is not like the rest: a fraud is reported when its owner sees it, a "
        "sound payment is only taken for sound on day 45. Among young payments, those with a label are the "
        "frauds. "
        "Wait until every label has come; a blocked payment has none, and counts neither way.",
        misconception=guess,
    )


def test_index_is_psi(student: Student, expect: Expect) -> None:
    rng = np.random.default_rng(9)
    reference = rng.integers(5, 900, 8).astype(float)
    days = rng.integers(0, 60, (6, 8)).astype(float)
    days[1, 2] = days[4, 0] = 0
    for current in (np.array([60.0, 40.0]), days):
        before = np.array([50.0, 50.0]) if current.ndim == 1 else reference
        found = _numbers(student.call("index.stability_index", before, current))
        expect.that(
            found.shape == current.shape[:-1] and np.allclose(found, _psi(before, current), atol=1e-6),
            found=np.round(found, 4).tolist(),
            expected=f"{np.round(_psi(before, current), 4).tolist()}",
            looked_at="stability_index of (50, 50) and (60, 40)"
            if current.ndim == 1
            else "stability_index of 8 bins on 6 days, two of them with an empty bin",
            why="PSI compares shares, and both ways: what a bin has lost counts as what another has gained. "
            "Without the minus it is another number, whose limits in any text are not those of PSI. And one "
            "empty bin must not make it infinite: it counts as half a row.",
            link=f"{PAGE}#an-index-by-hand",
            misconception="not-psi",
        )
    days[3] = 0
    found = _numbers(student.call("index.stability_index", reference, days))
    expect.that(
        found.shape == (6,) and bool(np.isnan(found[3])) and not np.isnan(np.delete(found, 3)).any(),
        found=np.round(found, 4).tolist(),
        expected="NaN for the fourth day, which has no rows, and for no other",
        looked_at="stability_index on 6 days, one of them without rows",
        why="Nothing was seen on that day. An index of 0 would say that all is well.",
        link=f"{PAGE}#a-dead-monitor-is-green",
    )


def test_no_day_knows_the_next(student: Student, expect: Expect) -> None:
    reference, current, labels = _harm()
    told = []
    session = student.session()
    for last in (100, 114, 129):
        log = current[current["day"] <= last]
        said = session.call("detector.watch", reference, _joined(log, labels, last + 1), QUIET_DAYS, last)
        _require_columns(said, ["day", "kind", "alarm"], "watch", expect)
        told.append(said)
    whole = {day: said for day, *said in told[-1][["day", "kind", "alarm"]].itertuples(index=False)}
    other = [
        day
        for part in told[:-1]
        for day, *said in part[["day", "kind", "alarm"]].itertuples(index=False)
        if whole.get(day) != said
    ]
    expect.that(
        not other,
        found=f"other answers for {', '.join(map(str, other))}",
        expected="the same answers",
        looked_at="watch on days 90 to 100 and 90 to 114, alone and as a part of days 90 to 129",
        why="An alarm speaks on its evening. One that changes its mind about Tuesday when it has seen Friday "
        "was computed with something that nobody knew on Tuesday: a mean over the whole log, or a label "
        "that came later. It will look good on every recorded incident and be late for the next one.",
        link=f"{PAGE}#reference-and-window",
        misconception="look-ahead",
    )


def test_predictions_are_written(evidence: Evidence, expect: Expect) -> None:
    try:
        written = tomllib.loads((evidence.read("predictions.toml") or b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        written = {"not TOML": str(error)}
    lacking = [name for name in LOGS if not _answered(written.get(name))]
    expect.that(
        not lacking,
        found=f"no whole answer for {', '.join(lacking)}",
        expected="columns, yes or no, yes or no, for each of the four",
        looked_at="predictions.toml",
        why="Whoever looks first has always known it. Write down what you expect, and be wrong on record: "
        "that is where the learning is.",
        link=f"{PAGE}#four-things-that-happen-to-a-model",
        misconception="looked-first",
    )


def test_numbers_are_exported(student: Student, expect: Expect) -> None:
    told = pd.DataFrame(
        {"day": [97, 98], "kind": ["input", "relation"], "alarm": [False, True], "feature": ["items", ""]}
    )
    text = str(student.call("export.exposition", told))
    try:
        samples = {
            (sample.name, sample.labels.get("kind", "")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        samples = {("unreadable", str(error)): 0.0}
    wanted = {("tiffin_monitor_day", ""): 98.0} | {
        ("tiffin_monitor_kind", kind): float(kind == "relation") for kind in KINDS
    }
    found = {key: samples.get(key) for key in wanted}
    expect.that(
        found == wanted,
        found=", ".join(f"{name} {kind} {value}" for (name, kind), value in sorted(samples.items())),
        expected="tiffin_monitor_day 98, and tiffin_monitor_kind 1 for relation, 0 for the four others",
        looked_at="exposition of a day that was told as relation",
        why="A kind that is left out when it is over keeps its last 1 for as long as anything remembers it: "
        "the alarm does not end with the incident. Say 0.",
        link=f"{PAGE}#alert-rules-with-tests",
        misconception="only-the-kind-that-holds",
    )


def test_rule_tests_catch(student: Student, evidence: Evidence, expect: Expect) -> None:
    require_promtool()
    lesson = {"looked_at": "promtool test rules alerts_test.yml", "link": f"{PAGE}#alert-rules-with-tests"}
    rules, test = (evidence.read(name) or b"" for name in ("alerts.yml", "alerts_test.yml"))
    broken = _broken_rules(rules, expect)
    laid = {f"broken_{number}/alerts.yml": content for number, content in enumerate(broken.values())}
    copies = {f"broken_{number}/alerts_test.yml": test for number in range(len(broken))}
    session = student.session(files=laid | copies)
    done = session.run(["promtool", "test", "rules", "alerts_test.yml"])
    expect.that(
        done.code == 0,
        found=(done.stderr + done.stdout).strip()[-250:],
        expected="SUCCESS",
        why="A test that is red on sound rules is switched off within a week.",
        **lesson,
    )
    for what, copy in zip(broken, copies, strict=True):
        expect.that(
            session.run(["promtool", "test", "rules", copy]).code != 0,
            found=f"SUCCESS, although {what}",
            expected="FAILED",
            why="Nobody looks at a rule that is quiet. The only thing that can tell a quiet rule from a dead "
            "one is a test that has been red.",
            misconception="test-that-cannot-fail",
            **lesson,
        )


BREAKS: dict[str, tuple[str, dict[str, Any]]] = {
    "MonitorSilent is gone": ("MonitorSilent", {"expr": "vector(0) > 1"}),
    "ModelHarm waits `for: 2d`": ("ModelHarm", {"for": "2d"}),
    "ModelHarm forgets after five minutes": (
        "ModelHarm",
        {"expr": 'tiffin_monitor_kind{kind=~"feed|labels|relation"} == 1'},
    ),
    "InputsMoved pages": ("InputsMoved", {"labels": {"severity": "page"}}),
}


def _broken_rules(rules: bytes, expect: Expect) -> dict[str, bytes]:
    """The learner's own rules, each time with one thing wrong."""
    broken = {}
    try:
        for what, (name, keys) in BREAKS.items():
            content = yaml.safe_load(rules)
            named = [rule for group in content["groups"] for rule in group["rules"] if rule["alert"] == name]
            named[0].update(keys)
            broken[what] = yaml.safe_dump(content).encode()
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, RecursionError) as error:
        expect.that(
            False,
            looked_at="alerts.yml",
            found=f"no rule {name} that could be broken ({type(error).__name__})",
            expected="the three alerts ModelHarm, InputsMoved and MonitorSilent",
            why="Other people's runbooks name these alerts.",
            link=f"{PAGE}#alert-rules-with-tests",
        )
    return broken


def _require_columns(found: Any, columns: list[str], of: str, expect: Expect) -> None:
    expect.that(
        isinstance(found, pd.DataFrame) and set(columns) <= set(found.columns),
        looked_at=f"what {of} returns",
        found=list(found.columns) if isinstance(found, pd.DataFrame) else found,
        expected=f"a table with the columns {', '.join(columns)}",
        why="The programs beside yours read these columns by name.",
    )


def _numbers(found: Any) -> Any:
    try:
        return np.asarray(found, dtype=float)
    except (TypeError, ValueError):
        return np.full((0, 0), np.nan)


def _answered(said: Any) -> bool:
    if not isinstance(said, dict) or not isinstance(said.get("moves"), list):
        return False
    moves = {name for name in said["moves"] if isinstance(name, str)}
    yes_or_no = all(said.get(key) in ("yes", "no") for key in ("error_rises", "needs_labels"))
    return bool(moves) and moves <= COLUMNS and yes_or_no


def _psi(reference: Any, current: Any) -> Any:
    r = np.maximum(reference, 0.5) / reference.sum()
    c = np.maximum(current, 0.5) / current.sum(axis=-1, keepdims=True)
    return ((c - r) * np.log(c / r)).sum(axis=-1)


@cache
def _harm() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A reference, and 40 days of which the last 30 take longer, with all their labels."""
    world = World(
        29, Scenario("harm", "Orders take longer.", (OrderStacking(start=100),)), orders_per_day=RATE
    )
    quiet, log = prediction_log(world, 0, QUIET_DAYS), prediction_log(world, QUIET_DAYS, 40, as_of=140.0)
    reference = _joined(as_frame(quiet.predictions), as_frame(quiet.labels), QUIET_DAYS)
    return reference, as_frame(log.predictions), as_frame(log.labels)


def _joined(predictions: pd.DataFrame, labels: pd.DataFrame, as_of: float) -> pd.DataFrame:
    return predictions.merge(labels[labels["labelled"] <= as_of], on="order_id", how="left")
