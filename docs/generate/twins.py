"""The map: each practice of an operator, its twin, where the analogy breaks; and each module's rows of it.

`twins.toml` has the rows. They are a list of cards, so that they can be read without a script and on a phone.
"""

import html
import json
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from docs.generate.modules import HERE, Module, modules

STAGES = {
    "version": "Version",
    "automate": "Automate",
    "test": "Test",
    "register": "Register",
    "deploy": "Deploy",
    "monitor": "Monitor",
    "respond": "Respond",
    "platform": "Run the platform",
}
NAMES = {"ci": "CI", "cd": "CD", "slo": "SLO", "post-mortem": "Post-mortem"}
PLACE = "<!-- map -->"


@dataclass(frozen=True)
class Row:
    """One analogy, and the numbers of the modules that teach it."""

    id: str
    stage: str
    know: str
    twin: str
    breaks: str
    modules: tuple[str, ...]


def rows() -> tuple[Row, ...]:
    """The rows in their order.

    Raises:
        ValueError: two rows have one id, or a stage is not one of the loop's.
    """
    return read_rows((HERE / "twins.toml").read_text(encoding="utf-8"))


def read_rows(text: str) -> tuple[Row, ...]:
    """Read rows from TOML, and hold them to their rules.

    Raises:
        ValueError: two rows have one id, or a stage is not one of the loop's.
    """
    found = tuple(Row(**row | {"modules": tuple(row["modules"])}) for row in tomllib.loads(text)["rows"])
    for name, times in Counter(row.id for row in found).items():
        if times > 1:
            raise ValueError(f"{times} rows of twins.toml have the id `{name}`: give each its own.")
    for row in found:
        if row.stage not in STAGES:
            raise ValueError(f"Row `{row.id}` of twins.toml: `{row.stage}` is none of {', '.join(STAGES)}.")
    return found


def fill(markdown: str, path: str, docs: Path) -> str:
    """A page with the rows, and what filters them, in place of `<!-- map -->`; a module's with its own."""
    course = modules(docs)
    if PLACE in markdown:
        markdown = markdown.replace(PLACE, _ways() + _filter(course) + _cards(course))
    return markdown + "".join(places(module) for module in course if module.page == path)


def places(module: Module) -> str:
    """Markdown of a module's own rows; nothing where it has none."""
    own = [row for row in rows() if module.number in row.modules]
    if not own:
        return ""
    lines = "\n".join(f"- [{_name(row)}](../map.md#{row.id}): {row.twin}" for row in own)
    return (
        "\n\n## On the map { #on-the-map }\n\n"
        f"The rows of [the map](../map.md) that this module teaches:\n\n{lines}\n"
    )


def _cards(course: tuple[Module, ...]) -> str:
    pages = {module.number: module for module in course}
    parts = ['<div class="map" data-map markdown>\n']
    for stage, title in STAGES.items():
        parts.append(f'<section data-stage="{stage}" markdown>\n\n## {title} {{ #part-{stage} }}\n')
        parts += [_card(row, pages) for row in rows() if row.stage == stage]
        parts.append("</section>\n")
    return "\n".join([*parts, "</div>\n"])


def _card(row: Row, pages: dict[str, Module]) -> str:
    taught = " · ".join(_link(pages[number]) for number in row.modules)
    return (
        f'<article class="map-row" data-modules="{" ".join(row.modules)}" markdown>\n\n'
        f"### {_name(row)} {{ #{row.id} }}\n\n"
        f"**You know** {row.know}\n{{ .map-know }}\n\n"
        f"**Its twin** {row.twin}\n{{ .map-twin }}\n\n"
        f"**Where it breaks** {row.breaks}\n{{ .map-breaks }}\n\n"
        f"{taught}\n{{ .map-module }}\n\n</article>\n"
    )


def _link(module: Module) -> str:
    return f"[{module.number} · {module.title}]({module.page})"


def _name(row: Row) -> str:
    return NAMES.get(row.id, row.id.replace("-", " ").capitalize())


def _ways() -> str:
    return "**Go to** " + " · ".join(f"[{title}](#part-{stage})" for stage, title in STAGES.items()) + "\n\n"


def _filter(course: tuple[Module, ...]) -> str:
    """Hidden until the script that makes it work shows it."""
    taught = sorted({number for row in rows() for number in row.modules})
    titles = {module.number: f"{module.number} · {module.title}" for module in course}
    choices = {number: titles[number] for number in taught}
    return (
        '<form class="map-filter with-script">'
        '<label>Word <input type="search" name="word" autocomplete="off"></label>'
        f"<label>Part of the loop <select name='stage'>{_options('All', STAGES)}</select></label>"
        f"<label>Module <select name='module'>{_options('All', choices)}</select></label>"
        '<p role="status"></p></form>\n\n'
    )


def _options(first: str, rest: dict[str, str]) -> str:
    """Options of a choice, the first of which chooses nothing."""
    texts = {"": first} | rest
    return "".join(
        f"<option value={json.dumps(value)}>{html.escape(text)}</option>" for value, text in texts.items()
    )
