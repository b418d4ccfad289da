import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from grader.errors import ManifestError
from grader.snapshot import MARKER
from lab_env.errors import LabError
from lab_env.workspace import Workspace, find_home, find_workspace, read_json, top_level
from tests.lab_env.tiny import Tiny


def test_home_is_the_courses_workspace_folder(tiny: Tiny) -> None:
    home = find_home(tiny.course / "docs", {})
    assert (home.course, home.folder) == (tiny.course, tiny.course / "workspace")


def test_lab_home_moves_it(tiny: Tiny, tmp_path: Path) -> None:
    home = find_home(tiny.course, {"LAB_HOME": str(tmp_path / "elsewhere")})
    assert home.folder == tmp_path / "elsewhere"


def test_lab_home_that_is_a_file_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match=r"LAB_HOME is .*file, which is a file. Set it to a folder"):
        find_home(tiny.course, {"LAB_HOME": str(tmp_path / "file")})


def test_outside_every_course_the_installed_one_is_used(tmp_path: Path) -> None:
    assert (find_home(tmp_path, {"LAB_HOME": str(tmp_path)}).course / "lab_env").is_dir()


def test_a_workspace_anywhere_knows_its_course_and_home(tiny: Tiny, tmp_path: Path) -> None:
    folder = tiny.started().folder
    moved = tmp_path / "moved" / "01-first"
    shutil.move(folder, moved)
    (moved / "deep").mkdir()
    workspace = find_workspace(moved / "deep")
    assert workspace.home.course == tiny.course
    assert workspace.folder == moved


def test_a_marker_of_a_course_that_moved_away_is_not_believed(tiny: Tiny) -> None:
    folder = tiny.started().folder
    noted = json.loads((folder / MARKER).read_text())
    (folder / MARKER).write_text(json.dumps(noted | {"course": "/nowhere"}))
    assert find_workspace(folder).home.course == tiny.course


def test_elsewhere_the_lab_started_last_is_meant(tiny: Tiny) -> None:
    tiny.started()
    assert find_workspace(tiny.course).lab.id == "01-first"


def test_no_lab_started_yet_says_what_to_type(tiny: Tiny) -> None:
    with pytest.raises(LabError, match=r"No lab is started in .*workspace. `lab list` shows"):
        find_workspace(tiny.course)


def test_a_backup_is_no_workspace(tiny: Tiny) -> None:
    kept = tiny.home.notes / "backups" / "01-first-copy"
    shutil.copytree(tiny.started().folder, kept)
    with pytest.raises(LabError, match=r"01-first-copy is a backup of 01-first, kept as it was"):
        find_workspace(kept)


def test_a_renamed_workspace_is_named(tiny: Tiny) -> None:
    folder = tiny.started().folder
    with pytest.raises(LabError, match=r"mine was laid out as 01-first. Rename the folder back"):
        find_workspace(folder.rename(folder.with_name("mine")))


def test_a_lab_that_left_the_course_is_named(tiny: Tiny) -> None:
    folder = tiny.started().folder
    shutil.rmtree(tiny.first.folder)
    with pytest.raises(ManifestError, match="has no lab `01-first`"):
        find_workspace(folder)


def test_a_deleted_workspace_is_refused(tiny: Tiny) -> None:
    workspace = tiny.started()
    shutil.rmtree(workspace.folder)
    with pytest.raises(LabError, match=r"01-first is not there. `lab start 01` lays it out"):
        workspace.require_sound()


def test_a_half_deleted_workspace_is_refused(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / MARKER).unlink()
    with pytest.raises(LabError, match=r"half deleted: its marker .* is gone. `lab reset` keeps a copy"):
        workspace.require_sound()


@pytest.mark.parametrize("lost", [".git", ".git/HEAD", ".git/objects"])
def test_a_workspace_without_its_own_git_is_refused(tiny: Tiny, lost: str) -> None:
    """Git would climb to the course's repository and commit there."""
    subprocess.run(["git", "init", "--quiet", str(tiny.course)], check=True)
    workspace = tiny.started()
    gone = workspace.folder / lost
    gone.unlink() if gone.is_file() else shutil.rmtree(gone)
    with pytest.raises(LabError, match=r"has lost its own Git repository .* `lab reset` keeps a copy"):
        workspace.require_sound()


def test_variables_of_another_repository_do_not_mislead(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tiny.started()
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    workspace.require_sound()


@pytest.mark.usefixtures("no_programs")
def test_no_git_says_how_to_get_it(tiny: Tiny) -> None:
    with pytest.raises(LabError, match=r"git is not on PATH, .* `sudo apt install git`"):
        top_level(tiny.course)


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away needs root")
def test_somebody_elses_workspace_is_refused(tiny: Tiny) -> None:
    workspace = tiny.started()
    for path in (workspace.folder, workspace.folder / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(LabError, match=r"belongs to another user, .* `sudo chown -R"):
        workspace.require_sound()


def test_the_marker_is_unseen_by_git_and_written_once(tiny: Tiny) -> None:
    workspace = tiny.started()
    workspace.write_marker()
    exclude = (workspace.folder / ".git/info/exclude").read_text()
    assert exclude.count(MARKER) == 1
    assert workspace.release == "r1"


def test_damaged_notes_are_named(tmp_path: Path) -> None:
    for text in ("{", "[]", "\udcff"):
        (tmp_path / "state.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(LabError, match=r"state.json is damaged. .* delete it and try again"):
            read_json(tmp_path / "state.json")


def test_current_survives_odd_notes(tiny: Tiny) -> None:
    tiny.home.notes.mkdir(parents=True)
    (tiny.home.notes / "state.json").write_text('{"current": 3}')
    assert tiny.home.current is None
    assert Workspace(tiny.home, tiny.first).release == ""
