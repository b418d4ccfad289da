"""A notebook's cells, and which of those handed in stands for which of the release.

By id first; where an editor has stripped the ids, by what a cell says, by its words, and by its place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

KINDS = ("code", "markdown", "raw")
HELD = ("locked", "check")
WRITTEN = ("solution", "answer")
COMPARED = 20_000  # characters of one cell
ALIKE = 0.5  # the share of a released cell's words that another cell must hold to be taken for it
WORD = re.compile(r"\w{2,}")
STUB = frozenset(("raise", "NotImplementedError", "pass"))

Pairs = Iterator[tuple[int, int]]


@dataclass(frozen=True)
class Cell:
    """One cell: its source, and what the release says of it.

    `role` is `solution` for code that the learner writes, `answer` for what a person grades, `check` for a
    check's cell, `locked` or `given` for the rest of the release; empty for a cell of the learner's own.
    """

    source: str
    kind: str = "code"
    id: str = ""
    title: str = ""
    role: str = ""


def match(released: Sequence[Cell], submitted: Sequence[Cell]) -> dict[int, int]:
    """Which released cell each submitted one stands for, by their numbers."""
    taken: dict[int, int] = {}
    for likely in (_same_id, _same_source, _near, _last_of_its_kind, partial(_near, any_kind=True)):
        for at, place in likely(released, submitted, dict(taken)):
            if at not in taken and place not in taken.values():
                taken[at] = place
    return taken


def _same_id(released: Sequence[Cell], submitted: Sequence[Cell], _: Mapping[int, int]) -> Pairs:
    """Cells with one id; of two that claim it, the one that somebody wrote in comes first."""
    places = {cell.id: place for place, cell in enumerate(released)}
    pairs = [(at, places[cell.id]) for at, cell in enumerate(submitted) if cell.id in places]
    yield from sorted(
        pairs, key=lambda pair: submitted[pair[0]].source.strip() in ("", released[pair[1]].source.strip())
    )


def _same_source(released: Sequence[Cell], submitted: Sequence[Cell], _: Mapping[int, int]) -> Pairs:
    """Cells that say the same, in their order."""
    places: dict[str, list[int]] = {}
    for place, cell in enumerate(released):
        places.setdefault(cell.source.strip(), []).append(place)
    for at, cell in enumerate(submitted):
        for place in places.get(cell.source.strip(), ()) if cell.source.strip() else ():
            yield at, place


def _near(
    released: Sequence[Cell],
    submitted: Sequence[Cell],
    taken: Mapping[int, int],
    *,
    any_kind: bool = False,
) -> Pairs:
    """Cells without a partner that may belong together, the likeliest first.

    A cell between the right neighbours is the likelier one. Where a learner writes everything, the place
    alone may say it; what was given must also be alike, or a new cell would take its place.
    """
    free = [place for place in range(len(released)) if place not in taken.values()]
    words = {place: _words(released[place]) for place in free}
    found = []
    for at, (before, after) in _gaps(submitted, taken, len(released)).items():
        held = _words(submitted[at])
        for place in free:
            share = len(words[place] & held) / max(len(words[place]), 1)
            is_here = before < place < after
            fits = any_kind or released[place].kind == submitted[at].kind
            if share >= ALIKE or (is_here and fits and released[place].role in WRITTEN):
                found.append((-share - is_here, place, at))
    for _, place, at in sorted(found):
        yield at, place


def _last_of_its_kind(released: Sequence[Cell], submitted: Sequence[Cell], taken: Mapping[int, int]) -> Pairs:
    """Where no id is left at all: the one cell without a partner where one to be written has none."""
    if {cell.id for cell in released} & {cell.id for cell in submitted}:
        return
    for kind in KINDS:
        places = [
            place
            for place, cell in enumerate(released)
            if cell.kind == kind and cell.role in WRITTEN and place not in taken.values()
        ]
        cells = [at for at, cell in enumerate(submitted) if cell.kind == kind and at not in taken]
        if len(places) == len(cells) == 1:
            yield cells[0], places[0]


def _gaps(submitted: Sequence[Cell], taken: Mapping[int, int], size: int) -> dict[int, tuple[int, int]]:
    """For each submitted cell without a partner, the places in the release of its nearest with one."""
    free = [at for at, cell in enumerate(submitted) if at not in taken and cell.source.strip()]
    found = {}
    for at in free:
        before = next((taken[one] for one in range(at, -1, -1) if one in taken), -1)
        after = next((taken[one] for one in range(at, len(submitted)) if one in taken), size)
        found[at] = before, after
    return found


def _words(cell: Cell) -> frozenset[str]:
    return frozenset(WORD.findall(cell.source[:COMPARED])) - STUB
