"""The tools page: every tool of the course by its job, from `tools.toml`.

A card a tool, so that it can be read on a phone. What filters them is a style sheet: no script is needed.
"""

import html
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from docs.generate.kept import HERE
from docs.generate.modules import Module, modules

PLACES = {
    "lab": "Lab",
    "track": "Track (planned)",
    "artifact": "Artifact (planned)",
    "site": "The course itself",
    "named": "Named only",
}
REGISTRIES = ("PyPI", "npm", "Debian")

OPENING = """# Tools, by job

You will be asked which tool to buy, and somebody will have an answer before the question is clear. Here
is what the course uses and names, by job: what it is for, when to take it, when not, and in what state it
is.

**You need** nothing · **about 20 minutes**, or a minute for one tool. {count} tools; releases and
licences were looked up on {day}. A release that is a year old is not dead, and one of yesterday is not
alive: read it as a question to ask.

**How far the course goes.** *Lab*: used in a lab or its extension. *Track*: an optional variant of a lab, in
an environment of its own. *Artifact*: you write its real configuration, and a real tool validates it
offline. No track and no artifact is there yet: both are planned, for the module that the card names. What
belongs to a module that is planned is not there yet either.

"""


@dataclass(frozen=True)
class Tool:
    """One tool, as `tools.toml` has it."""

    name: str
    job: str
    what: str
    choose: str
    not_when: str
    licence: str
    release: str
    released: str
    source: str
    place: str
    modules: tuple[str, ...]
    package: str = ""
    state: str = ""


@dataclass(frozen=True)
class Tools:
    """All of them, their jobs in the page's order, and the day on which they were looked up."""

    looked_at: date
    jobs: dict[str, str]
    tools: tuple[Tool, ...]


def tools() -> Tools:
    """What `tools.toml` says."""
    return read_tools((HERE / "tools.toml").read_text(encoding="utf-8"))


def read_tools(text: str) -> Tools:
    """Read tools from TOML, and hold them to their rules.

    Raises:
        TypeError: a tool has a key too many or too few.
        ValueError: a name comes twice; a job, a place, a month or a source is none.
    """
    data = tomllib.loads(text)
    found = tuple(Tool(**entry | {"modules": tuple(entry["modules"])}) for entry in data["tools"])
    for name, times in Counter(tool.name for tool in found).items():
        if times > 1:
            raise ValueError(f"tools.toml has {name} {times} times: write it once.")
    for tool in found:
        for wrong, what in _wrong(tool, data["jobs"]):
            raise ValueError(f"{tool.name} of tools.toml: `{wrong}` is no {what}.")
    return Tools(data["looked_at"], data["jobs"], found)


def _wrong(tool: Tool, jobs: dict[str, str]) -> list[tuple[str, str]]:
    checks = (
        (tool.job in jobs, tool.job, f"job; write one of {', '.join(jobs)}"),
        (tool.place in PLACES, tool.place, f"place; write one of {', '.join(PLACES)}"),
        (bool(re.fullmatch(r"20\d\d-(0\d|1[0-2])", tool.released)), tool.released, "month; write 2026-11"),
        (
            tool.source in REGISTRIES or tool.source.startswith("https://"),
            tool.source,
            f"source; write an address, or {', '.join(REGISTRIES)}",
        ),
    )
    return [(wrong, what) for right, wrong, what in checks if not right]


def tools_page(docs: Path) -> str:
    """Markdown of the page."""
    told = tools()
    pages = {module.number: module for module in modules(docs)}
    parts = [
        OPENING.format(count=len(told.tools), day=f"{told.looked_at.day} {told.looked_at:%B %Y}"),
        '<div class="tools" markdown>\n',
        _filter({tool.place for tool in told.tools}),
    ]
    for job, title in told.jobs.items():
        parts.append(f"<section markdown>\n\n## {title} {{ #{job} }}\n")
        parts += [_card(tool, pages) for tool in told.tools if tool.job == job]
        parts.append("</section>\n")
    return "\n".join([*parts, "</div>\n"])


def _filter(places: set[str]) -> str:
    """Buttons of which the style sheet reads the one that is pressed."""
    choices = {"all": "All"} | {place: words for place, words in PLACES.items() if place in places}
    radios = "".join(
        f'<label><input type="radio" name="place" id="only-{place}"'
        f"{' checked' if place == 'all' else ''}> {words}</label>"
        for place, words in choices.items()
    )
    return f'<fieldset class="tools-filter"><legend>Show</legend>{radios}</fieldset>\n'


def _card(tool: Tool, pages: dict[str, Module]) -> str:
    facts = f"{tool.licence} · {_release(tool)}.{f' {tool.state}' if tool.state else ''}"
    lines = (
        f"### {tool.name} {{ #{_anchor(tool.name)} }}",
        tool.what,
        f"**Choose it when:** {tool.choose}",
        f"**Not when:** {tool.not_when}",
        f"**{PLACES[tool.place]}**{_taught(tool, pages)} · {facts}\n{{ .tool-facts }}",
    )
    body = "\n\n".join(lines)
    return f'<article class="tool" data-place="{tool.place}" markdown>\n\n{body}\n\n</article>\n'


def _taught(tool: Tool, pages: dict[str, Module]) -> str:
    links = ", ".join(f"[{number}]({pages[number].page})" for number in tool.modules)
    return f" of {links}" if links else ""


def _release(tool: Tool) -> str:
    """The last release with its month, and where that was read."""
    month = f"{date.fromisoformat(f'{tool.released}-01'):%B %Y}"
    if tool.source in REGISTRIES:
        return f"{html.escape(tool.release)}, {month} ({tool.source})"
    return f"[{html.escape(tool.release)}, {month}]({tool.source})"


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
