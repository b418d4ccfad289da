"""What the minutes of a module are made of: words at a pace, the machine as measured, and the rest.

Nobody can measure by machine how long a person thinks. So the minutes of pages and labs are a plan, and this
says how much of it is left when the words are read and the machine is done. A test refuses a plan that
leaves too little, so that it cannot go stale as pages grow.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.generate.paths import WORDS_A_MINUTE, parts
from grader.manifest import Lab, list_labs

PLACE = "<!-- minutes of every lab -->"
MEASURED = "docs/measured/labs.txt"
_UNREAD = re.compile(r"<!--.*?-->|\]\([^)]*\)|\{[^}\n]*\}|^\|[-:| ]+\|$", re.DOTALL | re.MULTILINE)
_WORD = re.compile(r"[^\W_]+(?:['’._-]+[^\W_]+)*")
_HEAD = (
    "Module",
    "Page, planned",
    "its words",
    "Lab, planned",
    "its words",
    "machine",
    "left to think and type",
)


@dataclass(frozen=True)
class Plan:
    """One module's minutes: planned for the page and the lab, and what words and the machine take of them.

    `machine` is None while nobody has measured it.
    """

    id: str
    page_words: int
    page_planned: int
    lab_words: int
    lab_planned: int
    machine: float | None

    @property
    def page_left(self) -> float:
        """Minutes of the page that are left when its words are read."""
        return self.page_planned - self.page_words / WORDS_A_MINUTE

    @property
    def lab_left(self) -> float:
        """Minutes of the lab that are left when its words are read and the machine is done."""
        return self.lab_planned - self.lab_words / WORDS_A_MINUTE - (self.machine or 0)


def fill(page: str, course: Path) -> str:
    """The page with the table in its place."""
    return page.replace(PLACE, "\n".join(_table(plans(course)))) if PLACE in page else page


def plans(course: Path) -> list[Plan]:
    """Every module that has a page and a lab, in their order."""
    measured = course / MEASURED
    machine = machine_minutes(measured.read_text(encoding="utf-8")) if measured.is_file() else {}
    labs = {lab.id: lab for lab in list_labs(course)}
    return [
        Plan(
            part.module.id,
            words((course / "docs" / part.module.page).read_text(encoding="utf-8")),
            part.reading,
            _lab_words(labs[part.module.id]),
            part.whole,
            machine.get(part.module.id),
        )
        for part in parts(course).values()
        if part.is_there
    ]


def words(text: str) -> int:
    """How many words of a page a person reads, code included; of a link the text and not its address.

    >>> words("[Set up](../setup.md) `lab start 02`{.x} first. <!-- not this -->")
    6
    """
    return len(_WORD.findall(_UNREAD.sub(" ", text)))


def machine_minutes(measured: str) -> dict[str, float]:
    """By lab, how long a newcomer's commands took on the clock."""
    found = re.findall(r"^(\d\d-[a-z0-9-]+) +\d+ +(\d+\.\d)", measured, re.MULTILINE)
    return {lab: float(minutes) for lab, minutes in found}


def _lab_words(lab: Lab) -> int:
    """The words of a lab's page; hints are read when they are asked for."""
    promises = [check.says for check in lab.checks]
    brief = (lab.folder / "brief.md").read_text(encoding="utf-8")
    return words("\n".join((brief, *lab.objectives, *promises)))


def _table(found: Iterable[Plan]) -> Iterator[str]:
    yield f"| {' | '.join(_HEAD)} |"
    yield "|---|" + "---:|" * (len(_HEAD) - 1)
    for plan in found:
        machine = "–" if plan.machine is None else f"{plan.machine:.1f}"
        yield (
            f"| [{plan.id[:2]}](modules/{plan.id}.md) | {plan.page_planned} "
            f"| {plan.page_words / WORDS_A_MINUTE:.0f} | [{plan.lab_planned}](labs/{plan.id}.md) "
            f"| {plan.lab_words / WORDS_A_MINUTE:.0f} | {machine} | {plan.lab_left:.0f} |"
        )
