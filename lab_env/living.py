"""Live through days of Tiffin with a policy, decision by decision: what lab 10 is judged with.

The policy sees a morning as plain data and answers with one word. It never meets the world: who lives through
it, and who knows what each day costs, is here.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab_env.world import World
from lab_env.world.conditions import ZONES
from lab_env.world.cost import LEARNING, DeliveryCosts, Learned, costs
from lab_env.world.incidents import Action, Incident
from lab_env.world.learned import Shelf
from lab_env.world.oracle import Oracle, Play, State, total
from lab_env.world.policies import FULL_MARKS, Desk, Observed
from lab_env.world.scenarios import Scenario

FIRST_DAY, DAYS = 80, 36
ORDERS_PER_DAY, EVERY = 600, 5
"""Orders a day that are observed; the euros are read off one in `EVERY`, and scaled to Tiffin's."""

WORDS = {action.name.lower().replace("_", "-"): action for action in Action}
"""What a policy may answer, and what it means."""

SAID = {action: word for word, action in WORDS.items()}

Morning = dict[str, Any]
Respond = Callable[[Morning], Any]


class UnknownAction(Exception):
    """A policy answered with what is no action."""

    def __init__(self, said: Any, day: int) -> None:
        super().__init__(f"respond answered {said!r} on day {day}. Answer one of: {', '.join(WORDS)}.")
        self.said = said
        self.day = day


@dataclass(frozen=True)
class Mistake:
    """A decision that cost more than a near-tie with the best one.

    Attributes:
        day: of it.
        did: what was done.
        better: the best that could be done that morning.
        euros: what the difference costs, if everything afterwards is done well.
        name: of the misconception.
        why: in words.
    """

    day: int
    did: str
    better: str
    euros: float
    name: str
    why: str


@dataclass(frozen=True)
class Life:
    """A course of days, lived through.

    Attributes:
        title: what happened in it.
        oracle: who knew it all.
        mornings: what the policy saw.
        actions: what it did; it waited on the other days.
        euros: what each day cost.
        states: how each morning was found.
    """

    title: str
    oracle: Oracle[DeliveryCosts]
    mornings: list[Morning]
    actions: list[tuple[int, Action]]
    euros: list[float]
    states: list[State]

    @property
    def regret(self) -> float:
        """Euros beyond the cheapest sequence of actions."""
        return sum(self.euros) - self.oracle.total

    @property
    def of_nothing(self) -> float:
        """The same for doing nothing."""
        return total(self.oracle.costs) - self.oracle.total

    def mistakes(self) -> list[Mistake]:
        """Every decision outside the oracle's near-tie set, the dearest first.

        The oracle acts before an incident begins. To wait while nothing could be seen is no mistake.
        """
        done, found = dict(self.actions), []
        for at, state in enumerate(self.states):
            day = self.oracle.costs.first_day + at
            did = done.get(day, Action.WAIT)
            unseen = did is Action.WAIT and not self._can_be_seen(day)
            if unseen or did in self.oracle.near_ties(day, state):
                continue
            worth = {action: self.oracle.worth(day, state, action) for action in Action}
            better = min(worth, key=lambda action: worth[action])
            name, why = _misconception(self, day, did, better)
            found.append(Mistake(day, SAID[did], SAID[better], worth[did] - worth[better], name, why))
        return sorted(found, key=lambda mistake: -mistake.euros)

    def _can_be_seen(self, day: int) -> bool:
        """Whether a morning shows that something is wrong: today's feed and calendar, or yesterday's harm."""
        costs = self.oracle.costs
        feed = costs.faults[day - costs.first_day] - {"broken-labels"}
        before = max(day - 1, costs.first_day)
        return bool(feed) or costs.world.on(day).festival or costs.harmful(before)


@dataclass(frozen=True)
class Marks:
    """Several lives, pooled.

    Attributes:
        lives: of one policy.
        share: regret over that of doing nothing; 0 where nothing can be done.
        mean_eur: mean regret.
    """

    lives: Sequence[Life]
    share: float = field(init=False)
    mean_eur: float = field(init=False)

    def __post_init__(self) -> None:
        """Pool them."""
        ours, nothing = (sum(getattr(life, what) for life in self.lives) for what in ("regret", "of_nothing"))
        object.__setattr__(self, "share", ours / nothing if nothing > 0 else 0.0)
        object.__setattr__(self, "mean_eur", ours / len(self.lives) if self.lives else 0.0)

    @property
    def worst(self) -> tuple[Life, Mistake] | None:
        """The dearest wrong decision, and the life that it belongs to."""
        found = [(life, mistake) for life in self.lives for mistake in life.mistakes()[:1]]
        return max(found, key=lambda each: each[1].euros, default=None)


def world_of(seed: int, *incidents: Incident, shelf: Shelf | None = None) -> Oracle[DeliveryCosts]:
    """A city with what happens in it, and who knows it all."""
    course = Scenario("lived", "Something happens.", incidents)
    return oracle_of(World(seed, course, orders_per_day=ORDERS_PER_DAY), shelf=shelf)


def oracle_of(
    world: World, days: int = DAYS, first_day: int = FIRST_DAY, shelf: Shelf | None = None
) -> Oracle[DeliveryCosts]:
    """Who knows every day of a world."""
    return Oracle(costs(world, first_day, days, every=EVERY, shelf=shelf))


def live(title: str, oracle: Oracle[DeliveryCosts], respond: Respond) -> Life:
    """Ask a policy every morning, and do what it says.

    Raises:
        UnknownAction: it answered with what is no action.
    """
    play = Play(oracle.costs)
    desk = Desk(play)
    mornings, euros, states = [], [], []
    while not play.over:
        morning = told(desk.look(), play.actions)
        said = respond(morning)
        if not isinstance(said, str) or said not in WORDS:
            raise UnknownAction(said, play.day)
        mornings.append(morning)
        states.append(play.state)
        euros.append(play.step(WORDS[said]))
    return Life(title, oracle, mornings, play.actions, euros, states)


def told(seen: Observed, done: Iterable[tuple[int, Action]]) -> Morning:
    """A morning as plain data; what is not known is None."""
    model = seen.state.model
    return {
        "day": seen.day,
        "violations": _number(seen.violations),
        "copies": _number(seen.copies),
        "broken_labels": _number(seen.broken_labels),
        "coverage": _number(seen.coverage),
        "version": seen.version,
        "version_days": seen.version_days,
        "latency_ms": _number(seen.latency_ms),
        "festival": bool(seen.festival),
        "index": [_number(each) for each in seen.index],
        "alarm": bool(seen.alarms),
        "error": _number(seen.error),
        "expected": _number(seen.expected),
        "bias": {zone: _number(each) for zone, each in zip(ZONES, seen.bias, strict=True)},
        "strange": _number(seen.strange),
        "strange_labels": seen.strange_labels,
        "shadow": [_number(each) for each in seen.shadow],
        "rolled_back": model.rolled_back,
        "learned": None if model.how is None else _HOW[model.how],
        "learned_days": None if model.how is None else seen.day - model.day,
        "cover": seen.state.cover.name.lower(),
        "mended": seen.state.mended,
        "acted": [[day, SAID[action]] for day, action in done],
    }


_HOW = {how: SAID[action] for action, how in LEARNING.items()}


def _number(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None


def passes(marks: Marks, *, idle_eur: float | None = None, share: float = FULL_MARKS) -> bool:
    """Whether lives are lived well enough: by the share of doing nothing's regret, or within the budget."""
    return marks.share <= share if idle_eur is None else marks.mean_eur <= idle_eur


WRONG: Mapping[str, str] = {
    "retrained-on-a-broken-feed": "It learned the break, and is wrong again when the feed is mended. "
    "The data "
    "broke, so the data is what you mend: quarantine, then mend.",
    "learned-from-broken-labels": "The labels are impossible, so the error is. What it learned from them it "
    "tells customers from tomorrow on. Freeze what learns, and mend the labels.",
    "rolled-back-for-a-feed": "The older model reads the same feed, and knows less.",
    "retrained-in-the-festival": "It learned four days of which the next year knows nothing, and tells "
    "them to "
    "everybody the week after. The calendar knew: serve its slice.",
    "trusted-early-labels": "Fast orders report first. What they say of the error is not true of the others: "
    "look at coverage, and wait.",
    "retrained-a-bug": "The bug is behind the model. A model that was trained again runs in the same bundle. "
    "Roll the bundle back.",
    "rolled-back-the-city": "The city has changed, and the older model knows even less of it.",
    "retrained-on-day-one": "A day or two of labels is mostly that day's luck. An offset now; retrain when "
    "there are enough days.",
    "acted-on-quiet-days": "Nothing was wrong that an action could mend. Compare the error with what is "
    "expected in such weather before you believe an alarm.",
    "the-same-every-day": "It was done yesterday. Doing it again costs again: look at whether it has worked, "
    "and let it work first.",
    "feed-left-broken": "The contract said so in the morning: rows that break it, or come twice. Each "
    "such day "
    "goes to customers.",
    "bug-left-serving": "The trouble came with the version. The bundle before it was well.",
    "calendar-ignored": "It came last year on a day that the calendar knew. The slice that learned it then "
    "was there.",
    "strange-left-to-the-model": "The model answers where it has never been. A table of typical values is "
    "better there, until there are enough labels to train on.",
    "change-left-unlearned": "The error is beyond what is expected, to one side, with sound inputs, "
    "labels and "
    "version. It does not pass by itself.",
    "acted-and-never-looked": "Something was done, and the harm went on. Look again after each action: "
    "at the "
    "bias that is left, at what still breaks the contract.",
    "dearer-than-needed": "Another action would have helped more.",
}
"""What a wrong decision is called, and why it is one."""


def _misconception(life: Life, day: int, did: Action, better: Action) -> tuple[str, str]:
    name = _acted(life, day, did) if did is not Action.WAIT else _waited(life, day, better)
    return name, WRONG[name]


def _acted(life: Life, day: int, did: Action) -> str:
    costs, world = life.oracle.costs, life.oracle.costs.world
    state = life.states[day - costs.first_day]
    learns, yesterday = did in LEARNING, dict(life.actions).get(day - 1)
    lately = [before for before in range(day - 5, day + 1) if before >= costs.first_day]
    broken = (
        set() if state.mended else {name for each in lately for name in costs.faults[each - costs.first_day]}
    )
    if learns and "broken-labels" in broken:
        return "learned-from-broken-labels"
    if did is Action.ROLLBACK and broken - {"broken-labels"}:
        return "rolled-back-for-a-feed"
    if learns and broken:
        return "retrained-on-a-broken-feed"
    if learns and any(world.on(each).festival for each in lately):
        return "retrained-in-the-festival"
    if learns and world.on(day).label_lag_days:
        return "trusted-early-labels"
    if yesterday is did:
        return "the-same-every-day"
    if learns and world.on(day).version > 1 and not state.model.rolled_back:
        return "retrained-a-bug"
    if not costs.harmful(day):
        return "acted-on-quiet-days"
    if did is Action.ROLLBACK:
        return "rolled-back-the-city"
    young = costs.harmful(day) and not costs.harmful(max(day - 3, costs.first_day))
    return (
        "retrained-on-day-one"
        if learns and LEARNING[did] is not Learned.OFFSET and young
        else "dearer-than-needed"
    )


def _waited(life: Life, day: int, better: Action) -> str:
    costs, now = life.oracle.costs, life.oracle.costs.world.on(day)
    faults = costs.faults[day - costs.first_day]
    if any(max(_since(costs, day), day - 12) <= before < day for before, _ in life.actions):
        return "acted-and-never-looked"
    if faults - {"broken-labels"}:
        return "feed-left-broken"
    if now.festival and better is Action.CALENDAR:
        return "calendar-ignored"
    if better is Action.ROLLBACK:
        return "bug-left-serving"
    if better is Action.FALLBACK:
        return "strange-left-to-the-model"
    return "change-left-unlearned"


def _since(costs: DeliveryCosts, day: int) -> int:
    """The day on which the harm of a day began."""
    while day > costs.first_day and costs.harmful(day - 1):
        day -= 1
    return day


def cheapest(oracle: Oracle[DeliveryCosts]) -> list[float]:
    """What each day costs under the cheapest sequence of actions."""
    planned, play = dict(oracle.plan()), Play(oracle.costs)
    return [play.step(planned.get(play.day, Action.WAIT)) for _ in range(oracle.costs.days)]


def untouched(oracle: Oracle[DeliveryCosts]) -> list[float]:
    """What each day costs when nobody does anything."""
    play = Play(oracle.costs)
    return [play.step() for _ in range(oracle.costs.days)]
