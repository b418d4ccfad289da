"""A new lab: the smallest that has every part, with `FILL` wherever its author has to say something."""

import re
from pathlib import Path

from grader.errors import CourseError
from grader.manifest import LAB_ID, list_labs
from grader.texts import line, write_whole

FILL = "FILL"
MANIFEST = """format = 1
title = "FILL: what the learner does, in the imperative"
minutes = 60
objectives = ["FILL: what they can do afterwards"]

[[tasks]]
id = "first-task"
title = "FILL: one thing to do"
minutes = 20

[[tasks.checks]]
id = "answer_is_right"
points = 2
says = "FILL: the promise, in one sentence"
hints = [
    "FILL: where to look",
    "FILL: what to use",
    "FILL: nearly the line",
]

[[tasks.checks]]
id = "any_answer_is_right"
points = 1
says = "FILL: it holds for what is not on the page"
hidden = true
after = ["answer_is_right"]
hints = [
    "FILL: where to look",
    "FILL: what to use",
    "FILL: nearly the line",
]
"""
BRIEF = """FILL: two or three sentences of what happened at work, and what is wanted.

## first-task

FILL: what to do in `task.py`, and how to see that it is done.
"""
MASTER = '''"""FILL: what this file is for."""


def answer(numbers: list[float]) -> float:
    """FILL: what comes out, and in which unit."""
    # BEGIN SOLUTION
    raise NotImplementedError("FILL: the one right answer")
    # INSTEAD: raise NotImplementedError
    # END SOLUTION
'''
VISIBLE = '''"""FILL: what these checks look at."""

from grader.checks import Expect, Student

LINK = "modules/{lab}.md"


def test_answer_is_right(student: Student, expect: Expect) -> None:
    expect(
        student.call("task.answer", [1.0, 2.0, 6.0]),
        "FILL: what it is for these",
        looked_at="answer([1, 2, 6])",
        why="FILL: why it matters at work.",
        link=LINK,
        misconception="first-mistake",
    )
'''
HIDDEN = '''"""FILL: what no learner sees."""

from grader.checks import Expect, Hidden, Student, near

LINK = "modules/{lab}.md"


def wanted(numbers: list[float]) -> float:
    raise NotImplementedError("FILL: the same, written another way than in the master")


def test_any_answer_is_right(student: Student, hidden: Hidden, expect: Expect) -> None:
    numbers = [float(one) for one in hidden.rng("numbers").integers(1, 1000, 5)]
    expect(
        student.call("task.answer", numbers),
        near(wanted(numbers), within=1e-6),
        looked_at="answer, for five numbers",
        why="FILL: why one example proves little.",
        link=LINK,
        misconception="typed-in",
    )
'''
MISTAKE = """def answer(numbers: list[float]) -> float:
    raise NotImplementedError("FILL: the mistake that people make first")
"""
TYPED = """def answer(numbers: list[float]) -> float:
    raise NotImplementedError("FILL: the number from the page, typed in")
"""
OTHER = """def answer(numbers: list[float]) -> float:
    raise NotImplementedError("FILL: another right answer")
"""
INSTRUCTOR = """# {lab}

FILL: minutes, what to show, what goes wrong, how to grade by hand.
"""
FILES = {
    "labs/{lab}/lab.toml": MANIFEST,
    "labs/{lab}/brief.md": BRIEF,
    "labs/{lab}/checks/test_first_task.py": VISIBLE,
    "solutions/{lab}/work/task.py": MASTER,
    "solutions/{lab}/checks/test_hidden.py": HIDDEN,
    "solutions/{lab}/wrong/first-mistake/task.py": MISTAKE,
    "solutions/{lab}/wrong/first-mistake/expect.toml": '[fails]\nanswer_is_right = "first-mistake"\n',
    "solutions/{lab}/wrong/typed-in/task.py": TYPED,
    "solutions/{lab}/wrong/typed-in/expect.toml": '[fails]\nany_answer_is_right = "typed-in"\n',
    "solutions/{lab}/right/other/task.py": OTHER,
    "solutions/{lab}/instructor.md": INSTRUCTOR,
}


def new_lab(course: Path, name: str) -> list[Path]:
    """Write the skeleton of the lab `name`; the files.

    Raises:
        CourseError: the name is none, its number is taken, the course is a published copy, or a file of the
            lab is there.
    """
    if not LAB_ID.fullmatch(name):
        raise CourseError(f"`{line(name)}` is no name of a lab. Write it like `15-feature-store`.")
    if not (course / "solutions").is_dir():
        raise CourseError(f"{course} has no `solutions/`: it is a published copy. Use the full clone.")
    number = name.partition("-")[0]
    if taken := [lab.id for lab in list_labs(course) if lab.id.startswith(f"{number}-")]:
        raise CourseError(f"The number {number} is taken by {taken[0]}. Name another one.")
    if there := [place for place in ("labs", "solutions") if (course / place / name).exists()]:
        raise CourseError(f"{course / there[0] / name} is there already. Move it away, or name another lab.")
    files = {course / path.format(lab=name): text for path, text in FILES.items()}
    for path, text in files.items():
        write_whole(path, re.sub(r"\{lab\}", name, text))
    return list(files)
