"""Notebooks as their authors write them: text in jupytext's py:percent form. Its one door.

A master `work/name.py` that begins with a jupytext header naming a kernelspec is a notebook, and is
released as `work/name.ipynb`. The same text gives the same bytes.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.errors import CourseError, ReleaseError
from grader.manifest import Lab
from grader.regions import BEGIN, END, strip_solution, without_markers

HEADER = re.compile(rb"# ---\n(?:#(?! ---\n).*\n)*?# +kernelspec:\n(?:#.*\n)*?# ---\n")
SLUG = re.compile(r"[^a-z0-9]+")
KEYS = ("title", "check", "locked", "tags")


@dataclass(frozen=True)
class Written:
    """A cell as its author wrote it: `facts` are the title and the keys on its `# %%` line."""

    kind: str
    source: str
    facts: Mapping[str, Any]

    @property
    def title(self) -> str:
        """The words after `# %%`; empty when there are none."""
        return str(self.facts.get("title", ""))

    @property
    def check(self) -> str:
        """The check that the cell belongs to; empty when it belongs to none."""
        return str(self.facts.get("check", ""))

    @property
    def name(self) -> str:
        """What the cell is known by in every version of the notebook; empty when its content must do."""
        return self.check or SLUG.sub("-", self.title.lower()).strip("-")[:64]


def is_notebook(path: str, content: bytes) -> bool:
    """Whether a file of the master is a notebook: Python that begins with such a header."""
    return path.endswith(".py") and HEADER.match(content) is not None


def notebook_path(path: str) -> str:
    """Where the notebook of a text goes: `a/b.py` → `a/b.ipynb`."""
    return f"{path.removesuffix('.py')}.ipynb"


def released(lab: Lab, path: str, master: str) -> bytes:
    """The notebook that a learner gets.

    Raises:
        ReleaseError: a region is not closed, or a cell's line cannot be followed; names file and cell.
    """
    return _notebook(lab, path, master, strip_solution(master, path).text)


def solved(lab: Lab, path: str, master: str) -> bytes:
    """The notebook with the solution in it, its cells with the same ids as in the released one.

    Raises:
        ReleaseError: a cell's line cannot be followed.
    """
    return _notebook(lab, path, master, without_markers(master, path))


def overlaid(path: str, solution: bytes, text: str) -> bytes:
    """A notebook with cells laid over it: a cell of the same title is replaced, one without is put in.

    Raises:
        CourseError: a titled cell is not in the notebook.
    """
    data = json.loads(solution)
    known = {cell["id"]: cell for cell in data["cells"]}
    place = 0
    for number, cell in enumerate(_read(text)):
        if cell.name:
            if cell.name not in known:
                raise CourseError(f"{path}: the master has no cell `{cell.title or cell.check}`.")
            known[cell.name]["source"] = cell.source.splitlines(keepends=True)
            place = data["cells"].index(known[cell.name]) + 1
        elif cell.source.strip():
            own = _cell(cell.kind, f"own-{number}", cell.source, {})
            data["cells"].insert(place, own)
            place += 1
    return _bytes(data)


def _notebook(lab: Lab, path: str, master: str, text: str) -> bytes:
    marked = _marked(path, master)
    cells, ids = [], set()
    for cell, cell_id in _with_ids(_read(text)):
        if cell_id in ids:
            raise ReleaseError(
                f"{path}: two cells are called `{cell.title or cell.check}`. Give each its own title."
            )
        ids.add(cell_id)
        facts = _facts(lab, path, cell, cell_id, cell.name in marked)
        parts = {"name": cell.title, "nbgrader": facts, "tags": cell.facts.get("tags")}
        metadata = {key: part for key, part in parts.items() if part}
        source = cell.source
        if facts.get("grade") and not facts["solution"] and not source.strip():
            source = f"# {lab.check(cell.check).says}"
        cells.append(_cell(cell.kind, cell_id, source, metadata))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return _bytes({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5})


def _read(text: str) -> list[Written]:
    import jupytext  # a second, and most commands have no notebook to read

    found = jupytext.reads(text, fmt="py:percent").cells
    return [
        Written(
            cell.cell_type,
            cell.source,
            {key: value for key, value in cell.metadata.items() if not key.startswith("lines_to_")},
        )
        for cell in found
    ]


def _marked(path: str, master: str) -> frozenset[str]:
    """The names of the cells that hold a marker, and so something that the learner writes."""
    found = set()
    for number, cell in enumerate(_read(master), start=1):
        unknown = sorted(cell.facts.keys() - set(KEYS))
        if unknown:
            raise ReleaseError(
                f"{path}: cell {number} has the unknown key `{unknown[0]}`. The keys here: "
                f'check="…", locked=true, tags=["…"].'
            )
        if BEGIN in cell.source or END in cell.source:
            if not cell.name:
                raise ReleaseError(
                    f"{path}: cell {number} holds a solution and has no title, by which it is known again "
                    "in what learners hand in. Write it on the cell's line: `# %% Split by time`."
                )
            found.add(cell.name)
    return frozenset(found)


def _with_ids(cells: Sequence[Written]) -> Iterator[tuple[Written, str]]:
    """Each cell with its id: its name, else a hash of its content, numbered when that comes again."""
    seen: dict[str, int] = {}
    for cell in cells:
        if cell.name:
            yield cell, cell.name
            continue
        digest = hashlib.sha256(f"{cell.kind}\0{cell.source}".encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        yield cell, digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def _facts(lab: Lab, path: str, cell: Written, cell_id: str, is_marked: bool) -> dict[str, Any]:
    """nbgrader's metadata of a cell; empty for what is just given."""
    form = {"schema_version": 3, "grade_id": cell_id, "task": False, "cell_type": cell.kind}
    if cell.check:
        return form | _graded(lab, path, cell)
    if is_marked and cell.kind == "code":
        return form | {"grade": False, "solution": True, "locked": False}
    if cell.facts.get("locked"):
        return form | {"grade": False, "solution": False, "locked": True}
    return {}


def _graded(lab: Lab, path: str, cell: Written) -> dict[str, Any]:
    try:
        check = lab.check(cell.check)
    except CourseError as error:
        raise ReleaseError(f"{path}: {error}") from error
    points = 0 if lab.task(check.task).worked else check.points or 0
    if check.by_hand is not None:
        if check.by_hand != notebook_path(path):
            raise ReleaseError(
                f"{path}: the check `{check.id}` is graded by hand from {check.by_hand}. "
                f'Move its cell there, or write `by_hand = "{notebook_path(path)}"` in lab.toml.'
            )
        return {"grade": True, "solution": True, "locked": False, "points": points}
    if cell.kind != "code":
        raise ReleaseError(
            f"{path}: the cell of the check `{check.id}` is {cell.kind}; a check's cell is code that a "
            "learner can run, or empty."
        )
    return {"grade": True, "solution": False, "locked": True, "points": points}


def _cell(kind: str, cell_id: str, source: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    form = {
        "cell_type": kind,
        "id": cell_id,
        "metadata": metadata,
        "source": source.splitlines(keepends=True),
    }
    return form | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _bytes(notebook: Mapping[str, Any]) -> bytes:
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True)
    return f"{text}\n".encode()
