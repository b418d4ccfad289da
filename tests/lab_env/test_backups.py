import os
import subprocess
from pathlib import Path

import pytest

from lab_env.backups import back_up, empty, put_back
from lab_env.errors import LabError
from tests.lab_env.disks import fill, small_disk
from tests.lab_env.tiny import NOW, Tiny


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_backup_is_everything_and_says_when_and_why(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / ".venv").mkdir()
    (workspace.folder / "link").symlink_to("notes.md")
    kept = back_up(workspace, "reset", now=NOW)
    assert kept.name == "01-first-20261121-103000-reset"
    assert listing(kept) == listing(workspace.folder)
    assert (kept / "link").is_symlink()


def test_two_backups_in_one_second_are_both_kept(tiny: Tiny) -> None:
    workspace = tiny.started()
    kept = [back_up(workspace, "reset", now=NOW) for _ in range(3)]
    assert len(set(kept)) == 3
    assert kept[2].name.endswith("-reset-3")


def test_a_full_disk_leaves_no_half_copy(tiny: Tiny) -> None:
    workspace = tiny.started()
    before = listing(workspace.folder)
    with small_disk(tiny.home.notes / "backups", kilobytes=64) as disk:
        fill(disk)
        with pytest.raises(
            LabError, match=r"nothing in it was changed: the disk is full\. Free some space \(`df -h`"
        ):
            back_up(workspace, "reset", now=NOW)
        assert listing(disk) == ["filler"]
    assert listing(workspace.folder) == before


def test_a_file_that_cannot_be_copied_is_named(tiny: Tiny) -> None:
    workspace = tiny.started()
    os.mkfifo(workspace.folder / "pipe")
    with pytest.raises(LabError, match=r"nothing in it was changed: .*/pipe: .* is a named pipe"):
        back_up(workspace, "reset", now=NOW)
    assert not list((tiny.home.notes / "backups").iterdir())


def test_a_folder_that_is_no_folder_is_named(tiny: Tiny) -> None:
    workspace = tiny.started()
    (tiny.home.notes / "backups").touch()
    with pytest.raises(LabError, match=r"nothing in it was changed: .*backups: File exists"):
        back_up(workspace, "reset", now=NOW)


def test_what_another_program_holds_is_named(tiny: Tiny) -> None:
    workspace = tiny.started()
    kept = back_up(workspace, "reset", now=NOW)
    with small_disk(workspace.folder / "held", kilobytes=64) as held:
        with pytest.raises(LabError, match=r"held cannot be deleted \(.* busy\). If another program has it"):
            empty(workspace)
        with pytest.raises(LabError, match=rf"All that you had is in {kept}"):
            put_back(workspace, kept)
        assert held.is_dir()
    put_back(workspace, kept)
    status = subprocess.run(
        ["git", "-C", workspace.folder, "status", "--short"], capture_output=True, text=True, check=True
    )
    assert status.stdout == "?? data.txt\n"
    assert not kept.exists()
