import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_env.replay.errors import ReplayError
from lab_env.replay.stream import OUTCOMES, Stream
from lab_env.world import ZONES, World

FEEDS = [
    "quiet",
    "metres",
    "nulls",
    "renamed-column",
    "doubled-feed",
    "shifted-clock",
    "late-labels",
    "new-zone",
]


def stream(scenario: str = "monsoon", first_day: int = 3, days: int = 1) -> Stream:
    return Stream(World(seed=5, scenario=scenario).orders(first_day, days))


def test_what_is_sent_is_all_that_is_known_when_the_order_is_placed() -> None:
    columns = World(seed=5).orders(3, 1)
    order = json.loads(Stream(columns).body(7))
    assert set(order) == set(columns) - {"minutes", "labelled"}
    assert order["order_id"] == columns["order_id"][7]
    assert order["zone"] == ZONES[columns["zone"][7]]
    assert order["distance_km"] == columns["distance_km"][7]
    assert order["promotion"] in (True, False)


def test_what_is_sent_does_not_depend_on_how_it_went() -> None:
    columns = World(seed=5).orders(3, 1)
    other = columns | {name: np.full(len(columns["order_id"]), 77.0) for name in OUTCOMES}
    assert all(Stream(columns).body(row) == Stream(other).body(row) for row in range(50))


def test_an_unknown_number_is_null() -> None:
    columns = World(seed=5).orders(3, 1)
    columns["distance_km"] = np.full_like(columns["distance_km"], np.nan)
    assert json.loads(Stream(columns).body(0))["distance_km"] is None


@pytest.mark.parametrize("scenario", FEEDS)
def test_every_row_is_sent_once_and_every_label_is_due_once(scenario: str) -> None:
    orders = stream(scenario, first_day=92, days=3)
    ticks = list(orders.ticks())
    assert [row for tick in ticks for row in tick.orders] == list(range(len(orders)))
    due = Counter(orders.ids[row] for tick in ticks for row in tick.labels)
    known = {
        order_id
        for order_id, minutes, labelled in zip(orders.ids, orders.minutes, orders.labelled, strict=True)
        if not np.isnan(minutes + labelled)
    }
    assert set(due) == known
    assert set(due.values()) == {1}


@pytest.mark.parametrize("scenario", FEEDS)
def test_a_label_is_due_when_it_is_known_and_never_before_its_order(scenario: str) -> None:
    orders, sent = stream(scenario, first_day=92, days=3), set[int]()
    before = -1.0
    for tick in orders.ticks():
        assert tick.ends > before
        sent.update(orders.ids[row] for row in tick.orders)
        for row in tick.labels:
            assert orders.ids[row] in sent
            assert orders.labelled[row] <= tick.ends + 1e-9
            assert orders.labelled[row] > before - 1e-9 or before < 0
        assert [orders.labelled[row] for row in tick.labels] == sorted(
            orders.labelled[row] for row in tick.labels
        )
        before = tick.ends


moments = st.floats(0, 5) | st.just(float("nan"))


@settings(deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 3), moments, moments), min_size=1, max_size=40))
def test_whatever_the_feed_delivers_time_runs_forward_and_nothing_is_lost(
    rows: list[tuple[int, float, float, float]],
) -> None:
    order_id, placed, labelled, minutes = (np.array(column) for column in zip(*rows, strict=True))
    orders = Stream({"order_id": order_id, "placed": placed, "labelled": labelled, "minutes": minutes})
    ticks = list(orders.ticks())
    assert [tick.ends for tick in ticks] == sorted({tick.ends for tick in ticks})
    assert [row for tick in ticks for row in tick.orders] == list(range(len(rows)))
    due = [orders.ids[row] for tick in ticks for row in tick.labels]
    assert len(due) == len(set(due))
    for tick in ticks:
        assert all(tick.ends - 1 / 24 - 1e-9 <= orders.arrived[row] <= tick.ends for row in tick.orders)
        assert all(orders.labelled[row] <= tick.ends + 1e-9 for row in tick.labels)
        assert all(orders.arrived[row] <= tick.ends for row in tick.labels)


def test_a_feed_that_delivers_twice_is_sent_twice() -> None:
    orders = stream("doubled-feed", first_day=95)
    assert len(orders) > len(set(orders.ids))


def test_a_clock_that_goes_wrong_does_not_turn_time_back() -> None:
    columns = World(seed=5).orders(3, 1)
    columns["placed"][100:150] -= 5 / 24
    orders = Stream(columns)
    assert orders.arrived == sorted(orders.arrived)
    assert orders.arrived[120] == columns["placed"][99]
    assert json.loads(orders.body(120))["placed"] == columns["placed"][120], "as the feed says"


def test_an_hour_lies_in_its_day() -> None:
    columns = World(seed=5).orders(3, 2)
    for tick in Stream(columns).ticks():
        assert tick.day == int(tick.ends - 1e-9)
        assert {int(columns["placed"][row]) for row in tick.orders} <= {tick.day}


def test_other_orders_have_another_fingerprint() -> None:
    assert stream().fingerprint() == stream().fingerprint()
    assert len({stream(name, 95).fingerprint() for name in FEEDS}) == len(FEEDS)


def test_orders_without_a_column_that_is_needed_are_refused() -> None:
    columns = World(seed=5).orders(3, 1)
    del columns["labelled"]
    with pytest.raises(ReplayError, match=r"no column `labelled`\. Take them from `World.orders`"):
        Stream(columns)


def test_no_orders_are_refused() -> None:
    columns = {name: values[:0] for name, values in World(seed=5).orders(3, 1).items()}
    with pytest.raises(ReplayError, match="no orders in these days"):
        Stream(columns)
