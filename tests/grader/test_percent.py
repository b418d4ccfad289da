"""Notebooks released from text, and what nbgrader's own tools say of them."""

import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from grader.answers import Kitchen, find_answer
from grader.errors import CourseError, ReleaseError
from grader.manifest import Lab, read_lab
from grader.percent import is_notebook
from grader.release import check_release, leaks, release, starter_files
from tests.grader.courses import replace
from tests.grader.notebook_lab import BASELINE, NAME, REASON, notebook_course, read, solved_work


@pytest.fixture
def late(tmp_path: Path) -> Lab:
    return notebook_course(tmp_path / "course")


def master(lab: Lab) -> Path:
    return lab.solutions / "work" / "late.py"


def test_a_python_file_with_a_kernelspec_in_its_header_is_a_notebook() -> None:
    header = b"# ---\n# jupyter:\n#   kernelspec:\n#     name: python3\n# ---\n"
    assert is_notebook("a/b.py", header + b"# %%\n")
    for path, content in {
        "b.md": header,
        "b.py": b"# %%\nx = 1\n",
        "c.py": b"import kernelspec\n" + header,
        "d.py": b"# ---\n# jupyter:\n#   jupytext:\n# ---\n# kernelspec:\n# ---\n",
    }.items():
        assert not is_notebook(path, content), path


def test_the_notebook_is_released_in_place_of_its_text(late: Lab) -> None:
    assert [path.name for path in (late.folder / "work").iterdir()] == [NAME]
    notebook = read(late.folder / "work" / NAME)
    nbformat.validate(notebook)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    assert cells["baseline"]["source"] == ["# The mean of the minutes.\n", "baseline = ..."]
    assert {*cells["baseline"]["metadata"]["nbgrader"].items()} >= {("solution", True), ("grade", False)}
    assert {*cells["speed"]["metadata"]["nbgrader"].items()} >= {("locked", True), ("grade", False)}
    assert cells["baseline_is_the_mean"]["source"] == ["# baseline is the mean of the minutes"]
    assert all(cell.get("outputs", []) == [] for cell in notebook["cells"])


def test_a_check_s_cell_has_its_points_from_the_manifest(late: Lab) -> None:
    facts = [cell["metadata"].get("nbgrader", {}) for cell in read(late.folder / "work" / NAME)["cells"]]
    points = {fact["grade_id"]: fact["points"] for fact in facts if fact.get("grade")}
    assert points == {
        "orders_are_read": 0,
        "baseline_is_the_mean": 2,
        "predicts_any_distance": 3,
        "reason_is_told": 4,
    }
    replace(late.folder / "lab.toml", "points = 2", "points = 7")
    assert '+     "points": 7,' in check_release(read_lab(late.folder))


def test_the_same_text_gives_the_same_bytes(late: Lab) -> None:
    first, second = starter_files(late), starter_files(late)
    assert first[NAME].content == second[NAME].content == (late.folder / "work" / NAME).read_bytes()
    assert release(late) == []


def test_a_cell_keeps_its_id_in_the_solved_notebook(late: Lab, tmp_path: Path) -> None:
    work = solved_work(late, tmp_path / "answers")
    assert not (work / "late.py").exists()
    solved = {cell["id"]: "".join(cell["source"]) for cell in read(work / NAME)["cells"]}
    assert solved.keys() == {cell["id"] for cell in read(late.folder / "work" / NAME)["cells"]}
    assert solved["baseline"].endswith("baseline = sum(minutes_taken) / len(minutes_taken)")
    assert not any(word in text for text in solved.values() for word in ("SOLUTION", "INSTEAD"))


def test_an_answer_brings_only_the_cells_that_differ(late: Lab, tmp_path: Path) -> None:
    kitchen = Kitchen(late, tmp_path / "answers")
    cells = [
        "".join(cell["source"])
        for cell in read(kitchen.make(find_answer(late, "right", "numpy")) / NAME)["cells"]
    ]
    assert len(cells) == 13
    assert cells[cells.index("answer = !echo 2") - 1].startswith("%load_ext autoreload\nimport numpy")
    assert cells[1] == "import csv\nfrom pathlib import Path"
    (late.solutions / "right" / "numpy" / "late.py").write_text("# %% Predikt\nx = 1\n")
    with pytest.raises(CourseError, match=r"right/numpy/late\.py: the master has no cell `Predikt`"):
        Kitchen(late, tmp_path / "other").make(find_answer(late, "right", "numpy"))


REFUSED = {
    "a solution in a cell without a title": (
        "# %% Baseline",
        "# %%",
        r"late\.py: cell 6 holds a solution and has no title.*`# %% Split by time`",
    ),
    "two cells of one name": (
        "# %% Speed",
        "# %% Predict",
        "late.py: two cells are called `Predict`. Give each",
    ),
    "a check that is none": (
        'check="orders_are_read"',
        'check="orders_are_reed"',
        r"late\.py: Lab 01-late has no check `orders_are_reed`\. Did you mean `orders_are_read`",
    ),
    "a check's cell in words": (
        '# %% check="baseline_is_the_mean"',
        '# %% [markdown] check="baseline_is_the_mean"\n# Words.',
        r"late\.py: the cell of the check `baseline_is_the_mean` is markdown; a check's cell is code",
    ),
    "an unknown key": (
        "locked=true",
        "lokced=true",
        r"late\.py: cell 8 has the unknown key `lokced`\. The keys",
    ),
    "a marker that does nothing": (
        "    # BEGIN SOLUTION\n    start",
        "    start",
        r"late\.py:52: this solution region is closed but was never opened",
    ),
    "a marker behind code": (
        "SPEED = 2.0",
        "SPEED = 2.0  # BEGIN SOLUTION",
        r"late\.py:\d+: `BEGIN SOLUTION` is no",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_notebook_that_cannot_be_released_names_file_and_cell(late: Lab, name: str) -> None:
    old, new, wanted = REFUSED[name]
    replace(master(late), old, new)
    with pytest.raises(ReleaseError, match=wanted):
        release(late)


def test_a_check_graded_by_hand_needs_its_place(late: Lab) -> None:
    replace(master(late), 'check="reason_is_told"', "Why")
    with pytest.raises(
        ReleaseError, match=r"late\.ipynb has no cell for `reason_is_told`\. Write `# %% \[markd"
    ):
        release(late)
    replace(late.folder / "lab.toml", 'by_hand = "late.ipynb"', 'by_hand = "why.md"')
    with pytest.raises(ReleaseError, match=r"work has no why\.md, from which `reason_is_told` is graded by"):
        release(read_lab(late.folder))
    replace(master(late), "[markdown] Why", '[markdown] check="reason_is_told"')
    with pytest.raises(
        ReleaseError, match=r"`reason_is_told` is graded by hand from why\.md\. Move its cell"
    ):
        release(read_lab(late.folder))


def test_two_files_cannot_become_one_notebook(late: Lab) -> None:
    (late.solutions / "work" / NAME).write_text("{}")
    with pytest.raises(ReleaseError, match=r"late\.ipynb is written twice: by late\.py too"):
        release(late)


LEAKS = {
    "in the words of a cell": (
        "# # Late again",
        "# minutes_taken = [minutes for _, minutes in orders]\n# " + BASELINE,
    ),
    "in the code of a cell": (
        "import csv",
        f"minutes_taken = [minutes for _, minutes in orders]\n{BASELINE}",
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_solution_that_stands_in_another_cell_is_a_leak(late: Lab, name: str) -> None:
    old, new = LEAKS[name]
    replace(master(late), old, new)
    with pytest.raises(
        ReleaseError, match=r"work/late\.ipynb shows solution lines of late\.py: 'minutes_taken"
    ):
        release(late)


def test_an_answer_in_words_is_not_let_out_either(late: Lab) -> None:
    cells = {cell["id"]: cell for cell in read(late.folder / "work" / NAME)["cells"]}
    assert cells["reason_is_told"]["source"] == ["Your words."]
    (late.folder / "brief.md").write_text(REASON)
    assert list(leaks(late, starter_files(late))) == [f"brief.md shows solution lines of late.py: {REASON!r}"]


def test_a_file_that_only_looks_like_a_notebook_is_searched_as_text(late: Lab) -> None:
    (late.folder / "brief.ipynb").write_text(
        f"minutes_taken = [minutes for _, minutes in orders]\n{BASELINE}"
    )
    assert len(list(leaks(late, starter_files(late)))) == 1


def nbgrader_validate(notebook: Path) -> str:
    done = subprocess.run(
        ["nbgrader", "validate", notebook.name],
        cwd=notebook.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_nbgrader_accepts_the_solved_notebook_and_fails_the_untouched_one(late: Lab, tmp_path: Path) -> None:
    kitchen = Kitchen(late, tmp_path / "answers")
    untouched, solved = (kitchen.make(find_answer(late, kind)) / NAME for kind in ("starter", "master"))
    assert nbgrader_validate(solved) == "Success! Your notebook passes all the tests.\n"
    said = nbgrader_validate(untouched)
    assert re.match(r"VALIDATION FAILED ON 1 CELL\(S\)!", said), said
    assert "assert predict(2) == 14" in said
