"""The pages of decisions: each incident's story, what the dashboards show, what to do first, and why.

Stories stand in `incidents.toml`; what is right and wrong stands in the catalogue of the world; numbers and
pictures are made of the world itself when the site is built.
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from mkdocs.structure.files import Files

from docs.generate.kept import HERE, kept
from docs.generate.modules import modules
from lab_env.world import CATALOGUE, Action, Incident, Kind, World, dashboards, pictures
from lab_env.world.cost import costs
from lab_env.world.fraud_cost import fraud_costs
from lab_env.world.oracle import Oracle

LIST = "incidents.md"
ORDERS_PER_DAY, FIRST_DAY, DAYS = 1000, 60, 75
KEYS, MAY = {"title", "story", "see"}, {"lesson"}
START, BEFORE = 90, 4
"""The first day of every incident, and the days before it from which costs are counted."""


@dataclass(frozen=True)
class Span:
    """Over how long answers are priced, and on which of the first days a right one may be given."""

    weeks: int
    in_time: int


DELIVERY, PAYMENTS = Span(weeks=4, in_time=15), Span(weeks=9, in_time=45)

WORDS: dict[str, str] = {
    Action.WAIT: "Wait, and write down which days these were.",
    Action.FALLBACK: "Serve the fallback where the model cannot know.",
    Action.OFFSET: "Correct what the model says by a constant.",
    Action.RETRAIN: "Collect days, then retrain on old and new.",
    Action.RETRAIN_RECENT: "Retrain on the days since it began, and on no others.",
    Action.ROLLBACK: "Roll back to the version that served before.",
    Action.QUARANTINE: "Stop the feed at the contract, keep what came.",
    Action.MEND: "Have the source mended, backfill, replay.",
    Action.CALENDAR: "Serve the part that knows last year's festival.",
    "retrain on day 1": "Retrain today, on the orders of today alone.",
}
NOTHING, BEST = "Nothing.", "The cheapest plan, known afterwards."
KINDS = {
    Kind.INPUTS: "The inputs moved; the relation between them and the minutes did not.",
    Kind.RELATION: "The relation moved; the inputs did not.",
    Kind.BOTH: "Inputs and relation moved, for a while.",
    Kind.FEED: "The feed broke; in the city nothing happened.",
    Kind.LABELS: "The labels broke; predictions and inputs are sound.",
    Kind.SYSTEM: "The system broke; data, labels and model are sound.",
    Kind.KNOWLEDGE: "What is known moved; what happened did not.",
    Kind.PRIOR: "How many frauds there are moved; how one looks did not.",
}
TAUGHT = {Kind.FEED: ("03", "09", "10"), Kind.LABELS: ("03", "09"), Kind.SYSTEM: ("08", "09", "10")}

INDEX = f"""---
title: Twenty incidents
---

# Twenty incidents, twenty decisions

You are on call for Tiffin's models. Below are the {{count}} things that can happen to them in this course,
each as you would meet it: a story, the dashboard, and a decision. Decide before you look at the answer. Of
the {{wrong}} wrong answers, {{retrain}} are to retrain.

**You need** nothing; [the world](world.md) says who Tiffin is · **about 60 minutes** for all, 3 for one.

{{list}}

## How to read a dashboard {{{{#read}}}}

Each picture has {DAYS} days of Tiffin's world, day {FIRST_DAY} to {FIRST_DAY + DAYS - 1}; on the shaded
ones it happens. Nine quiet days in ten lie in the pale band. The solid line of the lower panel is the error
of a model *at rest*, which knows the quiet days perfectly and nothing else; the dashed one is
[the floor](world.md#floors), below which no model can stay but by luck. The gap between the two is the harm
that somebody could do something about.

## What an answer costs {{{{#costs}}}}

On each page, under *What it was*, stands what each answer costs: euros above the floor in the first
{DELIVERY.weeks} weeks, by [Tiffin's prices](world.md#cost). A wrong answer is given on the first day, a right
one on the best of the first {DELIVERY.in_time}; each is the only thing that is done. Payments, whose labels
take six weeks, are counted over {PAYMENTS.weeks} weeks, with {PAYMENTS.in_time} days to answer.
"""

PAGE = """---
title: "{title}"
---

# {title}

{story}

## The dashboard {{#dashboard}}

<figure class="picture" data-search-exclude>
{svg}</figure>

It happens on the shaded days; nine quiet days in ten lie in the pale band, and below the dashed floor no
model can stay but by luck ([more on reading this](../incidents.md#read)).

{see}

## Your decision {{#decision}}

```quiz
{quiz}```

??? note "What it was"

    **{name}**. {says}

    {kind} {lesson}*Told by:* {told_by}

    *Do:* {advice} {taught}

{prices}
Incident {number} of {count}. [All of them](../incidents.md)
"""


def incident_pages(cache: Path) -> dict[str, str]:
    """Markdown of the list and of each incident's page, by file, in their order.

    Pictures and prices are kept in `cache` as long as the world's code stays the same.

    Raises:
        ValueError: an incident has no story, or a story no incident.
    """
    told = stories()
    pages = {LIST: _index(told)}
    for number, (name, story) in enumerate(told.items(), 1):
        pages[page_of(name)] = _page(CATALOGUE[name], story, cache, number=number, count=len(told))
    return pages


def page_of(name: str) -> str:
    """The file of an incident's page."""
    return f"incidents/{name}.md"


def put_in_line(files: Files) -> None:
    """Link the incidents' pages, which the menu leaves out, behind the list: previous, next, and section."""
    pages = [page for name in (LIST, *map(page_of, stories())) if (page := files.src_uris[name].page)]
    first, after = pages[0], pages[0].next_page
    for before, page in pairwise(pages):
        before.next_page, page.previous_page, page.parent = page, before, first.parent
    pages[-1].next_page = after


def stories(file: Path = HERE / "incidents.toml") -> dict[str, dict[str, str]]:
    """Title, story and caption of each incident, in the page's order.

    Raises:
        ValueError: an incident has no story, or a story no incident.
    """
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    if odd := sorted(set(told) ^ set(CATALOGUE)):
        raise ValueError(f"incidents.toml and the catalogue differ in {', '.join(odd)}. Write or remove it.")
    for name, story in told.items():
        if set(story) - MAY != KEYS:
            raise ValueError(
                f"incidents.toml: `{name}` has {', '.join(story)}; write {', '.join(sorted(KEYS))}."
            )
    return told


def shown(name: str, cache: Path) -> dict[str, Any]:
    """The picture of an incident, and the numbers that its caption quotes."""
    return kept(cache, name, lambda: _look(name), __file__)


def _look(name: str) -> dict[str, Any]:
    world = World(scenario=name, orders_per_day=ORDERS_PER_DAY)
    panels = dashboards.panels(world, FIRST_DAY, DAYS)
    days = sorted({day for each in world.scenario.incidents for day in each.active_days(FIRST_DAY, DAYS)})
    there = np.isin(np.arange(FIRST_DAY, FIRST_DAY + DAYS), days)
    numbers = {}
    for kind, panel in zip(("", "error_", "slice_"), panels, strict=False):
        numbers[f"{kind}before"] = pictures.mean_of(panel.values[~there])
        numbers[f"{kind}then"] = pictures.mean_of(panel.values[there])
        if panel.floor is not None:
            floor = {"error_": "floor_then", "slice_": "slice_floor"}[kind]
            numbers[floor] = pictures.mean_of(panel.floor[there])
    return {
        "svg": pictures.draw(panels, FIRST_DAY, days),
        "numbers": {key: pictures.number(value) for key, value in numbers.items()},
    }


def priced(name: str, cache: Path) -> list[tuple[str, float]]:
    """What nothing, the cheapest plan and each answer cost in whole euros, dearest last."""
    rows = kept(
        cache, f"price-{name}", lambda: {words: round(price) for words, price in _price(name)}, __file__
    )
    return sorted(rows.items(), key=lambda row: row[1])


def _price(name: str) -> Iterator[tuple[str, float]]:
    incident, span = CATALOGUE[name], _span(CATALOGUE[name])
    make, sample = (fraud_costs, 650) if span is PAYMENTS else (costs, 200)
    best = Oracle(make(World(scenario=name, orders_per_day=sample), START - BEFORE, BEFORE + 7 * span.weeks))
    yield BEST, best.total
    yield NOTHING, best.total + best.regret()
    for action in incident.right:
        if action is not Action.WAIT:
            times = (best.regret([(START + at, action)]) for at in range(span.in_time))
            yield WORDS[action], best.total + min(times)
    for mistake, _ in incident.wrong:
        if mistake in set(Action) - {Action.WAIT}:
            yield WORDS[mistake], best.total + best.regret([(START, Action(mistake))])


def _span(incident: type[Incident]) -> Span:
    return PAYMENTS if "payments" in incident.touches else DELIVERY


def _prices(incident: type[Incident], cache: Path) -> str:
    """The folded table."""
    rows = [f"    | {words} | {_euros(price)} |" for words, price in priced(incident.name, cache)]
    head = f"    | Done alone, over {_span(incident).weeks} weeks | Euros |\n    |---|---:|\n"
    return head + "\n".join(rows) + "\n"


def _euros(price: float) -> str:
    """Three digits that count."""
    return f"{float(f'{price:.3g}'):,.0f}"


def _index(told: dict[str, dict[str, str]]) -> str:
    wrong = [mistake for name in told for mistake, _ in CATALOGUE[name].wrong]
    rows = [
        f"{number}. **[{story['title']}]({page_of(name)})**{{ #{name} }}. {_first_sentence(story['story'])}"
        for number, (name, story) in enumerate(told.items(), 1)
    ]
    retrain = sum(mistake.startswith("retrain") for mistake in wrong)
    page = INDEX.format(count=len(told), wrong=len(wrong), retrain=retrain, list="\n".join(rows))
    return "\n".join([page, *_table()])


def _first_sentence(story: str) -> str:
    return f"{story.partition('. ')[0].removesuffix('.')}."


def _page(incident: type[Incident], story: dict[str, str], cache: Path, *, number: int, count: int) -> str:
    look = shown(incident.name, cache)
    return PAGE.format(
        title=story["title"],
        story=story["story"],
        svg=look["svg"],
        see=story["see"].format(**look["numbers"]),
        quiz=_quiz(incident),
        name=incident.name,
        says=incident.says,
        kind=KINDS[incident.kind],
        lesson=f"{story['lesson']} " if "lesson" in story else "",
        told_by=incident.told_by,
        advice=incident.advice,
        taught=_taught(incident),
        prices=_prices(incident, cache),
        number=number,
        count=count,
    )


def _quiz(incident: type[Incident]) -> str:
    """A question whose options stand in the order of their letters, so that their place says nothing."""
    right = [
        (WORDS[action], why, "true") for action, why in zip(incident.right, incident.because, strict=True)
    ]
    wrong = [(WORDS[mistake], why, "false") for mistake, why in incident.wrong]
    options = [
        f"[[options]]\ntext = {json.dumps(text)}\nwhy = {json.dumps(why)}\nright = {verdict}\n"
        for text, why, verdict in sorted([*right, *wrong])
    ]
    ask = "What would you do first?" if len(right) == 1 else "What would you do?"
    return f'id = "{incident.name}"\nask = "{ask}"\n{"".join(options)}'


def _taught(incident: type[Incident]) -> str:
    numbers = TAUGHT.get(incident.kind, ("09", "10"))
    links = (
        f"[{module.number} · {module.title}](../{module.page})"
        for module in modules(HERE.parent)
        if module.number in numbers
    )
    return f"*Taught in* {', '.join(links)}."


def _table() -> Iterator[str]:
    """Everything at one glance, for who has decided."""
    yield "## All of them at one glance {#table}\n"
    yield '??? note "Look when you have decided"\n'
    yield "    | Incident, and what moves | Told by | Right |"
    yield "    |---|---|---|"
    for name, incident in CATALOGUE.items():
        cells = (f"[{name}]({page_of(name)})<br>{incident.kind}", incident.told_by, incident.advice)
        yield f"    | {' | '.join(cells)} |"
    yield ""
