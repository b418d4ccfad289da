"""Courses for the bench: nbgrader's own quickstart as a lab of ours, and a notebook that fits one model."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.manifest import Lab, read_lab
from grader.release import release
from tests.grader.courses import write_files

NBGRADER = [sys.executable, "-m", "nbgrader"]
HEADER = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
"""
# What nbgrader's two cells of tests that catch an error ask, as functions, so that a check can call them.
ASKED = """
# %% Asked locked=true
def is_refused(n):
    try:
        squares(n)
    except ValueError:
        return True
    return False

def needs_squares():
    global squares
    kept = squares
    del squares
    try:
        sum_of_squares(1)
    except NameError:
        return True
    finally:
        squares = kept
    return False
"""
HEAD = 'format = 1\ntitle = "{}"\nminutes = 10\nobjectives = ["Try"]\n{}\n[limits]\ncpu_s = 20\nwall_s = 80\n'
TASK = '[[tasks]]\nid = "all"\ntitle = "All"\nminutes = 5\n'
CHECK = '[[tasks.checks]]\nid = "{0}"\nsays = "{0}"\npoints = 1\nhints = ["a", "b", "c"]\n'
QUICK_CHECKS = """
WHY = {"why": "It is asked."}


def test_correct_squares(student, expect):
    book = student.notebook("problem1.ipynb")
    found = [book.call("squares", n) for n in (1, 2, 10, 11)]
    expect(found, [[i * i for i in range(1, n + 1)] for n in (1, 2, 10, 11)], looked_at="squares", **WHY)


def test_squares_invalid_input(student, expect):
    book = student.notebook("problem1.ipynb")
    expect([book.call("is_refused", n) for n in (0, -4)], [True, True], looked_at="squares", **WHY)


def test_correct_sum_of_squares(student, expect):
    book = student.notebook("problem1.ipynb")
    found = [book.call("sum_of_squares", n) for n in (1, 2, 10, 11)]
    expect(found, [1, 5, 385, 506], looked_at="sum_of_squares", **WHY)


def test_sum_of_squares_uses_squares(student, expect):
    book = student.notebook("problem1.ipynb")
    expect(book.call("needs_squares"), True, looked_at="sum_of_squares", **WHY)
"""
BY_HAND = {"sum_of_squares_equation": "problem1", "part-a": "problem2", "part-b": "problem2"}
FIT = (
    HEADER
    + """
# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

rng = np.random.default_rng(7)
orders = pd.DataFrame({"km": rng.gamma(3, 1, 5000), "rain": rng.gamma(1, 3, 5000)})
orders["minutes"] = 10 + 4 * orders["km"] + 0.3 * orders["rain"] + rng.normal(0, 5, 5000)

# %% Promise
# BEGIN SOLUTION
promise = float(orders["minutes"].median())
# INSTEAD: promise = ...
# END SOLUTION

# %% check="promise_is_the_median"
assert abs(promise - orders["minutes"].median()) < 0.01

# %% Model
# BEGIN SOLUTION
model = HistGradientBoostingRegressor(random_state=0).fit(orders[["km", "rain"]], orders["minutes"])
error = float((model.predict(orders[["km", "rain"]]) - orders["minutes"]).abs().mean())
# INSTEAD: error = ...
# END SOLUTION

# %% check="error_is_small"
assert 3 < error < 5

# %% By distance
# BEGIN SOLUTION
near = float(model.predict(pd.DataFrame({"km": [1.0], "rain": [0.0]}))[0])
# INSTEAD: near = ...
# END SOLUTION

# %% check="near_orders_are_quick"
assert 8 < near < 20
"""
)
FIT_CHECKS = """
WHY = {"expected": "as asked", "why": "It is asked."}


def test_promise_is_the_median(student, expect):
    book = student.notebook("fit.ipynb")
    found, orders = book.value("promise"), book.value("orders")
    is_it = abs(found - orders["minutes"].median()) < 0.01
    expect.that(is_it, found=str(found), looked_at="promise", **WHY)


def test_error_is_small(student, expect):
    found = student.notebook("fit.ipynb").value("error")
    expect.that(3 < found < 5, found=str(found), looked_at="error", **WHY)


def test_near_orders_are_quick(student, expect):
    found = student.notebook("fit.ipynb").value("near")
    expect.that(8 < found < 20, found=str(found), looked_at="near", **WHY)
"""


def quickstart(folder: Path) -> tuple[Lab, Path]:
    """nbgrader's quickstart as nbgrader makes it, and as a lab of ours; the lab and nbgrader's folder."""
    theirs = folder / "quickstart"
    subprocess.run([*NBGRADER, "quickstart", str(theirs)], capture_output=True, cwd=folder, check=True)
    checks = [
        line[9:].partition("(")[0] for line in QUICK_CHECKS.splitlines() if line.startswith("def test_")
    ]
    by_hand = [f'{CHECK.format(_id(name))}by_hand = "{book}.ipynb"\n' for name, book in BY_HAND.items()]
    manifest = HEAD.format("Quickstart", "") + TASK + "".join(map(CHECK.format, checks)) + "".join(by_hand)
    masters = {
        f"solutions/01-quick/work/{book.stem}.py": HEADER
        + "".join(_cells(book))
        + (ASKED if "1" in book.stem else "")
        for book in sorted((theirs / "source" / "ps1").glob("*.ipynb"))
    }
    return _lab(folder / "quick", "01-quick", manifest, QUICK_CHECKS, masters), theirs


def fitting(folder: Path) -> Lab:
    """A lab of one notebook: a table of 5,000 rows, one gradient boosting on it, three checks."""
    checks = [line[9:].partition("(")[0] for line in FIT_CHECKS.splitlines() if line.startswith("def test_")]
    preload = 'preload = ["pandas", "sklearn.ensemble"]'
    manifest = HEAD.format("Fit", preload) + TASK + "".join(map(CHECK.format, checks))
    return _lab(folder / "fit", "01-fit", manifest, FIT_CHECKS, {"solutions/01-fit/work/fit.py": FIT})


def _lab(folder: Path, name: str, manifest: str, checks: str, masters: dict[str, str]) -> Lab:
    files = {
        "mkdocs.yml": "site_name: Bench\n",
        f"labs/{name}/lab.toml": manifest,
        f"labs/{name}/checks/test_visible.py": checks,
    }
    write_files(folder, files | masters)
    lab = read_lab(folder / "labs" / name)
    release(lab)
    return lab


def _cells(book: Path) -> Iterator[str]:
    """The cells of one of nbgrader's notebooks, as our authors write them; its tests become our checks."""
    for number, cell in enumerate(json.loads(book.read_text(encoding="utf-8"))["cells"]):
        facts: dict[str, Any] = cell["metadata"].get("nbgrader", {})
        source, name = "".join(cell["source"]).replace("### ", "# "), facts.get("grade_id", f"cell {number}")
        if facts.get("grade") and not facts["solution"]:
            continue
        head = "# %%" if cell["cell_type"] == "code" else "# %% [markdown]"
        head += f' check="{_id(name)}"' if name in BY_HAND else f" {name}"
        if facts.get("solution") and "BEGIN SOLUTION" not in source:
            source = (
                f"# BEGIN SOLUTION\n{source}\n# END SOLUTION"
                if cell["cell_type"] == "code"
                else (f"BEGIN SOLUTION\n{source}\nINSTEAD: Your words.\nEND SOLUTION")
            )
        text = (
            source if cell["cell_type"] == "code" else "".join(f"# {line}\n" for line in source.splitlines())
        )
        yield f"\n{head}\n{text}\n"


def _id(name: str) -> str:
    return name.replace("-", "_")
