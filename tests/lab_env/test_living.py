"""Living through days with a policy: what it sees, what it costs, and what a wrong decision is called."""

import json
from functools import lru_cache

import pytest

from lab_env.living import (
    WORDS,
    WRONG,
    Life,
    Marks,
    Morning,
    UnknownAction,
    cheapest,
    live,
    passes,
    untouched,
    world_of,
)
from lab_env.world.cost import DeliveryCosts
from lab_env.world.incidents import (
    Action,
    BrokenLabels,
    CourierShortage,
    Festival,
    Incident,
    LateLabels,
    Metres,
    NewBridge,
    NewZone,
    ServingSkew,
)
from lab_env.world.oracle import Oracle
from lab_env.world.policies import IDLE_BUDGET_EUR

pytestmark = pytest.mark.slow

START = 88


@lru_cache
def oracle(*incidents: Incident) -> Oracle[DeliveryCosts]:
    return world_of(5, *incidents)


def waits(_: Morning) -> str:
    return "wait"


def lived(incident: Incident | None, word: str, *days: int) -> Life:
    best = oracle(*([incident] if incident else []))
    return live("x", best, lambda seen: word if seen["day"] in days else "wait")


def test_a_morning_is_plain_data() -> None:
    life = lived(NewZone(start=START), "wait")
    assert json.loads(json.dumps(life.mornings, allow_nan=False)) == life.mornings
    assert life.mornings[0]["bias"]["airport"] is None
    assert life.mornings[0]["learned_days"] is None


def test_a_morning_tells_what_was_done_before() -> None:
    life = lived(NewBridge(start=START), "offset", 91)
    assert life.mornings[11]["acted"] == []
    assert life.mornings[12]["acted"] == [[91, "offset"]]
    assert (life.mornings[13]["learned"], life.mornings[13]["learned_days"]) == ("offset", 2)


def test_every_action_has_a_word_of_its_own() -> None:
    assert set(WORDS.values()) == set(Action)
    assert list(WORDS)[:2] == ["wait", "fallback"]


@pytest.mark.parametrize("said", ["stop", "", None, 3, ["wait"]])
def test_another_word_is_refused_with_the_day(said: object) -> None:
    with pytest.raises(UnknownAction, match=r"on day 80\. Answer one of: wait, fallback, offset, retrain,"):
        live("x", oracle(), lambda _: said)


def test_who_acts_as_the_oracle_has_no_regret_and_makes_no_mistake() -> None:
    best = oracle(Metres(start=START, days=6))
    planned = {day: word for word, action in WORDS.items() for day, done in best.plan() if done is action}
    life = live("x", best, lambda seen: planned.get(seen["day"], "wait"))
    assert life.regret == pytest.approx(0, abs=0.01)
    assert life.mistakes() == []
    assert life.euros == pytest.approx(cheapest(best))


def test_who_waits_has_the_regret_of_doing_nothing() -> None:
    life = live("x", oracle(NewBridge(start=START)), waits)
    assert life.regret == pytest.approx(life.of_nothing)
    assert life.euros == pytest.approx(untouched(life.oracle))
    assert Marks([life]).share == pytest.approx(1)
    assert not passes(Marks([life]))


def test_waiting_is_no_mistake_while_nothing_can_be_seen() -> None:
    life = lived(Metres(start=START, days=6), "wait")
    assert min(mistake.day for mistake in life.mistakes()) == START


def test_a_quiet_world_is_held_to_its_budget() -> None:
    assert passes(Marks([lived(None, "wait")]), idle_eur=IDLE_BUDGET_EUR)
    spent = Marks([lived(None, "retrain", 90)])
    assert spent.mean_eur > IDLE_BUDGET_EUR
    assert not passes(spent, idle_eur=IDLE_BUDGET_EUR)
    assert Marks([]).share == 0


CASES = [
    (Metres(start=START), "retrain", (90,), "retrained-on-a-broken-feed"),
    (Metres(start=START), "rollback", (90,), "rolled-back-for-a-feed"),
    (Metres(start=START), "wait", (), "feed-left-broken"),
    (BrokenLabels(start=START), "offset", (90,), "learned-from-broken-labels"),
    (Festival(start=START), "retrain", (90,), "retrained-in-the-festival"),
    (Festival(start=START), "wait", (), "calendar-ignored"),
    (LateLabels(start=START), "retrain-recent", (95,), "trusted-early-labels"),
    (ServingSkew(start=START), "retrain", (92,), "retrained-a-bug"),
    (ServingSkew(start=START), "wait", (), "bug-left-serving"),
    (NewBridge(start=START), "rollback", (92,), "rolled-back-the-city"),
    (NewBridge(start=START), "retrain", (89,), "retrained-on-day-one"),
    (NewBridge(start=START), "wait", (), "change-left-unlearned"),
    (NewBridge(start=START), "offset", (89,), "acted-and-never-looked"),
    (NewBridge(start=START), "retrain", (95, 96), "the-same-every-day"),
    (NewBridge(start=START), "retrain-recent", (95,), "dearer-than-needed"),
    (NewZone(start=START), "wait", (), "strange-left-to-the-model"),
    (CourierShortage(start=START), "retrain-recent", (92,), "acted-on-quiet-days"),
]


@pytest.mark.parametrize(("incident", "word", "days", "name"), CASES)
def test_a_wrong_decision_has_its_name(
    incident: Incident, word: str, days: tuple[int, ...], name: str
) -> None:
    found = {mistake.name: mistake for mistake in lived(incident, word, *days).mistakes()}
    assert name in found
    assert found[name].why == WRONG[name]
    assert found[name].euros > 250


def test_every_name_is_tried() -> None:
    assert {name for *_, name in CASES} == set(WRONG)
