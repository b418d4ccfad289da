"""The prediction log of one's own service: its answers, and what happens when it does not answer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lab_env.cli import app
from lab_env.replay.asked import asked_log
from lab_env.replay.errors import ReplayError
from lab_env.world import World
from lab_env.world.prediction_log import prediction_log
from tests.lab_env.replay.serving import Serving, free_port

WORLD = World(3, "quiet", orders_per_day=40)


def test_the_log_holds_what_the_service_said_and_the_worlds_labels(served: Serving) -> None:
    ours, theirs = asked_log(WORLD, 0, 2, served.to), prediction_log(WORLD, 0, 2)
    assert ours.predictions["promised"] == pytest.approx(
        20 + 4 * theirs.predictions["distance_km"], abs=0.051
    )
    assert set(ours.predictions["version"]) == {"v1"}
    assert not ours.predictions["degraded"].any()
    for name in ("order_id", "day", "distance_km"):
        assert (ours.predictions[name] == theirs.predictions[name]).all()
    assert all((ours.labels[name] == theirs.labels[name]).all() for name in theirs.labels)


def test_what_the_service_refuses_stays_in_the_log_without_a_promise(served: Serving) -> None:
    refused = asked_log(WORLD, 0, 1, f"{served.to}/refuses").predictions
    assert np.isnan(refused["promised"]).all()
    assert set(refused["version"]) == {""}
    assert refused["order_id"].size == prediction_log(WORLD, 0, 1).predictions["order_id"].size


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("html", "rubbish: no JSON: '<html>"),
        ("nan", "rubbish: no JSON"),
        ("crash", "server error: status 500"),
        ("no/such/place", "wrong door: status 404"),
    ],
)
def test_a_service_without_a_usable_answer_is_told_with_the_order(
    served: Serving, mode: str, told: str
) -> None:
    with pytest.raises(
        ReplayError, match=f"order [0-9]+, of day 0.[0-9], got no usable answer .{told}"
    ) as said:
        asked_log(WORLD, 0, 1, f"{served.to}/{mode}")
    assert "Nothing was written. Mend the service and run this again." in str(said.value)


def test_the_command_writes_it_or_says_that_nobody_listens(served: Serving, tmp_path: Path) -> None:
    words = ["world", "log", "--days", "1", "--orders-per-day", "20", str(tmp_path / "mine"), "--service"]
    nobody = CliRunner().invoke(app, [*words, f"http://127.0.0.1:{free_port()}"])
    assert nobody.exit_code == 1
    assert "Start the service, then run this again." in str(nobody.exception)
    assert not (tmp_path / "mine").exists()
    done = CliRunner().invoke(app, [*words, served.to])
    assert f"days 0 to 0 of `quiet`, answered by {served.to}." in done.output
    assert set(pd.read_parquet(tmp_path / "mine" / "predictions.parquet")["version"]) == {"v1"}
