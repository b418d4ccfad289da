"""Every lab of the course is sound: each answer judged, each rule of `grader verify` held."""

from pathlib import Path

import pytest

from grader.manifest import Lab, list_labs
from grader.verify import verify

COURSE = Path(__file__).parent.parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("lab", list_labs(COURSE), ids=lambda lab: lab.id)
def test_lab_is_sound(lab: Lab) -> None:
    assert verify(lab, rest=False) == []  # that a wrong answer passes the rest is for `make soak`


@pytest.mark.parametrize("lab", list_labs(COURSE), ids=lambda lab: lab.id)
def test_core_tasks_take_at_most_ninety_minutes(lab: Lab) -> None:
    assert sum(task.minutes for task in lab.tasks) == lab.minutes
    assert sum(task.minutes for task in lab.tasks if task.core) <= 90
    assert 4 <= sum(task.core for task in lab.tasks) <= 7


@pytest.mark.parametrize("lab", list_labs(COURSE), ids=lambda lab: lab.id)
def test_lab_has_near_misses_other_answers_and_an_instructors_note(lab: Lab) -> None:
    assert len(list((lab.solutions / "wrong").iterdir())) >= 8
    assert len(list((lab.solutions / "right").iterdir())) >= 2
    assert (lab.solutions / "instructor.md").is_file()
    assert any(check.hidden for check in lab.checks)
