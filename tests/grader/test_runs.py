"""A run judges what is missing, keeps what it has, and goes on after whatever happened to it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace as with_
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from grader.classroom import Classroom
from grader.doctor import Strength, Wall
from grader.errors import CourseError
from grader.manifest import Lab, read_lab
from grader.release import release
from grader.results import Result, Verdict
from grader.runs import Begun, Ended, Summary, grade, load_results
from tests.grader.classes import MINUS, RIGHT, a_class, hand_in, judged, record
from tests.grader.courses import replace
from tests.lab_env.disks import fill, small_disk

T = TypeVar("T")


def host(name: str, *, required: bool) -> Strength:
    """What a doctor would say of a host that lacks one wall."""
    lacks = Wall(name, required, False, "a packet came through.", "Run it as root.")
    return Strength("bubblewrap", (lacks, Wall("reading", True, True, "")))


def mended(lab: Lab, old: str, new: str) -> Lab:
    """The lab with a change in its visible checks, released again."""
    replace(lab.folder / "checks" / "test_visible.py", old, new)
    release(lab)
    return read_lab(lab.folder)


def left_in(classroom: Classroom) -> list[str]:
    """What a run left outside and inside of the class."""
    lock = classroom.folder / ".grading.lock"
    folders = [one for one in lock.read_text().splitlines()[1:] if Path(one).exists()]
    processes = [
        str(one.info["cmdline"])
        for one in psutil.process_iter(["cmdline", "environ"])
        if "/grader-" in (one.info["environ"] or {}).get("TMPDIR", "")
        and str(classroom.folder.parent) in str(one.info["cmdline"])
    ]
    halves = [str(one) for one in classroom.folder.glob("results/*/*/*/.*")]
    return folders + processes + halves


def test_what_has_no_result_is_judged_and_what_has_one_is_kept(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", "ben", "cleo")
    kept = record(classroom, sound, "anna", judged(sound, hand_in(classroom, sound, "anna", RIGHT)))
    hand_in(classroom, sound, "ben", MINUS)
    said: list[Begun | Ended] = []
    summary = grade(classroom, sound, told=said.append)
    assert (summary.judged, summary.kept, summary.failed) == (1, 1, {})
    assert summary.results["anna"] == kept
    ben = summary.results["ben"]
    assert [check.verdict for check in ben.checks] == ["PASS", "FAIL", "BLOCKED", "PASS"]
    assert said == [Begun(1, 1), Ended(1, 1, "ben", ben)]
    assert isinstance(said[1], Ended)
    assert said[1].line == f"[1/1] ben: 1 of 6 points ({ben.seconds:.1f} s)"
    assert load_results(classroom, sound) == summary.results
    (folder,) = (classroom.results("ben", sound.id)).iterdir()
    assert folder.name == f"{ben.snapshot[:16]}-{sound.release[:16]}"
    view = json.loads((folder / "learner.json").read_text())
    assert view["points"] == 1
    assert "CANARY" not in (folder / "result.json").read_text()
    assert left_in(classroom) == []


def test_a_result_that_is_judged_again_is_kept_beside_the_other(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    first = record(classroom, sound, "anna", judged(sound, hand_in(classroom, sound, "anna", MINUS)))
    for _ in range(2):
        again = grade(classroom, sound, again=True)
        assert (again.judged, again.results["anna"].points) == (1, 1)
        (folder,) = classroom.results("anna", sound.id).iterdir()
        kept = {path.name for path in folder.iterdir()}
        assert kept == {"earlier-1.json", "learner.json", "result.json"}
        assert Result.from_dict(json.loads((folder / "earlier-1.json").read_text())) == first


def test_half_a_result_is_none(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    record(classroom, sound, "anna", judged(sound, hand_in(classroom, sound, "anna", RIGHT)))
    (file,) = classroom.folder.glob("results/*/*/*/result.json")
    whole = file.read_text()
    other = json.dumps(json.loads(whole) | {"snapshot": "f" * 64})
    for broken in ("", whole[:500], "[]", whole.replace('"format": 1', '"format": 9'), other):
        file.write_text(broken)
        assert load_results(classroom, sound) == {}
    file.write_text(whole)
    assert list(load_results(classroom, sound)) == ["anna"]
    (file.parent / "learner.json").unlink()
    assert load_results(classroom, sound) == {}


def test_a_grader_error_is_judged_once_more_and_then_kept(tiny: Lab, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    check = (
        f"    mark = __import__('pathlib').Path({str(marks)!r}) / ('once' if b'a + b' in "
        "(evidence.read('add.py') or b'') else 'always')\n"
        "    seen = mark.exists()\n"
        "    mark.touch()\n"
        "    if not seen or mark.name == 'always':\n"
        "        raise RuntimeError('the disk of the judge')\n"
    )
    name = "def test_is_committed(evidence: Evidence, expect: Expect) -> None:\n"
    lab = mended(tiny, name, name + check)
    classroom = a_class(tmp_path / "class", lab, "anna", "ben")
    hand_in(classroom, lab, "anna", RIGHT)
    hand_in(classroom, lab, "ben", MINUS)
    said: list[Begun | Ended] = []
    summary = grade(classroom, lab, told=said.append, workers=2)
    anna, ben = summary.results["anna"], summary.results["ben"]
    assert anna.check("is_committed").verdict is Verdict.PASS
    assert anna.tries == ben.tries == ("GRADER_ERROR in is_committed",)
    assert ben.check("is_committed").verdict is Verdict.GRADER_ERROR
    assert summary.flagged == ("ben",)
    lines = {one.learner: one.line for one in said if isinstance(one, Ended)}
    assert "anna: 6 of 6 points, judged again: GRADER_ERROR in is_committed (" in lines["anna"]
    assert "1 flagged, judged again: GRADER_ERROR in is_committed" in lines["ben"]
    assert load_results(classroom, lab)["ben"] == ben

    again = grade(classroom, lab)
    assert (again.judged, again.kept) == (0, 2)
    replace(lab.folder / "checks" / "test_visible.py", "mark.name == 'always'", "False")
    release(lab)
    flagged = with_(ben, release=lab.release)
    record(classroom, lab, "ben", flagged)
    record(classroom, lab, "anna", with_(anna, release=lab.release))
    third = grade(classroom, lab, flagged=True)
    assert (third.judged, third.kept, third.flagged) == (1, 1, ())


def test_who_timed_out_beside_others_is_judged_alone(tiny: Lab, tmp_path: Path) -> None:
    replace(tiny.folder / "lab.toml", "wall_s = 20", "wall_s = 3")
    marks = tmp_path / "marks"
    slow = (
        f"import pathlib, time\n\n\ndef add(a, b):\n    mark = pathlib.Path({str(marks)!r})\n"
        "    if not mark.exists():\n        mark.touch()\n        time.sleep(60)\n    return a + b\n"
    )
    release(tiny)
    lab = read_lab(tiny.folder)
    classroom = a_class(tmp_path / "class", lab, "anna", "ben")
    hand_in(classroom, lab, "anna", {**RIGHT, "add.py": slow})
    hand_in(classroom, lab, "ben", RIGHT)
    summary = grade(classroom, lab, workers=2)
    assert {name: result.points for name, result in summary.results.items()} == {"anna": 6, "ben": 6}
    assert summary.results["anna"].tries == ("TIMEOUT in adds beside others",)
    assert summary.results["ben"].tries == ()


def test_one_that_was_changed_since_is_named_and_the_others_graded(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", "ben", "cleo")
    changed, gone = (hand_in(classroom, sound, name, RIGHT) for name in ("anna", "ben"))
    (classroom.submissions("anna", sound.id) / changed[:16] / "work" / "add.py").write_text("")
    (classroom.submissions("ben", sound.id) / gone[:16] / "work").rename(tmp_path / "gone")
    record(classroom, sound, "cleo", judged(sound, hand_in(classroom, sound, "cleo", RIGHT)))
    said: list[Begun | Ended] = []
    summary = grade(classroom, sound, told=said.append)
    assert "is not what was collected (its files have changed). Collect it again." in summary.failed["anna"]
    assert "is not a folder" in summary.failed["ben"]
    assert list(summary.results) == ["cleo"]
    lines = {one.learner: one.line for one in said if isinstance(one, Ended)}
    assert lines["anna"].startswith("[1/2] anna: not judged: ")


GRADE = """
import sys
from dataclasses import replace
from pathlib import Path
from grader.classroom import read_class
from grader.doctor import Strength, Wall
from grader.errors import CourseError
from grader.manifest import list_labs
from grader.runs import grade
classroom = replace(read_class(Path(sys.argv[1])), box="local")
try:
    grade(classroom, list_labs(classroom.course)[0], workers=2, told=lambda one: print(one, flush=True))
except CourseError as error:
    sys.exit(str(error))
"""


def started(classroom: Classroom) -> subprocess.Popen[str]:
    """A grader of its own; it has said that it begins."""
    process = subprocess.Popen(
        [sys.executable, "-c", GRADE, str(classroom.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Begun")
    return process


def judges(classroom: Classroom) -> list[psutil.Process]:
    """The judges at work below the class's scratch folder."""
    folder = (classroom.folder / ".grading.lock").read_text().splitlines()[1]
    found = []
    for one in psutil.process_iter(["cmdline", "environ"]):
        if "grader.judge" in (one.info["cmdline"] or ()) and (one.info["environ"] or {}).get(
            "TMPDIR", ""
        ).startswith(folder):
            found.append(one)
    return found


def waited(what: Callable[[], list[T]], wait_s: float = 60) -> list[T]:
    """What `what` gives as soon as it gives something."""
    until = time.monotonic() + wait_s
    while not (found := what()):
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)
    return found


def end(process: subprocess.Popen[str]) -> str:
    """Kill a grader as the kernel would; what it had said."""
    process.kill()
    out, error = process.communicate(timeout=60)
    return out + error


def plain_results(summary: Summary) -> dict[str, list[tuple[str, str]]]:
    """The verdicts, times aside."""
    return {
        name: [(check.id, check.verdict) for check in result.checks]
        for name, result in summary.results.items()
    }


def test_a_run_goes_on_after_its_controller_and_a_judge_were_killed(tiny: Lab, tmp_path: Path) -> None:
    lab = tiny
    classroom = a_class(tmp_path / "class", lab, "anna", "ben", "cleo")
    for name, files in {"anna": RIGHT, "ben": MINUS, "cleo": RIGHT}.items():
        hand_in(classroom, lab, name, files)

    first = started(classroom)
    waited(lambda: judges(classroom))
    with pytest.raises(CourseError, match=rf"is being graded by process {first.pid}\. Wait until it ends"):
        grade(classroom, lab)
    waited(lambda: [*classroom.folder.glob("results/*/*/*/result.json")])
    end(first)
    scratch = Path((classroom.folder / ".grading.lock").read_text().splitlines()[1])
    assert scratch.is_dir()
    (half,) = [*classroom.folder.glob("results/*/*/*")][:1]
    (half / ".result.json.half").write_text("{")

    second = started(classroom)
    for judge in waited(lambda: judges(classroom))[:1]:
        os.kill(judge.pid, signal.SIGKILL)
    _, error = second.communicate(timeout=120)
    assert (second.returncode, error) == (0, "")
    assert not scratch.exists()
    summary = grade(classroom, lab)
    assert summary.judged == 0
    assert plain_results(summary) == {
        "anna": [(check.id, "PASS") for check in lab.checks],
        "ben": [
            ("notes_are_there", "PASS"),
            ("adds", "FAIL"),
            ("adds_anything", "BLOCKED"),
            ("is_committed", "PASS"),
        ],
        "cleo": [(check.id, "PASS") for check in lab.checks],
    }
    assert left_in(classroom) == []


def at_work(classroom: Classroom) -> dict[str, psutil.Process]:
    """The judge that calls learner code, its box, and the templates of both, once all are there."""
    found: dict[str, psutil.Process] = {}
    with suppress(psutil.Error):
        for judge in judges(classroom):
            if judge.ppid() in {one.pid for one in judges(classroom)}:
                found |= {"judge": judge, "template of judges": psutil.Process(judge.ppid())}
        for template in found["judge"].parent().children() if found else []:  # type: ignore[union-attr]
            for box in template.children():
                if "agent.py" in " ".join(box.cmdline()) and Path(box.cwd()).name == "work":
                    found |= {"template of boxes": template, "box": box}
    return found if "box" in found else {}


KILLED = {
    "box": ("GRADER_ERROR in adds",),
    "template of boxes": ("GRADER_ERROR in adds",),
    "judge": (),  # done again, cold
    "template of judges": (),  # its judges end with it
}


@pytest.mark.parametrize("victim", KILLED)
def test_whatever_is_killed_the_grade_stays_what_it_is(sound: Lab, tmp_path: Path, victim: str) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    slow = "import time\n\n\ndef add(a, b):\n    time.sleep(1)\n    return a + b\n"
    hand_in(classroom, sound, "anna", {**RIGHT, "add.py": slow})
    grader = started(classroom)
    dict(waited(lambda: [*at_work(classroom).items()]))[victim].kill()
    _, error = grader.communicate(timeout=120)
    assert (grader.returncode, error) == (0, "")
    anna = load_results(classroom, sound)["anna"]
    assert (anna.points, anna.tries) == (6, KILLED[victim])
    assert left_in(classroom) == []


def test_a_full_disk_ends_the_run_with_a_message_and_keeps_the_rest(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", "ben")
    record(classroom, sound, "anna", judged(sound, hand_in(classroom, sound, "anna", RIGHT)))
    hand_in(classroom, sound, "ben", RIGHT)
    (classroom.folder / "results").rename(tmp_path / "before")
    with small_disk(classroom.folder / "results", kilobytes=256):
        subprocess.run(["cp", "-r", f"{tmp_path}/before/.", str(classroom.folder / "results")], check=True)
        fill(classroom.folder / "results")
        with pytest.raises(CourseError, match=r"results.* cannot be written \(No space left on device\)"):
            grade(classroom, sound)
        (classroom.folder / "results" / "filler").unlink()

        def told(event: Begun | Ended) -> None:
            if isinstance(event, Begun):
                fill(classroom.folder / "results")

        with pytest.raises(
            CourseError,
            match=r"No space left.*so far is kept\. Mend that.*`grader grade 01` again: it goes on",
        ):
            grade(classroom, sound, told=told)
        assert list(load_results(classroom, sound)) == ["anna"]
        assert left_in(classroom) == []
        subprocess.run(["mount", "-o", "remount,ro", str(classroom.folder / "results")], check=True)
        with pytest.raises(CourseError, match=r"results.* cannot be written \(Read-only file system\)"):
            grade(classroom, sound)


def test_a_full_place_for_temporary_files_ends_the_run(
    sound: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    hand_in(classroom, sound, "anna", {**RIGHT, "big.bin": "x" * 300_000})
    with small_disk(tmp_path / "tmp", kilobytes=128):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
        with pytest.raises(CourseError, match=r"cannot be written \(No space left on device\)"):
            grade(classroom, sound)
    assert load_results(classroom, sound) == {}


def test_a_box_without_its_walls_judges_nobody(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", box="bubblewrap")
    hand_in(classroom, sound, "anna", RIGHT)
    with pytest.raises(
        CourseError, match=r"the box `bubblewrap` lacks network on this host\.\n  network: a packet"
    ):
        grade(classroom, sound, look=lambda _: host("network", required=True))
    with pytest.raises(CourseError, match=r"is weak on this host: shared memory\.\n.*\n.*--accept-weak"):
        grade(classroom, sound, look=lambda _: host("shared memory", required=False))


def test_every_result_of_a_weak_host_says_so(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    hand_in(classroom, sound, "anna", RIGHT)
    weak = host("shared memory", required=False)
    summary = grade(classroom, sound, look=lambda _: weak, accept_weak=True)
    assert summary.results["anna"].weak == ("shared memory",)
    assert load_results(classroom, sound)["anna"].weak == ("shared memory",)


def test_a_lab_out_of_step_or_without_hidden_checks_is_not_graded(tiny: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", tiny, "anna")
    replace(tiny.folder / "lab.toml", "points = 3", "points = 4")
    with pytest.raises(CourseError, match=r"01-add is not as it was released.*`grader release 01`"):
        grade(classroom, read_lab(tiny.folder))
    tiny.solutions.rename(tmp_path / "elsewhere")
    with pytest.raises(CourseError, match=r"is missing: this is a published copy.*`course` in class\.toml"):
        grade(classroom, tiny)


def test_flagged_results_say_so() -> None:
    result = Result("01-add", "r", "s", "local", (), seconds=1.0)
    assert Ended(3, 200, "anna", result).line == "[3/200] anna: 0 of 0 points (1.0 s)"
    assert Ended(1, 2, "ben", None, "no\n\x1b[31mroom").line == "[1/2] ben: not judged: no \\x1b[31mroom"
