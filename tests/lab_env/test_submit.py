import json
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from grader.results import CheckResult, Result, Verdict
from grader.snapshot import take
from lab_env.checking import check
from lab_env.errors import LabError
from lab_env.hints import next_hint
from lab_env.submit import Submission, pack, submit
from lab_env.workspace import Workspace
from tests.lab_env.disks import fill, small_disk
from tests.lab_env.tiny import NOW, Tiny


def judged(workspace: Workspace) -> Result:
    """A result about the files as they are, without running a check."""
    passed = CheckResult("says_hello", "say-hello", "", False, Verdict.PASS, 3, 3)
    return Result("01-first", "r1", take(workspace.folder).hash, "local", (passed,), versions={"dvc": "3"})


def packed(workspace: Workspace) -> Submission:
    return submit(workspace, judged(workspace), now=NOW)


def test_the_zip_holds_the_work_and_a_receipt(tiny: Tiny) -> None:
    workspace = tiny.started()
    check = next(check for check in workspace.lab.visible if check.hints)
    next_hint(workspace, check)
    for cache in (".venv/lib", "__pycache__", ".dvc/cache", ".dvc/tmp"):
        (workspace.folder / cache).mkdir(parents=True)
        (workspace.folder / cache / "big").touch()
    made = packed(workspace)
    names = zipfile.ZipFile(made.path).namelist()
    assert {"receipt.json", "work/notes.md", "work/data.txt", "work/.git/HEAD"} <= set(names)
    assert not [name for name in names if "big" in name or "lab-workspace" in name]
    receipt = json.loads(zipfile.ZipFile(made.path).read("receipt.json"))
    assert receipt == made.receipt
    assert receipt["snapshot"] == take(workspace.folder).hash
    assert (receipt["lab"], receipt["release"], receipt["started_from"]) == ("01-first", "r1", "r1")
    assert receipt["made"] == "2026-11-21T10:30:00Z"
    assert {"python", "git", "dvc", "course"} <= receipt["versions"].keys()
    assert receipt["reported"]["state"] == "started"
    assert receipt["reported"]["hints"] == {check.id: 1}
    assert (made.work_mb > 0, made.zip_mb > 0) == (True, True)


def test_the_same_work_gives_the_same_bytes(tiny: Tiny) -> None:
    workspace = tiny.started()
    one = packed(workspace).path.read_bytes()
    (workspace.folder / "notes.md").touch()
    assert packed(workspace).path.read_bytes() == one
    (workspace.folder / "notes.md").write_text("more")
    assert packed(workspace).path.read_bytes() != one
    assert len(list((tiny.home.folder / "submissions").iterdir())) == 2


def test_the_unpacked_work_is_a_repository_with_its_modes(tiny: Tiny, tmp_path: Path) -> None:
    workspace = tiny.started()
    (workspace.folder / "data.txt").chmod(0o755)
    for command in (["pack-refs", "--all"], ["gc", "--quiet"]):
        subprocess.run(["git", "-C", workspace.folder, *command], check=True)
    shutil.unpack_archive(packed(workspace).path, tmp_path / "out")
    log = ["git", "-C", str(tmp_path / "out" / "work"), "log", "--format=%s"]
    assert subprocess.run(log, capture_output=True, text=True, check=True).stdout == "Starter of 01-first\n"
    entry = zipfile.ZipFile(packed(workspace).path).getinfo("work/data.txt")
    assert entry.external_attr >> 16 == 0o100755


def test_work_that_changed_since_it_was_judged_is_not_packed(tiny: Tiny) -> None:
    workspace = tiny.started()
    result = check(workspace).result
    (workspace.folder / "answer.txt").write_text("hello")
    with pytest.raises(LabError, match=r"changed while it was checked. Close the program that writes"):
        submit(workspace, result, now=NOW)
    assert not (tiny.home.folder / "submissions").exists()


def test_a_file_written_while_it_is_packed_is_named(tiny: Tiny, tmp_path: Path) -> None:
    workspace = tiny.started()
    snapshot = take(workspace.folder)
    changed = replace(snapshot, files=(replace(snapshot.files[-1], sha256="0" * 64),))
    with pytest.raises(LabError, match=r"changed while it was packed. Close the program"):
        pack(changed, {}, tmp_path / "out" / "it.zip")
    assert not list((tmp_path / "out").iterdir())


def test_a_full_disk_leaves_no_half_zip(tiny: Tiny) -> None:
    workspace = tiny.started()
    with small_disk(tiny.home.folder / "submissions", kilobytes=64) as disk:
        fill(disk)
        with pytest.raises(OSError, match="No space left"):
            packed(workspace)
        assert [path.name for path in disk.iterdir()] == ["filler"]
