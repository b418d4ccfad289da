import doctest
from functools import lru_cache

import numpy as np
import pytest

import lab_env.world.fraud_cost
from lab_env.world import CATALOGUE, Action, World
from lab_env.world.cost import CHAMPION, PREVIOUS, Costs, Learned, Model
from lab_env.world.fraud_cost import FEE_EUR, fraud_costs, scored
from lab_env.world.oracle import Oracle, Play, total

FIRST, START, DAYS = 80, 90, 70
SEEDS = [2026, 1]


@lru_cache
def oracle(name: str, seed: int = 2026) -> Oracle[Costs]:
    return Oracle(fraud_costs(World(seed, name), FIRST, DAYS))


def test_the_examples_in_the_docstrings_run() -> None:
    assert doctest.testmod(lab_env.world.fraud_cost).failed == 0


def test_on_quiet_days_the_score_decides_as_well_as_anyone_can_and_the_older_one_does_not() -> None:
    told = oracle("quiet").costs
    assert total(told) < 1
    assert min(told.of(day, PREVIOUS) for day in range(FIRST, FIRST + DAYS)) > 100
    assert oracle("quiet").plan() == []


def test_the_table_says_what_decisions_payment_by_payment_say() -> None:
    told, rows = oracle("fraud-wave").costs, scored(World(2026, "fraud-wave"), START + 4)
    stops = rows.log_odds[0] > rows.bar
    lost = np.where(stops, rows.stopped, rows.passed) - np.minimum(rows.passed, rows.stopped)
    assert told.of(START + 4, CHAMPION) == pytest.approx(lost.sum() * 40_000 / (650 * 3), rel=0.02)
    assert told.table.min() >= 0


def test_a_decision_weighs_the_fraud_against_the_customer() -> None:
    rows = scored(World(2026, "quiet"), START)
    stops = rows.log_odds[0] > rows.bar
    np.testing.assert_array_equal(stops, rows.passed > rows.stopped)
    assert 0.001 < stops.mean() < 0.05
    assert rows.passed.max() > FEE_EUR


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wave_is_met_by_an_offset_and_a_ring_by_a_retrain_weeks_later(seed: int) -> None:
    wave, ring = oracle("fraud-wave", seed), oracle("fraud-ring", seed)
    assert Action.OFFSET in {action for day, action in wave.plan() if day < START + 20}
    assert wave.regret([(START + 20, Action.OFFSET)]) < 0.5 * wave.regret()
    assert Action.RETRAIN in {action for day, action in ring.plan() if START + 15 < day < START + 50}
    assert ring.regret([(START + 35, Action.RETRAIN)]) < 0.9 * ring.regret()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["fraud-wave", "fraud-ring"])
def test_each_mistake_costs_more_than_the_right_answer_in_time(name: str, seed: int) -> None:
    best, incident = oracle(name, seed), CATALOGUE[name]
    right = min(best.regret([(START + later, action)]) for later in range(45) for action in incident.right)
    for mistake, _ in incident.wrong:
        assert best.regret([(START, Action(mistake))]) > right + 1000, mistake


def test_who_takes_the_unlabelled_for_genuine_lets_the_frauds_pass() -> None:
    told = oracle("quiet").costs
    naive, patient = (Model(False, how, START) for how in (Learned.RECENT, Learned.OFFSET))
    assert told.of(START + 1, naive) > 10 * told.of(START + 1, patient)


def test_a_ring_shows_in_one_slice_and_a_wave_in_all() -> None:
    day = START + 40
    ring, wave = oracle("fraud-ring").costs, oracle("fraud-wave").costs
    by_slice, by_all = (Model(False, how, day - 1) for how in (Learned.RETRAINED, Learned.OFFSET))
    assert ring.of(day, by_slice) < ring.of(day, by_all)
    assert wave.of(day, by_all) < wave.of(day, by_slice)


@pytest.mark.parametrize("name", ["fraud-wave", "fraud-ring"])
def test_no_plan_costs_less_than_the_oracles(name: str) -> None:
    best, rng, actions = oracle(name), np.random.default_rng(3), list(Action)
    plan = best.plan()
    assert total(best.costs, plan) == pytest.approx(best.total, abs=1e-6)
    tried = [[*plan[:drop], *plan[drop + 1 :]] for drop in range(len(plan))]
    for _ in range(150):
        days = rng.choice(np.arange(FIRST, FIRST + DAYS), rng.integers(0, 7), replace=False)
        tried.append([(int(day), actions[rng.integers(len(actions))]) for day in days])
    assert min(best.regret(each) for each in tried) > -1e-6


def test_nothing_is_learned_from_chargebacks_that_have_not_come() -> None:
    short = fraud_costs(World(2026, "fraud-ring"), FIRST, 20)
    long = oracle("fraud-ring").costs
    for how in Learned:
        model = Model(False, how, START + 5)
        assert short.of(START + 9, model) == pytest.approx(long.of(START + 9, model), abs=1e-6)


def test_it_can_be_played_day_by_day() -> None:
    play = Play(oracle("fraud-wave").costs)
    while play.day < START + 20:
        play.step()
    before = play.step()
    assert play.step(Action.OFFSET) < before
    assert play.state.model.how is Learned.OFFSET
