"""Each incident does what it names, from its start on, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from lab_env.world import (
    CATALOGUE,
    ZONES,
    Columns,
    Incident,
    Kind,
    Scenario,
    World,
    WorldError,
    find_incident,
)
from lab_env.world.delivery import typical_minutes
from lab_env.world.incidents import DecoyWeek, Festival, Metres, Monsoon, NewBridge, Nulls, RenamedColumn

FIRST, DAYS = 6, 12
"""The days that are looked at; the incident starts on day 10 and lasts four."""

START, LENGTH = 10, 4


def one(name: str, **facts: object) -> Incident:
    kind = CATALOGUE[name]
    facts = {"start": START, "days": LENGTH, "every": None, "ramp_days": 0} | facts
    return kind(**facts)  # type: ignore[arg-type]


def world(*incidents: Incident, rate: float = 200) -> World:
    return World(seed=5, scenario=Scenario("test", "", incidents), orders_per_day=rate)


def same(one: Columns, other: Columns, names: list[str], rows: slice | np.ndarray = slice(None)) -> list[str]:
    """Which of the columns are the same, byte for byte."""
    return [name for name in names if one[name][rows].tobytes() == other[name][rows].tobytes()]


def before(columns: Columns) -> np.ndarray:
    return np.asarray(columns["placed"] < START)


def after(columns: Columns) -> np.ndarray:
    return np.asarray(columns["placed"] >= START + LENGTH)


def system(world: World) -> tuple[object, ...]:
    now = world.on(START)
    return now.version, now.prediction_factor, now.serving_skew, now.latency_ms


@pytest.mark.parametrize("name", CATALOGUE)
def test_nothing_changes_before_its_start_and_after_its_end(name: str) -> None:
    quiet, struck = world(), world(one(name))
    for table in ("orders", "payments"):
        calm, stirred = (getattr(each, table)(FIRST, DAYS) for each in (quiet, struck))
        kept = [column for column in calm if column in stirred]
        for part in (before, after):
            for column in kept:
                assert (
                    calm[column][part(calm)].astype(float).tobytes()
                    == stirred[column][part(stirred)].astype(float).tobytes()
                ), (name, table, column)


@pytest.mark.parametrize("name", CATALOGUE)
def test_it_changes_what_it_names_and_only_that(name: str) -> None:
    incident = one(name)
    quiet, struck = world(rate=600), world(incident, rate=600)
    changed = set()
    calm, stirred = quiet.orders(START, LENGTH), struck.orders(START, LENGTH)
    if len(calm["day"]) != len(stirred["day"]):
        changed.add("orders")
    else:
        changed |= set(calm) ^ set(stirred)
        shared = [column for column in calm if column in stirred]
        changed |= set(shared) - set(same(calm, stirred, shared))
    first, second = quiet.demand(START, LENGTH), struck.demand(START, LENGTH)
    if len(first["day"]) != len(second["day"]) or len(same(first, second, ["orders"])) == 0:
        changed.add("demand")
    first, second = quiet.payments(START, LENGTH), struck.payments(START, LENGTH)
    if same(first, second, list(first)) != list(first):
        changed.add("payments")
    if system(struck) != system(quiet):
        changed.add("system")
    named = set(incident.touches)
    follows = {"minutes", "labelled"} if incident.kind in (Kind.INPUTS, Kind.BOTH, Kind.RELATION) else set()
    if "orders" in named:
        assert "orders" in changed
        assert changed <= {"orders", "demand"}
    else:
        assert changed <= named | follows
    assert changed & named


RELATIONS = {Kind.RELATION, Kind.BOTH}


@pytest.mark.parametrize("name", [name for name in CATALOGUE if "payments" not in CATALOGUE[name].touches])
def test_the_relation_moves_if_and_only_if_it_says_so(name: str) -> None:
    """The median of the same orders on the same streets, with and without the incident's day."""
    calm, struck = world().day(START), world(one(name)).day(START)
    orders = world().orders(START, 1)
    moved = not np.array_equal(
        typical_minutes(orders, calm), typical_minutes(orders, replace(calm, now=struck.now))
    )
    assert moved == (CATALOGUE[name].kind in RELATIONS)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_incident_says_all_that_a_page_needs(name: str) -> None:
    kind = CATALOGUE[name]
    assert kind.name == name
    for text in (kind.says, kind.told_by, kind.advice):
        assert text.endswith(".")
    assert kind.unit
    assert kind.right
    assert kind.wrong
    assert not {str(mistake) for mistake, _ in kind.wrong} & {str(action) for action in kind.right}
    assert all(why.endswith(".") for _, why in kind.wrong)
    assert find_incident(name) is kind


def test_sudden_gradual_and_recurring() -> None:
    sudden, gradual = Monsoon(start=3, days=4, ramp_days=0), Monsoon(start=3, ramp_days=3)
    assert [sudden.strength(day) for day in range(9)] == [0, 0, 0, 1, 1, 1, 1, 0, 0]
    assert [gradual.strength(day) for day in (2, 3, 4, 6, 99)] == [0, 0.25, 0.5, 1, 1]
    recurring = Festival(start=2, days=2, every=5)
    assert recurring.active_days(0, 10) == [2, 3, 7, 8]


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_incident_can_be_gradual_and_recurring(name: str) -> None:
    incident = one(name, ramp_days=1, days=3, every=6)
    assert [incident.strength(START + day) for day in (-1, 0, 1, 3, 6, 7)] == [0, 0.5, 1, 0, 0.5, 1]
    half, full = (world(incident).on(day) for day in (START, START + 1))
    assert full != world().on(START)
    assert half != full or name in ("festival",)
    assert world(incident).orders(START + 6, 1)["order_id"].size > 0


def test_a_new_zone_leaves_the_orders_of_the_others_alone() -> None:
    calm, stirred = world().orders(START, 2), world(one("new-zone")).orders(START, 2)
    old = stirred["zone"] != ZONES.index("airport")
    assert 0.05 < 1 - old.mean() < 0.25
    assert same(calm, {name: values[old] for name, values in stirred.items()}, list(calm)) == list(calm)


def test_two_incidents_of_different_rooms_do_not_disturb_each_other() -> None:
    bridge, metres = one("new-bridge"), one("metres")
    both, alone = world(bridge, metres).orders(START, 2), world(bridge).orders(START, 2)
    assert set(alone) - set(same(both, alone, list(alone))) == {"distance_km"}


@pytest.mark.parametrize(
    ("incidents", "told"),
    [
        ((Monsoon(start=3), Monsoon(start=40)), "`monsoon` and `monsoon` both hold on day 40"),
        ((Metres(start=3), Nulls(start=9)), r"`metres` and `nulls` both hold on day 9 .*move distance_km"),
        ((RenamedColumn(start=5), Metres(start=1)), "`renamed-column` and `metres` both hold on day 5"),
    ],
)
def test_incidents_that_contradict_each_other_are_refused(incidents: tuple[Incident, ...], told: str) -> None:
    with pytest.raises(WorldError, match=told):
        Scenario("bad", "", incidents)


def test_incidents_that_follow_each_other_are_no_contradiction() -> None:
    assert Scenario("good", "", (Metres(start=3, days=4), Nulls(start=7), DecoyWeek(start=3))).incidents


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"start": -1}, r"decoy-week: start is -1\. Take a whole number from 0 up\."),
        ({"start": 1.5}, r"start is 1\.5"),
        ({"days": 0}, r"days is 0\. Take a whole number from 1 up\."),
        ({"ramp_days": -2}, "ramp_days is -2"),
        ({"every": 7}, r"every is 7\. Take a whole number from 8 up\."),
        ({"days": None, "every": 30}, "comes back every 30 days, so say how many `days` it lasts"),
        ({"size": -0.5}, r"size is -0\.5 \(factor on the items beyond the first\)\. Take 1 to 2\."),
        ({"size": float("nan")}, "size is nan"),
    ],
)
def test_an_incident_that_cannot_be_is_refused(facts: dict[str, object], told: str) -> None:
    with pytest.raises(WorldError, match=told):
        DecoyWeek(**facts)  # type: ignore[arg-type]


def test_a_bridge_between_unknown_zones_is_refused() -> None:
    with pytest.raises(WorldError, match=r"new-bridge: no zone is called `moon`\. There are: centre"):
        NewBridge(zones=("moon",))


@pytest.mark.parametrize(
    ("name", "told"), [("metre", r"Did you mean `metres`\?"), ("xyzzy", "There are: decoy-week, monsoon")]
)
def test_an_unknown_incident_is_refused(name: str, told: str) -> None:
    with pytest.raises(WorldError, match=told):
        find_incident(name)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_decision_has_its_reason(name: str) -> None:
    incident = CATALOGUE[name]
    wrong = [mistake for mistake, _ in incident.wrong]
    assert len(incident.because) == len(incident.right) > 0
    assert len(wrong) > 1
    assert not set(wrong) & set(incident.right)
    for text in (
        incident.says,
        incident.told_by,
        incident.advice,
        *incident.because,
        *dict(incident.wrong).values(),
    ):
        assert text.endswith(".")
