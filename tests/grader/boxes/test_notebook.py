"""Notebooks run in a box: what a cell may do, and what it cannot."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest

from grader.boxes.base import Budget, Stopped
from grader.boxes.notebook import Notebooks, NotebookSession
from grader.errors import BoxError, CourseError
from grader.judge import BOXES, TEMPLATES
from grader.lab import Limits
from grader.results import Verdict

Open = Callable[..., NotebookSession]


def notebook(*sources: str, language: str = "python") -> str:
    cells = [
        {"cell_type": "code", "id": f"c{at}", "metadata": {"name": f"Step {at}"}, "source": source}
        for at, source in enumerate(sources)
    ]
    about = {"kernelspec": {"name": "k", "language": language}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": cells})


@pytest.fixture(params=sorted(TEMPLATES))
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Runs cells as the notebook `a/n.ipynb` of a lab whose release has the same cells."""
    with ExitStack() as opened:

        def begin(*sources: str, until: str = "", language: str = "python", **limits: int) -> NotebookSession:
            for name in ("starter", "work"):
                (tmp_path / name / "a").mkdir(parents=True)
                (tmp_path / name / "a" / "n.ipynb").write_text(notebook(*sources, language=language))
            (tmp_path / "work" / "a" / "near.py").write_text("def one():\n    return 1\n")
            small = {"cpu_s": 20, "wall_s": 60, "memory_mb": 1024, "output_kb": 64} | limits
            notebooks = Notebooks(tmp_path / "starter", BOXES[request.param](), Budget(Limits(**small)))
            opened.callback(notebooks.close)
            return notebooks.open(tmp_path / "work", "a/n.ipynb", until)

        yield begin


def stopped(session: NotebookSession, name: str) -> Stopped:
    with pytest.raises(Stopped) as caught:
        session.value(name)
    return caught.value


ORDINARY = (
    "!echo hello",
    "%%bash\necho world; exit 0",
    "said = !echo five",
    "%load_ext autoreload\n%autocall 2\n%time rate = 2",
    "?print",
    "import asyncio\nawait asyncio.sleep(0)\nawaited = True",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()\nplt.figure()",
    "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))\n'a' * 10",
    "import near\none = near.one()",
    "%%writefile left.txt\nleft behind",
    "exit()",
    "def double(table):\n    return table * rate",
)


def test_what_people_write_in_cells_runs(run: Open) -> None:
    session = run(*ORDINARY)
    assert [outcome.error for outcome in session.outcomes] == [""] * len(ORDINARY)
    assert [outcome.title for outcome in session.outcomes][:2] == ["Step 0", "Step 1"]
    assert (session.value("said"), session.value("awaited"), session.value("one")) == (["five"], True, 1)
    assert session.call("double", pd.DataFrame({"km": [1, 2]}))["km"].tolist() == [2, 4]
    assert session.read("a/left.txt") == b"left behind\n"


def test_each_question_finds_the_notebook_as_it_was(run: Open) -> None:
    session = run("calls = []\ndef count():\n    calls.append(1)\n    return len(calls)")
    assert [session.call("count"), session.call("count"), len(session.value("calls"))] == [1, 1, 0]
    assert session.call("calls.count", 1) == 0


RAISING = (
    "import numpy as np\norders = np.arange(3)",
    "def mean(values):\n    return values['zone']\n\nmae = mean({})",
    "after = 5\ntodo = ...",
    "def f(:",
    "%pip install a-package-that-is-not-there\n%nope",
    "input()",
    "raise SystemExit(0)",
    "big = bytearray(10**11)",
)


def test_a_cell_that_raises_is_named_and_stops_no_other(run: Open) -> None:
    session = run(*RAISING)
    assert session.value("after") == 5
    assert [outcome.exception for outcome in session.raised] == [
        "KeyError", "SyntaxError", "UsageError", "EOFError", "SystemExit", "MemoryError"
    ]  # fmt: skip
    missing = stopped(session, "mae")
    assert (missing.verdict, missing.exception) == (Verdict.STUDENT_ERROR, "KeyError")
    assert missing.found == (
        "`mae` has no value: the cell “Step 1” raised KeyError: 'zone' (line 2: `return values['zone']`)."
    )
    assert stopped(session, "f").found.startswith("`f` has no value: the cell “Step 3” raised SyntaxError: ")
    assert "“Step 1” raised" in stopped(session, "todo").found, "a value still to be written is none"
    assert stopped(session, "big").verdict is Verdict.MEMORY
    with pytest.raises(
        Stopped, match=r"KeyError: 'zone' \(cell “Step 1”, line 2: `return values\['zone'\]`\)"
    ):
        session.call("mean", {})
    assert stopped(session, "mean").found.startswith(
        "`mean` is a builtins.function, which cannot be sent. Plain data can: numbers, "
    )


def test_a_name_that_no_cell_gives_a_value(run: Open) -> None:
    session = run("x = 1", language="R")
    assert stopped(session, "mae").found == (
        "`mae` has no value when all cells of a/n.ipynb have run. It says that it is written in R; "
        "Python runs it."
    )


ENDS = {
    "printing": ("while True: print('x' * 1000)", Verdict.OUTPUT, "Your code printed more than 64 KiB."),
    "shouting": ("!yes", Verdict.OUTPUT, "Your code printed more than 64 KiB."),
    "burning": ("while True: pass", Verdict.TIMEOUT, "Over 1 s of CPU time."),
    "ending": ("import os; os._exit(3)", Verdict.STUDENT_ERROR, "Your code ended its Python process"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_limit_ends_the_notebook_and_names_the_cell(run: Open, name: str) -> None:
    source, verdict, found = ENDS[name]
    with pytest.raises(Stopped) as caught:
        run("x = 1", source, "y = 2", cpu_s=1)
    assert caught.value.verdict is verdict
    assert caught.value.found.startswith(found)
    assert caught.value.found.endswith(" It ran the cell “Step 1”.")


@pytest.mark.parametrize(("how", "code"), [("os._exit(3)", 3), ("os._exit(0)", 0), ("os.abort()", -6)])
def test_a_question_that_ends_the_process_ends_its_box(run: Open, how: str, code: int) -> None:
    session = run(f"import os\ndef end():\n    {how}\nvalue = 7")
    with pytest.raises(Stopped, match=rf"ended its Python process \(exit code {code}\)"):
        session.call("end")
    assert not session.is_open
    with pytest.raises(BoxError, match="This box has ended"):
        session.value("value")


def test_it_runs_as_far_as_asked_and_with_other_files(run: Open, tmp_path: Path) -> None:
    session = run("text = open('b.txt').read()", "late = 2", "later = 3", until="Step 1")
    assert session.value("late") == 2
    assert stopped(session, "later").found.startswith("`later` has no value: the cell “Step 0” raised FileN")
    notebooks = Notebooks(tmp_path / "starter", BOXES["local"](), Budget(Limits()))
    with notebooks.run(tmp_path / "work", "a/n.ipynb", "", {"a/b.txt": b"given"}) as other:
        assert other.value("text") == "given"


def test_one_run_serves_all_checks_and_one_refusal_too(tmp_path: Path) -> None:
    for name in ("starter", "work"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "n.ipynb").write_text(
            notebook("import os\nwho = os.getpid()\ndef end(): os._exit(1)")
        )
    (tmp_path / "starter" / "absent.ipynb").write_text(notebook())
    notebooks = Notebooks(tmp_path / "starter", BOXES["local"](), Budget(Limits()))
    first = notebooks.open(tmp_path / "work", "n.ipynb", "")
    assert notebooks.open(tmp_path / "work", "n.ipynb", "") is first
    with pytest.raises(Stopped):
        first.call("end")
    again = notebooks.open(tmp_path / "work", "n.ipynb", "")
    assert again.value("who") > 0
    for _ in range(2):
        with pytest.raises(Stopped, match=r"absent\.ipynb is not in the work\. It must keep its name"):
            notebooks.open(tmp_path / "work", "absent.ipynb", "")
    with pytest.raises(CourseError, match=r"other\.ipynb is missing\. `student\.notebook` takes a notebook"):
        notebooks.open(tmp_path / "work", "other.ipynb", "")
    with pytest.raises(BoxError, match=r"n\.ipynb has no cell titled `Stepp 0`"):
        notebooks.open(tmp_path / "work", "n.ipynb", "Stepp 0")
    notebooks.close()
    assert not again.is_open
