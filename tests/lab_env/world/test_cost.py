import doctest
from functools import lru_cache

import numpy as np
import pytest

import lab_env.world.cost
from lab_env.world import Action, World
from lab_env.world.cost import (
    CHAMPION,
    HARMLESS_EUR,
    PREVIOUS,
    PRICES,
    TIFFIN_ORDERS,
    Cover,
    DeliveryCosts,
    Learned,
    Model,
    costs,
)
from lab_env.world.learned import View, lessons
from lab_env.world.served import Lane

FIRST, START, DAYS = 80, 90, 24


@lru_cache
def table(scenario: str) -> DeliveryCosts:
    return costs(World(scenario=scenario), FIRST, DAYS)


def by_hand(
    table: DeliveryCosts, day: int, lane: Lane, correction: np.ndarray, *, mended: bool = False
) -> float:
    """Euros of a day, row by row and without a grid."""
    rows = table.log.of(day, mended=mended)
    said = np.exp(rows.logs[lane] + np.where(rows.default, 0, correction[rows.slice])).clip(1, 180)
    above = rows.law.absolute_error(said) - rows.law.absolute_error()
    return float(np.minimum(above, PRICES.refund_min).sum() * TIFFIN_ORDERS / 650 * PRICES.minute)


def test_the_example_in_the_docstring_runs() -> None:
    assert doctest.testmod(lab_env.world.cost).failed == 0


def test_no_state_ever_costs_less_than_the_floor_and_on_quiet_days_the_champion_costs_no_more() -> None:
    for scenario in ("quiet", "metres", "bad-deploy", "new-zone"):
        assert table(scenario).table.min() >= 0
    assert table("quiet").table[:, :, Cover.NONE, 0].max() < 1


@pytest.mark.parametrize("scenario", ["new-bridge", "unseen-rain", "nulls"])
def test_the_table_says_what_a_sum_over_all_rows_says(scenario: str) -> None:
    told, day = table(scenario), START + 6
    learned = lessons(told.log, View.DELIVERED)
    nothing = np.zeros(learned.retrained.shape[1])
    for model, lane, correction in (
        (CHAMPION, Lane.DEPLOYED, nothing),
        (PREVIOUS, Lane.PREVIOUS, nothing),
        (Model(False, Learned.OFFSET, 95), Lane.DEPLOYED, learned.offset[Lane.DEPLOYED][95 - FIRST]),
        (Model(True, Learned.OFFSET, 95), Lane.PREVIOUS, learned.offset[Lane.PREVIOUS][95 - FIRST]),
        (Model(True, Learned.RETRAINED, 95), Lane.SOUND, learned.retrained[95 - FIRST]),
        (Model(False, Learned.RECENT, 95), Lane.DEPLOYED, learned.recent[95 - FIRST]),
    ):
        assert told.of(day, model) == pytest.approx(by_hand(told, day, lane, correction), rel=0.03, abs=15)
        assert told.models[told.place(model)] == model


def test_a_mended_feed_costs_what_a_sound_one_costs() -> None:
    for scenario in ("metres", "renamed-column", "doubled-feed", "broken-labels"):
        assert table(scenario).of(START, CHAMPION) >= 100
        assert table(scenario).of(START, CHAMPION, mended=True) < 1


def test_an_order_gets_no_dearer_than_its_refund() -> None:
    orders = table("metres").log.of(START).slice.size * TIFFIN_ORDERS / 650
    assert table("metres").of(START, CHAMPION) == pytest.approx(orders * 15 * PRICES.minute, rel=0.02)


@pytest.mark.parametrize(
    ("scenario", "cover"),
    [
        ("metres", Cover.QUARANTINE),
        ("metres", Cover.FALLBACK),
        ("nulls", Cover.QUARANTINE),
        ("doubled-feed", Cover.QUARANTINE),
        ("festival", Cover.CALENDAR),
        ("new-zone", Cover.FALLBACK),
    ],
)
def test_a_cover_helps_against_what_it_is_for(scenario: str, cover: Cover) -> None:
    day = START + 3
    assert table(scenario).of(day, CHAMPION, cover) < 0.75 * table(scenario).of(day, CHAMPION)


def test_a_cover_costs_nothing_where_it_touches_nothing() -> None:
    for cover in Cover:
        assert table("metres").of(START - 3, CHAMPION, cover) < 1


def test_the_fallback_leaves_alone_what_the_model_has_learned() -> None:
    told, day = table("new-zone"), START + 12
    retrained = Model(False, Learned.RETRAINED, day)
    with_cover, without = told.of(day, retrained, Cover.FALLBACK), told.of(day, retrained)
    assert abs(with_cover - without) < 0.3 * told.of(day, CHAMPION)


def test_a_wrong_clock_is_answered_by_the_services_own() -> None:
    told, day = table("shifted-clock"), START + 3
    assert told.of(day, CHAMPION, Cover.QUARANTINE) == pytest.approx(PRICES.cover_day)
    assert told.of(day, CHAMPION) > HARMLESS_EUR


def test_a_bug_in_the_bundle_stays_when_it_is_retrained_and_goes_when_it_is_rolled_back() -> None:
    told, day = table("bad-deploy"), START + 12
    assert told.of(day, Model(False, Learned.RETRAINED, START + 5)) > 0.9 * told.of(day, CHAMPION)
    assert told.of(day, PREVIOUS) < 0.3 * told.of(day, CHAMPION)
    assert told.of(day, Model(True, Learned.RETRAINED, START + 5)) < 0.1 * told.of(day, CHAMPION)


def test_slow_answers_are_paid_for_by_the_order_until_the_bundle_is_rolled_back() -> None:
    told = table("slow-service")
    orders = told.log.of(START).slice.size * TIFFIN_ORDERS / 650
    assert told.of(START, CHAMPION) == pytest.approx(PRICES.slow * orders, rel=0.01)
    assert told.of(START, PREVIOUS) == pytest.approx(table("quiet").of(START, PREVIOUS), rel=0.01)


def test_labels_in_seconds_cost_a_blind_day_and_no_customer() -> None:
    assert table("broken-labels").of(START, CHAMPION) == pytest.approx(PRICES.blind_day)


def test_what_is_learned_in_the_festival_is_wrong_the_week_after() -> None:
    told = table("festival")
    assert told.of(START + 6, Model(False, Learned.OFFSET, START + 3)) > 1000
    assert told.of(START + 6, CHAMPION) < 1


def test_only_days_with_something_to_mend_are_harmful() -> None:
    harmful = {name: table(name).harmful(START + 3) for name in ("decoy-week", "monsoon", "courier-shortage")}
    assert not any(harmful.values())
    assert table("new-bridge").harmful(START + 3)
    assert table("broken-labels").harmful(START + 3)
    assert not table("new-bridge").harmful(START - 1)


def test_every_action_has_its_price_and_waiting_is_free() -> None:
    prices = {action: PRICES.of(action) for action in Action}
    assert prices.pop(Action.WAIT) == 0
    assert min(prices.values()) >= HARMLESS_EUR
    assert max(prices, key=lambda action: prices[action]) in (Action.RETRAIN, Action.RETRAIN_RECENT)


@pytest.mark.parametrize("scenario", ["new-bridge", "nulls", "festival"])
def test_a_third_of_the_orders_tells_the_costs_of_all(scenario: str) -> None:
    """What is observed and learned stays that of all orders; only the euros are read off fewer."""
    whole, third = table(scenario), costs(World(scenario=scenario), FIRST, DAYS, every=3)
    assert third.log.of(FIRST).slice.size == whole.log.of(FIRST).slice.size
    np.testing.assert_array_equal(third.bench.corrections, whole.bench.corrections)
    harm = whole.table[:, 0, 0, 0] > 1000
    assert harm.any()
    assert third.table[harm, 0, 0, 0].sum() == pytest.approx(whole.table[harm, 0, 0, 0].sum(), rel=0.15)
