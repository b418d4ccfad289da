"""The prediction log: what the service answered, and the labels that had come."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lab_env.cli import app
from lab_env.world import Scenario, World
from lab_env.world.incidents import BadDeploy, DoubledFeed, LateLabels, Metres, RenamedColumn
from lab_env.world.prediction_log import prediction_log


def happens(*incidents: object) -> World:
    return World(3, Scenario("x", "Something.", incidents), orders_per_day=200)  # type: ignore[arg-type]


def test_a_promise_on_quiet_days_is_near_the_best_one() -> None:
    world = World(3, "quiet", orders_per_day=200)
    log = prediction_log(world, 0, 5)
    law = world.delivery_law(0, 5)
    assert np.abs(log.predictions["promised"] / law.median - 1).mean() < 0.01


def test_a_label_is_there_from_its_moment_on() -> None:
    world = World(3, "quiet", orders_per_day=200)
    log = prediction_log(world, 0, 3, as_of=2.5)
    assert log.labels["labelled"].max() <= 2.5
    assert log.predictions["placed"].max() <= 2.5
    whole = prediction_log(world, 0, 3)
    early = whole.labels["labelled"] <= 2.5
    assert set(log.labels["order_id"]) == set(whole.labels["order_id"][early])


def test_some_orders_have_no_label_and_late_ones_have_none_yet() -> None:
    share = {}
    for name, world in {"quiet": happens(), "late": happens(LateLabels(start=0, size=3.0))}.items():
        log = prediction_log(world, 0, 6)
        share[name] = log.labels["order_id"].size / log.predictions["order_id"].size
    assert 0.94 < share["quiet"] < 0.99
    assert share["late"] < 0.8


def test_a_doubled_order_is_answered_twice_and_labelled_once() -> None:
    log = prediction_log(happens(DoubledFeed(start=1, days=1)), 0, 3)
    assert log.predictions["order_id"].size > np.unique(log.predictions["order_id"]).size
    assert log.labels["order_id"].size == np.unique(log.labels["order_id"]).size


def test_promises_follow_what_the_feed_brought() -> None:
    sound = prediction_log(happens(), 1, 1).predictions["promised"]
    metres = prediction_log(happens(Metres(start=0)), 1, 1).predictions["promised"]
    renamed = prediction_log(happens(RenamedColumn(start=0)), 1, 1).predictions
    assert (metres > 2 * sound).all()
    assert "distance_km" not in renamed
    assert set(renamed["promised"]) == {30.0}


def test_a_deploy_shows_in_the_version() -> None:
    log = prediction_log(happens(BadDeploy(start=2)), 0, 4).predictions
    assert [set(log["version"][log["day"] == day].tolist()) for day in range(4)] == [{1}, {1}, {2}, {2}]


def test_lab_world_log_writes_both_tables(tmp_path: Path) -> None:
    folder = tmp_path / "quiet"
    done = CliRunner().invoke(app, ["world", "log", str(folder), "--days", "2", "--orders-per-day", "100"])
    assert done.exit_code == 0, done.output
    predictions, labels = (pd.read_parquet(folder / f"{name}.parquet") for name in ("predictions", "labels"))
    assert f"{len(predictions)} predictions, {len(labels)} labels, days 0 to 1 of `quiet`." in done.output
    assert set(labels["order_id"]) < set(predictions["order_id"])


def test_lab_world_log_names_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["world", "log", str(tmp_path / "x"), "--scenario", "quite"])
    assert done.exit_code != 0
    assert "Did you mean `quiet`?" in f"{done.output}{done.exception}"
    with pytest.raises(FileNotFoundError):
        pd.read_parquet(tmp_path / "x" / "predictions.parquet")
