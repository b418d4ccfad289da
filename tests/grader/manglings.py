"""What editors and people do to a notebook that must not matter to its verdicts."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import jupytext

Notebook = dict[str, Any]
Change = Callable[[Notebook], None]


def strip_ids(notebook: Notebook) -> None:
    """As an editor that knows format 4.4 saves it."""
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        cell.pop("id", None)


def strip_all(notebook: Notebook) -> None:
    """No ids, no metadata anywhere."""
    strip_ids(notebook)
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def sources_only(notebook: Notebook) -> None:
    """Nothing of the notebook but a format and sources."""
    notebook.pop("metadata")
    notebook.pop("nbformat_minor")
    notebook["cells"] = [{key: cell[key] for key in ("cell_type", "source")} for cell in notebook["cells"]]


def new_id(notebook: Notebook) -> None:
    """One cell with an id that nobody knows, another with its id."""
    at = place(notebook, "baseline")
    notebook["cells"][at]["id"] = "unknown"
    notebook["cells"][place(notebook, "speed")]["id"] = "baseline"


def colab(notebook: Notebook) -> None:
    """Colab's form: ids of its own in the metadata, nothing of nbgrader's, sources as one text."""
    strip_all(notebook)
    notebook["nbformat_minor"] = 0
    notebook["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}}
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {"id": f"aB{number}xYz"}
        cell["source"] = "".join(cell["source"])


def vscode(notebook: Notebook) -> None:
    """VS Code's form: new ids, its own metadata, the kernel of a virtual environment."""
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"{number:08x}"
        cell["metadata"] = {"vscode": {"languageId": "python"}} if cell["cell_type"] == "code" else {}
    notebook["metadata"]["kernelspec"] = {"display_name": ".venv", "language": "python", "name": "venv"}


def through_jupytext(notebook: Notebook) -> None:
    """To text and back: ids are new."""
    text = jupytext.writes(jupytext.reads(json.dumps(notebook), fmt="ipynb"), fmt="py:percent")
    back = json.loads(jupytext.writes(jupytext.reads(text, fmt="py:percent"), fmt="ipynb"))
    notebook.clear()
    notebook.update(back)


def half_run(notebook: Notebook) -> None:
    """Run as far as the middle, with outputs and an error."""
    for number, cell in enumerate(notebook["cells"][:6]):
        if cell["cell_type"] == "code":
            error = {"output_type": "error", "ename": "KeyError", "evalue": "x", "traceback": ["x" * 100_000]}
            cell |= {"execution_count": number, "outputs": [error]}


def edit_grades(notebook: Notebook) -> None:
    """Points, flags, ids and version of nbgrader's metadata, all changed."""
    for cell in notebook["cells"]:
        facts = {"points": 1e9, "grade": True, "solution": True, "locked": False, "schema_version": 99}
        cell["metadata"]["nbgrader"] = facts | {"grade_id": "baseline", "task": True, "cell_type": "raw"}


def swap_grade_ids(notebook: Notebook) -> None:
    """No ids, and nbgrader's names on one another's cells."""
    strip_ids(notebook)
    names = [cell["metadata"].get("nbgrader") for cell in notebook["cells"]]
    for cell, facts in zip(notebook["cells"], reversed(names), strict=True):
        cell["metadata"] = {"nbgrader": facts} if facts else {}


def foreign_metadata(notebook: Notebook) -> None:
    """Metadata of types that nobody expects, another kernel, a minor version from the future."""
    notebook |= {"nbformat_minor": 99, "metadata": {"kernelspec": {"name": "ir", "language": ["R"]}}}
    for cell in notebook["cells"]:
        cell["metadata"] = ["nbgrader"]


def retype(kind: str) -> Change:
    """Every cell of another type."""

    def change(notebook: Notebook) -> None:
        for cell in notebook["cells"]:
            cell["cell_type"] = kind

    return change


def duplicate(notebook: Notebook) -> None:
    """Every cell twice, with one id."""
    notebook["cells"] = [deepcopy(cell) for cell in notebook["cells"] for _ in range(2)]


def duplicate_at_end(notebook: Notebook) -> None:
    """A copy of every cell after the last one, with new ids."""
    notebook["cells"] += [cell | {"id": f"copy-{at}"} for at, cell in enumerate(deepcopy(notebook["cells"]))]


def stub_beside(notebook: Notebook) -> None:
    """The released cell put back above the one that was written, with the same id."""
    at = place(notebook, "predict")
    stub = notebook["cells"][at] | {"source": "def predict(km):\n    raise NotImplementedError"}
    notebook["cells"].insert(at, stub)


def reverse(notebook: Notebook) -> None:
    """The last cell first."""
    notebook["cells"].reverse()


def delete(*ids: str) -> Change:
    """Cells gone."""

    def change(notebook: Notebook) -> None:
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] not in ids]

    return change


def empty(*ids: str) -> Change:
    """Cells with nothing in them."""

    def change(notebook: Notebook) -> None:
        for name in ids:
            notebook["cells"][place(notebook, name)]["source"] = []

    return change


def rewrite(name: str, source: str) -> Change:
    """A cell that says something else."""

    def change(notebook: Notebook) -> None:
        notebook["cells"][place(notebook, name)]["source"] = source

    return change


def split(name: str, *, first_keeps: bool) -> Change:
    """A cell cut in two after its first line; one half keeps the id."""

    def change(notebook: Notebook) -> None:
        at = place(notebook, name)
        cell = notebook["cells"][at]
        head, tail = ({**deepcopy(cell), "source": part} for part in (cell["source"][:1], cell["source"][1:]))
        (tail if first_keeps else head)["id"] = "half"
        notebook["cells"][at : at + 1] = [head, tail]

    return change


def merge(name: str, count: int) -> Change:
    """A cell and the code cells after it made one, which keeps the first one's id."""

    def change(notebook: Notebook) -> None:
        at = place(notebook, name)
        parts = notebook["cells"][at : at + count]
        whole = "\n\n".join("".join(cell["source"]) for cell in parts if cell["cell_type"] == "code")
        notebook["cells"][at : at + count] = [parts[0] | {"source": whole}]

    return change


def own_cells(notebook: Notebook) -> None:
    """Cells of the learner's own between all others: words, magics, and one that raises."""
    sources = [
        "%autocall 2",
        "1 / 0",
        "%%bash\necho hello",
        "!ls",
        "%load_ext autoreload\n%autoreload 2",
        "?print",
    ]
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        own = {"cell_type": "code", "id": f"own-{number}", "metadata": {}, "source": sources[number % 6]}
        cells += [cell, own, {"cell_type": "markdown", "id": f"w-{number}", "metadata": {}, "source": "Hm."}]
    notebook["cells"] = cells


def both(*changes: Change) -> Change:
    """One after the other."""

    def change(notebook: Notebook) -> None:
        for one in changes:
            one(notebook)

    return change


def place(notebook: Notebook, name: str) -> int:
    """Where the cell with that id stands."""
    return [cell["id"] for cell in notebook["cells"]].index(name)


GIVEN = ("read-the-orders", "orders_are_read", "baseline_is_the_mean", "predicts_any_distance")
MANGLINGS: dict[str, Change] = {
    "nothing": both(),
    "ids stripped": strip_ids,
    "ids and metadata stripped": strip_all,
    "nothing but sources": sources_only,
    "ids changed": new_id,
    "Colab": colab,
    "VS Code": vscode,
    "jupytext and back": through_jupytext,
    "stripped, then through jupytext": both(strip_all, through_jupytext),
    "run half-way": half_run,
    "points and flags edited": edit_grades,
    "nbgrader's names swapped": swap_grade_ids,
    "metadata of strange types": foreign_metadata,
    "retyped to markdown": retype("markdown"),
    "retyped to nothing known": retype("heading"),
    "retyped and stripped": both(retype("raw"), strip_all),
    "duplicated": duplicate,
    "duplicated and stripped": both(duplicate, strip_all),
    "duplicated at the end": duplicate_at_end,
    "the stub beside the answer": stub_beside,
    "reordered": reverse,
    "reordered and stripped": both(reverse, strip_all),
    "given and checks' cells deleted": delete(*GIVEN),
    "given cells deleted and stripped": both(delete(*GIVEN), strip_all),
    "given cells emptied": empty(*GIVEN),
    "a locked cell changed": rewrite("speed", "SPEED = 99"),
    "a locked cell deleted": delete("speed"),
    "a check's cell rewritten": rewrite("orders_are_read", "raise SystemExit(0)"),
    "split, the first half known": split("baseline", first_keeps=True),
    "split, the second half known": split("baseline", first_keeps=False),
    "split and stripped": both(split("baseline", first_keeps=True), strip_all),
    "a given cell split": split("read-the-orders", first_keeps=True),
    "merged": merge("baseline", 3),
    "merged with what is given": merge("read-the-orders", 4),
    "merged and stripped": both(merge("read-the-orders", 4), strip_all),
    "cells of one's own": own_cells,
    "cells of one's own, stripped": both(own_cells, strip_all),
}


def mangled(notebook: Notebook) -> Iterator[tuple[str, Notebook]]:
    """The notebook after each of them."""
    for name, change in MANGLINGS.items():
        found = deepcopy(notebook)
        change(found)
        yield name, found
