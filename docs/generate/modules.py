"""The modules in teaching order: those with a page of their own, and a page for each that is planned.

As soon as `docs/modules/<id>.md` is written by hand it wins, in the navigation too, and its entry in
`planned.toml` counts no more.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAV = "Modules"
_HEADING = re.compile(r"^# \d\d · (.+)$", re.MULTILINE)
_LINK = re.compile(r'<a [^>]*href="(?:[^"#]*modules/)?([\w-]+)\.html[^"]*"[^>]*>.*?</a>', re.DOTALL)
_LISTED = "<strong>Planned:</strong>"


@dataclass(frozen=True)
class Module:
    """One module: its lab's id, its title, and its plan where its page is not written yet."""

    id: str
    title: str
    plan: "Plan | None" = None

    @property
    def number(self) -> str:
        """Two digits, which never change."""
        return self.id[:2]

    @property
    def page(self) -> str:
        """The page's path under docs/."""
        return f"modules/{self.id}.md"


@dataclass(frozen=True)
class Plan:
    """What the page of a planned module says."""

    title: str
    story: str
    teaches: tuple[str, ...]
    lab: str
    ready: str
    today: tuple[str, ...]


def modules(docs: Path) -> tuple[Module, ...]:
    """All modules in teaching order.

    Raises:
        ValueError: a page in `docs/modules` has no heading `# NN · Title`.
    """
    written = {page.stem: Module(page.stem, _title(page)) for page in (docs / "modules").glob("*.md")}
    planned = {name: Module(name, plan.title, plan) for name, plan in plans().items()}
    return tuple(module for _, module in sorted({**planned, **written}.items()))


def plans() -> dict[str, Plan]:
    """What `planned.toml` says, by lab id.

    Raises:
        TypeError: an entry has a key too many or too few.
    """
    return {name: Plan(**_tuples(entry)) for name, entry in _read("planned.toml").items()}


def planned_pages(docs: Path) -> dict[str, str]:
    """Path and Markdown of the page of each planned module."""
    return {module.page: _page(module, module.plan) for module in modules(docs) if module.plan}


def say_planned(content: str, docs: Path) -> str:
    """A page's HTML with ` (planned)` behind each link to a module that is not there yet.

    A paragraph that begins with **Planned:** has said so for all of its links.
    """
    later = {module.id for module in modules(docs) if module.plan}

    def told(link: re.Match[str]) -> str:
        return f"{link[0]} (planned)" if link[1] in later else link[0]

    parts = re.split(rf"(<p>{_LISTED}.*?</p>)", content, flags=re.DOTALL)
    return "".join(part if part.startswith(f"<p>{_LISTED}") else _LINK.sub(told, part) for part in parts)


def in_nav(nav: list[Any], docs: Path) -> None:
    """Put the planned modules among the others in MkDocs' navigation, in their order."""
    inside = next(entry[NAV] for entry in nav if NAV in entry)
    for page, module in ((module.page, module) for module in modules(docs) if module.plan):
        later = (at for at, entry in enumerate(inside) if next(iter(entry))[:2] > module.number)
        inside.insert(next(later, len(inside)), {f"{module.number} · {module.title} (planned)": page})


def _page(module: Module, plan: Plan) -> str:
    teaches = "\n".join(f"- {thing}" for thing in plan.teaches)
    today = "\n".join(f"- {thing}" for thing in plan.today)
    return (
        f"# {module.number} · {plan.title}\n\n{plan.story.strip()}\n\n"
        "**This module is planned.** Its number is reserved; page and lab are not there yet, and this page "
        "says what will be. The [changes](../changes.md) say when.\n\n"
        f"## What it will teach {{#teaches}}\n\nAfter it you can\n\n{teaches}\n\n"
        f"## The lab {{#the-lab}}\n\n{plan.lab}\n\n"
        f"## What is ready, and what is not {{#ready}}\n\n{plan.ready}\n\n"
        f"## What you can do today {{#today}}\n\n{today}\n"
    )


def _title(page: Path) -> str:
    found = _HEADING.search(page.read_text(encoding="utf-8"))
    if not found:
        raise ValueError(f"{page} has no heading. Begin it with `# {page.stem[:2]} · What it is about`.")
    return found[1]


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))
