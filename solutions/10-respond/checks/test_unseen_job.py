"""Hidden checks of lab 10 on the diagnoses, the gate and the verification."""

# CANARY-c18e6fa2037b

import tomllib
from typing import Any

import numpy as np
import pandas as pd

from grader.checks import Evidence, Expect, Hidden, Session, Student, at_most, between
from lab_env import shadows

PAGE = "modules/10-respond.md"
TRUTH = {
    "a": ("system", 93, {"rollback"}, "The error jumps with the version, while inputs, labels and the "
    "door are sound."),
    "b": ("labels", 88, {"mend"}, "Labels say that dinner takes a day. Predictions and inputs are as "
    "before: nobody "
          "is harmed, and nobody can see."),
    "c": ("inputs", 90, {"wait"}, "An input has moved far, the alarm rings, and the error is what is "
    "expected in such "
          "conditions. Couriers are short, the model is told so, and copes."),
}  # fmt: skip
PAIRS, GOOD = 60, 20


def test_diagnoses_are_right(evidence: Evidence, expect: Expect) -> None:
    try:
        said = tomllib.loads(evidence.text("diagnosis.toml") or "")
    except tomllib.TOMLDecodeError as error:
        said = {"a": {"kind": f"diagnosis.toml cannot be read: {error}"}}
    for name, (kind, first, acts, why) in TRUTH.items():
        found = said.get(name)
        found = found if isinstance(found, dict) else {}
        expect(
            found.get("kind"),
            kind,
            looked_at=f"kind of record {name} in diagnosis.toml",
            why=why,
            link=f"{PAGE}#what-a-morning-shows",
            misconception="drift-seen-everywhere",
        )
        expect(
            found.get("day"),
            between(first, first + 2),
            looked_at=f"day of record {name} in diagnosis.toml",
            why="The first morning on which it can be seen says what happened at the same time: a release, a "
            "promotion, somebody's new app.",
            link=f"{PAGE}#what-a-morning-shows",
            misconception="wrong-day",
        )
        expect.that(
            str(found.get("act")) in acts,
            looked_at=f"act of record {name} in diagnosis.toml",
            found=found.get("act"),
            expected=" or ".join(acts),
            why=why,
            link=f"{PAGE}#decisions",
            misconception="right-name-wrong-act",
        )


def test_gate_pairs_by_day(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng, session = hidden.rng("pairs"), student.session()
    looked_at = f"decide on {PAIRS} pairs of models that are equally good, 21 days of 160 orders each"
    passed = sum(
        shadows.promotes(session, expect, shadows.shadow(rng, gain=0.0), looked_at) for _ in range(PAIRS)
    )
    expect(
        passed,
        at_most(5),
        looked_at=f"how often it promotes: {looked_at}",
        why="A day is shared by all its orders: a storm helps one of the models on two hundred of them "
        "at once. There "
        "are 21 days of evidence, not 5,000 orders. Take the mean of each day, and the standard error "
        "over days.",
        link=f"{PAGE}#paired-by-day",
        misconception="gate-by-row",
    )
    looked_at = f"decide on {GOOD} challengers that are better by 1.3 minutes in every zone"
    passed = sum(
        shadows.promotes(session, expect, shadows.shadow(rng, gain=1.3), looked_at) for _ in range(GOOD)
    )
    expect.that(
        passed >= GOOD - 2,
        looked_at=looked_at,
        found=f"{passed} promoted",
        expected=f"at least {GOOD - 2}",
        why="A gate that nobody passes is a wall.",
        link=f"{PAGE}#paired-by-day",
        misconception="gate-that-never-opens",
    )


def test_gate_takes_later_days(student: Student, hidden: Hidden, expect: Expect) -> None:
    shadows.ask(
        student.session(),
        expect,
        shadows.shadow(hidden.rng("old"), gain=-0.5, before=4.0),
        wanted=False,
        looked_at="decide on a challenger that is better by 4 minutes on the 24 days it was trained on, "
        "and worse by "
        "half a minute on the 21 days after",
        why="It has seen these days, labels and all. Whoever wrote the exam passes it. Only days after "
        "both cut-offs "
        "count.",
        misconception="gate-on-the-training-window",
    )


def test_gate_looks_at_slices(student: Student, hidden: Hidden, expect: Expect) -> None:
    zone = str(hidden.rng("zone").choice(shadows.ZONES))
    shadows.ask(
        student.session(),
        expect,
        shadows.shadow(hidden.rng("slices"), gain=2.5, by_zone={zone: -3.0}),
        wanted=False,
        looked_at=f"decide on a challenger that is better by 2.5 minutes in five zones, and worse by 3 "
        f"in {zone}",
        why="On average dinner is on time; in one zone nobody eats. The mean hides a slice. Look at "
        "each zone, with "
        "the same pairing by day.",
        misconception="mean-hides-a-slice",
    )


def test_promotion_is_verified(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng, session = hidden.rng("verify"), student.session()
    for gain, days, wanted, name, why in (
        (1.5, 10, "holds", "verified-by-hope", "It holds what the gate saw: leave it."),
        (-2.5, 10, "worse", "verified-by-hope", "The promotion made it worse, on ten days, beyond their "
         "luck. A gate "
         "looks at the past; verify looks at what came of it."),
        (-2.5, 3, "too early", "verified-too-early", "Three days are mostly luck. Say so, and look again."),
    ):  # fmt: skip
        _looks(session, expect, _served(rng, gain, days), wanted, (f"{days} days on which what is "
         f"served now is "
               + ("better" if gain > 0 else "worse") + f" by {abs(gain)} minutes"), name, why)  # fmt: skip
    late = _served(rng, -2.5, 10)
    late.loc[late["day"] >= 103, "minutes"] = np.nan
    _looks(
        session,
        expect,
        late,
        "too early",
        "ten days, of which three have labels",
        "verified-too-early",
        "Days without labels say nothing.",
    )


def _served(rng: np.random.Generator, gain: float, days: int) -> pd.DataFrame:
    table = shadows.shadow(rng, gain=gain, days=days)
    return table.rename(columns={"champion": "before", "challenger": "now"})[
        ["day", "minutes", "now", "before"]
    ]


def _looks(
    session: Session, expect: Expect, table: pd.DataFrame, wanted: str, says: str, name: str, why: str
) -> None:
    found: Any = session.call("release.looked_at", table)
    expect(
        found,
        wanted,
        looked_at=f"looked_at on {says}",
        why=why,
        link=f"{PAGE}#verify",
        misconception=name,
    )
