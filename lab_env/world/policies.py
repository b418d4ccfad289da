"""Policies: what an operator can see in a morning, rules that act on it, and their score beside the oracle.

A policy is a function of an `Observed` and of nothing else: no policy sees the truth. The simple ones are
those that teams begin with; each of them fails somewhere, and `score` says how dearly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab_env.world.city import Vector
from lab_env.world.conditions import LATENCY_MS, OLD_ZONES, ZONES
from lab_env.world.cost import PREVIOUS, PRICES, Cover, DeliveryCosts, Learned, Model
from lab_env.world.incidents import Action
from lab_env.world.learned import ENOUGH, View
from lab_env.world.oracle import Oracle, Play, State, total
from lab_env.world.served import BANDS, MOST_MIN, Answers, Lane

SEEN_DAYS = 3
"""Days of labels that an operator looks back on."""

ALARM = 5.0
"""The index above which a day counts as loud. Two loud days of three are an alarm: that came 2 times in 23
quiet streams of 90 days. An index of 3, the textbook's, rings in most of them: rain has long tails."""

GATE_DAYS = 7
GATE_MARGIN_MIN = 0.05

FULL_MARKS = 0.25
"""Share of doing nothing's regret under which a policy earns full marks."""

IDLE_BUDGET_EUR = 1_000.0
"""Regret that a policy may have in a world in which there is nothing to do."""

IDLE_EUR = 250.0
"""A world in which doing nothing costs no more than this beside the oracle is quiet, or a decoy."""


@dataclass(frozen=True)
class Observed:
    """What an operator can see in the morning of `day`. The door sees today; labels tell of the days before.

    Attributes:
        day: this morning's.
        state: how the system stands.
        violations: share of this morning's rows that break the contract.
        copies: share of this morning's rows that came before.
        version: of the deployed bundle.
        version_days: since it went out; None when it is older than the play.
        latency_ms: of this morning's answers.
        festival: whether the calendar has one today.
        index: largest standardised distance of a feature's mean, or of the error, from quiet days; of each of
            the last `SEEN_DAYS` days, the newest first.
        bias: per zone of `ZONES`, mean of log(label / answer) over these days; NaN with too few labels.
        error: yesterday's mean error in minutes, of the labels that are known.
        expected: the same on quiet days in the same zones and rain.
        coverage: share of yesterday's labels that are known, of those that ever come in quiet times.
        broken_labels: share of yesterday's labels that no delivery can have.
        strange: share of yesterday's rows in slices that the model was never trained on.
        strange_labels: how many labels of such slices are known.
        shadow: per day of the last week, minutes by which a challenger, trained a week ago on all that came,
            beat what was served; empty in the first week.
    """

    day: int
    state: State
    violations: float
    copies: float
    version: int
    version_days: int | None
    latency_ms: float
    festival: bool
    index: tuple[float, ...]
    bias: tuple[float, ...]
    error: float
    expected: float
    coverage: float
    broken_labels: float
    strange: float
    strange_labels: int
    shadow: tuple[float, ...]

    @property
    def alarms(self) -> bool:
        """Whether two of the last three days were loud."""
        return sum(index > ALARM for index in self.index) >= 2

    @property
    def model_days(self) -> int:
        """Days since the served model was learned; large for a bundle's own."""
        return self.day - self.state.model.day if self.state.model.how is not None else 1_000


Policy = Callable[[Observed], Action]


class Desk:
    """Where an operator sits: the play's log, beside the quiet days before it."""

    def __init__(self, play: Play[DeliveryCosts]) -> None:
        self.play = play
        self.costs = play.costs
        log = self.costs.log
        self._past = range(log.oldest, log.first_day)
        means = np.array([list(log.of(day).features.values()) for day in self._past])
        self._mean, self._sd = means.mean(axis=0), means.std(axis=0, ddof=1)
        self._quiet = self._quiet_error()
        ratios = [self._ratio(day, day + 1) for day in self._past]
        self._ratio_mean, self._ratio_sd = float(np.mean(ratios)), float(np.std(ratios, ddof=1))
        self._reported = float(np.mean([self._known(day, day + 1) for day in self._past]))

    def look(self) -> Observed:
        """This morning's sight."""
        costs, day, state = self.costs, self.play.day, self.play.state
        now, rows = costs.world.on(day), costs.log.of(day, mended=state.mended)
        before = self._rows(day - 1)
        strange = costs.bench.strange[:, costs.place(state.model)]
        late = before.minutes[before.labelled <= day]
        error, expected = self._errors(day - 1, day)
        return Observed(
            day=day,
            state=state,
            violations=float(rows.breaks.mean()),
            copies=1 - rows.copies.size / float(rows.copies.sum()),
            version=now.version,
            version_days=self._version_days(day),
            latency_ms=LATENCY_MS if state.model.rolled_back else now.latency_ms,
            festival=now.festival,
            index=tuple(self._index(each, day) for each in range(day - 1, day - 1 - SEEN_DAYS, -1)),
            bias=tuple(self._bias(day).tolist()),
            error=error,
            expected=expected,
            coverage=self._known(day - 1, day) / self._reported,
            broken_labels=float((late > MOST_MIN).mean()) if late.size else 0.0,
            strange=float(strange[before.slice].mean()),
            strange_labels=self._strange_labels(day, strange),
            shadow=self._shadow(day),
        )

    def _state(self, day: int) -> State:
        at = day - self.costs.first_day
        return self.play.served[at] if at >= 0 else State()

    def _rows(self, day: int) -> Answers:
        """The log of a past day: once the feed is mended, the days before are filled in again."""
        return self.costs.log.of(day, mended=self._state(day).mended or self.play.state.mended)

    def _said(self, day: int) -> Vector:
        state = self._state(day)
        return self.costs.said(day, state.model, state.cover, mended=state.mended)

    def _residuals(self, day: int, morning: int) -> Vector:
        """Log of label over answer, row by row; NaN where the label or the model's answer is not there."""
        rows = self._rows(day)
        return np.where(rows.labelled <= morning, np.log(rows.minutes) - self._said(day), np.nan)

    def _bias(self, morning: int) -> Vector:
        days = range(max(morning - SEEN_DAYS, self.costs.log.oldest), morning)
        residuals = np.concatenate([self._residuals(day, morning) for day in days])
        zone = np.concatenate([self.costs.log.of(day).zone for day in days])
        there = ~np.isnan(residuals)
        rows = np.bincount(zone[there], minlength=len(ZONES))
        sums = np.bincount(zone[there], weights=residuals[there], minlength=len(ZONES))
        return np.where(rows >= ENOUGH, sums / np.maximum(rows, 1), np.nan)

    def _quiet_error(self) -> Vector:
        """Mean error of quiet days per slice; a band that has too few rows takes the drier one's."""
        log = self.costs.log
        rows = [log.of(day) for day in self._past]
        error = np.concatenate([np.abs(each.minutes - np.exp(each.logs[Lane.DEPLOYED])) for each in rows])
        place = np.concatenate([each.slice for each in rows])
        there = ~np.isnan(error)
        count = np.bincount(place[there], minlength=len(ZONES) * BANDS).reshape(-1, BANDS)
        total = np.bincount(place[there], weights=error[there], minlength=len(ZONES) * BANDS).reshape(
            -1, BANDS
        )
        mean = np.where(count >= ENOUGH, total / np.maximum(count, 1), np.nan)
        mean[OLD_ZONES:, 0] = np.nanmean(mean[:OLD_ZONES, 0])
        for band in range(1, BANDS):
            mean[:, band] = np.where(np.isnan(mean[:, band]), mean[:, band - 1], mean[:, band])
        return np.asarray(mean.ravel())

    def _errors(self, day: int, morning: int) -> tuple[float, float]:
        rows = self._rows(day)
        there = (rows.labelled <= morning) & ~np.isnan(rows.minutes)
        if not there.any():
            return np.nan, np.nan
        said = np.exp(self._said(day)[there])
        error, quiet = np.abs(rows.minutes[there] - said), self._quiet[rows.slice[there]]
        told = ~np.isnan(said)
        return (float(error[told].mean()), float(quiet[told].mean())) if told.any() else (np.nan, np.nan)

    def _ratio(self, day: int, morning: int) -> float:
        error, expected = self._errors(day, morning)
        return float(error / expected) if np.isfinite(error) else 1.0

    def _index(self, day: int, morning: int) -> float:
        rows = self._rows(day)
        with np.errstate(invalid="ignore"):
            features = np.abs(np.array(list(rows.features.values())) - self._mean) / self._sd
        error = abs(self._ratio(day, morning) - self._ratio_mean) / self._ratio_sd
        return float(np.max(np.nan_to_num(np.append(features, error), nan=99.0)))

    def _known(self, day: int, morning: int) -> float:
        rows = self.costs.log.of(day)
        return float((rows.labelled <= morning).mean())

    def _version_days(self, day: int) -> int | None:
        versions = self.costs.versions[: day - self.costs.first_day + 1]
        changed = [at for at in range(1, len(versions)) if versions[at] != versions[at - 1]]
        return len(versions) - 1 - changed[-1] if changed else None

    def _strange_labels(self, morning: int, strange: NDArray[np.bool_]) -> int:
        days = range(max(morning - 14, self.costs.log.oldest), morning)
        rows = [self.costs.log.of(day) for day in days]
        return int(sum((strange[each.slice] & (each.labelled <= morning)).sum() for each in rows))

    def _shadow(self, morning: int) -> tuple[float, ...]:
        trained = morning - GATE_DAYS
        if trained < self.costs.first_day:
            return ()
        back = self.play.state.model.rolled_back
        challenger = Model(back, Learned.RETRAINED, trained, View.DELIVERED)
        gains = []
        for day in range(trained, morning):
            rows = self._rows(day)
            said = self.costs.said(day, challenger, mended=self._state(day).mended)
            gain = np.abs(rows.minutes - np.exp(self._said(day))) - np.abs(rows.minutes - np.exp(said))
            there = (rows.labelled <= morning) & ~np.isnan(gain)
            gains.append(float(gain[there].mean()) if there.any() else 0.0)
        return tuple(gains)


def live(costs: DeliveryCosts, policy: Policy) -> Play[DeliveryCosts]:
    """A whole play under a policy."""
    play = Play(costs)
    desk = Desk(play)
    while not play.over:
        play.step(policy(desk.look()))
    return play


def do_nothing(_: Observed) -> Action:
    """Never act. What the others are measured against."""
    return Action.WAIT


def nightly(_: Observed) -> Action:
    """Retrain every night on all there is."""
    return Action.RETRAIN


def weekly_with_gate(seen: Observed) -> Action:
    """Once a week, retrain if last week's challenger beat what was served, paired by day and by a margin."""
    if seen.day % GATE_DAYS or len(seen.shadow) < GATE_DAYS:
        return Action.WAIT
    gain, sd = float(np.mean(seen.shadow)), float(np.std(seen.shadow, ddof=1))
    beats = gain > GATE_MARGIN_MIN and gain > 2 * sd / np.sqrt(GATE_DAYS)
    return Action.RETRAIN if beats else Action.WAIT


def retrain_on_alarm(seen: Observed) -> Action:
    """Retrain when the alarm rings, at most once in a week."""
    return Action.RETRAIN if seen.alarms and seen.model_days >= 7 else Action.WAIT


def always_rollback(seen: Observed) -> Action:
    """Roll back when the alarm rings, as one does with code."""
    return Action.ROLLBACK if seen.alarms and seen.state.model != PREVIOUS else Action.WAIT


def runbook(seen: Observed) -> Action:
    """Look at the contract, the version, the calendar, the labels and only then at the error.

    A reference, not the best there is: it acts on what each incident can be told by.
    """
    state = seen.state
    if seen.festival and state.cover is not Cover.CALENDAR:
        return Action.CALENDAR
    if max(seen.violations, seen.copies) > 0.01:
        return Action.MEND if state.cover in (Cover.QUARANTINE, Cover.FALLBACK) else Action.QUARANTINE
    if seen.broken_labels > 0.01:
        return Action.WAIT if state.mended else Action.MEND
    if (
        seen.version_days is not None
        and seen.version_days < 7
        and not state.model.rolled_back
        and _is_worse(seen)
    ):
        return Action.ROLLBACK
    return _learn(seen) if seen.coverage > 0.95 else Action.WAIT


def _is_worse(seen: Observed) -> bool:
    return seen.latency_ms > PRICES.bound_ms or seen.error > 1.15 * seen.expected


def _learn(seen: Observed) -> Action:
    """What to do where the door, the version and the labels are sound."""
    state, learned = seen.state, seen.state.model.how
    if state.model == PREVIOUS:
        return Action.RETRAIN
    if seen.strange > 0.02 and seen.model_days >= 5:
        if seen.strange_labels >= 150:
            return Action.RETRAIN
        return Action.WAIT if state.cover is Cover.FALLBACK else Action.FALLBACK
    if learned is Learned.OFFSET and seen.model_days >= 9:
        return Action.RETRAIN_RECENT
    off = np.nanmax(np.abs(seen.bias[:OLD_ZONES]))
    if off > (0.1 if learned is Learned.OFFSET else 0.13) and seen.model_days >= SEEN_DAYS:
        return Action.OFFSET
    return Action.WAIT


SIMPLE: dict[str, Policy] = {
    "never": do_nothing,
    "nightly": nightly,
    "weekly with a gate": weekly_with_gate,
    "retrain on alarm": retrain_on_alarm,
    "always roll back": always_rollback,
}
"""Where teams begin. None of them earns full marks."""


@dataclass(frozen=True)
class Score:
    """How a policy did over several worlds.

    Attributes:
        share: its regret summed over the worlds in which something can be done, over that of doing nothing.
        idle_eur: its mean regret in quiet and decoy worlds.
    """

    share: float
    idle_eur: float

    @property
    def full_marks(self) -> bool:
        """Whether it saves enough where something happens, and leaves alone what is well."""
        return self.share <= FULL_MARKS and self.idle_eur <= IDLE_BUDGET_EUR


def score(worlds: Sequence[tuple[Oracle[DeliveryCosts], Policy | Sequence[tuple[int, Action]]]]) -> Score:
    """Pooled over worlds, each with what was done in it: a policy, or a list of days and actions."""
    ours = nothing = idle = 0.0
    quiet = 0
    for oracle, course in worlds:
        actions = live(oracle.costs, course).actions if callable(course) else course
        regret, of_nothing = total(oracle.costs, actions) - oracle.total, oracle.regret()
        if of_nothing <= IDLE_EUR:
            idle, quiet = idle + regret, quiet + 1
        else:
            ours, nothing = ours + regret, nothing + of_nothing
    return Score(ours / nothing if nothing else 0.0, idle / quiet if quiet else 0.0)
