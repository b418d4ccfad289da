"""The page of results has every part of the bench, measured with the versions that the lock installs."""

import re

from grader.manifest import list_labs
from tests.bench.__main__ import PARTS
from tests.bench.lessons import PAGE, lines
from tests.bench.page import COURSE, MEASURED, PACKAGES, machine

AGAIN = "Run `python -m tests.bench --page` on a quiet machine and commit docs/measured."

LESSONS = "Run `python -m tests.bench.lessons --page` with the lab's number and commit docs/measured."


def test_the_page_has_every_part_of_the_bench() -> None:
    parts = [text.partition("\n")[0] for text in MEASURED.read_text().split("\n\n")[1:]]
    assert parts == [*PARTS], AGAIN
    assert "not measured" not in MEASURED.read_text(), AGAIN


def test_every_lab_of_the_course_was_measured() -> None:
    assert [*lines(PAGE.read_text())] == [lab.id for lab in list_labs(COURSE)], LESSONS


def test_the_page_was_measured_with_the_locked_versions() -> None:
    lock = (COURSE / "requirements.lock").read_text()
    told = dict(pair.split() for pair in MEASURED.read_text().splitlines()[2].split(", "))
    locked = {name: re.findall(rf"^{name}==(\S+)", lock, re.MULTILINE) for name in PACKAGES}
    assert all(told[name] in locked[name] for name in PACKAGES), AGAIN


def test_a_measurement_says_when_where_and_with_what() -> None:
    lines = machine().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d, commit [0-9a-f]+", lines[0])
    assert re.match(r"\d+ cores, \d+ GB, \w+ [\d.]+, Python 3\.\d+", lines[1])
    assert lines[2].startswith("nbgrader 0.")
