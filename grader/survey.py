"""What is known of a whole class, gathered for whoever teaches it: who is where, and who may be stuck."""

import hmac
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from grader.arrivals import whose
from grader.classroom import Classroom, Learner
from grader.deadlines import deadline_of
from grader.errors import InvalidSubmission
from grader.manifest import Lab, list_labs
from grader.marks import Row
from grader.receipts import Receipt, collected
from grader.results import CheckResult, Result, Verdict
from grader.runs import load_result, load_told

LIMITS = frozenset((Verdict.TIMEOUT, Verdict.MEMORY, Verdict.PROCESSES, Verdict.DISK, Verdict.OUTPUT))
FAULTS = frozenset((Verdict.GRADER_ERROR, Verdict.NOT_RUN))
REFUSED = "what came was set aside, and nothing else came"
LONGEST_HOURS = 24.0 * 366


@dataclass(frozen=True)
class Place:
    """Where one learner is with one lab.

    `hints` (steps taken, by check) and `hours` (from `lab start` to `lab submit`, on the clock) are what the
    learner's receipt says; None where it says nothing. `stuck` is why this learner may need somebody.
    """

    learner: Learner
    row: Row
    result: Result | None = None
    hand_ins: int = 0
    hints: Mapping[str, int] | None = None
    hours: float | None = None
    stuck: str = ""

    @property
    def share(self) -> float | None:
        """Points as a share of what is possible; None without a grade."""
        points, possible = self.row.points, self.row.possible
        return None if points is None or not possible else points / possible


@dataclass(frozen=True)
class Aside:
    """Something that could not be collected: its name, the lab and the reason."""

    name: str
    lab: str
    reason: str


@dataclass(frozen=True)
class LabView:
    """A lab and where everybody is with it, in the order of the roster."""

    lab: Lab
    places: tuple[Place, ...]

    @property
    def results(self) -> tuple[Result, ...]:
        """The results that count."""
        return tuple(place.result for place in self.places if place.result)

    @property
    def shares(self) -> tuple[float, ...]:
        """What share of the points each graded learner has."""
        return tuple(place.share for place in self.places if place.share is not None)

    def found(self, check: str) -> tuple[CheckResult, ...]:
        """What every result says of a check."""
        return tuple(one for result in self.results for one in result.checks if one.id == check)

    def passed(self, task: str) -> tuple[int, int]:
        """How many passed every check of a task, of how many of whom that is known.

        It is not known where nothing failed and a person has to decide one of them.
        """
        of_task = [[one for one in result.checks if one.task == task] for result in self.results]
        passed = sum(all(one.passed for one in checks) for checks in of_task)
        return passed, passed + sum(any(_is_lost(one) for one in checks) for checks in of_task)


@dataclass(frozen=True)
class Survey:
    """A class at one moment; `anonymous` when nobody's name or words are in it."""

    at: datetime
    labs: tuple[LabView, ...]
    asides: tuple[Aside, ...]
    anonymous: bool

    @property
    def learners(self) -> tuple[Learner, ...]:
        """Everybody, in the order of the report."""
        return tuple(place.learner for place in self.labs[0].places) if self.labs else ()


def survey(classroom: Classroom, rows: Iterable[Row], *, now: datetime, anonymous: bool = False) -> Survey:
    """Gather a class from its results, receipts and the gradebook's `rows`.

    A lab is in it when somebody handed it in, or it is graded; checks are told as the gradebook's points have
    them. With `anonymous` learners have numbers that the class's secret gives: the same in each report,
    whoever joins, and nobody else can compute them.

    Raises:
        CourseError: a receipt cannot be read.
    """
    rows = list(rows)
    by_place = {(row.learner, row.lab): row for row in rows}
    names = {learner for learner, _ in by_place} | classroom.roster.keys()
    shown = _shown(classroom, names, anonymous)
    views, asides = [], tuple(_asides(classroom))
    for lab in list_labs(classroom.course):
        handed = {name: collected(classroom, name, lab.id) for name in names if name in classroom.roster}
        if not any(handed.values()) and not any(known == lab.id for _, known in by_place):
            continue
        results = load_told(classroom, lab, rows)
        refused = {who for one in asides if one.lab == lab.id and (who := _whose(classroom, one))}
        places = [
            _place(
                classroom,
                lab,
                by_place.get((name, lab.id)),
                handed.get(name, []),
                results.get(name),
                now,
                name,
                name in refused,
            )
            for name in shown
        ]
        views.append(
            LabView(lab, tuple(replace(place, learner=shown[place.row.learner]) for place in places))
        )
    return Survey(now, tuple(views), asides, anonymous)


def _shown(classroom: Classroom, names: Iterable[str], anonymous: bool) -> dict[str, Learner]:
    """By id, whom the report shows, in its order."""
    if not anonymous:
        return {name: classroom.roster.get(name, Learner(name)) for name in sorted(names)}
    codes = {name: hmac.digest(classroom.secret, f"report {name}".encode(), sha256).hex() for name in names}
    return {name: Learner(f"learner-{codes[name][:8]}") for name in sorted(codes, key=codes.__getitem__)}


def _place(
    classroom: Classroom,
    lab: Lab,
    row: Row | None,
    handed: Sequence[Receipt],
    result: Result | None,
    now: datetime,
    name: str,
    is_refused: bool,
) -> Place:
    row = row or Row(name, lab.id, "to be judged" if handed else "missing")
    last = handed[-1] if handed else None
    place = Place(
        Learner(name),
        row,
        result,
        len(handed),
        last.reported.get("hints") if last else None,
        _hours(last) if last else None,
    )
    stuck = _stuck(classroom, lab, place, handed, now)
    return replace(place, stuck=REFUSED if is_refused and not handed else stuck)


def _hours(receipt: Receipt) -> float | None:
    """Hours from start to hand-in as the learner's receipt has them; None where they make no sense."""
    try:
        times = [datetime.fromisoformat(receipt.reported[key]).astimezone(UTC) for key in ("started", "made")]
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    hours = (times[1] - times[0]).total_seconds() / 3600
    return hours if 0 <= hours <= LONGEST_HOURS else None


def _stuck(classroom: Classroom, lab: Lab, place: Place, handed: Sequence[Receipt], now: datetime) -> str:
    """Why this learner may need somebody; empty when nothing says so."""
    deadline = deadline_of(classroom, place.row.learner, lab.id)
    if not handed:
        is_over = deadline is not None and now.astimezone(UTC) > deadline.astimezone(UTC)
        return "nothing taken in, and the deadline is over" if is_over else ""
    judged = [load_result(classroom, lab, receipt) for receipt in handed[-2:]]
    failed = [{one.id for one in result.checks if _is_wrong(one)} for result in judged if result]
    if len(failed) == 2 and (again := sorted(failed[0] & failed[1])):
        return f"failed in both of the last two hand-ins: {', '.join(again)}"
    if place.share is not None and place.share < 0.5:
        return "less than half of the points"
    return ""


def stuck_learners(found: Survey) -> list[tuple[Learner, dict[str, list[str]]]]:
    """Who may be stuck, in most labs first: the labs by the reason."""
    reasons: dict[Learner, dict[str, list[str]]] = {}
    for view in found.labs:
        for place in view.places:
            if place.stuck:
                reasons.setdefault(place.learner, {}).setdefault(place.stuck, []).append(view.lab.id)
    return sorted(reasons.items(), key=lambda one: -sum(len(labs) for labs in one[1].values()))


@dataclass(frozen=True)
class Belief:
    """A mistake with a name: how many learners made it, of how many that were judged in the lab."""

    name: str
    lab: str
    link: str
    learners: int
    judged: int


def beliefs(found: Survey) -> list[Belief]:
    """The mistakes of all labs, those first that the largest part of a lab made."""
    told = []
    for view in found.labs:
        each = [wrong_ideas(result.checks) for result in view.results]
        count = Counter(name for ideas in each for name, _, _ in ideas)
        links = {name: link for ideas in each for name, link, _ in ideas if link}
        told += [
            Belief(name, view.lab.id, links.get(name, ""), times, len(each)) for name, times in count.items()
        ]
    return sorted(told, key=lambda one: (-one.learners / one.judged, one.lab, one.name))


def _is_lost(check: CheckResult) -> bool:
    return not check.passed and check.verdict not in FAULTS


def _is_wrong(check: CheckResult) -> bool:
    return _is_lost(check) and check.verdict is not Verdict.BLOCKED


def _asides(classroom: Classroom) -> Iterable[Aside]:
    """What was set aside, oldest first, from the reasons that `collect` wrote."""
    for file in sorted((classroom.folder / "aside").glob("*/reason.txt")):
        said = _facts(file)
        yield Aside(said.get("Name", ""), said.get("Lab", ""), said.get("Reason", ""))


def _whose(classroom: Classroom, aside: Aside) -> str:
    """The id of whose it is, from its name; empty when that stands for nobody."""
    try:
        return whose(aside.name, classroom.roster).id
    except InvalidSubmission:
        return ""


def _facts(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    parts = (text.partition(": ") for text in lines)
    return {key: value for key, _, value in parts}


def wrong_ideas(found: Iterable[CheckResult]) -> list[tuple[str, str, int]]:
    """The mistakes by name, with where to read of each and how often it was made, most common first."""
    made = [one for one in found if one.misconception and not one.passed]
    count = Counter(one.misconception for one in made)
    links = {one.misconception: one.link for one in made if one.link}
    return [(name, links.get(name, ""), times) for name, times in count.most_common()]
