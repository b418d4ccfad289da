"""The ways through the course, with their hours added up from labs and pages when the site is built."""

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs.generate.modules import HERE, Module, modules
from grader.manifest import list_labs

WORDS_A_MINUTE = 180
THREE_INCIDENTS = 10
"""Minutes, with the way from one to the next."""
_PLACE = re.compile(r"^<!-- path: (\w+) -->$", re.MULTILINE)
_MINUTES = re.compile(r"<!-- minutes: ([\w/. -]+?) -->")
_READING = re.compile(r"about (\d+) minutes|(\d+) of them reading")


@dataclass(frozen=True)
class Part:
    """A module with its minutes; a planned one has none yet."""

    module: Module
    reading: int = 0
    core: int = 0
    whole: int = 0

    @property
    def is_there(self) -> bool:
        """Whether it has a lab."""
        return self.whole > 0


def fill(page: str, course: Path) -> str:
    """The page with every `<!-- path: evening -->` replaced by that way's table, and minutes of reading.

    Raises:
        KeyError: no such way.
        ValueError: a module's page does not say how long reading it takes.
        FileNotFoundError: no such file to read.
    """
    page = _MINUTES.sub(lambda place: str(_minutes(place[1].split(), course / "docs")), page)
    return _PLACE.sub(lambda place: WAYS[place[1]](parts(course)), page)


def _minutes(files: list[str], docs: Path) -> int:
    """Minutes for all words of some files under docs/, in steps of five."""
    words = sum(len((docs / file).read_text(encoding="utf-8").split()) for file in files)
    return 5 * math.ceil(words / WORDS_A_MINUTE / 5)


def parts(course: Path) -> dict[str, Part]:
    """Every module's part, by its number.

    Raises:
        ValueError: a module's page does not say how long reading it takes.
    """
    labs = {lab.id: lab for lab in list_labs(course)}
    found = {}
    for module in modules(course / "docs"):
        part = Part(module)
        if module.plan is None and module.id in labs:
            tasks = labs[module.id].tasks
            core = sum(task.minutes for task in tasks if task.core)
            part = Part(
                module, _reading(course / "docs" / module.page), core, sum(task.minutes for task in tasks)
            )
        found[module.number] = part
    return found


def _reading(page: Path) -> int:
    found = _READING.search(page.read_text(encoding="utf-8"))
    if not found:
        raise ValueError(
            f"{page} does not say how long it takes. Write `**about 30 minutes**` beside what one needs."
        )
    return int(found[1] or found[2])


def evening(every: dict[str, Part]) -> str:
    """Reading one module, then the core tasks of its lab from the given state."""
    part = next(every[number] for number in _plan()["evening"] if every[number].is_there)
    number = part.module.number
    return _table(
        ["Step", "Minutes"],
        [
            ["Three of the [twenty incidents](incidents.md): decide before you unfold", str(THREE_INCIDENTS)],
            [f"Read {_name(part)}", str(part.reading)],
            [
                f"`lab start {number} --given`, then the core tasks of [its lab](labs/{part.module.id}.md)",
                f"{part.core}",
            ],
            ["**Together**", f"**{_hours(THREE_INCIDENTS + part.reading + part.core)}**"],
        ],
    )


def workshop(every: dict[str, Part]) -> str:
    """Two days of core tasks."""
    return "\n\n".join(
        _day(day["title"], [every[number] for number in day["modules"]]) for day in _plan()["workshop"]
    )


def weeks(every: dict[str, Part]) -> str:
    """A module a week."""
    there = [part for part in every.values() if part.is_there]
    rows = [
        [
            str(week),
            _name(part),
            *([_hours(part.reading), _hours(part.core), _hours(part.whole)] if part.is_there else ["–"] * 3),
        ]
        for week, part in enumerate(every.values(), 1)
    ]
    total = [_hours(sum(getattr(part, kind) for part in there)) for kind in ("reading", "core", "whole")]
    rows.append(["", f"**{len(there)} modules that are there**", *(f"**{hours}**" for hours in total)])
    return _table(["Week", "Module", "Reading", "Lab, core tasks", "Lab, all tasks"], rows)


def there(every: dict[str, Part]) -> str:
    """The modules that are complete, and in one line those that are planned."""
    ready = [part for part in every.values() if part.is_there]
    planned = ", ".join(_name(part) for part in every.values() if not part.is_there)
    rows = [
        [_name(part), _hours(part.reading), f"[{_hours(part.whole)}](labs/{part.module.id}.md)"]
        for part in ready
    ]
    table = _table(["Complete", "Reading", "Lab"], rows)
    return f"{table}\n\n**Planned:** {planned}." if planned else table


WAYS: dict[str, Callable[[dict[str, Part]], str]] = {
    "evening": evening,
    "workshop": workshop,
    "weeks": weeks,
    "there": there,
}


def _day(title: str, day: list[Part]) -> str:
    there = [part for part in day if part.is_there]
    rows = [
        [_name(part), *([str(part.reading), str(part.core)] if part.is_there else ["–", "–"])] for part in day
    ]
    total = sum(part.reading + part.core for part in there)
    rows.append(["**Together**", "", f"**{_hours(total)}**"])
    return f"**{title}**\n\n" + _table(["Module", "Reading, minutes", "Core tasks, minutes"], rows)


def _name(part: Part) -> str:
    return f"[{part.module.number} · {part.module.title}]({part.module.page})"


def _hours(minutes: int) -> str:
    """Hours and minutes, which stay on one line.

    >>> _hours(85).split("\N{NO-BREAK SPACE}")
    ['1', 'h', '25']
    """
    words = f"{minutes // 60} h {minutes % 60:02}" if minutes >= 60 else f"{minutes} min"
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    return "\n".join(_lines(list(head), rows))


def _lines(head: list[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _plan() -> dict[str, Any]:
    return tomllib.loads((HERE / "paths.toml").read_text(encoding="utf-8"))
