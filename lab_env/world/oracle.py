"""Living through the days: states, what an action does to them, and the cheapest sequence of actions.

One decision a day, in the morning. Switching the bundle back, an offset and a cover hold from that moment.
What was trained serves from the next day on, after its review; a feed that was reported is mended on the
next day, and the days before are filled in again. Nothing needs to be lifted: a cover touches only the rows
that it is for.

An offset corrects the bundle's own model, so it takes the place of an earlier offset or retrained model.
So does a release: whatever was served, the new bundle's own model is.
"""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lab_env.world.city import Vector
from lab_env.world.cost import (
    CHAMPION,
    COVERS,
    HARMLESS_EUR,
    LEARNING,
    PREVIOUS,
    PRICES,
    Costs,
    Cover,
    Learned,
    Model,
)
from lab_env.world.errors import WorldError
from lab_env.world.incidents import Action
from lab_env.world.learned import View

C = TypeVar("C", bound=Costs)

TIE_EUR = 250.0
"""Two plans that differ by less are equally right: it is what half a day of a person costs."""


class State(NamedTuple):
    """How the system stands in a morning.

    Attributes:
        model: that answers.
        cover: that is switched on.
        mended: whether what is broken in the feed has been mended.
    """

    model: Model = CHAMPION
    cover: Cover = Cover.NONE
    mended: bool = False


class Step(NamedTuple):
    """What an action makes of a state: today's, tomorrow morning's, and what today costs in all."""

    today: State
    tomorrow: State
    euros: float


Actions = Iterable[tuple[int, Action]]
"""Days and what is done on them; at most one action a day, and on all others one waits."""


def step(costs: Costs, day: int, state: State, action: Action) -> Step:
    """One day under one action."""
    today = tomorrow = state
    if action in COVERS:
        today = tomorrow = state._replace(cover=COVERS[action])
    elif action is Action.ROLLBACK:
        today = tomorrow = state._replace(model=PREVIOUS)
    elif action is Action.MEND:
        tomorrow = state._replace(mended=state.mended or bool(costs.faults[day - costs.first_day]))
    elif action is not Action.WAIT:
        how = LEARNING[action]
        learned = Model(state.model.rolled_back, how, day, view_of(costs, state.cover, mended=state.mended))
        tomorrow = state._replace(model=learned)
        today = tomorrow if how is Learned.OFFSET else state
    euros = costs.of(day, today.model, today.cover, mended=today.mended) + PRICES.of(action)
    if action is not Action.WAIT and not costs.harmful(day):
        before = costs.of(day, state.model, state.cover, mended=state.mended)
        euros += PRICES.false_alarm * (before <= HARMLESS_EUR)
    if breaks_anew(costs, day + 1):
        tomorrow = tomorrow._replace(mended=False)
    if deploys_anew(costs, day + 1):
        tomorrow = tomorrow._replace(model=CHAMPION)
    return Step(today, tomorrow, euros)


def view_of(costs: Costs, cover: Cover, *, mended: bool) -> View:
    """What a training reads: what was mended has been filled in again, what is in quarantine is left out."""
    if costs.views == 1 or not (mended or cover is Cover.QUARANTINE):
        return View.DELIVERED
    return View.MENDED if mended else View.FILTERED


def breaks_anew(costs: Costs, day: int) -> bool:
    """Whether something breaks on a day that was whole the day before."""
    at = day - costs.first_day
    if not 0 < at < costs.days:
        return False
    return not costs.faults[at] <= costs.faults[at - 1]


def deploys_anew(costs: Costs, day: int) -> bool:
    """Whether a release brings another bundle, in the place of whatever was served."""
    at = day - costs.first_day
    return 0 < at < costs.days and costs.versions[at] != costs.versions[at - 1]


class Play(Generic[C]):
    """One course of days, decision by decision.

    >>> from lab_env.world import World
    >>> from lab_env.world.cost import costs
    >>> play = Play(costs(World(scenario="bad-deploy", orders_per_day=200), 88, 6))
    >>> [round(play.step()) > 1000 for day in (88, 89, 90)], play.step(Action.ROLLBACK) < 1000
    ([False, False, True], True)
    >>> play.day, play.over
    (92, False)
    """

    def __init__(self, costs: C) -> None:
        """Begin in the first morning, with the champion deployed."""
        self.costs = costs
        self.day = costs.first_day
        self.state = State()
        self.spent = 0.0
        self.served: list[State] = []
        self.actions: list[tuple[int, Action]] = []

    @property
    def over(self) -> bool:
        """Whether the last day is past."""
        return self.day >= self.costs.first_day + self.costs.days

    def step(self, action: Action = Action.WAIT) -> float:
        """Act in the morning and live through the day; returns its euros.

        Raises:
            WorldError: the last day is past.
        """
        if self.over:
            raise WorldError(f"The play ended with day {self.day - 1}. Begin another one to go on.")
        now = step(self.costs, self.day, self.state, action)
        if action is not Action.WAIT:
            self.actions.append((self.day, action))
        self.served.append(now.today)
        self.day, self.state, self.spent = self.day + 1, now.tomorrow, self.spent + now.euros
        return now.euros


def total(costs: Costs, actions: Actions = ()) -> float:
    """Euros of the whole range under some actions; without any, those of doing nothing.

    Raises:
        WorldError: two actions on one day, or a day outside the range.
    """
    planned: dict[int, Action] = {}
    last = costs.first_day + costs.days - 1
    for day, action in actions:
        if not costs.first_day <= day <= last:
            raise WorldError(
                f"`{action}` on day {day} is outside the range. Act on day {costs.first_day} to {last}."
            )
        if day in planned:
            raise WorldError(f"Two actions on day {day}: `{planned[day]}` and `{action}`. Take one a day.")
        planned[day] = action
    play = Play(costs)
    while not play.over:
        play.step(planned.get(play.day, Action.WAIT))
    return play.spent


class Oracle(Generic[C]):
    """Who knows every day in advance, and chooses the cheapest sequence of actions.

    A dynamic programme: from the last day to the first, the least that each state still costs. It looks at
    the same table as everyone else, so nobody can do better.
    """

    def __init__(self, costs: C) -> None:
        self.costs = costs
        self.least = _least(costs)
        """Euros from a morning on; shape (days + 1, not mended and mended, covers, models)."""

    def worth(self, day: int, state: State, action: Action) -> float:
        """Euros from this morning to the end: the action now, and the best of all plans afterwards."""
        now = step(self.costs, day, state, action)
        after = now.tomorrow
        place = (int(after.mended), after.cover, self.costs.place(after.model))
        return now.euros + float(self.least[day - self.costs.first_day + 1][place])

    def near_ties(self, day: int, state: State, within: float = TIE_EUR) -> frozenset[Action]:
        """The actions that are right now: the best one, and all that cost at most `within` euros more."""
        worth = {action: self.worth(day, state, action) for action in Action}
        return frozenset(action for action in Action if worth[action] <= min(worth.values()) + within)

    def plan(self) -> list[tuple[int, Action]]:
        """The cheapest sequence of actions from the first day; it waits where that costs no more."""
        play = Play(self.costs)
        while not play.over:
            worth = [
                (round(self.worth(play.day, play.state, action), 6), at) for at, action in enumerate(Action)
            ]
            play.step(list(Action)[min(worth)[1]])
        return play.actions

    @property
    def total(self) -> float:
        """Euros of the cheapest sequence."""
        return float(self.least[0, 0, Cover.NONE, 0])

    def regret(self, actions: Actions = ()) -> float:
        """Euros by which some actions cost more than the cheapest ones."""
        return total(self.costs, actions) - self.total


def _least(costs: Costs) -> Vector:
    least = np.zeros((costs.days + 1, *costs.table.shape[1:]))
    rolled_back = np.array([model.rolled_back for model in costs.models], dtype=int)
    for at in range(costs.days - 1, -1, -1):
        tomorrow = least[at + 1]
        if breaks_anew(costs, costs.first_day + at + 1):
            tomorrow = np.stack([tomorrow[0], tomorrow[0]])
        if deploys_anew(costs, costs.first_day + at + 1):
            tomorrow = np.broadcast_to(tomorrow[:, :, :1], tomorrow.shape)
        least[at] = _morning(costs, at, tomorrow, rolled_back)
    return least


def _morning(costs: Costs, at: int, tomorrow: Vector, rolled_back: NDArray[np.int64]) -> Vector:
    """The least that each state costs from the morning of the day at this place on."""
    day, table = costs.first_day + at, costs.table[at]
    through = table + tomorrow
    alarm = np.where((table <= HARMLESS_EUR) & (not costs.harmful(day)), PRICES.false_alarm, 0.0)
    offset, learned = np.empty_like(table), np.empty_like(table)
    for mended in (False, True):
        for cover in Cover:
            view = view_of(costs, cover, mended=mended)
            here = (int(mended), cover)
            of = {
                how: [costs.place(Model(back, how, day, view)) for back in (False, True)] for how in Learned
            }
            offset[here] = through[here][of[Learned.OFFSET]][rolled_back]
            best = np.minimum(*(tomorrow[here][of[how]] for how in (Learned.RETRAINED, Learned.RECENT)))
            learned[here] = table[here] + best[rolled_back]
    other = [
        offset + PRICES.offset,
        learned + PRICES.retrain,
        through[:, :, 1:2] + PRICES.rollback,
        *(through[:, cover : cover + 1] + PRICES.cover for cover in COVERS.values()),
    ]
    if costs.faults[at]:
        other.append(table + tomorrow[1:2] + PRICES.mend)
    best = np.minimum.reduce([np.broadcast_to(each, table.shape) for each in other])
    return np.asarray(np.minimum(through, best + alarm))
