import json
from pathlib import Path

import pytest

from grader.errors import CourseError
from grader.results import CheckResult, Result, Verdict, learner_view, write_json

SEEN = CheckResult(
    "adds",
    "add",
    "It adds",
    hidden=False,
    verdict=Verdict.PASS,
    points=3,
    possible=3,
    seconds=0.25,
    box="local",
)
UNSEEN = CheckResult(
    "adds_anything",
    "add",
    "It adds anything",
    hidden=True,
    verdict=Verdict.STUDENT_ERROR,
    points=0,
    possible=2.5,
    looked_at="add(417, 902)",
    found="ValueError: 417",
    expected="1319",
    why="417 and 902",
    misconception="hard-coded",
    link="modules/x.md",
    exception="ValueError",
    seconds=1.5,
    box="local",
)
RESULT = Result(
    "01-add", "r" * 64, "s" * 64, "local", (SEEN, UNSEEN), 2.0, ("adds_anything",), {"python": "3.11"}
)


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "result.json", RESULT.to_dict())
    assert Result.from_dict(json.loads((tmp_path / "deep" / "result.json").read_text())) == RESULT


def test_points_are_those_of_passed_checks() -> None:
    assert (RESULT.points, RESULT.possible) == (3, 5.5)
    assert [check.passed for check in RESULT.checks] == [True, False]
    assert RESULT.check("adds") is SEEN
    with pytest.raises(KeyError):
        RESULT.check("absent")


def test_a_record_of_another_format_is_refused() -> None:
    with pytest.raises(
        CourseError, match=r"This result has format 2; this engine reads 1\. Judge the work again"
    ):
        Result.from_dict(RESULT.to_dict() | {"format": 2})


def test_the_learner_sees_of_a_hidden_check_what_the_design_allows() -> None:
    seen, unseen = learner_view(RESULT)["checks"]
    assert seen == RESULT.to_dict()["checks"][0]
    kept = {key: value for key, value in unseen.items() if value}
    assert kept == {
        "id": "adds_anything",
        "task": "add",
        "says": "It adds anything",
        "hidden": True,
        "verdict": "STUDENT_ERROR",
        "possible": 2.5,
        "misconception": "hard-coded",
        "exception": "ValueError",
        "box": "local",
    }
    assert "417" not in json.dumps(learner_view(RESULT))
    assert learner_view(RESULT)["seconds"] == 0.25


def test_a_record_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    write_json(file, {"a": "ü"})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(file, {"a": float("nan")})
    assert json.loads(file.read_text(encoding="utf-8")) == {"a": "ü"}
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
