"""An answer in words: kept from the learner's notebook, shown to a person, graded by them, and kept again."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.answers import Kitchen, find_answer
from grader.boxes.base import Budget, Stopped
from grader.boxes.local import LocalBox
from grader.boxes.notebook import Notebooks
from grader.classroom import Classroom
from grader.feedback import write as write_feedback
from grader.formgrader import write
from grader.gradebook import project, rows
from grader.lab import Limits
from grader.manifest import Lab
from grader.results import Result, Verdict
from grader.runs import grade
from tests.grader.classes import a_class, hand_in
from tests.grader.notebook_lab import NAME, notebook_course, read
from tests.grader.test_gradebook import give

REASON = "Because <script>alert(1)</script> the points lie on a line. " + "So they do. " * 500


@pytest.fixture
def late(tmp_path: Path) -> Lab:
    return notebook_course(tmp_path / "course")


def handed_in(lab: Lab, classroom: Classroom, learner: str, kind: str, answer: str = "") -> None:
    made = Kitchen(lab, classroom.folder / "kitchen").make(find_answer(lab, kind))
    notebook = read(made / NAME)
    for cell in notebook["cells"]:
        if cell["id"] == "reason_is_told" and answer:
            cell["source"] = answer
    hand_in(
        classroom, lab, learner, {NAME: json.dumps(notebook), "orders.csv": (made / "orders.csv").read_text()}
    )


def graded(lab: Lab, classroom: Classroom) -> Mapping[str, Result]:
    """Those that are new and those that a person has to decide, judged; gradebook and pages up to date."""
    results = grade(classroom, lab, flagged=True).results
    project(classroom, lab, results)
    write(classroom, lab, results)
    return results


def shown(classroom: Classroom, lab: Lab, learner: str) -> Any:
    """The cell of the answer as formgrader shows it."""
    page = read(classroom.folder / "autograded" / learner / lab.id / f"{lab.id}.ipynb")
    (cell,) = [one for one in page["cells"] if "reason_is_told" in one["source"]]
    return cell


@pytest.mark.slow
def test_a_person_reads_the_answer_and_their_grade_survives_a_regrade(late: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", late, "anna", "ben")
    handed_in(late, classroom, "anna", "master", REASON)
    handed_in(late, classroom, "ben", "starter")
    results = graded(late, classroom)
    (anna, ben) = (results[name].check("reason_is_told") for name in ("anna", "ben"))
    assert (anna.verdict, anna.found, anna.looked_at) == (Verdict.NOT_RUN, REASON.strip(), NAME)
    assert (ben.verdict, ben.found, ben.points) == (Verdict.FAIL, "Nothing is written yet.", 0)
    cell = shown(classroom, late, "anna")
    assert cell["metadata"]["nbgrader"]["points"] == 4
    assert cell["outputs"][0]["output_type"] == "stream"
    assert cell["outputs"][0]["text"].endswith(f"Yours to grade, from late.ipynb:\n\n{REASON.strip()}\n")
    assert [row.status for row in rows(classroom)] == ["to be looked at", "graded"]
    give(classroom, "reason_is_told", 3)
    [record] = classroom.folder.glob("results/anna/*/*/result.json")
    before = record.stat().st_ino
    graded(late, classroom)
    assert record.stat().st_ino != before, "it was judged again"
    mark = rows(classroom)[0].marks["reason_is_told"]
    assert (mark.points, mark.by_hand, mark.to_look_at) == (3, 3, False)
    write_feedback(classroom, late, results, rows(classroom))
    told = (classroom.folder / "feedback" / "anna" / f"{late.id}.txt").read_text()
    assert "reason_is_told: decided by a person (3 of 4 points, by hand)" in told
    assert "A person reads what you wrote and grades it." in told
    assert "alert" not in told


def test_an_answer_may_go_on_behind_its_cell_and_may_be_a_file(tmp_path: Path) -> None:
    def notebook(*cells: tuple[str, str, str]) -> str:
        facts = {"nbgrader": {"grade": True, "solution": True}}
        written = [
            {"id": name, "cell_type": kind, "source": text, "metadata": facts if name == "why" else {}}
            for name, kind, text in cells
        ]
        return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": written})

    (tmp_path / "starter").mkdir()
    (tmp_path / "work").mkdir()
    last = ("end", "code", "1")
    (tmp_path / "starter" / "n.ipynb").write_text(notebook(("why", "markdown", "Your words."), last))
    (tmp_path / "starter" / "why.md").write_text("# Why\n\nYour words.\n")
    notebooks = Notebooks(tmp_path / "starter", LocalBox(), Budget(Limits()))

    def written(name: str, text: str) -> str:
        (tmp_path / "work" / name).write_text(text)
        return notebooks.written(tmp_path / "work", name, "why")

    more = [("x", "markdown", "Two."), ("y", "code", "3"), ("z", "markdown", "Four.")]
    assert written("n.ipynb", notebook(("why", "markdown", "One."), *more, last)) == "One.\n\nTwo.\n\nFour."
    for nothing in ("Your words.", "  Your\nwords. ", ""):
        assert written("n.ipynb", notebook(("why", "markdown", nothing), last)) == ""
    assert written("n.ipynb", notebook(last)) == ""
    assert written("why.md", "# Why\n\nYour words. \n") == ""
    assert written("why.md", "# Why\n\nMine.\n") == "# Why\n\nMine."
    (tmp_path / "work" / "why.md").unlink()
    with pytest.raises(Stopped, match=r"why\.md is not in the work"):
        notebooks.written(tmp_path / "work", "why.md", "why")
