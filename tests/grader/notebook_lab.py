"""A tiny course with a notebook lab: late deliveries, a baseline and a prediction."""

import json
from pathlib import Path
from typing import Any

from grader.answers import Kitchen, find_answer
from grader.manifest import Lab, read_lab
from grader.release import release
from tests.grader.courses import write_files

NAME = "late.ipynb"
REASON = "Two orders make a line, and the third lies on it."
BASELINE = "baseline = sum(minutes_taken) / len(minutes_taken)"
MANIFEST = """
format = 1
title = "Predict the delay"
minutes = 10
objectives = ["Predict a delay"]
prepare = [["python", "-c", "open('orders.csv', 'w').write('km,minutes\\\\n1,12\\\\n2,14\\\\n4,18\\\\n')"]]

[limits]
cpu_s = 30
wall_s = 60

[[tasks]]
id = "look"
title = "Look at the orders"
minutes = 1
worked = true
[[tasks.checks]]
id = "orders_are_read"
says = "orders has three rows"

[[tasks]]
id = "baseline"
title = "A baseline"
minutes = 2
[[tasks.checks]]
id = "baseline_is_the_mean"
says = "baseline is the mean of the minutes"
points = 2
hints = ["Look at minutes.", "Use mean.", "sum(minutes) / len(minutes)"]

[[tasks]]
id = "predict"
title = "Predict"
minutes = 5
[[tasks.checks]]
id = "predicts_any_distance"
says = "predict works for any distance"
points = 3
hints = ["Two orders make a line.", "10 and 2.", "10 + 2 * km"]
hidden = true
[[tasks.checks]]
id = "reason_is_told"
says = "You say in a sentence why a line is enough"
points = 4
hints = ["Draw them.", "Is one off the line?", "None is."]
by_hand = "late.ipynb"
"""

MASTER = """
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Late again
# Dinner takes *longer* than promised.

# %%
import csv
from pathlib import Path

# %% Read the orders
rows = list(csv.DictReader(Path("orders.csv").open()))
orders = [(float(row["km"]), float(row["minutes"])) for row in rows]

# %% check="orders_are_read"
assert len(orders) == 3

# %% [markdown]
# ## A baseline

# %% Baseline
# BEGIN SOLUTION
minutes_taken = [minutes for _, minutes in orders]
baseline = sum(minutes_taken) / len(minutes_taken)
# INSTEAD: # The mean of the minutes.
# INSTEAD: baseline = ...
# END SOLUTION

# %% check="baseline_is_the_mean"

# %% Speed locked=true
SPEED = 2.0

# %% [markdown]
# ## Predict

# %% Predict
def predict(km):
    # BEGIN SOLUTION
    start_of_line = 10
    return start_of_line + SPEED * km
    # INSTEAD: raise NotImplementedError
    # END SOLUTION

# %% check="predicts_any_distance"
assert predict(2) == 14

# %% [markdown] check="reason_is_told"
# BEGIN SOLUTION
# Two orders make a line, and the third lies on it.
# INSTEAD: Your words.
# END SOLUTION
"""

CHECKS = """
from grader.checks import Expect, Student, near


def test_orders_are_read(student: Student, expect: Expect) -> None:
    found = student.notebook("late.ipynb", until="Read the orders").value("orders")
    expect(len(found), 3, looked_at="orders", why="All are needed.", misconception="half-read")


def test_baseline_is_the_mean(student: Student, expect: Expect) -> None:
    found = student.notebook("late.ipynb").value("baseline")
    expect(found, near(44 / 3, within=0.01), looked_at="baseline", why="It is what a model has to beat.",
           misconception="median")
"""

HIDDEN = """
from grader.checks import Expect, Hidden, Student, near


def test_predicts_any_distance(student: Student, hidden: Hidden, expect: Expect) -> None:
    km = float(hidden.rng("km").uniform(5, 9))
    found = student.notebook("late.ipynb").call("predict", km)
    expect(found, near(10 + 2 * km, within=0.01), looked_at="predict", why="Orders come from anywhere.",
           misconception="learned-by-heart")
"""

MEDIAN = """
# %% Baseline
baseline = sorted(minutes for _, minutes in orders)[1]
"""

BY_HEART = """
# %% [markdown]
# I know these.

# %% Predict
def predict(km):
    return {1: 12, 2: 14, 4: 18}.get(km, 0)
"""

HALF_READ = """
# %% Read the orders
rows = list(csv.DictReader(Path("orders.csv").open()))
orders = [(float(row["km"]), float(row["minutes"])) for row in rows][:2] * 1
"""

NUMPY = """
# %% Baseline
%load_ext autoreload
import numpy as np
baseline = np.mean([minutes for _, minutes in orders])

# %%
answer = !echo 2

# %% Predict
predict = np.poly1d([float(answer[0]), 10])
"""


def notebook_course(folder: Path) -> Lab:
    """Write the course below `folder`, release its lab and read it."""
    place = "solutions/01-late"
    files = {
        "mkdocs.yml": "site_name: Late\n",
        "labs/01-late/lab.toml": MANIFEST,
        "labs/01-late/checks/test_visible.py": CHECKS,
        f"{place}/work/late.py": MASTER,
        f"{place}/checks/test_hidden.py": HIDDEN,
        f"{place}/wrong/median/late.py": MEDIAN,
        f"{place}/wrong/median/expect.toml": '[fails]\nbaseline_is_the_mean = "median"\n',
        f"{place}/wrong/by-heart/late.py": BY_HEART,
        f"{place}/wrong/by-heart/expect.toml": '[fails]\npredicts_any_distance = "learned-by-heart"\n',
        f"{place}/wrong/half-read/late.py": HALF_READ,
        f"{place}/wrong/half-read/expect.toml": (
            '[fails]\norders_are_read = "half-read"\nbaseline_is_the_mean = "median"\n'
        ),
        f"{place}/right/numpy/late.py": NUMPY,
    }
    write_files(folder, files)
    lab = read_lab(folder / "labs" / "01-late")
    release(lab)
    return lab


def solved_work(lab: Lab, folder: Path) -> Path:
    """A workspace of the lab with the master in it."""
    return Kitchen(lab, folder).make(find_answer(lab, "master"))


def read(path: Path) -> Any:
    """A notebook as the plain data that it is."""
    return json.loads(path.read_text(encoding="utf-8"))
