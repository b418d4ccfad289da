from pathlib import Path

import pytest

from grader.controller import judge
from grader.errors import ManifestError
from grader.manifest import Lab
from grader.results import Verdict
from tests.grader.courses import lab_of, replace, write_files

DIES = """
import os


def test_passes() -> None:
    pass


def test_dies() -> None:
    os._exit(9)
"""

PASSES = "def test_passes() -> None:\n    pass\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return write_files(tmp_path / "work", {"a.txt": "a"})


def told(lab: Lab, work: Path, **asked: object) -> list[tuple[str, Verdict, str]]:
    result = judge(lab, work, **asked)  # type: ignore[arg-type]  # whatever a test asks for
    return [(check.id, check.verdict, check.found) for check in result.checks]


def test_a_judge_that_dies_is_a_grader_error_for_all(tmp_path: Path, work: Path) -> None:
    found = told(lab_of(tmp_path / "course", DIES), work)
    said = "The check did not report once: The judge ended with exit code 9: "
    assert found == [("passes", Verdict.GRADER_ERROR, said), ("dies", Verdict.GRADER_ERROR, said)]


def test_a_judge_that_hangs_is_a_grader_error_for_all(tmp_path: Path, work: Path) -> None:
    source = "import time\n\ndef test_hangs() -> None:\n    time.sleep(600)\n"
    found = told(lab_of(tmp_path / "course", source, limits="wall_s = 1"), work, grace_s=2)
    assert found == [
        ("hangs", Verdict.GRADER_ERROR, "The check did not report once: The judge did not end within 3 s.")
    ]


def test_a_check_file_that_cannot_be_read_says_why(tmp_path: Path, work: Path) -> None:
    source = f"import no_such_module\n\n{PASSES}"
    [(_, verdict, found)] = told(lab_of(tmp_path / "course", source), work)
    assert verdict is Verdict.GRADER_ERROR
    assert found == "The check did not report once: E   ModuleNotFoundError: No module named 'no_such_module'"


def test_a_check_without_a_function_is_a_grader_error(tmp_path: Path, work: Path) -> None:
    lab = lab_of(tmp_path / "course", PASSES)
    replace(lab.folder / "checks" / "test_visible.py", "test_passes", "test_other")
    assert told(lab, work) == [
        (
            "passes",
            Verdict.GRADER_ERROR,
            "The check did not report once: there is no one function `test_passes`",
        )
    ]
    (lab.folder / "checks" / "test_visible.py").unlink()
    (lab.solutions / "checks" / "test_hidden.py").unlink()
    assert told(lab, work)[0][2] == "The check did not report once: there are no check files"


def test_a_check_that_reports_twice_is_a_grader_error(tmp_path: Path, work: Path) -> None:
    lab = lab_of(tmp_path / "course", PASSES)
    write_files(lab.folder / "checks", {"test_more.py": PASSES})
    assert told(lab, work) == [
        (
            "passes",
            Verdict.GRADER_ERROR,
            "The check did not report once: there is no one function `test_passes`",
        )
    ]


SKIPS = """
import pytest


@pytest.mark.parametrize("n", [1, 2])
def test_has_cases(n: int) -> None:
    pass


def test_skips() -> None:
    pytest.skip("not today")


def test_ends() -> None:
    raise SystemExit(0)
"""


def test_checks_that_pytest_would_count_as_run_are_grader_errors(tmp_path: Path, work: Path) -> None:
    found = told(lab_of(tmp_path / "course", SKIPS), work)
    assert [verdict for _, verdict, _ in found] == [Verdict.GRADER_ERROR] * 3


def test_a_conftest_beside_the_checks_has_no_say(tmp_path: Path, work: Path) -> None:
    lab = lab_of(tmp_path / "course", "def test_fails() -> None:\n    raise RuntimeError\n")
    hook = "def pytest_pyfunc_call(pyfuncitem):\n    return True\n"
    write_files(lab.course, {"conftest.py": hook, "labs/01-trial/checks/conftest.py": hook})
    assert told(lab, work) == [("fails", Verdict.GRADER_ERROR, "RuntimeError:  (test_visible.py:2)")]


def test_work_that_cannot_be_taken_is_invalid_for_all(tmp_path: Path, work: Path) -> None:
    lab = lab_of(tmp_path / "course", PASSES, hidden="def test_more() -> None:\n    pass\n")
    (work / "odd").symlink_to("a.txt")
    result = judge(lab, work, hidden=True)
    assert {check.verdict for check in result.checks} == {Verdict.INVALID_SUBMISSION}
    assert [check.id for check in result.checks] == ["passes", "more"]
    assert result.checks[0].found.startswith("odd is a link; only plain files are judged.")
    assert (result.points, result.possible, result.snapshot) == (0, 2, "")


def test_hidden_checks_run_only_when_asked_for(sound: Lab, tmp_path: Path) -> None:
    work = write_files(tmp_path / "work", {"add.py": "def add(a, b):\n    return 5\n", "notes.md": "x"})
    visible = judge(sound, work)
    assert [check.id for check in visible.checks] == ["notes_are_there", "adds", "is_committed"]
    assert (visible.points, visible.possible, visible.seeded) == (3, 4, ())
    one = judge(sound, work, hidden=True, only=["adds_anything"])
    assert [(check.id, check.verdict) for check in one.checks] == [
        ("adds", Verdict.PASS),
        ("adds_anything", Verdict.FAIL),
    ]
    assert one.seeded == ("adds_anything",)


def test_an_unknown_check_is_named_before_anything_runs(sound: Lab, work: Path) -> None:
    with pytest.raises(ManifestError, match=r"has no check `add`\. Did you mean `adds`\?"):
        judge(sound, work, only=["add"])


def test_a_lab_that_cannot_be_read_by_its_judge_is_a_grader_error(tmp_path: Path, work: Path) -> None:
    lab = lab_of(tmp_path / "course", PASSES)
    replace(lab.folder / "lab.toml", "format = 1", "format = 2")
    [(_, verdict, found)] = told(lab, work)
    assert verdict is Verdict.GRADER_ERROR
    assert "`format` is 2; this engine reads 1" in found
