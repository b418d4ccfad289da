"""The report on a class: a page for the whole, one for each lab, and the same numbers as CSV.

Static: no server, no script, nothing loaded. What strangers had a hand in stands there as text, and in an
anonymous report not at all.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from grader.charts import STYLE as DRAWN
from grader.charts import bar, histogram
from grader.deadlines import Lateness
from grader.errors import CourseError
from grader.exports import Field, csv_table, number
from grader.pages import page, safe
from grader.results import Verdict
from grader.survey import FAULTS, LIMITS, LabView, Place, Survey, wrong_ideas
from grader.texts import line, write_whole

STYLE = DRAWN + (
    "body{max-width:76rem}table{border-collapse:collapse;margin:.5rem 0}"
    "caption{text-align:left;color:var(--soft)}th,td{text-align:left;vertical-align:top;"
    "padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}"
    "th{font-weight:600}.number{text-align:right;white-space:nowrap}.wide{overflow-x:auto}"
    ".wide:focus-visible{outline:2px solid var(--fill)}.bad{color:var(--bad);font-weight:600}"
    ".soft{color:var(--soft)}.rate{white-space:nowrap}ul{padding-left:1.2rem}li{overflow-wrap:anywhere}"
)
_PAGE = re.compile(r"[a-z0-9/_-]+\.md(#[a-z0-9_-]+)?")
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
    texts = {"index.html": _index(found)}
    texts |= {f"{view.lab.id}.html": _lab(view, site) for view in found.labs}
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


def _index(found: Survey) -> str:
    made = f"{found.at:%Y-%m-%d %H:%M %Z}"
    who = "Names and words of learners are left out. " if found.anonymous else ""
    parts = [
        "<h1>Class report</h1>",
        f'<p class="soft">{len(found.learners)} learners, {len(found.labs)} labs. {who}Made {safe(made)}. '
        'In tables: <a href="learners.csv">learners.csv</a>, <a href="checks.csv">checks.csv</a>.</p>',
        _section("Labs", _labs_table(found)),
        _section("Who is where", _places_table(found)),
        _section("Who may be stuck", _list(_stuck(found), "Nobody, by these rules.")),
        _section("Who waits for a person", _list(_waiting(found), "Nobody.")),
        _section("Late work", _list(_late(found), "None.")),
        _section("Attempts on the grader", _list(_hostile(found), "None.")),
        _section("Limits that were reached", _list(_limits(found), "None.")),
        _section("Set aside", _list(_asides(found), "Nothing.")),
        _section("Faults of ours", _list(_faults(found), "None.")),
    ]
    return page("Class report", "\n".join(parts), style=STYLE)


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{safe(title)}</h2>\n{body}\n</section>"


def _list(items: Iterable[str], none: str) -> str:
    """A list of texts, or the sentence that says there are none."""
    shown = "".join(f"<li>{safe(item)}</li>\n" for item in items)
    return f"<ul>\n{shown}</ul>" if shown else f"<p>{safe(none)}</p>"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int]) -> str:
    """A table that scrolls by itself on a narrow screen; the cells are HTML already."""

    def cell(at: int, html: str) -> str:
        style = ' class="number"' if at in numbers else ""
        return f'<th scope="row">{html}</th>' if at == 0 else f"<td{style}>{html}</td>"

    top = "".join(
        f'<th scope="col"{" class=" + chr(34) + "number" + chr(34) if at in numbers else ""}>{safe(one)}</th>'
        for at, one in enumerate(head)
    )
    body = "".join(f"<tr>{''.join(cell(at, html) for at, html in enumerate(row))}</tr>\n" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="{safe(title)}">\n<table>\n'
        f"<caption>{safe(title)}</caption>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n</div>"
    )


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
    return _table("Each lab at a glance", head, rows, frozenset((2, 4, 5, 6)))


def _places_table(found: Survey) -> str:
    head = ("learner", *(view.lab.id for view in found.labs))
    rows = []
    for at, learner in enumerate(found.learners):
        name = f"{safe(line(learner.name))} ({safe(learner.id)})" if learner.name else safe(learner.id)
        rows.append((name, *(_standing(view.places[at]) for view in found.labs)))
    return _table("Points of each learner in each lab", head, rows, frozenset())


def _standing(place: Place) -> str:
    """A place in a few words: points where there are some, else the status; what needs an eye stands out."""
    row = place.row
    points = f"{number(row.points)} of {number(row.possible)}" if row.points is not None else ""
    marks = [] if points and row.status == "graded" else [row.status]
    marks += ["late"] if row.late else []
    marks += ["stuck?"] if place.stuck else []
    shown = "".join(
        f' <span class="{"bad" if mark in ("stuck?", "late") else "soft"}">{safe(mark)}</span>'
        for mark in marks
    )
    return f"{safe(points)}{shown}"


def _stuck(found: Survey) -> list[str]:
    return [
        f"{_name(place)}, {view.lab.id}: {place.stuck}"
        for view in found.labs
        for place in view.places
        if place.stuck
    ]


def _waiting(found: Survey) -> list[str]:
    return [
        f"{_name(place)}, {view.lab.id}: {place.row.status}"
        for view in found.labs
        for place in view.places
        if place.row.status in ("to be looked at", "older release")
    ]


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


def _lab(view: LabView, site: str) -> str:
    title = f"{view.lab.id} · {view.lab.title}"
    shares = view.shares
    spread = f"Points of {len(shares)} learners, in percent of what is possible"
    parts = [
        f"<h1>{safe(title)}</h1>",
        '<p><a href="index.html">Class report</a></p>',
        _section(
            "Points", f"<p>{safe(spread)}.</p>\n{histogram(shares, spread)}" if shares else "<p>None yet.</p>"
        ),
        _section("Time and hints", _list(_effort(view), "No receipt says anything.")),
        _section("Tasks", _tasks_table(view)),
        _section("Checks", _checks_table(view)),
        _section("What people believed", _ideas_table(view, site)),
    ]
    return page(title, "\n".join(parts), style=STYLE)


def _effort(view: LabView) -> list[str]:
    """What the learners' receipts say; nothing of it is graded."""
    told = []
    hours = [place.hours for place in view.places if place.hours is not None]
    if hours:
        told.append(
            f"From lab start to lab submit: median {median(hours):.1f} h on the clock, nights included, "
            f"longest {max(hours):.1f} h ({len(hours)} receipts). Planned: {view.lab.minutes} min."
        )
    hints = [sum(place.hints.values()) for place in view.places if place.hints is not None]
    if hints:
        told.append(f"Hints taken: median {median(hints):g}, most {max(hints)} ({len(hints)} receipts).")
    return told


def _tasks_table(view: LabView) -> str:
    rows = []
    for task in view.lab.tasks:
        passed, judged = view.passed(task.id)
        rows.append((safe(task.title), _rate(passed, judged), "core" if task.core else "extension"))
    return _table("Who passed every check of a task", ("task", "passed", "kind"), rows, frozenset())


def _rate(passed: int, judged: int) -> str:
    if not judged:
        return "none judged"
    return f'<span class="rate">{bar(passed / judged)}{passed} of {judged}</span>'


def _checks_table(view: LabView) -> str:
    rows = []
    for check in view.lab.checks:
        here = view.found(check.id)
        passed = sum(one.passed for one in here)
        others = _others(view, check.id)
        rows.append(
            (
                f"{safe(check.id)}",
                safe(check.says),
                _rate(passed, len(here)),
                safe(others),
                str(_hints(view, check.id)),
            )
        )
    head = ("check", "promise", "passed", "others", "took a hint")
    return _table("Each check", head, rows, frozenset((4,)))


def _others(view: LabView, check: str) -> str:
    """Every verdict but PASS with its count."""
    verdicts = [one.verdict for one in view.found(check) if not one.passed]
    return ", ".join(f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts)))


def _hints(view: LabView, check: str) -> int:
    return sum(bool(place.hints and check in place.hints) for place in view.places)


def _ideas_table(view: LabView, site: str) -> str:
    rows = []
    for check in view.lab.checks:
        for name, link, times in wrong_ideas(view.found(check.id)):
            rows.append((safe(line(name)), str(times), safe(check.id), _read(link, site)))
    if not rows:
        return "<p>No mistake with a name was made.</p>"
    head = ("misconception", "times", "check", "where to read")
    return _table("Mistakes by name", head, rows, frozenset((1,)))


def _read(link: str, site: str) -> str:
    """Where to read: a link when the site's address is known and the page's name is a plain one."""
    shown = safe(f"docs/{link}") if link else ""
    if not site or not _PAGE.fullmatch(link):
        return shown
    address = f"{site.rstrip('/')}/{link.replace('.md', '.html', 1)}"
    return f'<a href="{safe(address)}" rel="noreferrer">{shown}</a>'


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
            yield (view.lab.id, check.task, check.id, check.points, *counts, _hints(view, check.id), ideas)
