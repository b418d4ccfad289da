"""A warm judge says what a cold one says, keeps no secret, and knows when the course has changed."""

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.answers import Kitchen, list_answers
from grader.boxes.bubblewrap import why_cold
from grader.controller import judge
from grader.manifest import Lab
from grader.results import Result, Verdict
from grader.warm import WarmJudge, check_imports, refused_preload, runs_work
from tests.grader.courses import lab_of, replace, repository, write_files

KINDS = ["local", *([] if why_cold() else ["bubblewrap"])]  # containers always start cold


ANSWERS = ("starter", "master", "wrong/typed")


def timeless(result: Result) -> str:
    """The record as it would be written, without its times."""
    record: dict[str, Any] = result.to_dict() | {"seconds": 0}
    return json.dumps(record | {"checks": [check | {"seconds": 0} for check in record["checks"]]})


@pytest.mark.slow
@pytest.mark.parametrize("box", KINDS)
def test_cold_and_warm_give_the_same_bytes(sound: Lab, tmp_path: Path, box: str) -> None:
    kitchen = Kitchen(sound, tmp_path)
    with WarmJudge(sound, box) as warm:
        answers = [one for one in list_answers(sound) if one.title in ANSWERS]
        for answer in answers:
            work = kitchen.make(answer)
            cold = timeless(judge(sound, work, hidden=True, box=box))
            assert timeless(judge(sound, work, hidden=True, box=box, warm=warm)) == cold
        assert warm.forked == len(ANSWERS)  # none of them was judged cold


DRAWS = """
def test_draws(student, hidden, expect):
    expect.that(student.call("learner.kept", hidden.rng("all").integers(10**17, 10**18, 4).tolist()) == 4,
                found="x", expected="x", looked_at="x", why="x")
"""


@pytest.fixture
def drawing(tmp_path: Path) -> tuple[Lab, Path]:
    lab = lab_of(tmp_path / "course", "", hidden=DRAWS)
    return lab, write_files(tmp_path / "work", {"learner.py": "def kept(all):\n    return len(all)\n"})


@pytest.mark.parametrize("box", KINDS)
def test_no_template_holds_a_secret_or_a_hidden_number(drawing: tuple[Lab, Path], box: str) -> None:
    lab, work = drawing
    secret = b"the-secret-of-this-class-alone"
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with WarmJudge(lab, box) as warm:
        result = judge(lab, work, hidden=True, box=box, secret=secret, warm=warm)
        assert [check.verdict for check in result.checks] == [Verdict.PASS]
        family = [one for one in psutil.Process().children(recursive=True) if one.pid not in before]
        templates = [one for one in family if "--template" in one.cmdline()]
        assert len(templates) >= 3  # of judges, of boxes, of our tools
        for process in templates:
            for word in (secret, secret.hex().encode(), b"test_draws", str(work).encode()):
                assert not holds(process.pid, word), f"{process.cmdline()} holds {word!r}"
        assert holds(templates[0].pid, b"--template")  # the search would find it


def holds(pid: int, word: bytes) -> bool:
    """Whether the memory that a process may write to has the word."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(number, 16) for number in span.split("-"))
            if "w" in rights and start < 1 << 63:
                memory.seek(start)
                if word in memory.read(end - start):
                    return True
    return False


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return lab_of(tmp_path / "course", "def test_passes():\n    pass\n")


def test_a_changed_course_is_seen_and_begun_again(lab: Lab, tmp_path: Path) -> None:
    work = write_files(tmp_path / "work", {"a.txt": "a"})
    with WarmJudge(lab) as warm:
        assert judge(lab, work, warm=warm).checks[0].verdict is Verdict.PASS
        assert warm.changed() == ""
        (work / "a.txt").write_text("b")
        assert warm.changed() == ""
        replace(lab.folder / "checks" / "test_visible.py", "pass\n", "raise RuntimeError\n")
        assert warm.changed().endswith("checks/test_visible.py")
        warm.renew(lab)
        assert warm.changed() == ""
        assert judge(lab, work, warm=warm).checks[0].verdict is Verdict.GRADER_ERROR


def test_a_judge_that_dies_or_hangs_is_told_as_a_cold_one_would_be(tmp_path: Path) -> None:
    checks = (
        "import os, time\n\ndef test_dies():\n    os._exit(9)\n\ndef test_hangs():\n    time.sleep(600)\n"
    )
    lab = lab_of(tmp_path / "course", checks, limits="wall_s = 1")
    work = write_files(tmp_path / "work", {"a.txt": "a"})
    with WarmJudge(lab) as warm:
        for only, grace_s in {"dies": 60, "hangs": 2}.items():
            cold = judge(lab, work, only=[only], grace_s=grace_s)
            assert timeless(judge(lab, work, only=[only], grace_s=grace_s, warm=warm)) == timeless(cold)
            assert cold.checks[0].verdict is Verdict.GRADER_ERROR


def test_what_checks_import_is_found_without_running_them(tmp_path: Path) -> None:
    checks = "import json, no_such_module\nfrom os.path import join\n\ndef test_passes():\n    import csv\n"
    lab = lab_of(tmp_path / "course", checks)
    write_files(lab.solutions / "checks", {"test_broken.py": "def broken(:\n"})
    assert check_imports(lab) == ["json", "no_such_module", "os.path"]


def test_only_checks_that_ask_for_the_student_run_learner_code(tmp_path: Path) -> None:
    reads = "def test_reads(evidence, expect):\n    pass\n"
    lab = lab_of(tmp_path / "course", f"{reads}def test_calls(expect, student):\n    student.call('a.b')\n")
    assert not runs_work(lab, ["reads"])
    assert runs_work(lab, ["reads", "calls"])
    write_files(lab.folder, {"checks/test_broken.py": "def ("})
    assert not runs_work(lab, ["reads"])


LOADED = """
def test_reads(evidence):
    pass

def test_calls(student, expect):
    expect(student.call("learner.loaded"), True, looked_at="the modules of a box", why="It was to be warm.")
"""


@pytest.mark.parametrize("box", KINDS)
def test_a_first_judging_without_learner_code_leaves_the_next_its_preload(tmp_path: Path, box: str) -> None:
    lab = lab_of(tmp_path / "course", LOADED).model_copy(update={"preload": ("wave",)})
    source = "import sys\n\ndef loaded():\n    return 'wave' in sys.modules\n"
    work = repository(tmp_path / "work", {"learner.py": source})
    with WarmJudge(lab, box) as warm:
        for asked in ("reads", "calls", "reads", "calls"):
            [check] = judge(lab, work, only=[asked], box=box, warm=warm).checks
            assert (asked, check.verdict, check.found) == (asked, Verdict.PASS, "")
        assert warm.forked == 4


def test_checks_that_import_what_a_template_must_not_are_judged_warm_all_the_same(tmp_path: Path) -> None:
    lab = lab_of(tmp_path / "course", "import antigravity_of_ours\n\ndef test_passes():\n    pass\n")
    work = write_files(tmp_path / "work", {"a.txt": "a"})
    with WarmJudge(lab) as warm:
        for _ in range(2):
            found = judge(lab, work, warm=warm).checks[0].found
            assert "No module named 'antigravity_of_ours'" in found
        assert warm.forked == 2


def test_a_preload_that_does_not_survive_a_fork_is_named(tmp_path: Path) -> None:
    lab = lab_of(tmp_path / "course", "def test_passes(student):\n    pass\n")
    assert refused_preload(lab) == ""
    found = refused_preload(lab.model_copy(update={"preload": ("json", "no_such_module")}))
    assert found.startswith(f"{lab.folder}/lab.toml: preload: `no_such_module` cannot be imported")
    assert found.endswith("Take it out of `preload`.")
    with WarmJudge(lab.model_copy(update={"preload": ("no_such_module",)})) as warm:
        work = write_files(tmp_path / "work", {"a.txt": "a"})
        assert judge(lab, work, warm=warm).checks[0].verdict is Verdict.PASS  # a grade is never lost for it
