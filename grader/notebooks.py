"""A submitted notebook, rebuilt from the release: only the sources of its cells are the learner's.

Cells are known by their ids, and where an editor has stripped those, by their content and place. What is
locked comes from the release; so does what was given and is gone. Metadata, outputs, points, types and the
order of the cells are never taken from a submission.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.cells import COMPARED, HELD, KINDS, WRITTEN, Cell, match
from grader.errors import InvalidSubmission

MAX_BYTES = 64 * 1024**2
MAX_STRUCTURE = 2_000_000  # commas, brackets and braces, counted before anything is built
MAX_CELLS = 1000
MAX_SOURCE = 2 * 1024**2  # characters of all cells
CLEAR = "Clear its outputs (in JupyterLab: Edit, Clear Outputs of All Cells), save it, and hand it in again."


@dataclass(frozen=True)
class Submitted:
    """The cells of a submitted notebook, and the language that it says they are in."""

    cells: tuple[Cell, ...]
    language: str = ""


def read_released(content: bytes) -> tuple[Cell, ...]:
    """The cells of a released notebook, each with its role."""
    return tuple(
        Cell("".join(cell["source"]), cell["cell_type"], cell["id"], _title(cell), _role(cell))
        for cell in json.loads(content)["cells"]
    )


def read_submitted(name: str, content: bytes) -> Submitted:
    """The cells of the notebook called `name`, as far as a stranger's can be believed.

    Raises:
        InvalidSubmission: it is no notebook, of another format, or too large; says what to do.
    """
    if len(content) > MAX_BYTES:
        size = len(content) // 1024**2
        raise InvalidSubmission(f"{name} has {size} MB; at most {MAX_BYTES // 1024**2} are read. {CLEAR}")
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_STRUCTURE:
        raise InvalidSubmission(f"{name} holds over {MAX_STRUCTURE:,} values. {CLEAR}")
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        why = str(error) or type(error).__name__
        raise InvalidSubmission(
            f"{name} is no notebook: it cannot be read as JSON ({why}). Open it in JupyterLab, mend it there "
            "or bring back an earlier version with Git, and save it."
        ) from error
    _refuse_format(name, data)
    cells = data["cells"]
    if len(cells) > MAX_CELLS:
        raise InvalidSubmission(f"{name} has {len(cells):,} cells; at most {MAX_CELLS:,} are read.")
    read = tuple(_submitted(name, number, cell) for number, cell in enumerate(cells, start=1))
    if sum(len(cell.source) for cell in read) > MAX_SOURCE:
        raise InvalidSubmission(
            f"The cells of {name} hold over {MAX_SOURCE // 1024**2} MB of text. Put data into files."
        )
    return Submitted(read, _language(data))


def rebuild(released: Sequence[Cell], submitted: Sequence[Cell]) -> tuple[Cell, ...]:
    """The notebook that is judged: the release's cells in their order with the learner's sources in them.

    - A solution is what the learner's cell says, if that is nothing, nothing.
    - What is locked is as it was released; what was given is the learner's unless it is gone or empty.
    - Cells of the learner's own stay behind the cell that they stand behind; a mere copy is left out.
    """
    taken = match(released, submitted)
    sources = {place: submitted[at].source for at, place in taken.items()}
    behind = _own(released, submitted, taken)
    cells = [*behind.get(-1, ())]
    for place, cell in enumerate(released):
        filled = _fill(cell, sources.get(place), submitted)
        cells += [] if filled is None else [filled]
        cells += behind.get(place, ())
    return tuple(cells)


def labels(cells: Sequence[Cell]) -> tuple[str, ...]:
    """What each cell is called in a message: its title, else the heading above it, else `no. 3`."""
    found, heading = [], ""
    for number, cell in enumerate(cells, start=1):
        if cell.kind == "markdown":
            lines = re.findall(r"^#{1,6} +(.+)", cell.source[:COMPARED], re.MULTILINE)
            heading = lines[-1].strip()[:80] if lines else heading
        found.append(cell.title or heading or f"no. {number}")
    return tuple(found)


def _refuse_format(name: str, data: Any) -> None:
    version = data.get("nbformat") if isinstance(data, dict) else None
    if type(version) is int and version != 4:
        age = "older" if version < 4 else "newer"
        raise InvalidSubmission(
            f"{name} is of notebook format {version}, {age} than what is read here (4). "
            "Open it in the course's JupyterLab and save it."
        )
    if version is None or not isinstance(data.get("cells"), list):
        raise InvalidSubmission(
            f"{name} is JSON, but no notebook: `nbformat` or the list of `cells` is missing. "
            "Hand in the notebook itself, saved by JupyterLab."
        )


def _submitted(name: str, number: int, cell: Any) -> Cell:
    source = cell.get("source") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise InvalidSubmission(
            f"Cell {number} of {name} has no source. Open the notebook in JupyterLab and save it."
        )
    kind, cell_id = cell.get("cell_type"), cell.get("id")
    source = source.encode("utf-8", "replace").decode("utf-8")  # half a character is none
    return Cell(source, kind if kind in KINDS else "raw", cell_id if isinstance(cell_id, str) else "")


def _language(data: Mapping[str, Any]) -> str:
    """The language that the notebook claims; it is told, not believed."""
    for table, key in (("kernelspec", "language"), ("language_info", "name")):
        found = data.get("metadata")
        for step in (table, key):
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, str) and found:
            return found[:40]
    return ""


def _title(cell: Mapping[str, Any]) -> str:
    return str(cell["metadata"].get("name", ""))


def _role(cell: Mapping[str, Any]) -> str:
    """A released cell's role, as the engine wrote it down in nbgrader's terms."""
    facts = cell["metadata"].get("nbgrader", {})
    if facts.get("solution"):
        return "answer" if facts["grade"] else "solution"
    if facts.get("grade"):
        return "check"
    return "locked" if facts.get("locked") else "given"


def _fill(cell: Cell, source: str | None, submitted: Sequence[Cell]) -> Cell | None:
    """A released cell with the learner's source in it; None when there is none to run."""
    if cell.role in HELD:
        return cell
    if cell.role in WRITTEN:
        return None if source is None else replace(cell, source=source)
    if source and source.strip():
        return replace(cell, source=source)
    merged = any(_stands_in(cell.source, one.source) for one in submitted)
    return None if merged else cell


def _own(
    released: Sequence[Cell], submitted: Sequence[Cell], taken: Mapping[int, int]
) -> dict[int, list[Cell]]:
    """The learner's own cells by the place in the release that they stand behind; -1 is the beginning."""
    known = {cell.source.strip() for cell in released} | {submitted[at].source.strip() for at in taken}
    found: dict[int, list[Cell]] = {}
    place = -1
    for at, cell in enumerate(submitted):
        if at in taken:
            place = taken[at]
        elif cell.source.strip() not in known:
            found.setdefault(place, []).append(replace(cell, id=""))
    return found


def _stands_in(part: str, whole: str) -> bool:
    """Whether the lines of one source stand together in another, longer one."""
    lines, inside = f"\n{part.strip()}\n", f"\n{whole.strip()}\n"
    return len(lines) < len(inside) and lines in inside
