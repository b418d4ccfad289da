"""Lab 10 on policies that are not as anybody would write them: a verdict, and a message that helps."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest

from grader.boxes.base import Budget, Session, Stopped
from grader.boxes.bubblewrap import strongest
from grader.boxes.local import LocalBox
from grader.checks import Expect
from grader.controller import judge
from grader.manifest import Limits, find_lab
from grader.results import CheckResult, Verdict
from grader.warm import WarmJudge
from lab_env import lives
from tests.course.luck import GROUPS, answer, marks

COURSE = Path(__file__).parent.parent.parent
LAB = find_lab(COURSE, "10")
FIRST = "first_worlds_are_lived_through"


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmJudge]:
    with WarmJudge(LAB, strongest()) as warm:
        yield warm


def judged(work: Path, source: str, warm: WarmJudge, only: str = FIRST) -> CheckResult:
    copytree(LAB.solutions / "work", work)
    (work / "respond.py").write_text(source)
    return judge(LAB, work, only=[only], box=strongest(), warm=warm).check(only)


@pytest.mark.parametrize(
    ("body", "verdict", "says"),
    [
        ("return morning['dya']", Verdict.STUDENT_ERROR, "KeyError"),
        ("return 'roll back'", Verdict.FAIL, "roll back"),
        ("return None", Verdict.FAIL, "nothing"),
        ("return float('nan')", Verdict.FAIL, "nan"),
        ("return ['wait']", Verdict.FAIL, "wait"),
        ("return morning.get", Verdict.STUDENT_ERROR, "day 80"),
        ("raise SystemExit", Verdict.STUDENT_ERROR, "asked about the morning of day 80"),
        ("__import__('os')._exit(0)", Verdict.STUDENT_ERROR, "asked about the morning of day 80"),
        ("return 'wait' if morning['day'] < 83 else 1 / 0", Verdict.STUDENT_ERROR, "the morning of day 83"),
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


LOOPS = "def respond(morning):\n    while morning['day'] > 84:\n        pass\n    return 'wait'\n"


def test_a_policy_that_loops_is_stopped_and_the_morning_named(tmp_path: Path) -> None:
    (tmp_path / "respond.py").write_text(LOOPS)
    budget = Budget(Limits(cpu_s=1, wall_s=30))
    with closing(Session(LocalBox().start(tmp_path, {}, budget), budget)) as session:
        assert lives.ask(session, {"day": 84}, Expect()) == "wait"
        with pytest.raises(Stopped, match="respond` was asked about the morning of day 85") as stopped:
            lives.ask(session, {"day": 85}, Expect())
    assert stopped.value.verdict is Verdict.TIMEOUT
    assert "CPU" in stopped.value.found


ONE_AFTER_THE_OTHER = """

sound, last = respond, 0

def respond(morning):
    global last
    if morning["day"] < last < 115:  # the next life begins anew
        raise ValueError(f"day {morning['day']} comes after day {last}")
    last = morning["day"]
    return sound(morning)
"""


def test_a_policy_that_counts_on_the_order_of_days_is_told_which_came_late(
    warm: WarmJudge, tmp_path: Path
) -> None:
    source = (LAB.solutions / "work" / "respond.py").read_text() + ONE_AFTER_THE_OTHER
    check = judged(tmp_path / "work", source, warm, "nothing_is_remembered")
    assert check.verdict is Verdict.STUDENT_ERROR
    assert re.search(
        r"ValueError: day (\d+) comes after day .*the morning of day \1\.", check.found, re.DOTALL
    )


ODD_JOBS = (
    {
        "gate.py": "def decide(shadow, cutoffs):\n    return {'promote': True, 'because': shadow}\n",
        "alarm.py": "def due(alarm, trail, today):\n    return ['yes']\n",
        "window.py": "def window(orders, as_of, days):\n    return orders[['order_id', 'day', 'minutes']]\n",
        "release.py": "def looked_at(served):\n    return served\n",
        "audit.jsonl": '{"day": [1], "act": ["promote"], "by": 1, "because": 1}\n',
        "diagnosis.toml": "[a]\nkind = 'system'\nday = 93\nact = ['rollback']\n",
        "dvc.lock": "stages: {window: {outs: [{path: [1], md5: 1}, 2]}, 1: {outs: 3}}\n",
        "gate.json": "[" * 20_000,
    },
    {
        "gate.py": "def decide(shadow, cutoffs):\n    return {'promote': 'yes', 'because': 'so'}\n",
        "alarm.py": "def due(alarm, trail, today):\n    return float('nan'), None\n",
        "window.py": "def window(orders, as_of, days):\n    return orders.astype(str)\n",
        "release.py": "def looked_at(served):\n    return [served]\nprint('{')\n",
        "audit.jsonl": "[" * 20_000,
        "diagnosis.toml": "a = 3",
        "dvc.lock": "[" * 20_000,
        "release.json": '{"champion": ["1"]}',
    },
)
ASKED = (
    *("diagnoses_are_right", "gate_waits_for_days", "gate_pairs_by_day", "gate_takes_later_days"),
    *("gate_looks_at_slices", "alarm_decides", "window_knows_its_day", "job_is_recorded"),
    *("tested_artifact_is_promoted", "rollback_takes_the_bundle_back", "promotion_is_verified"),
    "trail_and_store_agree",
)


@pytest.mark.parametrize("files", ODD_JOBS, ids=["odd values", "odd texts"])
def test_an_odd_job_is_no_fault_of_ours(files: dict[str, str], warm: WarmJudge, tmp_path: Path) -> None:
    work = copytree(LAB.solutions / "work", tmp_path / "work")
    for name, text in files.items():
        (work / name).write_text(text)
    result = judge(LAB, work, hidden=True, only=ASKED, box=strongest(), warm=warm)
    told = {check.id: (check.verdict, check.found) for check in result.checks}
    assert {verdict for verdict, _ in told.values()} == {Verdict.FAIL}, told


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
