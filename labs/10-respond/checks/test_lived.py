"""Checks of lab 10 on the policy: worlds that everybody may see, and a loop that was restarted."""

import numpy as np

from grader.checks import Expect, Student
from lab_env import lives
from lab_env.living import live
from lab_env.world.incidents import DecoyWeek, Metres, NewBridge, ServingSkew
from lab_env.world.policies import IDLE_BUDGET_EUR

PAGE = "modules/10-respond.md"


def test_first_worlds_are_lived_through(student: Student, expect: Expect) -> None:
    rng = np.random.default_rng(10)
    session = student.session()
    lives.judge(
        session,
        expect,
        lives.oracles(
            rng,
            ("kilometres sent as metres from day 88 to 93", (Metres(start=88, days=6),)),
            ("version 2 computes the distance in miles from day 87 on", (ServingSkew(start=87),)),
            ("a bridge opens on day 86", (NewBridge(start=86),)),
        ),
    )
    lives.judge(
        session,
        expect,
        lives.oracles(rng, ("a promotion from day 88 on", (DecoyWeek(start=88),))),
        idle_eur=IDLE_BUDGET_EUR,
    )


def test_nothing_is_remembered(student: Student, expect: Expect) -> None:
    [(title, oracle)] = lives.oracles(
        np.random.default_rng(11), ("", (NewBridge(start=86), Metres(start=100, days=5)))
    )
    session = student.session()
    life = live(title, oracle, lambda morning: lives.ask(session, morning, expect))
    answers = [lives.ask(session, morning, expect) for morning in life.mornings]
    again = student.session()
    for at in np.random.default_rng(12).permutation(len(answers)).tolist():
        said = lives.ask(again, life.mornings[at], expect)
        expect(
            said,
            answers[at],
            looked_at=f"the answer to the morning of day {life.mornings[at]['day']}, asked a second "
            f"time in a new "
            "process and in another order",
            why="The loop is a process; it is restarted, moved and run twice. What it remembers in "
            "memory is gone or "
            "stale then. What was done stands in the morning itself: `acted`.",
            link=f"{PAGE}#the-loop-forgets",
            misconception="memory-in-the-process",
        )
