"""The soak at the gate's size: 40 submissions and 5 kills of the code lab, a few of the other small labs."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.boxes.bubblewrap import why_not
from tests.soak.crowd import crowd
from tests.soak.labs import Place, code, notebook, service
from tests.soak.run import comparable, grade, grade_under_fire, left_behind, new_class, surprises

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _sandbox() -> None:
    if problem := why_not():
        pytest.skip(f"no sandbox on this host: {problem}")


def test_a_crowd_is_graded_as_expected_and_nothing_is_lost_or_left(tmp_path: Path) -> None:
    place = code(tmp_path / "course")
    sent = crowd(place, tmp_path / "made", 40, hostile=10, broken=7)
    one, two = (new_class(tmp_path / name, place.lab, sent) for name in ("one", "two"))
    calm = grade(one, 2)
    assert list(surprises(one)) == []
    assert calm.peak_mb < 300
    hit = grade_under_fire(two, 5, random.Random(5))
    assert sum(hit.values()) == 5
    assert list(surprises(two)) == []
    assert comparable(one.rows()) == comparable(two.rows())
    assert left_behind(one) == []
    assert left_behind(two) == []


@pytest.mark.parametrize("made", [service, notebook])
def test_a_crowd_of_another_lab_is_graded_as_expected(made: Callable[[Path], Place], tmp_path: Path) -> None:
    place = made(tmp_path / "course")
    room = new_class(tmp_path / "class", place.lab, crowd(place, tmp_path / "made", 9, hostile=3, broken=1))
    grade(room, 2)
    assert list(surprises(room)) == []
    assert left_behind(room) == []
