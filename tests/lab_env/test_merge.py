from pathlib import Path

import pytest

from lab_env.errors import LabError
from lab_env.merge import merge_texts, plan, update
from tests.lab_env.disks import fill, small_disk
from tests.lab_env.tiny import NOW, Tiny

NOTES = "one\ntwo\nthree\nfour\nfive\n"

CASES = {
    # what the old starter has, the new one, the learner; what an update does, and what is there then
    "nobody changed it": ("a\n", "a\n", "a\n", None, "a\n"),
    "only the learner changed it": ("a\n", "a\n", "mine\n", None, "mine\n"),
    "only the course changed it": ("a\n", "b\n", "a\n", "taken", "b\n"),
    "both made the same change": ("a\n", "b\n", "b\n", None, "b\n"),
    "the course added it": (None, "b\n", None, "taken", "b\n"),
    "both added it, alike": (None, "b\n", "b\n", None, "b\n"),
    "both added it, unlike": (None, "b\n", "mine\n", "beside", "mine\n"),
    "the course dropped it": ("a\n", None, "a\n", "removed", None),
    "the course dropped what the learner changed": ("a\n", None, "mine\n", "kept", "mine\n"),
    "both dropped it": ("a\n", None, None, None, None),
    "the learner dropped what the course changed": ("a\n", "b\n", None, "beside", None),
    "both changed it, apart": (
        NOTES,
        NOTES.replace("one", "ONE"),
        NOTES + "six\n",
        "merged",
        NOTES.replace("one", "ONE") + "six\n",
    ),
    "bytes that are no text": ("a\0", "b\0", "mine\0", "beside", "mine\0"),
}


def lay(folder: Path, text: str | None) -> Path:
    folder.mkdir()
    if text is not None:
        (folder / "file").write_text(text)
    return folder


@pytest.mark.parametrize(("old", "new", "mine", "what", "then"), CASES.values(), ids=CASES.keys())
def test_update_of_one_file(
    tiny: Tiny, old: str | None, new: str | None, mine: str | None, what: str | None, then: str | None
) -> None:
    if old is not None:
        (tiny.first.folder / "work" / "file").write_text(old)
    workspace = tiny.started()
    here = workspace.folder / "file"
    here.unlink(missing_ok=True)
    if mine is not None:
        here.write_text(mine)
    if old is not None:
        (tiny.first.folder / "work" / "file").unlink()
    later = tiny.release_again(**({"file": new} if new is not None else {}))
    done = update(later, now=NOW)
    assert [change.what for change in done.changes] == ([what] if what else [])
    assert (here.read_text() if here.exists() else None) == then
    assert (workspace.folder / "file.new").exists() == (what == "beside")
    assert bool(done.backup) == bool(what)
    assert bool(done.conflicts) == (what == "beside")


def test_a_conflict_holds_both_versions_and_is_named(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / "notes.md").write_text(NOTES.replace("three", "mine"))
    done = update(tiny.release_again(notes_dot_md=NOTES.replace("three", "theirs")), now=NOW)
    assert [(change.path, change.what) for change in done.conflicts] == [("notes.md", "conflict")]
    text = (workspace.folder / "notes.md").read_text()
    assert "<<<<<<< yours\nmine\n" in text
    assert ">>>>>>> the course now\n" in text
    assert done.backup is not None
    assert (done.backup / "notes.md").read_text() == NOTES.replace("three", "mine")


def test_update_twice_changes_nothing_more(tiny: Tiny) -> None:
    workspace = tiny.started()
    later = tiny.release_again(notes_dot_md="new\n")
    first = update(later, now=NOW)
    assert (first.before, first.after) == ("r1", "r2")
    again = update(later, now=NOW)
    assert (again.changes, again.backup, again.before) == ((), None, "r2")
    assert (workspace.folder / "notes.md").read_text() == "new\n"


def test_an_update_builds_on_the_one_before(tiny: Tiny) -> None:
    workspace = tiny.started()
    update(tiny.release_again("r2", notes_dot_md="second\n"), now=NOW)
    done = update(tiny.release_again("r3", notes_dot_md="third\n"), now=NOW)
    assert [change.what for change in done.changes] == ["taken"]
    assert (workspace.folder / "notes.md").read_text() == "third\n"


def test_a_file_made_executable_is_taken(tiny: Tiny) -> None:
    workspace = tiny.started()
    (tiny.first.folder / "work" / "notes.md").chmod(0o755)
    done = update(tiny.release_again(), now=NOW)
    assert [change.path for change in done.changes] == ["notes.md"]
    assert (workspace.folder / "notes.md").stat().st_mode & 0o100


def test_data_made_another_way_is_said(tiny: Tiny) -> None:
    tiny.started()
    manifest = tiny.first.folder / "lab.toml"
    manifest.write_text(manifest.read_text().replace("'3 4'", "'5 6'"))
    done = update(tiny.release_again(), now=NOW)
    assert done.prepares_anew
    assert done.changes == ()


def test_a_full_disk_under_an_update_changes_nothing(tiny: Tiny) -> None:
    workspace = tiny.started()
    later = tiny.release_again(notes_dot_md="new\n" * 5000, second_dot_md="more\n")
    with small_disk(tiny.home.notes / "backups", kilobytes=64) as disk:
        fill(disk)
        with pytest.raises(LabError, match="the disk is full"):
            update(later, now=NOW)
    assert (workspace.folder / "notes.md").read_text() == NOTES
    assert later.release == "r1"


def test_an_update_that_fails_half_way_is_taken_back(tiny: Tiny) -> None:
    workspace = tiny.started()
    later = tiny.release_again(notes_dot_md="new\n", zz="more\n")
    (workspace.folder / ".zz.update").mkdir()
    with pytest.raises(IsADirectoryError):
        update(later, now=NOW)
    assert (workspace.folder / "notes.md").read_text() == NOTES
    assert later.release == "r1"
    workspace.require_sound()


def test_what_git_cannot_merge_is_an_error() -> None:
    with pytest.raises(LabError, match=r"git merge-file failed: .*[Cc]annot merge binary"):
        merge_texts(b"a\0", b"b\0", b"c\0")


def test_a_plan_reads_and_writes_nothing(tmp_path: Path) -> None:
    folders = [lay(tmp_path / name, text) for name, text in (("old", "a\n"), ("new", "b\n"), ("mine", "a\n"))]
    assert [change.path for change in plan(*folders)] == ["file"]
    assert (tmp_path / "mine" / "file").read_text() == "a\n"


def test_a_notebook_that_both_changed_stays_a_notebook(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("old", "new", "mine")]
    for folder, text in zip(folders, (NOTES, NOTES.replace("one", "ONE"), NOTES + "six\n"), strict=True):
        folder.mkdir()
        (folder / "late.ipynb").write_text(text)
    (change,) = plan(*folders)
    assert (change.what, change.content) == ("beside", (tmp_path / "new" / "late.ipynb").read_bytes())
