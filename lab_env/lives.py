"""Many lives of one policy, asked over a session, and what its dearest mistake teaches: for lab 10."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from grader.boxes.given import Stopped
from grader.checks import Expect, Session
from lab_env.living import WORDS, Life, Marks, Morning, live, passes, world_of
from lab_env.world.cost import DeliveryCosts
from lab_env.world.incidents import Incident
from lab_env.world.learned import Shelf
from lab_env.world.oracle import Oracle
from lab_env.world.policies import FULL_MARKS

PAGE = "modules/10-respond.md"
ALONE_MARKS = 0.30  # a few worlds by themselves: chance weighs more in them than in all together
Worlds = Iterator[tuple[str, Oracle[DeliveryCosts]]]


def oracles(rng: np.random.Generator, *courses: tuple[str, tuple[Incident, ...]]) -> Worlds:
    """One city and several courses of events in it; each is made when its turn comes."""
    city, shelf = int(rng.integers(1, 10**6)), Shelf()
    for title, incidents in courses:
        yield title, world_of(city, *incidents, shelf=shelf)


def ask(session: Session, morning: Morning, expect: Expect) -> str:
    """What the learner's `respond` answers to a morning; it has to be one of the words.

    Raises:
        Failed: it is none of them.
        Stopped: there was no answer; says on which morning.
    """
    try:
        said: Any = session.call("respond.respond", morning)
    except Stopped as stopped:
        found = f"{stopped.found.rstrip('.')}. `respond` was asked about the morning of day {morning['day']}."
        raise Stopped(stopped.verdict, found, stopped.exception) from stopped
    expect.that(
        isinstance(said, str) and said in WORDS,
        looked_at=f"respond on the morning of day {morning['day']}",
        found=said,
        expected=f"one of {', '.join(WORDS)}",
        why="Whoever carries it out is a program: it knows these words and no other. A morning on which "
        "nothing is "
        'done is "wait".',
        link=f"{PAGE}#nine-words",
        misconception="no-action",
    )
    return str(said)


def judge(
    session: Session,
    expect: Expect,
    worlds: Worlds,
    *,
    idle_eur: float | None = None,
    also: Sequence[Sequence[int]] = (),
) -> None:
    """Live through worlds and hold the policy to the share, or where nothing can be done to a budget.

    `also` names worlds, by their places, that have to be lived well enough by themselves, to `ALONE_MARKS`:
    else a dear one hides them.
    """
    lives = [live(title, oracle, lambda morning: ask(session, morning, expect)) for title, oracle in worlds]
    hold(lives, expect, idle_eur=idle_eur)
    for pool in also:
        hold([lives[at] for at in pool], expect, idle_eur=idle_eur, share=ALONE_MARKS)


def hold(
    lives: Sequence[Life], expect: Expect, *, idle_eur: float | None = None, share: float = FULL_MARKS
) -> None:
    """Fail with the dearest mistake of some lives when they were not lived well enough."""
    marks = Marks(lives)
    if passes(marks, idle_eur=idle_eur, share=share):
        return
    life, name, why = _lesson(marks)
    expect.that(
        False,
        looked_at="respond, day by day: " + "; ".join(life.title for life in lives),
        found=f"{_score(marks, idle_eur)}. {_told(life)}",
        expected=f"at most {idle_eur:,.0f} euros a world"
        if idle_eur is not None
        else f"at most {share:.0%} of the regret of doing nothing",
        why=why,
        link=f"{PAGE}#decisions",
        misconception=name,
    )


def _lesson(marks: Marks) -> tuple[Life, str, str]:
    worst = marks.worst
    if worst is None:
        life = max(marks.lives, key=lambda life: life.regret)
        return life, "dearer-than-needed", "Each decision was near the best, and together they were too many."
    life, mistake = worst
    return life, mistake.name, mistake.why


def _score(marks: Marks, idle_eur: float | None) -> str:
    return f"{marks.mean_eur:,.0f} euros a world" if idle_eur is not None else f"{marks.share:.0%}"


def _told(life: Life) -> str:
    mistakes = life.mistakes()
    if not mistakes:
        return f"Most of it where {life.title}."
    worst, times = mistakes[0], sum(each.name == mistakes[0].name for each in mistakes)
    often = f", one of {times} such mornings" if times > 1 else ""
    return (
        f"The dearest: where {life.title}, on day {worst.day}{often}, `{worst.did}`; `{worst.better}` "
        f"would have been"
        f" {worst.euros:,.0f} euros cheaper"
    )
