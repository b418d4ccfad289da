"""Whole submissions judged by the real judge process: every verdict, and what a submission may try."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.controller import judge
from grader.manifest import Lab
from grader.results import Result, Verdict
from tests.grader.courses import lab_of, write_files

VERDICTS = """
import os
from grader.checks import Evidence, Expect, Student
from grader.errors import ToolMissing


def test_passes(student: Student, expect: Expect) -> None:
    expect(student.call("work.five"), 5, looked_at="five()", why="Five is five.")


def test_fails(student: Student, expect: Expect) -> None:
    lesson = {"link": "modules/01.md#six", "misconception": "five"}
    expect(student.call("work.five"), 6, looked_at="five()", why="Six.", **lesson)


def test_waits_for_fails(expect: Expect) -> None:
    raise RuntimeError("it must not run")


def test_waits_for_waiting(expect: Expect) -> None:
    raise RuntimeError("it must not run")


def test_raises(student: Student) -> None:
    student.call("work.wrong")


def test_ends_its_process(student: Student) -> None:
    student.call("work.end")


def test_eats(student: Student) -> None:
    student.call("work.eat")


def test_fills(student: Student) -> None:
    student.call("work.fill")


def test_shouts(student: Student) -> None:
    student.call("work.shout")


def test_forges(student: Student) -> None:
    student.call("work.forge")


def test_is_no_repository(evidence: Evidence) -> None:
    evidence.git.tags()


def test_lacks_a_tool() -> None:
    raise ToolMissing("`podman` is not on PATH. Install it.")


def test_is_broken_itself() -> None:
    raise KeyError("zone")


def test_asserts() -> None:
    assert 1 == 2


def test_asks_for_what_is_not_given(tmp_path) -> None:
    pass


def test_asks_for_nothing_known(zones) -> None:
    pass


def test_returns_a_value() -> int:
    return 5


async def test_is_never_awaited() -> None:
    raise RuntimeError("it does not run")


def test_goes_on_after_all_this(student: Student, expect: Expect) -> None:
    expect(student.call("work.five"), 5, looked_at="five()", why="Five is five.")
"""

WORK = """
import gc, os, socket, sys

def five():
    return 5

def wrong():
    raise ValueError("\\x1b[2Jno \\ud800 zone")

def end():
    os._exit(0)

def eat():
    return len(bytearray(10**10))

def fill():
    open("big", "wb").write(bytes(10 * 2**20))

def shout():
    while True:
        print("x" * 1000)

def forge():
    line = next(one for one in gc.get_objects() if isinstance(one, socket.socket))
    line.sendall(b"PASS" * 100)
"""

# What each check of VERDICTS comes to, and how its finding begins.
WANTED = {
    "passes": (Verdict.PASS, ""),
    "fails": (Verdict.FAIL, "5"),
    "waits_for_fails": (Verdict.BLOCKED, "Waits for fails."),
    "waits_for_waiting": (Verdict.BLOCKED, "Waits for waits_for_fails."),
    "raises": (Verdict.STUDENT_ERROR, r"ValueError: \x1b[2Jno \ud800 zone (work.py:7)"),
    "ends_its_process": (Verdict.STUDENT_ERROR, "Your code ended its Python process (exit code 0)."),
    "eats": (Verdict.MEMORY, "MemoryError"),
    "fills": (Verdict.DISK, "OSError: [Errno 27] File too large"),
    "shouts": (Verdict.OUTPUT, "Your code printed more than 64 KiB."),
    "forges": (Verdict.FORBIDDEN, "The answer was a message of"),
    "is_no_repository": (Verdict.FAIL, "The work is no Git repository"),
    "lacks_a_tool": (Verdict.NOT_RUN, "`podman` is not on PATH. Install it."),
    "is_broken_itself": (Verdict.GRADER_ERROR, "KeyError: 'zone' (test_visible.py:"),
    "asserts": (Verdict.GRADER_ERROR, "AssertionError"),
    "asks_for_what_is_not_given": (Verdict.GRADER_ERROR, "KeyError: 'tmp_path'"),
    "asks_for_nothing_known": (Verdict.GRADER_ERROR, "The check did not report once: "),
    "returns_a_value": (Verdict.GRADER_ERROR, "TypeError: test_returns_a_value returned a value"),
    "is_never_awaited": (Verdict.GRADER_ERROR, "TypeError: test_is_never_awaited returned a value"),
    "goes_on_after_all_this": (Verdict.PASS, ""),
}

LIMITS = "cpu_s = 60\nwall_s = 120\nmemory_mb = 512\ndisk_mb = 4\noutput_kb = 64"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One submission, judged once, that comes to all the verdicts that need no run of their own."""
    folder = tmp_path_factory.mktemp("verdicts")
    after = {"waits_for_fails": ["fails"], "waits_for_waiting": ["waits_for_fails"]}
    lab = lab_of(folder / "course", VERDICTS, limits=LIMITS, after=after)
    return judge(lab, write_files(folder / "work", {"work.py": WORK}))


@pytest.mark.parametrize("check_id", WANTED)
def test_each_check_comes_to_its_verdict(verdicts: Result, check_id: str) -> None:
    verdict, found = WANTED[check_id]
    check = verdicts.check(check_id)
    assert (check.verdict, check.found[: len(found)]) == (verdict, found)
    assert check.points == (1 if verdict is Verdict.PASS else 0)


def test_a_failed_check_carries_its_lesson(verdicts: Result) -> None:
    check = verdicts.check("fails")
    assert (check.looked_at, check.found, check.expected) == ("five()", "5", "6")
    assert (check.why, check.link, check.misconception) == ("Six.", "modules/01.md#six", "five")
    assert verdicts.check("raises").exception == "ValueError"


def test_the_record_counts_points_and_names_its_tools(verdicts: Result) -> None:
    assert [check.id for check in verdicts.checks] == list(WANTED)
    assert (verdicts.points, verdicts.possible) == (2, len(WANTED))
    assert (verdicts.lab, verdicts.box, verdicts.release) == ("01-trial", "local", "0" * 64)
    assert len(verdicts.snapshot) == 64
    assert verdicts.versions is not None
    assert verdicts.versions.keys() >= {"python", "system", "dvc", "numpy"}


ONE_CALL = """
from grader.checks import Expect, Student


def test_answers(student: Student, expect: Expect) -> None:
    expect(student.call("work.answer"), 42, looked_at="answer()", why="It is the answer.")


def test_answers_again(student: Student, expect: Expect) -> None:
    expect(student.call("work.answer"), 42, looked_at="answer()", why="It is the answer.")
"""


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab whose two checks call `answer` and want 42."""
    return lab_of(tmp_path_factory.mktemp("answering"), ONE_CALL, limits="cpu_s = 20\nwall_s = 20")


TRIES = {
    "an exit at import": ("import os\nos._exit(0)\n", Verdict.STUDENT_ERROR),
    "a polite exit at import": ("import sys\nsys.exit(0)\n", Verdict.STUDENT_ERROR),
    "an object equal to all": (
        "class All:\n    def __eq__(self, other): return True\n\ndef answer(): return All()\n",
        Verdict.STUDENT_ERROR,
    ),
    "a number equal to all": (
        "class All(int):\n    def __eq__(self, other): return True\n\ndef answer(): return All(7)\n",
        Verdict.FAIL,
    ),
    "a pytest hook": (
        "def answer(): return 0\n\ndef pytest_pyfunc_call(pyfuncitem): return True\n",
        Verdict.FAIL,
    ),
    "replies written at import": (
        "import gc, json, socket, struct\n"
        "line = next(one for one in gc.get_objects() if isinstance(one, socket.socket))\n"
        "for number in range(1, 99):\n"
        "    pairs = [['id', number], ['verdict', 'PASS'], ['value', 41]]\n"
        "    text = json.dumps({'$': 'dict', 'v': pairs}).encode()\n"
        "    line.sendall(struct.pack('!II', len(text), 0) + text)\n"
        "def answer(): return 42\n",
        Verdict.FAIL,
    ),
    "no code at all": ("", Verdict.STUDENT_ERROR),
}


@pytest.mark.parametrize("name", TRIES)
def test_what_a_submission_tries_never_becomes_a_pass(answering: Lab, tmp_path: Path, name: str) -> None:
    code, wanted = TRIES[name]
    extra = {
        "conftest.py": "import grader.checks\ngrader.checks.Expect.__call__ = lambda *_, **__: None\n",
        "pytest.py": "raise SystemExit(0)\n",
        "grader/__init__.py": "raise SystemExit(0)\n",
        "sitecustomize.py": "raise SystemExit(0)\n",
        "pytest.ini": "[pytest]\npython_functions = nothing\n",
    }
    result = judge(answering, write_files(tmp_path / "work", {"work.py": code, **extra}))
    assert {check.verdict for check in result.checks} == {wanted}


def test_code_that_kills_its_judge_and_writes_the_answer_is_a_grader_error(
    answering: Lab, tmp_path: Path
) -> None:
    code = """
    import glob, json, os, signal
    report = {"task": "only", "says": "", "hidden": False, "verdict": "PASS", "points": 1, "possible": 1}
    both = [report | {"id": "answers"}, report | {"id": "answers_again"}]
    for folder in ("../..", "../../.."):
        with open(os.path.join(folder, "answer.json"), "w") as file:
            json.dump({"checks": both}, file)
    os.kill(os.getppid(), signal.SIGKILL)
    """
    result = judge(answering, write_files(tmp_path / "a" / "b" / "work", {"work.py": code}))
    assert {check.verdict for check in result.checks} == {Verdict.GRADER_ERROR}
    assert "The judge ended with exit code -9" in result.checks[0].found


def test_sleeping_code_is_a_timeout_for_this_check_and_the_next(tmp_path: Path) -> None:
    lab = lab_of(tmp_path / "course", ONE_CALL, limits="cpu_s = 20\nwall_s = 1")
    work = write_files(tmp_path / "work", {"work.py": "import time\n\ndef answer():\n    time.sleep(600)\n"})
    result = judge(lab, work)
    assert [check.verdict for check in result.checks] == [Verdict.TIMEOUT] * 2
    assert result.checks[0].found == "No answer within 1 s."


def test_nothing_is_left_when_a_judge_is_killed(answering: Lab, tmp_path: Path) -> None:
    code = "import os, signal\n\ndef answer():\n    os.kill(os.getppid(), signal.SIGKILL)\n"
    write_files(tmp_path / "home" / answering.id, {"work.py": code})
    (tmp_path / "temporary").mkdir()
    judge_it = (
        "import sys; from pathlib import Path; from grader.controller import judge\n"
        "from grader.manifest import read_lab\n"
        "print(judge(read_lab(Path(sys.argv[1])), Path(sys.argv[2])).check('answers').verdict)"
    )
    done = subprocess.run(
        [sys.executable, "-c", judge_it, str(answering.folder), str(tmp_path / "home" / answering.id)],
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "GRADER_ERROR\n", done.stderr
    assert list((tmp_path / "temporary").iterdir()) == []
