import doctest
from functools import lru_cache

import numpy as np
import pytest

import lab_env.world.oracle
from lab_env.world import CATALOGUE, Action, Scenario, World, WorldError
from lab_env.world.cost import CHAMPION, PREVIOUS, PRICES, Cover, DeliveryCosts, Learned, Model, costs
from lab_env.world.incidents import BadDeploy, DoubledFeed, Metres, NewBridge
from lab_env.world.learned import View
from lab_env.world.oracle import Oracle, Play, State, step, total

pytestmark = pytest.mark.slow

FIRST, START, DAYS = 76, 90, 70
INCIDENTS = [name for name in CATALOGUE if not name.startswith("fraud")]
SEEDS = {name: (2026, 1, 2)[at % 3] for at, name in enumerate(INCIDENTS)}
"""Three cities, an incident each in turn."""

ACTIONS = list(Action)


@lru_cache
def oracle(scenario: str) -> Oracle[DeliveryCosts]:
    return Oracle(costs(World(SEEDS.get(scenario, 2026), scenario), FIRST, DAYS))


def of(*incidents: object, days: int = 20) -> Oracle[DeliveryCosts]:
    return Oracle(costs(World(scenario=Scenario("own", "", incidents)), FIRST, days))  # type: ignore[arg-type]


def test_the_example_in_the_docstring_runs() -> None:
    assert doctest.testmod(lab_env.world.oracle).failed == 0


@pytest.mark.parametrize("name", INCIDENTS)
def test_its_plan_costs_what_it_says_and_no_other_plan_costs_less(name: str) -> None:
    best, rng = oracle(name), np.random.default_rng(1)
    plan = best.plan()
    assert total(best.costs, plan) == pytest.approx(best.total, abs=1e-6)
    tried = []
    for _ in range(60):
        days = rng.choice(np.arange(START - 2, FIRST + DAYS), rng.integers(0, 7), replace=False)
        tried.append([(int(day), ACTIONS[rng.integers(len(ACTIONS))]) for day in days])
    tried += [[*plan[:drop], *plan[drop + 1 :]] for drop in range(len(plan))]
    tried += [[(day + 1, action) for day, action in plan], []]
    assert min(best.regret(actions) for actions in tried) > -1e-6


@pytest.mark.parametrize("name", ["new-zone", "metres", "bad-deploy", "festival", "order-stacking"])
def test_who_takes_the_best_of_today_and_tomorrow_does_not_beat_it(name: str) -> None:
    best = oracle(name)
    play = Play(best.costs)
    while not play.over:
        two = {}
        for action in Action:
            now = step(best.costs, play.day, play.state, action)
            after = step(best.costs, min(play.day + 1, FIRST + DAYS - 1), now.tomorrow, Action.WAIT)
            two[action] = now.euros + after.euros
        play.step(min(two, key=lambda action: two[action]))
    assert play.spent >= best.total - 1e-6


def test_any_way_through_the_near_ties_stays_near_the_best() -> None:
    best, rng = oracle("new-bridge"), np.random.default_rng(2)
    for _ in range(5):
        play, within = Play(best.costs), 20.0
        while not play.over:
            ties = sorted(best.near_ties(play.day, play.state, within))
            play.step(ties[rng.integers(len(ties))])
        assert best.total - 1e-6 <= play.spent <= best.total + within * DAYS


@pytest.mark.parametrize("name", INCIDENTS)
def test_its_first_action_is_one_that_the_catalogue_calls_right(name: str) -> None:
    best, right = oracle(name), set(CATALOGUE[name].right)
    play, plan = Play(best.costs), dict(best.plan())
    acts = next((day for day in plan if day >= START), None)
    if acts is None:
        assert Action.WAIT in right
        return
    while play.day < acts:
        play.step(plan.get(play.day, Action.WAIT))
    assert right & best.near_ties(acts, play.state)


@pytest.mark.parametrize("name", INCIDENTS)
def test_each_mistake_at_once_costs_more_than_the_right_answer_in_time(name: str) -> None:
    best, incident = oracle(name), CATALOGUE[name]
    right = min(best.regret([(START + later, action)]) for later in range(15) for action in incident.right)
    for mistake, _ in incident.wrong:
        if mistake in ACTIONS:
            assert best.regret([(START, Action(mistake))]) > right + 100, mistake


@pytest.mark.parametrize("name", ["quiet", "decoy-week", "monsoon", "courier-shortage", "late-labels"])
def test_where_nothing_harms_there_is_nothing_to_gain_and_every_action_costs_a_false_alarm(name: str) -> None:
    best = oracle(name)
    assert best.plan() == []
    assert best.regret() < 5
    for action in set(Action) - {Action.WAIT}:
        least = PRICES.of(action) + PRICES.false_alarm
        assert best.regret([(START + 3, action)]) >= least - 5


def test_a_retrain_serves_from_the_next_day_on_and_everything_else_at_once() -> None:
    play = oracle("new-bridge").costs
    retrain = step(play, 95, State(), Action.RETRAIN)
    assert retrain.today.model == CHAMPION
    assert retrain.tomorrow.model == Model(False, Learned.RETRAINED, 95)
    offset = step(play, 95, State(), Action.OFFSET)
    assert offset.today == offset.tomorrow == State(Model(False, Learned.OFFSET, 95))
    assert step(play, 95, State(), Action.ROLLBACK).today.model == PREVIOUS
    assert step(play, 95, State(), Action.CALENDAR).today.cover is Cover.CALENDAR


def test_a_fault_is_mended_the_day_after_and_the_next_one_is_another() -> None:
    twice = of(Metres(start=80, days=3), DoubledFeed(start=86, days=3)).costs
    asked = step(twice, 80, State(), Action.MEND)
    assert (asked.today.mended, asked.tomorrow.mended) == (False, True)
    assert step(twice, 84, asked.tomorrow, Action.WAIT).tomorrow.mended
    assert not step(twice, 85, asked.tomorrow, Action.WAIT).tomorrow.mended
    assert not step(twice, 84, State(), Action.MEND).tomorrow.mended


@pytest.mark.parametrize(
    ("state", "view"),
    [
        (State(), View.DELIVERED),
        (State(cover=Cover.FALLBACK), View.DELIVERED),
        (State(cover=Cover.QUARANTINE), View.FILTERED),
        (State(cover=Cover.QUARANTINE, mended=True), View.MENDED),
    ],
)
def test_training_reads_what_is_not_in_quarantine_and_what_was_mended(state: State, view: View) -> None:
    told = of(Metres(start=80, days=3)).costs
    assert step(told, 84, state, Action.RETRAIN).tomorrow.model.view is view


def test_a_release_takes_the_place_of_what_was_rolled_back() -> None:
    told = of(BadDeploy(start=84)).costs
    assert step(told, 82, State(PREVIOUS), Action.WAIT).tomorrow.model == PREVIOUS
    assert step(told, 83, State(PREVIOUS), Action.WAIT).tomorrow.model == CHAMPION


def test_incidents_together_have_one_plan_for_all() -> None:
    both = of(NewBridge(start=80), BadDeploy(start=85))
    plan = both.plan()
    assert {Action.OFFSET, Action.ROLLBACK} <= {action for _, action in plan}
    assert total(both.costs, plan) == pytest.approx(both.total, abs=1e-6)


def test_a_play_that_is_over_takes_no_action() -> None:
    play = Play(of(days=1).costs)
    play.step()
    with pytest.raises(WorldError, match="The play ended with day 76"):
        play.step(Action.OFFSET)


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ([(5, Action.OFFSET)], "on day 5 is outside the range. Act on day 76 to 95"),
        ([(80, Action.OFFSET), (80, Action.MEND)], "Two actions on day 80: `offset` and `mend`"),
    ],
)
def test_actions_that_cannot_be_taken_are_refused(actions: list[tuple[int, Action]], told: str) -> None:
    with pytest.raises(WorldError, match=told):
        total(of().costs, actions)
