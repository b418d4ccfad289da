import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.errors import CourseError
from grader.snapshot import MARKER
from lab_env.cli import guarded
from lab_env.errors import LabError
from tests.lab_env.conftest import RunLab
from tests.lab_env.disks import fill, small_disk
from tests.lab_env.terminals import terminal
from tests.lab_env.tiny import Tiny

FAILED = """\
01 · Say hello
{folder}

2 · Write the word (say-hello)
  ✗ says hello (0 of 3 points)
    answer.txt says hello
    Looked at: the first word of answer.txt
    Found: nothing
    Expected: hello
    Nobody is greeted by an empty file.
    Read: {course}/docs/modules/01-first.md#hello
  · says it twice (0 of 2 points) waits for: says hello
  ○ says it well (at grading): The word is well said

Next: `lab hint says_hello` has the next step for the first that fails.
"""


def test_help_starts_at_once() -> None:
    began = time.monotonic()
    command = [sys.executable, "-X", "importtime", "-m", "lab_env.cli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 5
    for heavy in ("pandas", "numpy", "rich", "psutil", "pydantic", "grader.controller"):
        assert f" {heavy}\n" not in done.stderr, heavy
    assert "Lay a lab out" in done.stdout


def test_no_command_shows_the_commands(run_lab: RunLab) -> None:
    assert "Commands:" in run_lab().out + run_lab().err


def test_start_says_where_and_what_to_type(run_lab: RunLab, tiny: Tiny) -> None:
    answer = run_lab("start", "1")
    assert answer.code == 0
    assert answer.out == (
        "01 · Say hello is laid out.\n"
        "About 10 minutes, 3 tasks.\n"
        f"What to do: {tiny.first.folder}/brief.md (`lab up` serves it as a page)\n"
        "Next:\n"
        "  cd workspace/01-first\n"
        "  lab check\n"
    )
    again = run_lab("start", "first", cwd=tiny.home.workspace("01-first"))
    assert "is there already; nothing in it was touched" in again.out
    assert "cd " not in again.out


def test_start_of_an_unknown_lab_names_the_nearest(run_lab: RunLab) -> None:
    answer = run_lab("start", "01-frist")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("lab: ")
    assert "has no lab `01-frist`. Did you mean `01-first`?" in answer.err


def test_start_given_and_taken_over(run_lab: RunLab, tiny: Tiny) -> None:
    assert "`lab start 02 --given`" in run_lab("start", "02").err
    assert run_lab("start", "02", "--given", "--json").code == 0
    shutil.rmtree(tiny.home.folder)
    run_lab("start", "01")
    (tiny.home.workspace("01-first") / "answer.txt").write_text("hello hello")
    assert run_lab("check").code == 0
    assert "It builds on your own 01-first." in run_lab("start", "02").out


def test_a_failed_check_teaches(run_lab: RunLab, tiny: Tiny) -> None:
    folder = tiny.started().folder
    answer = run_lab("check", "say-hello", cwd=folder)
    assert answer.code == 1
    assert answer.out == FAILED.format(folder=folder, course=tiny.course)


def test_a_check_that_waits_for_another_task_says_what_fails_there(run_lab: RunLab, tiny: Tiny) -> None:
    manifest = tiny.course / "labs" / "01-first" / "lab.toml"
    manifest.write_text(manifest.read_text() + 'after = ["says_it_twice"]\n')
    folder = tiny.started().folder
    answer = run_lab("check", "tag-it", cwd=folder)
    assert answer.code == 1
    assert "  · is tagged (0 of 4 points) waits for: says it twice\n" in answer.out
    assert "\nIn another task, but first (say-hello):\n  ✗ says hello (0 of 3 points)\n" in answer.out
    assert "Nobody is greeted by an empty file." in answer.out
    assert "Next: `lab hint says_hello` has the next step" in answer.out, "not what only waits for it"
    (folder / "answer.txt").write_text("hello hello")
    assert "another task" not in run_lab("check", "tag-it").out


def test_check_of_all_sums_up_without_hidden_points(run_lab: RunLab, tiny: Tiny) -> None:
    folder = tiny.started().folder
    answer = run_lab("check", cwd=folder)
    assert answer.code == 1
    assert "  ✓ notes are there\n" in answer.out
    assert "3 · Tag it (tag-it, extension)" in answer.out
    assert "0 of 5 points, 1 of 4 checks, 0 of 4 extra; 1 more check for 5 points at grading." in answer.out
    (folder / "answer.txt").write_text("hello hello")
    done = run_lab("check")
    assert done.code == 0, "an extension is never needed"
    assert "  ✓ says hello (3 of 3 points)\n" in done.out
    assert "All that can be checked here passes. `lab submit` packs it." in done.out
    assert "This task is done." in run_lab("check", "2").out


def test_check_for_tools_is_learner_json(run_lab: RunLab, tiny: Tiny) -> None:
    answer = run_lab("check", "--lab", "01", "--json")
    assert (answer.code, answer.out) == (2, "")
    tiny.started()
    answer = run_lab("check", "--lab", "01", "--json")
    facts = json.loads(answer.out)
    assert (answer.code, facts["lab"], facts["points"], facts["possible"]) == (1, "01-first", 0, 5 + 4)
    assert [check["id"] for check in facts["checks"]] == [check.id for check in tiny.first.visible]


def test_an_unknown_task_names_the_nearest(run_lab: RunLab, tiny: Tiny) -> None:
    tiny.started()
    answer = run_lab("check", "say-helo")
    assert (answer.code, answer.err) == (
        2,
        "lab: Lab 01-first has no task `say-helo`. Did you mean `say-hello`?\n",
    )


def test_hints_follow_the_first_failing_check(run_lab: RunLab, tiny: Tiny) -> None:
    folder = tiny.started().folder
    assert "Hint 1 of 3: Which word?\n`lab hint` again" in run_lab("hint").out
    assert "Hint 2 of 3: Use an editor." in run_lab("hint").out
    last = run_lab("hint").out
    assert all(hint in last for hint in ("Which word?", "Use an editor.", "echo hello > answer.txt"))
    assert "That was the last hint for this check." in last
    (folder / "answer.txt").write_text("hello")
    assert "says it twice: answer.txt says it twice\n  Hint 1 of 3" in run_lab("hint").out
    facts = json.loads(run_lab("hint", "--json").out)
    assert (facts["check"], facts["step"], facts["of"]) == ("says_it_twice", 2, 3)
    (folder / "answer.txt").write_text("hello hello")
    subprocess.run(["git", "-C", folder, "tag", "v1"], check=True)
    assert "no hint is needed" in run_lab("hint").out
    assert json.loads(run_lab("hint", "--json").out) == {"check": None}


def test_hints_of_one_check_by_name(run_lab: RunLab, tiny: Tiny) -> None:
    tiny.started()
    assert "Hint 1 of 3: How?" in run_lab("hint", "says-it-well").out
    answer = run_lab("hint", "says_it_wel")
    assert answer.code == 2
    assert "has no check `says_it_wel`. Did you mean `says_it_well`?" in answer.err


def test_reset_says_where_the_copy_is(run_lab: RunLab, tiny: Tiny) -> None:
    folder = tiny.started().folder
    answer = run_lab("reset", cwd=folder)
    assert answer.code == 0
    assert f"01-first is laid out anew in {folder}." in answer.out
    assert f"All that you had, its history too, is in {tiny.home.notes}/backups/01-first-" in answer.out


def test_reset_of_a_task_by_command(run_lab: RunLab, tiny: Tiny) -> None:
    folder = tiny.started().folder
    assert "are as the course gave them. Nothing was changed." in run_lab("reset", "2").out
    (folder / "word.cfg").write_text("spoiled")
    assert (
        "Put back as the course gave it: word.cfg.\nAll else, your history too, is as it was."
        in run_lab("reset", "say-hello").out
    )
    (folder / "word.cfg").write_text("spoiled")
    facts = json.loads(run_lab("reset", "say-hello", "--json").out)
    assert facts["files"] == ["word.cfg"]
    assert (Path(facts["backup"]) / "word.cfg").read_text() == "spoiled"
    assert "Did you mean `tag-it`" in run_lab("reset", "tag-itt").err


def test_progress_and_list(run_lab: RunLab, tiny: Tiny) -> None:
    assert "02   not started  –/1     Build on it\n" in run_lab("progress").out
    tiny.started()
    run_lab("check")
    said = run_lab("progress").out
    assert "01   · started    0/5     Say hello (current)\n" in said
    assert "✓ 1/1   Look at the notes (look)\n" in said
    assert "· 0/2   Write the word (say-hello)\n" in said
    assert "Points of 1 check at grading are not in these numbers." in said
    assert "01   10 min  started, current  Say hello\n" in run_lab("list").out
    facts = json.loads(run_lab("progress", "--json").out)
    assert [(lab["lab"], lab["state"]) for lab in facts] == [
        ("01-first", "started"),
        ("02-second", "not started"),
    ]
    assert json.loads(run_lab("list", "--json").out)[1]["needs"] == ["01-first", "09-elsewhere"]


def test_submit_says_what_is_in_it(run_lab: RunLab, tiny: Tiny) -> None:
    folder = tiny.started().folder
    answer = run_lab("submit", cwd=folder)
    assert answer.code == 0
    for text in (
        "0 of 5 points",
        "  ✗ says hello\n",
        "files, your history)",
        "  notes.md\n",
        "Left out: environments and caches",
        "Hand in: ",
    ):
        assert text in answer.out
    facts = json.loads(run_lab("submit", "--json").out)
    assert Path(facts["zip"]).is_file()
    assert facts["receipt"]["reported"]["points"] == 0
    assert "notes.md" in facts["files"]


def test_update_by_command(run_lab: RunLab, tiny: Tiny) -> None:
    folder = tiny.started().folder
    assert "01-first is as the course has it now. Nothing was changed." in run_lab("update").out
    tiny.release_again("r2", notes_dot_md="new\n")
    assert "The course has changed since you started this lab. `lab update`" in run_lab("check").out
    answer = run_lab("update")
    assert (answer.code, "✓ notes.md: taken from the course" in answer.out) == (0, True)
    assert "All that you had before is in " in answer.out
    assert "`git diff`" in answer.out
    (folder / "notes.md").write_text("mine\n")
    tiny.release_again("r3", notes_dot_md="newer\n")
    answer = run_lab("update")
    assert answer.code == 1
    assert "✗ notes.md: both changed the same lines; decide between" in answer.out
    assert "Decide in notes.md, commit, then `lab check`." in answer.out
    manifest = tiny.first.folder / "lab.toml"
    manifest.write_text(manifest.read_text().replace("'3 4'", "'5 6'"))
    tiny.release_again("r4")
    answer = run_lab("update")
    assert "your files stay as they are" in answer.out
    assert "now makes this lab's data another way" in answer.out
    assert json.loads(run_lab("update", "--json").out)["files"] == {}


def test_doctor_by_command(run_lab: RunLab, tmp_path: Path) -> None:
    answer = run_lab("doctor")
    assert "✓ git identity" in answer.out
    assert {finding["name"] for finding in json.loads(run_lab("doctor", "--json").out)} >= {
        "git",
        "disk",
        "clock",
    }
    (tmp_path / "gitconfig").write_text("")
    answer = run_lab("doctor")
    assert answer.code == 1
    assert "✗ git identity: no name or no address is set (needed)" in answer.out
    assert "Mend: git config --global user.name" in answer.out
    assert "docs/setup.md#git-identity" in answer.out
    assert "git identity, then `lab doctor` again." in answer.out


def test_wrong_use_ends_with_2(run_lab: RunLab) -> None:
    answer = run_lab("chekc")
    assert answer.code == 2
    assert "Did you mean 'check'?" in answer.err
    assert run_lab("check", "--nonsense").code == 2
    assert run_lab("check").err == (
        f"lab: No lab is started in {Path.cwd()}/workspace. "
        "`lab list` shows the labs, `lab start 01` lays one out.\n"
    )


@pytest.mark.usefixtures("no_programs")
def test_without_git_start_says_so(run_lab: RunLab) -> None:
    answer = run_lab("start", "01")
    assert (answer.code, "git is not on PATH" in answer.err) == (2, True)


@pytest.mark.parametrize(
    "words", [("check",), ("hint",), ("submit",), ("update",), ("watch",), ("start", "01")]
)
@pytest.mark.parametrize("lost", [MARKER, ".git/HEAD"])
def test_half_a_workspace_is_refused_by_every_command(
    run_lab: RunLab, tiny: Tiny, words: tuple[str, ...], lost: str
) -> None:
    workspace = tiny.started()
    (workspace.folder / lost).unlink()
    answer = run_lab(*words)
    assert answer.code == 2
    assert "`lab reset" in answer.err
    assert (workspace.folder / "notes.md").is_file()


def test_a_deleted_current_folder_is_named(tmp_path: Path) -> None:
    code = "import os, sys\nos.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
    code += "from lab_env.cli import main\nsys.argv = ['lab', 'list']\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.split(".")[0]) == (2, "lab: The folder you are in was deleted")


@pytest.mark.parametrize("words", [("check",), ("submit",)])
def test_a_full_disk_is_said_and_nothing_is_lost(run_lab: RunLab, tiny: Tiny, words: tuple[str, ...]) -> None:
    workspace = tiny.started()
    before = workspace.notes / "progress.json"
    noted = before.read_text()
    mounted = tiny.home.notes / "labs"
    kept = mounted.rename(tiny.home.notes / "labs.kept")
    with small_disk(mounted, kilobytes=256) as disk:
        shutil.copytree(kept, disk, dirs_exist_ok=True)
        fill(disk)
        answer = run_lab(*words)
        assert (disk / "01-first" / "progress.json").read_text() == noted
    assert answer.code == 2
    assert answer.err.startswith("lab: The disk is full")
    assert "free some space (`df -h`) and run this again" in answer.err


def test_errors_of_the_system_say_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(error: BaseException) -> str:
        def command() -> None:
            raise error

        assert guarded(command) == 2
        return capsys.readouterr().err

    assert "The disk is full (a)." in fail(OSError(28, "No space left on device", "a"))
    assert "close it; if the folder cannot" in fail(
        PermissionError(13, "Permission denied", "orders.parquet")
    )
    assert "Mend that and run this again; `lab doctor`" in fail(OSError(5, "Input/output error"))
    assert fail(LabError("One thing.")) == "lab: One thing.\n"
    assert fail(CourseError("Another.")) == "lab: Another.\n"
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 // 0)


def test_native_windows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: None, system="Windows") == 2
    assert "In PowerShell: `wsl --install -d Ubuntu`" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error(tiny: Tiny) -> None:
    command = f"{sys.executable} -m lab_env.cli progress | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tiny.course, capture_output=True, text=True, check=True
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() in ("0", "1")


@pytest.mark.parametrize("words", [("check",), ("progress",), ("list",), ("doctor",), ("--help",), ("hint",)])
def test_sixty_columns_are_enough(tiny: Tiny, words: tuple[str, ...]) -> None:
    tiny.started()
    plain = terminal(tiny.course, *words, NO_COLOR="1")
    assert "\x1b" not in plain
    too_long = [line for line in plain.splitlines() if len(line) > 60 and str(tiny.course) not in line]
    assert too_long == []


def test_a_terminal_gets_colour_a_pipe_does_not(run_lab: RunLab, tiny: Tiny) -> None:
    tiny.started()
    assert "\x1b[" in terminal(tiny.course, "list")
    assert "\x1b[" not in run_lab("list").out


def test_a_terminal_without_unicode_is_served(tiny: Tiny) -> None:
    tiny.started()
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "lab_env.cli", "check"]
    done = subprocess.run(command, cwd=tiny.course, env=environment, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"x says hello (0 of 3 points)" in done.stdout


def test_a_damaged_note_is_named(run_lab: RunLab, tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.notes / "progress.json").write_text("{")
    answer = run_lab("progress")
    assert (answer.code, "progress.json is damaged" in answer.err) == (2, True)
