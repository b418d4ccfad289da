"""Lab 01's notebook in other hands: an editor's, nbgrader's, formgrader's, and those of a bad day."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from shutil import copytree
from typing import Any

import nbformat
import pytest

from grader.answers import Answer, Kitchen, find_answer, list_answers
from grader.gradebook import rows
from grader.intake import collect
from grader.manifest import find_lab
from grader.notebooks import read_released, read_submitted, rebuild
from tests.grader.classes import MONDAY, a_class
from tests.grader.manglings import MANGLINGS, half_run
from tests.grader.notebook_lab import read
from tests.grader.test_by_hand import graded
from tests.grader.test_formgrader import formgrader
from tests.grader.test_percent import nbgrader_validate

LAB = find_lab(Path(__file__).parent.parent.parent, "01")
NAME = "first_model.ipynb"
BY_HAND = "more_work_is_weighed"
STRIPPED = "ids and metadata stripped"
EDITORS = (STRIPPED, "nothing but sources", "Colab", "VS Code", "jupytext and back", "duplicated at the end")
MEASURE = """
from sklearn.base import clone

nulls_dropped = train.dropna(subset=["minutes", "kitchen_queue"])
dropped = clone(model).fit(nulls_dropped[FEATURES], nulls_dropped["minutes"])
asked = test["kitchen_queue"].notna()
error = lambda made, rows: mae(rows["minutes"], made.predict(rows[FEATURES]))
print(json.dumps({
    "wait": wait_when_queue_is_missing(orders),
    "by lot": gain_by_lot, "by time": -gain_by_time,
    "everything": error_of(everything, train, test), **worth,
    "baseline": mae(test["minutes"], baseline_predict(test)), "model": error(model, test), "floor": floor_mae,
    "without nulls": error(dropped, test[asked]),
    "on nulls": error(dropped, test[~asked]) - error(model, test[~asked]),
}))
"""
ANSWERS = [answer for answer in list_answers(LAB) if answer.kind != "starter"]

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a box has it: two fits at once on two cores wait for each other most of the time."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Kitchen:
    """Where answers are made, from one starter with its data."""
    return Kitchen(LAB, tmp_path_factory.mktemp("first-model"))


def judged_sources(notebook: Any) -> list[str]:
    """What is run of a notebook, and the answer in words."""
    released = read_released((LAB.folder / "work" / NAME).read_bytes())
    cells = rebuild(released, read_submitted(NAME, json.dumps(notebook).encode()).cells)
    return [cell.source for cell in cells if cell.kind == "code" or cell.id == BY_HAND]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.title)
def test_what_editors_strip_changes_nothing_that_is_judged(answer: Answer, kitchen: Kitchen) -> None:
    notebook = read(kitchen.make(answer) / NAME)
    for name in EDITORS:
        saved = deepcopy(notebook)
        MANGLINGS[name](saved)
        assert saved != notebook
        assert judged_sources(saved) == judged_sources(notebook), name


def test_the_figures_that_pages_quote_are_those_of_the_notebook(kitchen: Kitchen, tmp_path: Path) -> None:
    work = copytree(kitchen.make(find_answer(LAB, "master")), tmp_path / "work")
    cells = [cell for cell in read(work / NAME)["cells"] if cell["cell_type"] == "code"]
    (work / "measure.py").write_text("\n".join("".join(cell["source"]) for cell in cells) + MEASURE)
    done = subprocess.run(
        [sys.executable, "measure.py"], cwd=work, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert 3.5 < found["wait"] < 4
    brief, page, asked = (
        " ".join((LAB.course / place).read_text().split())
        for place in (
            f"labs/{LAB.id}/brief.md",
            f"docs/modules/{LAB.id}.md",
            f"docs/questions/{LAB.id}.toml",
        )
    )
    lot, time = f"{found['by lot']:.2f}", f"{found['by time']:.2f}"
    assert "Slower, by almost four minutes." in brief
    assert f"makes the model better by {lot} minutes. On new days it makes it worse by {time}." in brief
    assert f"off by {found['everything']:.1f} minutes." in brief
    assert f"knows every law of this city, is {found['floor']:.1f}." in brief
    ride, mean = found["ride_km"], found["restaurant_minutes"]
    assert f"The ride is worth {ride:.1f} minutes, the day's mean {mean:.1f}." in brief
    assert f"a model {lot} minutes better when orders are drawn by lot and {time} worse on new days" in page
    three = found["baseline"], found["model"], found["floor"]
    assert "Baseline {:.1f} minutes, model {:.2f}, floor {:.2f}.".format(*three) in asked
    assert f"falls from {found['model']:.2f} to {found['without nulls']:.2f} minutes" in asked
    assert f"worse by {found['on nulls']:.1f} minutes on exactly these" in asked


def test_nbgrader_accepts_the_solved_notebook_and_fails_the_untouched_one(kitchen: Kitchen) -> None:
    untouched, solved = (kitchen.make(find_answer(LAB, kind)) / NAME for kind in ("starter", "master"))
    assert nbgrader_validate(solved) == "Success! Your notebook passes all the tests.\n"
    assert nbgrader_validate(untouched).startswith("VALIDATION FAILED ON 8 CELL(S)!")


def test_a_stripped_notebook_is_graded_and_points_given_in_formgrader_survive(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    work = copytree(kitchen.make(find_answer(LAB, "master")), tmp_path / "work")
    notebook = read(work / NAME)
    MANGLINGS[STRIPPED](notebook)
    (work / NAME).write_text(json.dumps(notebook))
    classroom = a_class(tmp_path / "class", LAB, "anna")
    assert collect(classroom, LAB, work, as_="anna", now=MONDAY).aside == ()
    first = graded(LAB, classroom)["anna"]
    assert [check.id for check in first.checks if not check.passed] == [BY_HAND]
    with formgrader(classroom, tmp_path) as client:
        (listed,) = client.get(f"/formgrader/api/submitted_notebooks/{LAB.id}/{LAB.id}").json()
        assert listed["needs_manual_grade"]
        page = client.get(f"/formgrader/submissions/{listed['id']}/").text
        assert "a week would be spent on hundredths of a minute" in page
        grades = client.get(f"/formgrader/api/grades?submission_id={listed['id']}").json()
        [place] = [grade["id"] for grade in grades if grade["name"] == BY_HAND]
        xsrf = {"X-XSRFToken": client.cookies.get("_xsrf") or ""}
        given = client.put(f"/formgrader/api/grade/{place}", json={"manual_score": 5}, headers=xsrf)
        assert given.status_code == 200
    again = graded(LAB, classroom)["anna"]
    assert again.seconds != first.seconds, "it was judged again"
    [row] = rows(classroom)
    assert (row.marks[BY_HAND].points, row.marks[BY_HAND].to_look_at, row.status) == (5, False, "graded")
    assert sum(mark.points for mark in row.marks.values()) == 99


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a learner's labs are; 01 is started."""
    folder = tmp_path_factory.mktemp("home")
    assert lab(folder, "start", "01").returncode == 0
    return folder


def lab(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `lab` as a learner does."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("lab")), *words],
        cwd=home / LAB.id if (home / LAB.id).is_dir() else LAB.course,
        env=os.environ | {"LAB_HOME": str(home), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def fill(notebook: Any) -> None:
    """Fifty megabytes of outputs."""
    notebook["cells"][1]["outputs"] = [
        {"output_type": "display_data", "data": {"image/png": "A" * (50 << 20)}}
    ]


def of_r(notebook: Any) -> None:
    """The kernel of another language."""
    notebook["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}


def test_what_a_bad_day_leaves_in_a_notebook_is_no_obstacle(home: Path) -> None:
    notebook = read(LAB.folder / "work" / NAME)
    for change in (half_run, fill, of_r):
        change(notebook)
    (home / LAB.id / NAME).write_text(json.dumps(notebook))
    done = lab(home, "check", "look")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def in_conflict(text: str) -> str:
    """As a merge leaves it."""
    return f"<<<<<<< HEAD\n{text}"


def of_format_3(text: str) -> str:
    """As a Jupyter of 2014 would save it."""
    notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]  # it publishes no types
    return json.dumps(nbformat.convert(notebook, 3))  # type: ignore[no-untyped-call]  # as above


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (in_conflict, "it cannot be read as JSON (Expecting value: line 1 column 1 (char 0))"),
        (of_format_3, "is of notebook format 3, older than what is read here (4)."),
    ],
    ids=["in conflict", "of format 3"],
)
def test_a_notebook_that_cannot_be_read_gets_a_message_that_helps(
    home: Path, change: Callable[[str], str], wanted: str
) -> None:
    (home / LAB.id / NAME).write_text(change((LAB.folder / "work" / NAME).read_text()))
    done = lab(home, "check", "look")
    assert done.returncode == 1
    assert wanted in " ".join(done.stdout.split())
    assert "JupyterLab" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
