import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab_env.replay.errors import ReplayError
from lab_env.replay.report import read_report
from lab_env.replay.run import Rules, Sent, replay
from lab_env.replay.stream import Stream
from lab_env.world import Columns, World
from tests.lab_env.replay.serving import Serving, free_port

RUN = {"scenario": "monsoon", "seed": "5"}
LAB = Path(sys.executable).parent / "lab"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "replay.db"


def some(orders: int, *, first_day: int = 3) -> Columns:
    """The first orders of a day."""
    return {name: values[:orders] for name, values in World(seed=5).orders(first_day, 1).items()}


def send(columns: Columns, to: str, log: Path, **rules: Any) -> Sent:
    return replay(columns, to=to, log=log, run=RUN, rules=Rules(**rules))


def labelled(columns: Columns) -> set[int]:
    """The orders whose label is ever known."""
    known: set[int] = set(columns["order_id"][~np.isnan(columns["minutes"])].tolist())
    return known


def logged(log: Path, query: str) -> list[tuple[Any, ...]]:
    base = sqlite3.connect(log)
    try:
        return base.execute(query).fetchall()
    except sqlite3.OperationalError:  # nothing in it yet
        return []
    finally:
        base.close()


def test_every_order_is_sent_and_logged_once_and_every_label_follows(mortal: Serving, log: Path) -> None:
    mortal.start()
    columns = some(300)
    for orders in (len(columns["order_id"]), 0):
        assert send(columns, mortal.to, log).orders == orders
        assert sorted(mortal.seen("order")) == sorted(columns["order_id"].tolist())
        assert sorted(mortal.seen("label")) == sorted(labelled(columns))
    report = read_report(log)
    assert (report.orders, report.answered) == (len(columns["order_id"]),) * 2
    assert report.labels == len(labelled(columns))
    in_seen_order(mortal, columns)


def in_seen_order(serving: Serving, columns: Columns) -> None:
    """Hour by hour: all its orders, then all labels that it brought to light."""
    events, stream = iter(serving.events()), Stream(columns)
    for tick in stream.ticks():
        orders = {stream.ids[row] for row in tick.orders}
        assert {next(events) for _ in orders} == {("order", order_id) for order_id in orders}
        for row in tick.labels:
            assert next(events) == ("label", stream.ids[row])
    assert next(events, None) is None


def test_what_goes_over_the_wire_is_what_the_page_says(served: Serving, log: Path) -> None:
    columns = some(4)
    send(columns, f"{served.to}/whole", log)
    sent = {order["order_id"]: order for order in served.seen("order") if isinstance(order, dict)}
    assert set(sent) == set(columns["order_id"].tolist())
    assert all(set(order) == set(columns) - {"minutes", "labelled"} for order in sent.values())
    labels = [label for batch in served.seen("labels") for label in batch["labels"]]
    rows = {order_id: row for row, order_id in enumerate(columns["order_id"].tolist())}
    assert {label["order_id"] for label in labels} == labelled(columns)
    for label in labels:
        row = rows[label["order_id"]]
        assert label == {
            "order_id": columns["order_id"][row],
            "minutes": columns["minutes"][row],
            "labelled": columns["labelled"][row],
        }


@pytest.mark.slow
def test_a_service_killed_and_restarted_loses_nothing_and_gets_nothing_twice(
    mortal: Serving, log: Path
) -> None:
    mortal.start()
    columns = some(300)
    thirds = [len(columns["order_id"]) * part // 3 for part in (1, 2)]

    def kill_twice() -> None:
        for reached in thirds:
            while len(mortal.seen("order")) < reached:
                time.sleep(0.01)
            mortal.kill()
            time.sleep(0.2)
            mortal.start()

    killer = threading.Thread(target=kill_twice)
    killer.start()
    send(columns, mortal.to, log)
    killer.join()
    report = read_report(log)
    assert (report.orders, report.answered) == (len(columns["order_id"]),) * 2
    assert set(mortal.seen("order")) == set(columns["order_id"].tolist())
    assert logged(log, "SELECT count(DISTINCT order_id) FROM answers") == [(report.orders,)]
    assert set(mortal.seen("label")) == labelled(columns)
    assert report.labels == len(labelled(columns))
    assert report.faults.get("unreachable", 0) > 0, "the kill was noticed"
    assert mortal.twice("order") <= 2 * Rules().workers, "only what was in flight is sent again"


@pytest.mark.slow
def test_a_replay_killed_in_the_middle_goes_on_where_it_was(mortal: Serving, log: Path) -> None:
    mortal.start()
    columns = World(seed=5).orders(3, 1)
    words = ["world", "replay", "--first-day", "3", "--seed", "5", "--to", mortal.to, "--log", str(log)]
    for reached in (150, 400):
        replaying = subprocess.Popen([LAB, *words], stdout=subprocess.DEVNULL)
        while logged(log, f"SELECT count(*) >= {reached} FROM answers") != [(1,)]:
            assert replaying.poll() is None, "it ended before it was killed"
            time.sleep(0.01)
        replaying.kill()
        replaying.wait()
    done = subprocess.run([LAB, *words], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout.split(" orders sent in")[0].splitlines()[-1]) <= len(columns["order_id"]) - 400
    report = read_report(log)
    assert report.orders == len(columns["order_id"])
    assert report.labels == len(labelled(columns))
    assert set(mortal.seen("order")) == set(columns["order_id"].tolist())
    assert set(mortal.seen("label")) == labelled(columns)
    assert mortal.twice("order") <= 2 * Rules().workers, "only what was in flight is sent again"
    in_one_batch = max(len(tick.labels) for tick in Stream(columns).ticks())
    assert mortal.twice("label") <= 2 * in_one_batch


def test_every_kind_of_rubbish_is_survived(served: Serving, log: Path) -> None:
    columns = some(60)
    send(columns, f"{served.to}/forgetful", log)
    report = read_report(log)
    assert (report.answered, report.again) == (60, 60)
    assert report.labels == len(labelled(columns))
    assert set(report.faults) == {"rubbish", "server error", "busy"}
    batches = logged(log, "SELECT count(*) FROM faults WHERE path = '/labels'")
    assert batches == logged(log, "SELECT count(DISTINCT delivered) FROM labels")


def test_a_connection_that_hung_is_replaced(served: Serving, log: Path) -> None:
    send(some(8), f"{served.to}/dozes", log, timeout_s=0.5)
    report = read_report(log)
    assert (report.answered, report.again) == (8, 8)
    assert set(report.faults) == {"timed out"}


def test_an_order_that_the_service_refuses_gets_no_label(served: Serving, log: Path) -> None:
    send(some(5), f"{served.to}/refuses", log)
    report = read_report(log)
    assert (report.orders, report.refused, report.again, report.labels) == (5, 5, 0, 0)
    assert report.faults == {"refused": 5}


def test_an_order_without_a_usable_answer_is_given_up_and_the_rest_goes_on(
    served: Serving, log: Path
) -> None:
    send(some(3), f"{served.to}/nan", log, tries=2)
    report = read_report(log)
    assert (report.orders, report.failed, report.labels) == (3, 3, 0)
    assert report.faults == {"rubbish": 6}


@pytest.mark.parametrize(
    ("mode", "rules", "told"),
    [
        ("html", {"tries": 1, "most_failed": 3}, "4 orders got no usable answer in 1 tries each; .*It works"),
        ("crash", {"tries": 1, "most_failed": 3}, "the last of POST /predict: server error: status 500"),
        ("away", {"patience_s": 0.3}, r"no usable answer for 0\.3 s; .* busy: status 503: 'warming up'"),
        ("hangs", {"patience_s": 0.3, "timeout_s": 0.2}, "timed out: no answer within 0.2 s"),
        ("login", {}, "POST /predict brought status 401: 'who are you.*', which is no service of this kind"),
        ("no/such", {}, "status 404"),
        ("deaf", {}, "POST /labels was refused, status 422: 'no labels please'"),
    ],
)
def test_a_service_that_will_not_do_stops_the_run(
    served: Serving, log: Path, mode: str, rules: dict[str, Any], told: str
) -> None:
    with pytest.raises(ReplayError, match=told) as stopped:
        send(some(40), f"{served.to}/{mode}", log, **rules)
    (count,) = logged(log, "SELECT count(*) FROM answers")[0]
    assert f"{count} of 40 orders are in {log}. Mend the service, then run the same command" in str(
        stopped.value
    )


def test_a_stopped_run_goes_on_with_a_mended_service(served: Serving, log: Path) -> None:
    columns = some(40)
    with pytest.raises(ReplayError, match="status 422"):
        send(columns, f"{served.to}/deaf", log)
    before = logged(log, "SELECT * FROM answers ORDER BY row")
    assert before
    send(columns, served.to, log)
    after = logged(log, "SELECT * FROM answers ORDER BY row")
    assert after[: len(before)] == before
    assert len(after) == 40
    assert logged(log, "SELECT count(*) FROM labels") == [(len(labelled(columns)),)]


def test_a_service_that_is_not_there_leaves_no_file(log: Path) -> None:
    with pytest.raises(ReplayError, match="Nothing listens at"):
        send(some(3), f"http://127.0.0.1:{free_port()}", log)
    assert not list(log.parent.glob("replay*"))


def test_a_finished_log_needs_no_service(served: Serving, log: Path) -> None:
    send(some(3), served.to, log)
    assert send(some(3), f"http://127.0.0.1:{free_port()}", log).orders == 0


def test_time_runs_at_the_speed_that_was_asked_for(served: Serving, log: Path) -> None:
    columns = some(40)
    days = np.nanmax(columns["labelled"]) - columns["placed"][0]
    sent = send(columns, served.to, log, speed=days)
    assert sent.seconds > 0.95, "the last label is known a second after the first order"
    assert sent.behind_s < sent.seconds


def test_a_service_slower_than_the_speed_is_waited_for(served: Serving, log: Path) -> None:
    columns = some(40)
    sent = send(columns, served.to, log, speed=1e6)
    assert (sent.orders, read_report(log).answered) == (40, 40)
    assert sent.behind_s > 0


def test_no_more_requests_are_in_flight_than_there_are_workers(served: Serving, log: Path) -> None:
    send(some(30), f"{served.to}/crowded", log, workers=3, speed=1e6)
    assert max(served.seen("crowd")) == 3


def test_every_day_that_is_through_is_told(served: Serving, log: Path) -> None:
    columns = World(seed=5, orders_per_day=10).orders(3, 3)
    days: list[int] = []
    replay(columns, to=served.to, log=log, run=RUN, on_day=days.append)
    assert days == [3, 4, 5]


@pytest.mark.parametrize(
    "rules", [{"speed": 0.0}, {"workers": 0}, {"timeout_s": -1.0}, {"patience_s": float("nan")}]
)
def test_a_rule_that_is_not_above_nothing_is_refused(rules: dict[str, Any]) -> None:
    (name,) = rules
    with pytest.raises(ReplayError, match=f"`{name}` is .* Take more than 0"):
        Rules(**rules)
