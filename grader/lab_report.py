"""A lab's page in the report on a class: how points are spread, who passed what, and what people believed."""

import re
from statistics import median

from grader.charts import STYLE as DRAWN
from grader.charts import bar, histogram
from grader.pages import items, page, safe, section, table
from grader.survey import LabView, wrong_ideas
from grader.texts import line

STYLE = DRAWN + (
    "body{max-width:76rem}table{border-collapse:collapse;margin:.5rem 0}"
    "caption{text-align:left;color:var(--soft)}th,td{text-align:left;vertical-align:top;"
    "padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}"
    "th{font-weight:600}.number{text-align:right;white-space:nowrap}.wide{overflow-x:auto}"
    ".wide:focus-visible{outline:2px solid var(--fill)}.bad{color:var(--bad);font-weight:600}"
    ".soft{color:var(--soft)}.row{display:block}th[scope=row]{position:sticky;left:0;min-width:7rem;"
    "max-width:14rem;overflow-wrap:anywhere;background:var(--paper)}.row.soft{font-weight:400;"
    "font-size:.85rem}.rate{white-space:nowrap}ul{padding-left:1.2rem}li{overflow-wrap:anywhere}"
)
_PAGE = re.compile(r"[a-z0-9/_-]+\.md(#[a-z0-9_-]+)?")


def lab_page(view: LabView, site: str) -> str:
    """The page of one lab; with `site` the pages to read are links."""
    title = f"{view.lab.id} · {view.lab.title}"
    shares = view.shares
    spread = f"Points of {len(shares)} learners, in percent of what is possible"
    parts = [
        f"<h1>{safe(title)}</h1>",
        '<p><a href="index.html">Class report</a></p>',
        section(
            "Points", f"<p>{safe(spread)}.</p>\n{histogram(shares, spread)}" if shares else "<p>None yet.</p>"
        ),
        section("Time and hints", items(_effort(view), "No receipt says anything.")),
        section("Tasks", _tasks_table(view)),
        section("Checks", _checks_table(view)),
        section("What people believed", _ideas_table(view, site)),
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
        passed, known = view.passed(task.id)
        waiting = str(len(view.results) - known or "")
        rows.append((safe(task.title), _rate(passed, known), waiting, "core" if task.core else "extension"))
    head = ("task", "passed", "for a person", "kind")
    return table("Who passed every check of a task", head, rows, frozenset((2,)))


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
                f'{safe(check.id)}<span class="row soft">{safe(check.says)}</span>',
                _rate(passed, len(here)),
                safe(others),
                str(hints_taken(view, check.id)),
            )
        )
    head = ("check and what it promises", "passed", "others", "took a hint")
    return table("Each check", head, rows, frozenset((3,)))


def _others(view: LabView, check: str) -> str:
    """Every verdict but PASS with its count."""
    verdicts = [one.verdict for one in view.found(check) if not one.passed]
    return ", ".join(f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts)))


def hints_taken(view: LabView, check: str) -> int:
    """How many learners took a hint of a check, as their receipts say."""
    return sum(bool(place.hints and check in place.hints) for place in view.places)


def _ideas_table(view: LabView, site: str) -> str:
    rows = []
    for check in view.lab.checks:
        for name, link, times in wrong_ideas(view.found(check.id)):
            rows.append((safe(line(name)), str(times), safe(check.id), where_to_read(link, site)))
    if not rows:
        return "<p>No mistake with a name was made.</p>"
    head = ("misconception", "times", "check", "where to read")
    return table("Mistakes by name", head, rows, frozenset((1,)))


def where_to_read(link: str, site: str) -> str:
    """Where to read: a link when the site's address is known and the page's name is a plain one."""
    shown = safe(f"docs/{link}") if link else ""
    if not site or not _PAGE.fullmatch(link):
        return shown
    address = f"{site.rstrip('/')}/{link.replace('.md', '.html', 1)}"
    return f'<a href="{safe(address)}" rel="noreferrer">{shown}</a>'
