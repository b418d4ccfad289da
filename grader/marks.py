"""What the gradebook holds, as everything outside it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mark:
    """What the gradebook holds for one check of one learner.

    `points` count: a person's before the judge's, extra points on top. `says` is the judge's comment,
    `comment` a person's.
    """

    points: float
    auto: float | None
    by_hand: float | None
    extra: float
    to_look_at: bool
    says: str
    comment: str


@dataclass(frozen=True)
class Row:
    """One learner and one lab, as exported.

    `status` is `graded`, `to be looked at` (a person decides something), `older release` (judged before
    the lab changed), `to be judged` (no result for the newest submission; no points) or `missing`.
    """

    learner: str
    lab: str
    status: str
    points: float | None = None
    possible: float | None = None
    late: bool | None = None
    snapshot: str = ""
    release: str = ""
    marks: Mapping[str, Mark] = field(default_factory=dict)
