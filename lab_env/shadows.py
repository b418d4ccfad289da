"""Shadow tables whose truth is known: what lab 10's gate is judged with."""

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from grader.checks import Expect, Session

PAGE = "modules/10-respond.md"
ZONES = ("centre", "harbour", "hill", "market", "river", "station")
CUTOFFS = {"champion": 76, "challenger": 100}
ORDERS = 160
DAY_MIN = 0.8
"""Standard deviation of what a whole day does to the difference of two models: a storm, a match, a strike."""


def shadow(
    rng: np.random.Generator,
    *,
    gain: float,
    days: int = 21,
    by_zone: Mapping[str, float] | None = None,
    before: float | None = None,
) -> pd.DataFrame:
    """A table of both models' answers to the same orders, from the challenger's cut-off on.

    Args:
        rng: where luck comes from.
        gain: minutes by which the challenger is really better.
        days: that there are.
        by_zone: the same for some zones, where it differs.
        before: the same on the 24 days before, which the challenger was trained on; None leaves them out.
    """
    first = CUTOFFS["challenger"] if before is None else CUTOFFS["champion"]
    day = np.repeat(np.arange(first, CUTOFFS["challenger"] + days), ORDERS)
    zone = rng.choice(ZONES, day.size)
    better = np.full(day.size, gain)
    for name, of in (by_zone or {}).items():
        better[zone == name] = of
    if before is not None:
        better[day < CUTOFFS["challenger"]] = before
    shared = rng.normal(0, DAY_MIN, day.max() + 1)[day]
    minutes = rng.uniform(20, 50, day.size)
    champion = np.abs(rng.normal(8, 2, day.size)) + 4
    challenger = np.maximum(champion - better - shared + rng.normal(0, 1.5, day.size), 0)
    return pd.DataFrame(
        {
            "order_id": np.arange(day.size) + 1,
            "day": day,
            "zone": zone,
            "minutes": minutes,
            "champion": minutes + champion,
            "challenger": minutes + challenger,
        }
    )


def promotes(session: Session, expect: Expect, table: pd.DataFrame, looked_at: str) -> bool:
    """What the learner's gate says of a table."""
    said = session.call("gate.decide", table, CUTOFFS)
    expect.that(
        isinstance(said, dict) and isinstance(said.get("promote"), bool) and _is_told(said.get("because")),
        looked_at=looked_at,
        found=said,
        expected='{"promote": true or false, "because": a text}',
        why="The verdict is read by a program and the reason by people.",
        link=f"{PAGE}#the-gate",
    )
    return bool(said["promote"])


def ask(
    session: Session,
    expect: Expect,
    table: pd.DataFrame,
    *,
    wanted: bool,
    looked_at: str,
    why: str,
    misconception: str,
) -> None:
    """Hold the learner's gate to a verdict."""
    found = promotes(session, expect, table, looked_at)
    expect.that(
        found is wanted,
        looked_at=looked_at,
        found="promote" if found else "keep the champion",
        expected="promote" if wanted else "keep the champion",
        why=why,
        link=f"{PAGE}#the-gate",
        misconception=misconception,
    )


def _is_told(reason: object) -> bool:
    return isinstance(reason, str) and bool(reason.strip())


def md5(content: bytes) -> str:
    """As DVC writes it."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
