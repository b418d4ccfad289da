"""Lab 10 on policies that are not as anybody would write them: a verdict, and a message that helps."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from grader.boxes.bubblewrap import strongest
from grader.controller import judge
from grader.manifest import find_lab
from grader.results import CheckResult, Verdict
from grader.warm import WarmJudge
from tests.course.luck import GROUPS, answer, marks

COURSE = Path(__file__).parent.parent.parent
LAB = find_lab(COURSE, "10")
FIRST = "first_worlds_are_lived_through"


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmJudge]:
    with WarmJudge(LAB, strongest()) as warm:
        yield warm


def judged(work: Path, source: str, warm: WarmJudge) -> CheckResult:
    copytree(LAB.solutions / "work", work)
    (work / "respond.py").write_text(source)
    return judge(LAB, work, only=[FIRST], box=strongest(), warm=warm).check(FIRST)


@pytest.mark.parametrize(
    ("body", "verdict", "says"),
    [
        ("return morning['dya']", Verdict.STUDENT_ERROR, "KeyError"),
        ("return 'roll back'", Verdict.FAIL, "roll back"),
        ("return None", Verdict.FAIL, "nothing"),
        ("return float('nan')", Verdict.FAIL, "nan"),
        ("return ['wait']", Verdict.FAIL, "wait"),
        ("print('x' * 10**8)\n    return 'wait'", Verdict.OUTPUT, "printed more than"),
    ],
)
def test_an_odd_policy_gets_a_verdict_and_a_message(
    body: str, verdict: Verdict, says: str, warm: WarmJudge, tmp_path: Path
) -> None:
    check = judged(tmp_path / "work", f"def respond(morning):\n    {body}\n", warm)
    assert check.verdict is verdict, check
    assert says in check.found
    if verdict is Verdict.FAIL:
        assert check.expected.startswith("one of wait, fallback, offset, retrain,")
        assert check.misconception == "no-action"


def test_a_policy_that_is_not_there_is_told(warm: WarmJudge, tmp_path: Path) -> None:
    check = judged(tmp_path / "work", "def answer(morning):\n    return 'wait'\n", warm)
    assert check.verdict is Verdict.STUDENT_ERROR
    assert "respond" in check.found


@pytest.mark.slow
def test_the_master_is_far_from_failing_by_luck() -> None:
    """One judging; `python -m tests.course.luck 200` says how far over many."""
    found = marks(answer(""), judging=1)
    assert {name.split()[0] for name in found} == set(GROUPS)
    assert all(value < (500 if name.startswith("quiet") else 0.2) for name, value in found.items())
