"""A notebook lab from release to verdict, and what may happen to a notebook on the way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.answers import Kitchen, find_answer
from grader.boxes.base import Budget, Stopped
from grader.boxes.local import LocalBox
from grader.boxes.notebook import Notebooks
from grader.controller import judge
from grader.manifest import Lab
from grader.notebooks import read_released, read_submitted, rebuild
from grader.results import Verdict
from grader.verify import verify
from grader.warm import WarmJudge
from tests.grader.manglings import MANGLINGS
from tests.grader.notebook_lab import NAME, REASON, notebook_course, read

ANSWERS = {"master": ("master", "", 24.0), "by heart": ("wrong", "by-heart", 0)}


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Kitchen:
    """The notebook lab and where its answers are made."""
    folder = tmp_path_factory.mktemp("late")
    return Kitchen(notebook_course(folder / "course"), folder / "answers")


@contextmanager
def opened(lab: Lab) -> Iterator[Notebooks]:
    notebooks = Notebooks(lab.folder / "work", LocalBox(), Budget(lab.limits))
    try:
        yield notebooks
    finally:
        notebooks.close()


def handed_in(kitchen: Kitchen, answer: str, folder: Path, change: Any) -> Path:
    """An answer with its notebook changed, in a folder of its own."""
    kind, name, *_ = ANSWERS[answer]
    made = kitchen.make(find_answer(kitchen.lab, kind, name))
    notebook = deepcopy(read(made / NAME))
    change(notebook)
    folder.mkdir()
    (folder / "orders.csv").write_bytes((made / "orders.csv").read_bytes())
    (folder / NAME).write_text(json.dumps(notebook))
    return folder


@pytest.fixture(scope="module")
def known() -> dict[tuple[str, ...], Any]:
    """What notebooks came to, by the cells that were run: many changes leave the same."""
    return {}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", MANGLINGS)
def test_what_an_editor_does_to_a_notebook_changes_no_value(
    kitchen: Kitchen, tmp_path: Path, known: dict[tuple[str, ...], Any], name: str, answer: str
) -> None:
    work = handed_in(kitchen, answer, tmp_path / "work", MANGLINGS[name])
    released = read_released((kitchen.lab.folder / "work" / NAME).read_bytes())
    cells = rebuild(released, read_submitted(NAME, (work / NAME).read_bytes()).cells)
    run = tuple(cell.source for cell in cells if cell.kind == "code")
    if run not in known:
        with opened(kitchen.lab) as notebooks:
            notebook = notebooks.open(work, NAME, "")
            known[run] = [*map(notebook.value, ("baseline", "orders")), notebook.call("predict", 7)]
    baseline, orders, predicted = known[run]
    with opened(kitchen.lab) as notebooks:  # without ids and order, one note is as good as another
        assert answer != "master" or REASON in notebooks.written(work, NAME, "reason_is_told")
    assert (len(orders), baseline, predicted) == (3, pytest.approx(44 / 3), ANSWERS[answer][2])


def test_a_notebook_stripped_by_an_editor_is_judged_as_it_was(kitchen: Kitchen, tmp_path: Path) -> None:
    for answer, lost in (("master", 4), ("by heart", 7)):
        work = handed_in(kitchen, answer, tmp_path / answer, MANGLINGS["ids and metadata stripped"])
        result = judge(kitchen.lab, work, hidden=True)
        assert result.possible - result.points == lost, result.checks


def test_a_warm_judge_says_the_same_of_a_notebook(kitchen: Kitchen, tmp_path: Path) -> None:
    work = handed_in(kitchen, "by heart", tmp_path / "work", MANGLINGS["cells of one's own"])
    with WarmJudge(kitchen.lab) as warm:
        results = [judge(kitchen.lab, work, hidden=True, warm=one) for one in (None, warm, warm)]
    said = [[replace(check, seconds=0) for check in result.checks] for result in results]
    assert said[0] == said[1] == said[2]
    assert [check.passed for check in said[0]] == [True, True, False, False]


def test_the_lab_is_sound(kitchen: Kitchen) -> None:
    assert verify(kitchen.lab, seeds=2) == []


BROKEN: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"<<<<<<< HEAD\n", "late.ipynb is no notebook: it cannot be read as JSON (Expecting value:"),
    "empty": (b"", "late.ipynb is no notebook"),
    "not text": (b"\x80\xff", "late.ipynb is no notebook: it cannot be read as JSON ('utf-8' codec"),
    "nested": (b"[" * 200_000, "late.ipynb is no notebook: it cannot be read as JSON"),
    "a long number": (b"9" * 10_000, "late.ipynb is no notebook: it cannot be read as JSON"),
    "a list": (b"[]", "late.ipynb is JSON, but no notebook: `nbformat` or the list of `cells` is missing."),
    "no format": (b'{"cells": []}', "late.ipynb is JSON, but no notebook"),
    "format 3": (b'{"nbformat": 3, "worksheets": []}', "late.ipynb is of notebook format 3, older than"),
    "format 5": (b'{"nbformat": 5, "cells": []}', "late.ipynb is of notebook format 5, newer than"),
    "a format that is true": (b'{"nbformat": true, "cells": {}}', "late.ipynb is JSON, but no notebook"),
    "cells that are none": (b'{"nbformat": 4, "cells": [7]}', "Cell 1 of late.ipynb has no source."),
    "sources that are none": (
        b'{"nbformat": 4, "cells": [{"source": [1]}]}',
        "Cell 1 of late.ipynb has no source. Open the notebook in JupyterLab and save it.",
    ),
    "too many cells": (
        b'{"nbformat": 4, "cells": [%s]}' % b",".join([b'{"source": "x"}'] * 1001),
        "late.ipynb has 1,001 cells; at most 1,000 are read.",
    ),
    "too much source": (
        b'{"nbformat": 4, "cells": [{"source": "%s"}]}' % (b"x" * (3 << 20)),
        "The cells of late.ipynb hold over 2 MB of text. Put data into files.",
    ),
    "too many values": (
        b'{"nbformat": 4, "cells": [], "metadata": [%s0]}' % (b"0," * 2_000_001),
        "late.ipynb holds over 2,000,000 values. Clear its outputs",
    ),
    "100 MB": (b" " * (100 << 20), "late.ipynb has 64 MB; at most 64 are read. Clear its outputs"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_notebook_gets_a_message_that_helps(kitchen: Kitchen, tmp_path: Path, name: str) -> None:
    content, wanted = BROKEN[name]
    (tmp_path / NAME).write_bytes(content)
    with opened(kitchen.lab) as notebooks, pytest.raises(Stopped) as stopped:
        notebooks.open(tmp_path, NAME, "")
    assert (stopped.value.verdict, stopped.value.found[: len(wanted)]) == (Verdict.INVALID_SUBMISSION, wanted)


def test_a_broken_notebook_is_a_verdict_for_each_check(kitchen: Kitchen, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / NAME).write_bytes(b'{"nbformat": 3}')
    result = judge(kitchen.lab, tmp_path / "work", hidden=True)
    assert {check.verdict for check in result.checks} == {Verdict.INVALID_SUBMISSION}


def test_fifty_megabytes_of_outputs_are_no_obstacle(kitchen: Kitchen, tmp_path: Path) -> None:
    def fill(notebook: Any) -> None:
        notebook["cells"][1]["outputs"] = [{"data": {"image/png": "A" * (50 << 20)}}]

    work = handed_in(kitchen, "master", tmp_path / "work", fill)
    with opened(kitchen.lab) as notebooks:
        assert notebooks.open(work, NAME, "").call("predict", 7) == 24
