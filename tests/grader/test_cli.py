"""The `grader` command through its entry: exit code and text."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest

from grader.cli import main
from grader.manifest import Lab
from tests.grader.courses import commit, git, replace, write_files


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Grader = Callable[..., Done]


@pytest.fixture
def grader(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Grader:
    """Runs the command's entry in a course, as `grader WORDS` there would."""

    def run(lab: Lab, *words: str) -> Done:
        monkeypatch.chdir(lab.course)
        monkeypatch.setattr(sys, "argv", ["grader", *words])
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        assert isinstance(code, int | None)
        return Done(code or 0, *capsys.readouterr())

    return run


def test_the_installed_command_prints_its_help_and_refuses_a_wrong_option(sound: Lab) -> None:
    command = which("grader", path=str(Path(sys.executable).parent))
    assert command is not None
    done = subprocess.run([command], cwd=sound.course, capture_output=True, text=True, check=False)
    for name in ("release", "publish", "verify", "try"):
        assert name in done.stdout + done.stderr
    done = subprocess.run([command, "verify", "--nope"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--nope" in done.stderr


def test_release_says_what_changed(tiny: Lab, grader: Grader) -> None:
    assert grader(tiny, "release") == Done(0, "01-add: nothing changed\n", "")
    write_files(tiny.solutions / "work", {"[id].md": "x"})
    assert grader(tiny, "release", "add") == Done(0, "01-add: [id].md, release.txt\n", "")


def test_release_check_changes_nothing_and_exits_with_1(tiny: Lab, grader: Grader) -> None:
    assert grader(tiny, "release", "--check") == Done(0, "01-add: in step\n", "")
    replace(tiny.folder / "work" / "notes.md", "Add.", "[bold]Edited[/bold].")
    done = grader(tiny, "release", "--check", "1")
    assert done.code == 1
    assert "-[bold]Edited[/bold].\n+Add.\n" in done.out
    assert done.out.endswith("Run `grader release` and commit what it writes.\n")
    assert "Edited" in (tiny.folder / "work" / "notes.md").read_text()


def test_a_mistake_is_one_message_and_exit_code_2(tiny: Lab, grader: Grader) -> None:
    done = grader(tiny, "release", "ad")
    assert (done.code, done.out) == (2, "")
    assert "has no lab `ad`. Did you mean `01-add`? The labs here: 01-add." in done.err
    replace(tiny.folder / "lab.toml", "minutes = 10", "minute = 10")
    done = grader(tiny, "verify")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert done.err.endswith("lab.toml: unknown key `minute`. Did you mean `minutes`?\n")


def test_outside_a_course_it_says_where_to_go(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "grader.cli", "verify"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not inside a course" in done.stderr
    assert "Traceback" not in done.stderr


def test_publish_counts_the_files(tiny: Lab, grader: Grader, tmp_path: Path) -> None:
    git(tiny.course, "init", "--quiet")
    commit(tiny.course, "the course")
    target = tmp_path / "class [a]"
    done = grader(tiny, "publish", str(target))
    assert done == Done(0, f"7 files in {target}. Solutions, hidden checks and tests stayed behind.\n", "")
    done = grader(tiny, "publish", str(target))
    assert done.code == 2
    assert "is not an empty folder" in done.err


def test_verify_prints_each_answer_and_each_problem(tiny: Lab, grader: Grader) -> None:
    replace(tiny.folder / "checks" / "test_visible.py", "def test_adds(", "def test_sums(")
    done = grader(tiny, "verify", "01")
    assert done.code == 1
    assert "✗ " in done.out
    assert "found 0 functions `test_adds`; a check has exactly one." in done.out
    assert "01-add: 3 problems (" in done.out


def test_verify_keeps_no_verdict_that_a_person_must_look_at(tiny: Lab, grader: Grader) -> None:
    checks = "".join(f"def test_{name}(): ...\n" for name in ("notes_are_there", "is_committed"))
    (tiny.folder / "checks" / "test_visible.py").write_text(f"{checks}def test_adds():\n    raise KeyError\n")
    for kind in ("wrong", "right"):
        (tiny.solutions / kind).rename(tiny.solutions / f"no-{kind}")
    assert grader(tiny, "release").code == 0
    done = grader(tiny, "verify")
    assert done.code == 1
    assert "  starter: 1 of 6 points (" in done.out
    assert "✗ master does not earn `adds`. GRADER_ERROR: KeyError:  (test_visible.py:4)" in done.out
    assert "✗ No wrong answer fails `adds_anything`." in done.out
    assert not (tiny.course / ".cache").exists()


TRIED = {
    "the master": (
        ("--master",),
        0,
        ["✓ adds PASS (3 of 3", "✓ adds_anything PASS (2 of 2 · hidden", "01-add: 6 of 6 points"],
    ),
    "a wrong answer": (
        ("--wrong", "minus"),
        0,
        [
            "✗ adds FAIL (0 of 3",
            "    Looked at: add(2, 3)\n    Found: -1\n    Expected: 5\n    Why: Sums are sums.\n",
            "    Read: modules/01-add.md\n    Misconception: wrong-sum\n",
            "✗ adds_anything BLOCKED (0 of 2 · hidden",
            "01-add: 1 of 6 points",
        ],
    ),
    "a right answer": (("--right", "sum"), 0, ["01-add: 6 of 6 points"]),
}


@pytest.mark.parametrize("name", TRIED)
def test_an_answer_is_tried_and_everything_shown(sound: Lab, grader: Grader, name: str) -> None:
    words, code, wanted = TRIED[name]
    done = grader(sound, "try", "01", *words)
    assert (done.code, done.err) == (code, "")
    for text in wanted:
        assert text in done.out


def test_a_wrong_answer_that_fails_otherwise_is_told(tiny: Lab, grader: Grader) -> None:
    replace(tiny.solutions / "wrong" / "minus" / "expect.toml", "wrong-sum", "a-typo")
    done = grader(tiny, "try", "01", "--wrong", "minus")
    assert done.code == 1
    assert "✗ wrong/minus: `adds` should fail with `a-typo`; it is FAIL wrong-sum. -1" in done.out


def test_one_s_own_workspace_is_tried_as_a_record(
    sound: Lab, grader: Grader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    done = grader(sound, "try", "01", "--mine")
    assert done.code == 2
    assert "01-add is not there. Start the lab with `lab start 01`, or set LAB_HOME." in done.err
    write_files(tmp_path / "01-add", {"add.py": "def add(a, b):\n    return a + b\n"})
    done = grader(sound, "try", "01", "--mine", "--json")
    assert done.code == 1
    record = json.loads(done.out)
    assert (record["points"], record["possible"], record["lab"]) == (5, 6, "01-add")
    assert [check["verdict"] for check in record["checks"]] == ["FAIL", "PASS", "PASS", "FAIL"]


@pytest.mark.parametrize("words", [(), ("--mine", "--master"), ("--wrong", "a", "--right", "b")])
def test_try_wants_one_answer(sound: Lab, grader: Grader, words: tuple[str, ...]) -> None:
    done = grader(sound, "try", "01", *words)
    assert done == Done(2, "", "Name one of --mine, --master, --wrong NAME and --right NAME.\n")


def test_try_names_the_answers_there_are(sound: Lab, grader: Grader) -> None:
    done = grader(sound, "try", "01", "--wrong", "plus")
    assert done.code == 2
    assert "no wrong answer `plus`. There are: dirty, minus, no-notes, typed." in done.err


def test_try_in_a_published_copy_says_what_to_use(tiny: Lab, grader: Grader, tmp_path: Path) -> None:
    (tiny.course / "solutions").rename(tmp_path / "away")
    done = grader(tiny, "try", "01", "--master")
    assert done.code == 2
    assert (
        "this is a published copy, without hidden checks. Use `lab check`, or run this in the full clone."
        in done.err
    )
    done = grader(tiny, "verify")
    assert done.code == 1
    assert "A published copy of the course is released already." in done.out
