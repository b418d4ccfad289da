"""The soak at the gate's size: 40 submissions, 5 kills."""

import random
from pathlib import Path

import pytest

from grader.boxes.bubblewrap import why_not
from tests.soak.crowd import course, crowd
from tests.soak.run import comparable, grade, grade_under_fire, left_behind, new_class, surprises

pytestmark = pytest.mark.slow


def test_a_crowd_is_graded_as_expected_and_nothing_is_lost_or_left(tmp_path: Path) -> None:
    if problem := why_not():
        pytest.skip(f"no sandbox on this host: {problem}")
    lab = course(tmp_path / "course")
    sent = crowd(lab, 40, tmp_path / "made")
    one, two = (new_class(tmp_path / name, lab, sent) for name in ("one", "two"))
    grade(one, 2)
    assert list(surprises(one, sent)) == []
    hit = grade_under_fire(two, 5, random.Random(5))
    assert sum(hit.values()) == 5
    assert list(surprises(two, sent)) == []
    assert comparable(one.rows()) == comparable(two.rows())
    assert left_behind(one) == []
    assert left_behind(two) == []
