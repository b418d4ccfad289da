"""The hidden checks of lab 09: cities, quiet days and incidents that the learner has not seen."""

# CANARY-9e41c7d08b52

from dataclasses import dataclass
from inspect import getsource
from typing import Any

import numpy as np
import pandas as pd

from grader.checks import Expect, Hidden, Session, Student, at_most
from lab_env.kept import kept
from lab_env.world import Scenario, World, as_frame
from lab_env.world.incidents import (
    BrokenLabels,
    CourierShortage,
    DecoyWeek,
    DoubledFeed,
    Incident,
    Metres,
    Monsoon,
    NewBridge,
    Nulls,
    OrderStacking,
    RenamedColumn,
    ShiftedClock,
    UnseenRain,
)
from lab_env.world.prediction_log import prediction_log

PAGE = "modules/09-monitor-drift.md"
RATE, QUIET_DAYS = 300, 90
CITIES, STREAMS, EPISODES = 12, 24, 26
MOST_OF_A_CITY = 4
"""Episodes of one city that count: one odd spring in a hundred is not what twelve cities are asked for."""

KINDS = ["feed", "labels", "relation", "input", "none"]
TOLD = ["day", "kind", "alarm", "feature"]
START = 100
"""The first day of an incident; `watch` is asked from day 90 on."""

DECOY_DAYS, RAINY_DAYS, RAINS = 7, 30, 4
HARMLESS = DECOY_DAYS + RAINS * RAINY_DAYS
ALARMS = HARMLESS // 6
WET = (Monsoon(start=START, days=RAINY_DAYS), UnseenRain(start=START, days=RAINY_DAYS, size=1.5))
"""A wet monsoon; hardly an hour of it is wetter than the model has seen."""


@dataclass(frozen=True)
class Stream:
    """Ninety quiet days of a city, and the days after them, both as they stood on their last evening."""

    reference: pd.DataFrame
    current: pd.DataFrame
    first: int
    last: int

    def told(self, session: Session, expect: Expect, looked_at: str) -> pd.DataFrame:
        """What the learner's `watch` says of it, a row a day."""
        said = session.call("detector.watch", self.reference, self.current, self.first, self.last)
        sound = isinstance(said, pd.DataFrame) and set(TOLD) <= set(said.columns)
        sound = sound and said["day"].tolist() == list(range(self.first, self.last + 1))
        expect.that(
            sound and set(said["kind"]) <= set(KINDS),
            looked_at=looked_at,
            found=said.head(3).to_dict("list") if isinstance(said, pd.DataFrame) else said,
            expected=f"a row for each day from {self.first} to {self.last} with {', '.join(TOLD)}, its kind "
            f"one of {', '.join(KINDS)}",
            why="Whoever is woken by this table has to know which days it speaks of, also of those on which "
            "nothing came.",
            link=f"{PAGE}#a-dead-monitor-is-green",
        )
        table: pd.DataFrame = said.assign(feature=said["feature"].astype(str))
        table["alarm"] = said["alarm"] == True  # noqa: E712  # a learner's column can be of any type
        return table


def stream(seed: int, *incidents: Incident, days: int, first: int = 0) -> Stream:
    """A city's ninety quiet days, and the days after them with what happens then."""

    def made() -> list[pd.DataFrame]:
        world = World(seed, Scenario("hidden", "Something happens.", incidents), orders_per_day=RATE)
        return [joined(world, at, long) for at, long in ((first, QUIET_DAYS), (first + QUIET_DAYS, days))]

    reference, current = kept(made, getsource(joined), seed, incidents, RATE, QUIET_DAYS, days, first)
    return Stream(reference, current, first + QUIET_DAYS, first + QUIET_DAYS + days - 1)


def city(rng: np.random.Generator) -> int:
    """The seed of a city that nobody has seen."""
    return int(rng.integers(1, 1_000_000))


def joined(world: World, first: int, days: int) -> pd.DataFrame:
    """A log with the labels that had come on its last evening."""
    log = prediction_log(world, first, days)
    return as_frame(log.predictions).merge(as_frame(log.labels), on="order_id", how="left")


def episodes(flags: Any) -> int:
    """Days in a row are one."""
    return int((np.diff(np.concatenate([[0], np.asarray(flags, dtype=int)])) == 1).sum())


def test_alarm_stays_quiet(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("quiet")
    looked_at = f"watch on {STREAMS} times {QUIET_DAYS} quiet days, in {CITIES} cities and seasons"
    session = student.session()
    said: list[pd.DataFrame] = []
    while len(said) < CITIES and (not said or told_of(said) <= EPISODES):
        days = QUIET_DAYS * STREAMS // CITIES
        quiet = stream(city(rng), days=days, first=int(rng.integers(0, 270)))
        said.append(quiet.told(session, expect, looked_at))
    told = pd.concat(said)
    rang = told[told["kind"] != "none"]
    share = len(rang) / len(told)
    season = (rang["feature"] == "temperature_c").sum() > len(rang) / 2
    name, why = _why_it_rings(share, bool(season))
    expect(
        told_of(said),
        at_most(EPISODES),
        looked_at=f"the episodes of {looked_at}, of one city at most {MOST_OF_A_CITY}; it speaks on "
        f"{share:.0%} of the first {len(told)} days",
        why=why,
        link=f"{PAGE}#thresholds-from-quiet-days",
        misconception=name,
    )


def told_of(said: list[pd.DataFrame]) -> int:
    """The episodes that count, each table that of a city."""
    return sum(min(episodes(table["kind"] != "none"), MOST_OF_A_CITY) for table in said)


def _why_it_rings(share: float, season: bool) -> tuple[str, str]:
    if season:
        return "christmas-against-june", (
            "The temperature is blamed. Spring turned into summer, as every year: against 90 days of another "
            "season everything with a season has moved. Compare with the same season of last year, or leave "
            "out what the calendar explains."
        )
    if share > 0.5:
        return "p-value-at-full-size", (
            "It speaks on most days on which nothing happens. A p-value asks whether two samples could come "
            "from the very same source. With this many rows, which share a day's rain and a day's luck, they "
            "never do. Measure how large a move is, and compare it with what quiet days do."
        )
    return "threshold-not-from-quiet-days", (
        "Nothing happened in any of these streams. A number out of a textbook, or a single day that was out "
        "of the ordinary, is not a threshold: one day in a hundred is, and with seven columns one in "
        "fifteen. Take the threshold from quiet days, of the largest column, and ask for a second day."
    )


def test_alarm_rings_on_harm(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("harm")
    zones = ("river", "harbour", "market", "hill")
    harms = (
        NewBridge(start=START, days=12, size=float(rng.uniform(0.4, 0.5)), zones=zones),
        OrderStacking(start=START + 25, days=12, size=float(rng.uniform(5, 7))),
    )
    said = stream(city(rng), *harms, days=48).told(student.session(), expect, "watch on days 90 to 137")
    for incident in harms:
        until = incident.start + 7
        now = said[said["day"].between(incident.start, incident.start + 11)]
        rang = _rang(now)
        expect.that(
            bool((rang <= until).any()),
            looked_at=f"watch on a city in which, from day {incident.start} on: {incident.says}",
            found=f"kind relation with an alarm on {_days(rang)}; told: {_kinds(now)}",
            expected=f"kind relation and an alarm by day {until}",
            why="No column changed. The promises are wrong and only the labels know it: look at the error, "
            "beyond what it is on quiet days in like weather.",
            link=f"{PAGE}#four-things-that-happen-to-a-model",
            misconception="inputs-alone-watched",
        )


def test_slow_harm_is_seen(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("slow")
    incident = OrderStacking(start=START, size=float(rng.uniform(5.5, 6.5)), ramp_days=60)
    said = stream(city(rng), incident, days=46).told(student.session(), expect, "watch on days 90 to 135")
    rang = _rang(said[said["day"] >= START + 26])
    expect.that(
        len(rang) >= 5,
        looked_at=f"watch on a city in which orders take a little longer every day, from day {START} on",
        found=f"kind relation with an alarm on {_days(rang)}",
        expected=f"an alarm on 5 days or more of {START + 26} to {START + 35}, when it is three minutes",
        why="A reference that moves along has learned each day's harm by the next. It sees what is sudden "
        "and nothing that is slow. Let the quiet days stand still.",
        link=f"{PAGE}#reference-and-window",
        misconception="reference-that-moves",
    )


def test_late_labels_are_waited_for(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("late")
    harm = 130
    whole = _late(stream(city(rng), OrderStacking(start=harm, size=4.0), days=56))
    looked_at = "watch where the slowest three orders in ten report five days late"
    said = whole.told(student.session(), expect, looked_at)
    quiet, after = said[said["day"] < harm], said[said["day"] >= harm]
    expect.that(
        quiet["alarm"].sum() <= 8,
        looked_at=f"{looked_at}, on 40 quiet days",
        found=f"alarms on {_days(quiet[quiet['alarm']]['day'])}, told: {_kinds(quiet)}",
        expected="an alarm on at most 8 of the 40 days",
        why="Nothing is wrong with any promise; the labels are late. An error of what has come is an error "
        "of the fast orders.",
        link=f"{PAGE}#labels-come-late",
        misconception="early-labels-only",
    )
    rang = _rang(after)
    expect.that(
        bool((rang <= harm + 10).any()),
        looked_at=f"{looked_at}, and from day {harm} on orders take four minutes longer",
        found=f"kind relation with an alarm on {_days(rang)}",
        expected=f"an alarm by day {harm + 10}: the labels are in after five",
        why="Fast orders report first. Their error says that all is well, every evening anew. A day counts "
        "when nine in ten of *all* its orders have a label, and then all of them count.",
        link=f"{PAGE}#labels-come-late",
        misconception="early-labels-only",
    )


def test_silence_is_told(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("silence")
    whole = stream(city(rng), days=32)
    missing, stop = int(rng.integers(96, 104)), int(rng.integers(112, 117))
    log = whole.current[(whole.current["day"] != missing) & (whole.current["day"] < stop)].copy()
    log.loc[rng.random(len(log)) < 0.02, "basket_eur"] = np.nan
    looked_at = (
        f"watch on quiet days with some holes, without day {missing}; from day {stop} on nothing comes"
    )
    said = Stream(whole.reference, log, whole.first, whole.last).told(student.session(), expect, looked_at)
    silent = said[said["day"] >= stop]
    dumb = silent[~(silent["alarm"] & (silent["kind"] == "feed"))]["day"]
    expect.that(
        dumb.empty,
        looked_at=looked_at,
        found=f"no alarm of the feed on {_days(dumb)}",
        expected=f"kind feed and an alarm on each day from {stop} to {whole.last}",
        why="No rows, no holes, no drift, no error: every number is fine when nothing comes. Of a day "
        "without rows say that there were none. And it is not over until orders come again.",
        link=f"{PAGE}#a-dead-monitor-is-green",
        misconception="green-when-nothing-comes",
    )
    loud = said[said["alarm"] & (said["day"] < stop) & (said["day"] != missing)]["day"]
    expect.that(
        len(loud) <= 8,
        looked_at=looked_at,
        found=f"alarms on {_days(loud)}",
        expected="at most 8 days with an alarm before the feed stops, the missing day not counted",
        why="Two rows in a hundred with a hole are any Tuesday. A day that is missing says nothing about the "
        "days beside it.",
        link=f"{PAGE}#thresholds-from-quiet-days",
    )


def test_kinds_are_told(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("kinds")
    faults = (
        Metres(start=START, days=4),
        Nulls(start=START + 7, days=4, size=float(rng.uniform(0.3, 0.5))),
        RenamedColumn(start=START + 14, days=4),
        DoubledFeed(start=START + 21, days=4),
        ShiftedClock(start=START + 28, days=4),
        BrokenLabels(start=START + 35, days=4, size=float(rng.uniform(0.6, 1.0))),
    )
    said = stream(city(rng), *faults, days=49).told(student.session(), expect, "watch on days 90 to 138")
    for incident in faults:
        kind = "labels" if isinstance(incident, BrokenLabels) else "feed"
        first, last = incident.start + 1, incident.start + 3
        now = said[said["day"].between(first, last)]
        expect.that(
            bool(((now["kind"] == kind) & now["alarm"]).all()),
            looked_at=f"watch on a city in which, on days {first - 1} to {last}: {incident.says}",
            found=f"told from day {first} on: {_kinds(now)}",
            expected=f"kind {kind} and an alarm, from day {first} to {last}",
            why="It is not the city and not the model. A retraining would learn the fault, and a rollback "
            "reads the same feed: who is woken has to know what broke. Take the contract first: what no "
            "quiet day can have.",
            link=f"{PAGE}#the-contract-first",
            misconception="fault-taken-for-drift",
        )


def test_moved_inputs_are_named(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("inputs")
    shortage = CourierShortage(start=START, days=16, size=float(rng.uniform(0.5, 0.7)))
    promotion = DecoyWeek(start=START + 25, days=16)
    looked_at = "watch on days 90 to 140"
    said = stream(city(rng), shortage, promotion, days=51).told(student.session(), expect, looked_at)
    for incident, columns in (
        (shortage, ["couriers_free"]),
        (promotion, ["items", "basket_eur", "distance_km", "promotion"]),
    ):
        first, last = incident.start + 2, incident.start + 15
        now = said[said["day"].between(first, last)]
        named = now[(now["kind"] == "input") & now["feature"].isin(columns)]
        expect.that(
            len(named) > len(now) / 2,
            looked_at=f"watch on a city in which, from day {incident.start} to {last}: {incident.says}",
            found=f"told from day {first} on: {_kinds(now)}; blamed: {_blamed(now)}",
            expected=f"kind input on most of the days, and {' or '.join(columns)} to blame",
            why="One column of seven has moved, and further than on any quiet day. A rule that asks for half "
            "of the columns waits for six others that have no reason to move.",
            link=f"{PAGE}#many-columns-many-alarms",
            misconception="half-of-the-columns",
        )


def test_decoy_wakes_nobody(student: Student, hidden: Hidden, expect: Expect) -> None:
    rng = hidden.rng("decoy")
    looked_at = f"watch on a promotion of a week, and on {RAINS} monsoons of {RAINY_DAYS} days"
    session = student.session()
    promotion = stream(city(rng), DecoyWeek(start=START, days=DECOY_DAYS), days=10 + DECOY_DAYS)
    whole = [promotion, *(stream(city(rng), *WET, days=10 + RAINY_DAYS) for _ in range(RAINS))]
    tables = [each.told(session, expect, looked_at) for each in whole]
    said = pd.concat([table[table["day"] >= START] for table in tables])
    each = [alarms(table) for table in tables]
    inputs = (said["alarm"] & (said["kind"] == "input")).any()
    expect(
        sum(each),
        at_most(ALARMS),
        looked_at=f"the days with an alarm of {HARMLESS}: {looked_at} ({', '.join(map(str, each))})",
        why="Inputs moved, and the promises are as good as before: there is nothing to mend, and whoever is "
        "woken four times for nothing switches you off. Inputs that moved are a note. Harm is an error."
        if inputs
        else "The promises are as good as they can be in rain. Compare with quiet days in like weather: "
        "there, the error of a perfect model was the same.",
        link=f"{PAGE}#the-error-of-a-perfect-model-rises-too",
        misconception="inputs-taken-for-harm" if inputs else "rain-taken-for-harm",
    )


def alarms(said: pd.DataFrame) -> int:
    """The days with an alarm since something is different."""
    return int(said[said["day"] >= START]["alarm"].sum())


def test_report_means_one_thing(student: Student, expect: Expect) -> None:
    whole = stream(909, DecoyWeek(start=START, days=20), days=30)
    current = whole.current[whole.current["day"] >= START]
    session = student.session()
    for rows in (800, 8000):
        reference = whole.reference.sample(rows, random_state=rows)
        said = session.call("report.drift_report", reference, current)
        moved = {str(name) for name, of in said.items() if isinstance(of, dict) and of.get("moved") is True} \
            if isinstance(said, dict) else {"no dictionary"}  # fmt: skip
        sound = {"items", "promotion"} <= moved <= {"items", "promotion", "basket_eur", "distance_km"}
        expect.that(
            sound,
            looked_at=f"drift_report of three weeks with a promotion against {rows} quiet rows",
            found=f"moved: {', '.join(sorted(moved)) or 'nothing'}",
            expected="items and promotion, at most basket_eur and distance_km besides; hour has not moved",
            why="The same report, the same change, another size of the reference: Evidently has given "
            "p-values, where small means moved, and then distances, where large does. Name the method.",
            link=f"{PAGE}#a-report-by-evidently",
            misconception="default-method",
        )


def _late(whole: Stream) -> Stream:
    """The same with the slowest three orders in ten of each day reporting five days later."""
    log = whole.current.copy()
    ratio = log["minutes"] / log["promised"]
    slow = ratio > ratio.groupby(log["day"]).transform(lambda of: of.quantile(0.7))
    log.loc[slow, "labelled"] += 5.0
    log.loc[log["labelled"] > whole.last + 1, ["minutes", "labelled"]] = np.nan
    return Stream(whole.reference, log, whole.first, whole.last)


def _rang(said: pd.DataFrame) -> pd.Series:
    """The days on which it told of a relation and rang."""
    days: pd.Series = said[(said["kind"] == "relation") & said["alarm"]]["day"]
    return days


def _days(days: Any) -> str:
    listed = [str(day) for day in list(days)]
    return "no day" if not listed else f"day {', '.join(listed[:8])}{' …' if len(listed) > 8 else ''}"


def _kinds(said: pd.DataFrame) -> str:
    return ", ".join(f"{kind} on {days} days" for kind, days in said["kind"].value_counts().items())


def _blamed(said: pd.DataFrame) -> str:
    named = said.loc[said["feature"] != "", "feature"].value_counts()
    return ", ".join(f"{column} ({days})" for column, days in named.items()) or "no column"
