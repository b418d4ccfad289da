"""A new lab has every part, says what to fill, and is sound once that is done."""

import re
from pathlib import Path
from shutil import rmtree

import pytest

from grader.errors import CourseError
from grader.manifest import Lab, find_lab
from grader.release import release
from grader.skeleton import new_lab
from grader.verify import verify
from tests.grader.courses import write_files
from tests.grader.test_cli_class import typed

FILLED = {
    '"FILL: what it is for these"': "3.0",
    'raise NotImplementedError("FILL: the one right answer")': "return sum(numbers) / len(numbers)",
    'raise NotImplementedError("FILL: the same, written another way than in the master")': (
        "return sum(one / len(numbers) for one in numbers)"
    ),
    'raise NotImplementedError("FILL: the mistake that people make first")': "return sorted(numbers)[1]",
    'raise NotImplementedError("FILL: the number from the page, typed in")': "return 3.0",
    'raise NotImplementedError("FILL: another right answer")': "return float(sum(numbers)) / len(numbers)",
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course without a lab."""
    files = {"mkdocs.yml": "site_name: Empty\n", "pyproject.toml": "", "requirements.lock": ""}
    write_files(tmp_path / "course", files)
    for name in ("labs", "solutions"):
        (tmp_path / "course" / name).mkdir()
    return tmp_path / "course"


def fill(lab: Lab) -> None:
    """What an author does, in the shortest words."""
    files = [path for folder in (lab.folder, lab.solutions) for path in folder.rglob("*.*")]
    for file in files:
        if "__pycache__" in file.parts:
            continue
        text = file.read_text()
        for place, words in FILLED.items():
            text = text.replace(place, words)
        file.write_text(re.sub(r"FILL: ", "About ", text))


def test_a_new_lab_is_sound_once_it_is_filled(course: Path) -> None:
    done = typed(course, "new", "15-feature-store")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("15-feature-store: 11 files, in labs/15-feature-store and solutions/")
    lab = find_lab(course, "15")
    release(lab)
    problems = verify(find_lab(course, "15"), seeds=2, cache=False)
    assert any("does not earn `answer_is_right`" in one for one in problems)

    fill(lab)
    release(find_lab(course, "15"))
    assert verify(find_lab(course, "15"), seeds=2, cache=False) == []


def test_every_file_says_what_to_fill_or_what_it_fails(course: Path) -> None:
    files = new_lab(course, "15-x")
    assert [file.name for file in files if "FILL" not in file.read_text()] == ["expect.toml"] * 2
    assert not any("{lab}" in file.read_text() for file in files)


def test_a_name_that_cannot_be_is_refused(course: Path) -> None:
    new_lab(course, "15-x")
    for name, message in {
        "feature": r"`feature` is no name of a lab\. Write it like `15-feature-store`\.",
        "15-y": r"The number 15 is taken by 15-x\. Name another one\.",
    }.items():
        with pytest.raises(CourseError, match=message):
            new_lab(course, name)
    rmtree(course / "labs" / "15-x")
    with pytest.raises(CourseError, match=r"solutions/15-x is there already\. Move it away"):
        new_lab(course, "15-x")
    rmtree(course / "solutions")
    with pytest.raises(
        CourseError, match=r"has no `solutions/`: it is a published copy\. Use the full clone\."
    ):
        new_lab(course, "16-x")
