import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.errors import CourseError, ManifestError
from grader.results import write_json
from grader.snapshot import MARKER
from lab_env.errors import LabError
from lab_env.layout import reset, reset_task, start, starter_of
from lab_env.progress import standing
from lab_env.workspace import Workspace
from tests.lab_env.disks import small_disk
from tests.lab_env.tiny import NOW, Tiny, prepared_by


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=True)
    return done.stdout


def finish(tiny: Tiny) -> Workspace:
    """The first lab, done and noted as finished."""
    workspace = tiny.started()
    (workspace.folder / "answer.txt").write_text("mine")
    write_json(workspace.notes / "progress.json", {"started": "t", "finished": "t", "checks": {}})
    return workspace


def test_start_lays_out_a_repository_of_its_own(tiny: Tiny) -> None:
    started = start(tiny.home, tiny.first, given=False, now=NOW)
    folder = started.workspace.folder
    assert started.fresh
    assert git(folder, "log", "--format=%s") == "Starter of 01-first\n"
    assert git(folder, "status", "--short") == "?? data.txt\n"
    assert tiny.home.current == "01-first"
    assert standing(tiny.home, tiny.first).started == "2026-11-21T10:30:00Z"


def test_start_again_touches_nothing(tiny: Tiny) -> None:
    folder = tiny.started().folder
    (folder / "answer.txt").write_text("mine")
    again = start(tiny.home, tiny.first, given=False, now=NOW)
    assert not again.fresh
    assert (folder / "answer.txt").read_text() == "mine"


def test_start_makes_an_earlier_lab_current_again(tiny: Tiny) -> None:
    tiny.started()
    start(tiny.home, tiny.second, given=True, now=NOW)
    assert tiny.home.current == "02-second"
    tiny.started()
    assert tiny.home.current == "01-first"


def test_a_foreign_folder_is_left_alone(tiny: Tiny) -> None:
    folder = tiny.home.workspace("01-first")
    folder.mkdir(parents=True)
    (folder / "thesis.tex").touch()
    with pytest.raises(
        LabError, match=r"is there already and is no workspace .* \(`mv .*01-first .*01-first.old`\)"
    ):
        tiny.started()
    (folder / "thesis.tex").unlink()
    folder.rmdir()
    folder.touch()
    with pytest.raises(LabError, match=r"01-first is a file. Move it away"):
        tiny.started()


def test_a_half_deleted_workspace_is_not_laid_over(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / MARKER).unlink()
    with pytest.raises(LabError, match=r"half deleted: its marker .* `lab reset --lab 01` keeps a copy"):
        tiny.started()
    kept = reset(workspace, now=NOW).backup
    assert kept is not None
    assert (kept / "notes.md").is_file()
    workspace.require_sound()


def test_an_interrupted_start_is_put_aside(tiny: Tiny) -> None:
    workspace = Workspace(tiny.home, tiny.first)
    workspace.folder.mkdir(parents=True)
    (workspace.folder / "half").touch()
    write_json(workspace.notes / "laying-out.json", {"lab": "01-first"})
    tiny.started().require_sound()
    assert [path.name for path in (tiny.home.notes / "backups").glob("*/half")] == ["half"]


def test_a_start_that_fails_leaves_nothing(tiny: Tiny) -> None:
    lab = prepared_by(tiny, ("python", "-c", "raise SystemExit('no data today')"))
    with pytest.raises(CourseError, match="no data today"):
        start(tiny.home, lab, given=False, now=NOW)
    assert not tiny.home.workspace("01-first").exists()
    assert tiny.home.current is None
    tiny.started().require_sound()


def test_a_full_disk_at_start_leaves_nothing(tiny: Tiny) -> None:
    with small_disk(tiny.home.folder, kilobytes=256) as disk:
        lab = prepared_by(tiny, ("python", "-c", "open('data.bin', 'wb').write(bytes(2**20))"))
        with pytest.raises(LabError, match=r"The disk is full, so 01-first could not .* LAB_HOME"):
            start(tiny.home, lab, given=False, now=NOW)
        assert not (disk / "01-first").exists()


@pytest.mark.usefixtures("no_programs")
def test_start_without_git_says_how_to_get_it(tiny: Tiny) -> None:
    with pytest.raises(LabError, match="git is not on PATH"):
        tiny.started()
    assert not tiny.home.folder.exists()


def test_an_unfinished_earlier_lab_is_asked_for(tiny: Tiny) -> None:
    message = (
        r"02-second builds on 01-first, which you have not finished.*`lab start 01`.*`lab start 02 --given`"
    )
    with pytest.raises(LabError, match=message):
        start(tiny.home, tiny.second, given=False, now=NOW)
    assert not tiny.home.workspace("02-second").exists()


def test_given_lays_out_the_courses_own_result(tiny: Tiny) -> None:
    finish(tiny)
    started = start(tiny.home, tiny.second, given=True, now=NOW)
    assert (started.workspace.folder / "earlier.txt").read_text() == "given"
    assert started.earlier == ()
    assert standing(tiny.home, tiny.second).given


def test_a_finished_earlier_lab_is_taken_over(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_EARLIER", "as it was")
    finish(tiny)
    started = start(tiny.home, tiny.second, given=False, now=NOW)
    assert (started.workspace.folder / "earlier.txt").read_text() == "mine"
    assert [earlier.lab.id for earlier in started.earlier] == ["01-first"]
    assert os.environ["LAB_EARLIER"] == "as it was"


def test_a_given_lab_stays_given_when_reset(tiny: Tiny) -> None:
    workspace = start(tiny.home, tiny.second, given=True, now=NOW).workspace
    reset(workspace, now=NOW)
    assert (workspace.folder / "earlier.txt").read_text() == "given"


def test_reset_keeps_a_copy_and_the_folder_itself(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / "answer.txt").write_text("mine")
    git(workspace.folder, "commit", "--quiet", "--all", "--message", "mine")
    inode = workspace.folder.stat().st_ino
    done = reset(workspace, now=NOW)
    assert done.backup is not None
    assert git(done.backup, "log", "-1", "--format=%s") == "mine\n"
    assert (workspace.folder / "answer.txt").read_text() == ""
    assert workspace.folder.stat().st_ino == inode
    assert workspace.release == "r1"


def test_reset_under_a_program_that_has_the_data_open(tiny: Tiny) -> None:
    """Its file goes to the copy's content and the program reads on."""
    workspace = tiny.started()
    code = "import sys; f = open('data.txt'); print('open', flush=True); sys.stdin.read(); print(f.read())"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=workspace.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        reset(workspace, now=NOW)
        assert reader.communicate("")[0] == "3 4\n"
    workspace.require_sound()


def test_reset_of_what_is_gone_lays_it_out(tiny: Tiny) -> None:
    workspace = tiny.started()
    shutil.rmtree(workspace.folder)
    assert reset(workspace, now=NOW).backup is None
    workspace.require_sound()


def test_reset_of_a_workspace_without_git_mends_it(tiny: Tiny) -> None:
    workspace = tiny.started()
    shutil.rmtree(workspace.folder / ".git")
    reset(workspace, now=NOW)
    workspace.require_sound()


def test_a_reset_that_fails_changes_nothing(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / "answer.txt").write_text("mine")
    broken = Workspace(tiny.home, prepared_by(tiny, ("python", "-c", "raise SystemExit('no data today')")))
    with pytest.raises(CourseError, match="no data today"):
        reset(broken, now=NOW)
    assert (workspace.folder / "answer.txt").read_text() == "mine"
    assert not list((tiny.home.notes / "backups").iterdir())
    workspace.require_sound()


def test_reset_of_a_task_puts_back_its_files_alone(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / "word.cfg").write_text("spoiled")
    (workspace.folder / "notes.md").write_text("mine")
    git(workspace.folder, "commit", "--quiet", "--all", "--message", "mine")
    done = reset_task(workspace, "say-hello", now=NOW)
    assert done.files == ("word.cfg",)
    assert done.backup is not None
    assert (done.backup / "word.cfg").read_text() == "spoiled"
    assert "task: say-hello" in (workspace.folder / "word.cfg").read_text()
    assert (workspace.folder / "notes.md").read_text() == "mine"
    assert git(workspace.folder, "log", "-1", "--format=%s") == "mine\n"


def test_reset_of_an_untouched_task_makes_no_copy(tiny: Tiny) -> None:
    done = reset_task(tiny.started(), "say-hello", now=NOW)
    assert (done.files, done.backup) == ((), None)


def test_reset_of_a_task_without_files_says_so(tiny: Tiny) -> None:
    with pytest.raises(LabError, match=r"Task `tag-it` has no file of its own to put back"):
        reset_task(tiny.started(), "tag-it", now=NOW)


def test_reset_of_an_unknown_task_names_the_nearest(tiny: Tiny) -> None:
    with pytest.raises(ManifestError, match=r"has no task `say-helo`. Did you mean `say-hello`"):
        reset_task(tiny.started(), "say-helo", now=NOW)


def test_a_lost_starter_is_named(tiny: Tiny) -> None:
    workspace = tiny.started()
    shutil.rmtree(workspace.notes / "starter")
    with pytest.raises(LabError, match=r"starter is gone, so nobody knows which lines are yours"):
        starter_of(workspace)
