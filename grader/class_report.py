"""The report on a class: a page for the whole, one for each lab, and the same numbers as CSV.

Static: no server, no script, nothing loaded. What strangers had a hand in stands there as text, and in an
anonymous report not at all.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from grader.charts import bar
from grader.classroom import Learner
from grader.deadlines import Lateness
from grader.errors import CourseError
from grader.exports import Field, csv_table, number
from grader.lab_report import STYLE, hints_taken, lab_page, where_to_read
from grader.pages import items, page, safe, section, table
from grader.results import Verdict
from grader.survey import (
    FAULTS,
    LIMITS,
    Belief,
    LabView,
    Place,
    Survey,
    beliefs,
    stuck_learners,
    wrong_ideas,
)
from grader.texts import line, write_whole

MOST_IDEAS = 12
LEARNERS = (
    "learner", "name", "email", "lab", "status", "points", "possible", "late", "hand_ins",
    "hints", "hours", "stuck", "grade",
)  # fmt: skip
CHECKS = ("lab", "task", "check", "points", "judged", "passed", "failed", "other", "hints", "misconceptions")


def write(found: Survey, folder: Path, *, site: str = "") -> list[Path]:
    """Write the report into `folder`; the paths, `index.html` first.

    `site` is the address where learners read the course; with it the pages to read are links.

    Raises:
        CourseError: `site` is no address, or a file cannot be written.
    """
    if site and not re.fullmatch(r"https?://[^\s\"'<>]+", site):
        raise CourseError(f"--site {line(site)} is no address. Write it like http://127.0.0.1:8000/.")
    texts = {"index.html": _index(found, site)}
    texts |= {f"{view.lab.id}.html": lab_page(view, site) for view in found.labs}
    texts |= {
        "learners.csv": csv_table(LEARNERS, _learner_rows(found)),
        "checks.csv": csv_table(CHECKS, _check_rows(found)),
    }
    for name, text in texts.items():
        try:
            write_whole(folder / name, text)
        except OSError as error:
            raise CourseError(
                f"{folder / name} cannot be written ({error.strerror or error}). Mend that, or name another "
                "folder with `--output`."
            ) from error
    return [folder / name for name in texts]


def _index(found: Survey, site: str) -> str:
    made = f"{found.at:%Y-%m-%d %H:%M %Z}"
    who = "Names and words of learners are left out. " if found.anonymous else ""
    ideas, stuck, waiting = beliefs(found), stuck_learners(found), _waiting(found)
    told = (
        ("late", "Late work", _late(found), "None."),
        ("hostile", "Attempts on the grader", _hostile(found), "None."),
        ("limits", "Limits that were reached", _limits(found), "None."),
        ("aside", "Set aside", _asides(found), "Nothing."),
        ("faults", "Faults of ours", _faults(found), "None."),
    )
    counts = [
        ("stuck", "Who may be stuck", len(stuck)),
        ("ideas", "Mistakes with a name", len(ideas)),
        ("waiting", "Who waits for a person", sum(len(names) for names in waiting.values())),
        *((name, title, len(texts)) for name, title, texts, _ in told),
    ]
    links = " · ".join(f'<a href="#{name}">{safe(title)}</a>: {count}' for name, title, count in counts)
    lines = [f"{what}, {len(names)}: {', '.join(names)}" for what, names in waiting.items()]
    parts = [
        "<h1>Class report</h1>",
        f'<p class="soft">{len(found.learners)} learners, {len(found.labs)} labs. {who}Made {safe(made)}. '
        'In tables: <a href="learners.csv">learners.csv</a>, <a href="checks.csv">checks.csv</a>.</p>',
        f"<p>{links}.</p>",
        section("Labs", _labs_table(found)),
        section("What people believed", _beliefs_table(ideas, site), "ideas"),
        section("Who may be stuck", _stuck_table(stuck), "stuck"),
        section("Who is where", _places_table(found)),
        section("Who waits for a person", items(lines, "Nobody."), "waiting"),
        *(section(title, items(texts, none), name) for name, title, texts, none in told),
    ]
    return page("Class report", "\n".join(parts), style=STYLE)


def _labs_table(found: Survey) -> str:
    head = ("lab", "handed in", "judged", "median of points", "all points", "late", "for a person")
    rows = []
    for view in found.labs:
        shares = view.shares
        middle = f"{bar(median(shares))}{median(shares):.0%}" if shares else "none yet"
        rows.append(
            (
                f'<a href="{view.lab.id}.html">{safe(view.lab.id)}</a>',
                f"{sum(place.hand_ins > 0 for place in view.places)} of {len(view.places)}",
                str(len(view.results)),
                middle,
                str(sum(share >= 1 for share in shares)),
                str(sum(bool(place.row.late) for place in view.places)),
                str(sum(place.row.status == "to be looked at" for place in view.places)),
            )
        )
    return table("Each lab at a glance", head, rows, frozenset((2, 4, 5, 6)))


def _beliefs_table(ideas: Sequence[Belief], site: str) -> str:
    if not ideas:
        return "<p>No mistake with a name was made.</p>"
    head = ("misconception", "learners", "lab", "where to read")
    rows = [
        (safe(line(one.name)), f"{bar(one.learners / one.judged)}{one.learners} of {one.judged}",
         f'<a href="{one.lab}.html">{safe(one.lab)}</a>', where_to_read(one.link, site))
        for one in ideas[:MOST_IDEAS]
    ]  # fmt: skip
    rest = len(ideas) - MOST_IDEAS
    more = f"<p>{rest} more, each made by fewer: the pages of the labs have them.</p>" if rest > 0 else ""
    return table("What was believed by the largest part of a lab", head, rows, frozenset()) + more


def _stuck_table(stuck: Sequence[tuple[Learner, Mapping[str, Sequence[str]]]]) -> str:
    if not stuck:
        return "<p>Nobody, by these rules.</p>"
    rows = []
    for learner, reasons in stuck:
        labs = sum(len(found) for found in reasons.values())
        why = [f"{reason}: {', '.join(found)}" for reason, found in reasons.items()]
        rows.append(
            (_who(learner), str(labs), "".join(f'<span class="row">{safe(one)}</span>' for one in why))
        )
    return table("In most labs first", ("learner", "labs", "why"), rows, frozenset((1,)))


def _places_table(found: Survey) -> str:
    """A column for each lab; what points are out of stands in its head when it is the same for all."""
    possible = [{place.row.possible for place in view.places} - {None} for view in found.labs]
    head = [
        f"{view.lab.id}, of {number(*of)}" if len(of) == 1 else view.lab.id
        for view, of in zip(found.labs, possible, strict=True)
    ]
    rows = [
        (
            _who(learner),
            *(_standing(view.places[at], len(of) > 1) for view, of in zip(found.labs, possible, strict=True)),
        )
        for at, learner in enumerate(found.learners)
    ]
    return table("Points of each learner in each lab", ("learner", *head), rows, frozenset())


def _who(learner: Learner) -> str:
    """A learner in the first cell of a row: the name, and the id below it."""
    name = f'{safe(line(learner.name))} <span class="row soft">' if learner.name else "<span>"
    return f"{name}{safe(line(learner.id))}</span>"


def _standing(place: Place, is_out_of: bool) -> str:
    """A place in a few words: points where there are some, else the status; what needs an eye stands out."""
    row = place.row
    points = "" if row.points is None else number(row.points)
    points += f" of {number(row.possible)}" if points and is_out_of else ""
    marks = [] if points and row.status == "graded" else [row.status]
    marks += ["late"] if row.late else []
    marks += ["stuck?"] if place.stuck else []
    shown = " ".join(
        f'<span class="{"bad" if mark in ("stuck?", "late") else "soft"}">{safe(mark)}</span>'
        for mark in marks
    )
    drawn = "" if place.share is None else bar(place.share)
    return f'<span class="rate">{drawn}{safe(points)}</span> {shown}'


def _waiting(found: Survey) -> dict[str, list[str]]:
    """Everybody who waits, by lab and by what for: a status, and checks that a person has to decide."""
    told: dict[str, list[str]] = {}
    for view in found.labs:
        for place in view.places:
            if place.row.status not in ("to be looked at", "older release"):
                continue
            checks = place.result.checks if place.result else ()
            undecided = ", ".join(one.id for one in checks if one.verdict in FAULTS)
            status = place.row.status + (f" ({undecided})" if undecided else "")
            told.setdefault(f"{view.lab.id}, {status}", []).append(_name(place))
    return told


def _late(found: Survey) -> list[str]:
    return [
        f"{_name(place)}, {view.lab.id}: {_why_late(late, found)}{_counts(place)}"
        for view in found.labs
        for place in view.places
        if (late := place.row.lateness) and late.late
    ]


def _why_late(late: Lateness, found: Survey) -> str:
    """The reason; of an anonymous report only the days, as a time may tell who it was."""
    return f"{late.days} days." if found.anonymous else line(late.because, longest=400)


def _counts(place: Place) -> str:
    row = place.row
    return "" if row.grade is None else f" {number(row.grade)} of {number(row.possible)} points count."


def _verdicts(found: Survey, wanted: frozenset[Verdict]) -> Iterable[tuple[LabView, Place, list[str]]]:
    """The places with such a verdict, each with the checks that have it."""
    for view in found.labs:
        for place in view.places:
            checks = place.result.checks if place.result else ()
            if told := [f"{one.id} {one.verdict}" for one in checks if one.verdict in wanted]:
                yield view, place, told


def _hostile(found: Survey) -> list[str]:
    wanted = frozenset((Verdict.FORBIDDEN,))
    return [
        f"{_name(place)}, {view.lab.id}: {', '.join(told)}" for view, place, told in _verdicts(found, wanted)
    ]


def _limits(found: Survey) -> list[str]:
    return [
        f"{_name(place)}, {view.lab.id}: {', '.join(told)}" for view, place, told in _verdicts(found, LIMITS)
    ]


def _asides(found: Survey) -> list[str]:
    if found.anonymous:
        labs = sorted({one.lab for one in found.asides})
        return [f"{lab}: {sum(one.lab == lab for one in found.asides)} files" for lab in labs]
    return [f"{one.name} ({one.lab}): {line(one.reason, longest=400)}" for one in found.asides]


def _faults(found: Survey) -> list[str]:
    """What the grader itself could not do; answers that a person grades are none."""
    told = []
    for view in found.labs:
        by_hand = {check.id for check in view.lab.checks if check.by_hand}
        for place in view.places:
            for one in place.result.checks if place.result else ():
                if one.verdict in FAULTS and one.id not in by_hand:
                    why = "" if found.anonymous else f": {line(one.found, longest=300)}"
                    told.append(f"{_name(place)}, {view.lab.id}: {one.id} {one.verdict}{why}")
            result = place.result
            told += [
                f"{_name(place)}, {view.lab.id}: judged again, {line(why)}"
                for why in (result.tries if result else ())
            ]
            told += [
                f"{_name(place)}, {view.lab.id}: the host was weak, {line(wall)}"
                for wall in (result.weak if result else ())
            ]
    return told


def _name(place: Place) -> str:
    return line(f"{place.learner.name} ({place.learner.id})" if place.learner.name else place.learner.id)


def _learner_rows(found: Survey) -> Iterable[Sequence[Field]]:
    for view in found.labs:
        for place in view.places:
            row, who = place.row, place.learner
            late = {True: "yes", False: "no", None: ""}[row.late]
            hints = None if place.hints is None else sum(place.hints.values())
            hours = None if place.hours is None else round(place.hours, 1)
            facts = (who.id, who.name, who.email, view.lab.id, row.status, row.points, row.possible)
            yield (*facts, late, place.hand_ins, hints, hours, place.stuck, row.grade)


def _check_rows(found: Survey) -> Iterable[Sequence[Field]]:
    for view in found.labs:
        for check in view.lab.checks:
            here = view.found(check.id)
            passed = sum(one.passed for one in here)
            failed = sum(one.verdict is Verdict.FAIL for one in here)
            ideas = "; ".join(f"{times} × {name}" for name, _, times in wrong_ideas(here))
            counts = (len(here), passed, failed, len(here) - passed - failed)
            yield (
                view.lab.id,
                check.task,
                check.id,
                check.points,
                *counts,
                hints_taken(view, check.id),
                ideas,
            )
