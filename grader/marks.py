"""What the gradebook holds, as everything outside it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.deadlines import Lateness


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
    `lateness` is None without a deadline or a submission.
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
    lateness: Lateness | None = None

    @property
    def grade(self) -> float | None:
        """The points after what lateness costs; None without points."""
        factor = self.lateness.factor if self.lateness else 1.0
        return None if self.points is None else round(self.points * factor, 4)
