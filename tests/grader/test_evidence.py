"""What the judge reads of files and of real repositories, sound, odd and hostile."""

import zlib
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import pytest

from grader.boxes.base import Stopped
from grader.errors import ToolMissing
from grader.evidence import Blob, Evidence
from grader.results import Verdict
from tests.grader.courses import commit, git, repository, write_files

Look = Callable[[Path], Evidence]


def test_submitted_files_are_read(tmp_path: Path, look: Look) -> None:
    work = write_files(tmp_path / "work", {"a.txt": "a", ".venv/b.txt": "b"})
    (work / "c.bin").write_bytes(b"\xff")
    evidence = look(work)
    assert evidence.files() == {"a.txt": 1, "c.bin": 1}
    assert evidence.read("a.txt") == b"a"
    assert evidence.read(".venv/b.txt") is None
    assert evidence.read("../work/a.txt") is None
    assert evidence.text("c.bin") == "\ufffd"
    assert evidence.text("absent") is None


def test_head_branch_and_files_of_a_commit(repo: Path, look: Look) -> None:
    found = look(repo).git
    assert found.head == git(repo, "rev-parse", "HEAD")
    assert found.branch == "main"
    assert found.branches() == {"main": found.head}
    assert found.files() == {"notes.md": 5, "data/orders.csv": 4}
    assert found.files("absent") == {}
    assert found.read("data/orders.csv") == b"a,b\n"
    assert found.read("absent.csv") is None
    assert found.commit("--all") is None


def test_annotated_and_lightweight_tags_give_their_commit(repo: Path, look: Look) -> None:
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "tag", "light")
    git(repo, "tag", "-a", "-m", "one", "heavy")
    git(repo, "tag", "-a", "-m", "a tag of a tag", "heavier", "heavy")
    git(repo, "tag", "no-commit", "HEAD:notes.md")
    second = commit(repo, "two")
    found = look(repo).git
    assert found.tags() == {"light": first, "heavy": first, "heavier": first}
    assert found.is_ancestor("heavy", "main")
    assert found.is_ancestor(first, second)
    assert not found.is_ancestor("main", "light")


def test_a_detached_head_is_on_no_branch(repo: Path, look: Look) -> None:
    first = git(repo, "rev-parse", "HEAD")
    commit(repo, "two")
    git(repo, "checkout", "--quiet", "--detach", first)
    found = look(repo).git
    assert (found.head, found.branch) == (first, None)


def test_a_detached_head_counts_among_what_is_reachable(repo: Path, look: Look) -> None:
    git(repo, "checkout", "--quiet", "--detach")
    write_files(repo, {"big.csv": "x" * 2000})
    commit(repo, "off the branch")
    assert "big.csv" in [blob.path for blob in look(repo).git.blobs()]


def test_packed_refs_and_objects_are_read(repo: Path, look: Look) -> None:
    git(repo, "tag", "-a", "-m", "one", "v1")
    git(repo, "gc", "--quiet")
    assert (repo / ".git" / "packed-refs").is_file()
    found = look(repo).git
    assert found.tags() == {"v1": found.head}
    assert found.branches() == {"main": found.head}
    assert found.read("notes.md") == b"One.\n"


def test_a_fresh_orphan_forgets_the_history(repo: Path, look: Look) -> None:
    write_files(repo, {"big.csv": "x" * 2000})
    commit(repo, "big")
    git(repo, "rm", "--quiet", "big.csv")
    commit(repo, "gone from the tree only")
    assert [blob.path for blob in look(repo).git.blobs() if blob.size > 1000] == ["big.csv"]
    git(repo, "checkout", "--quiet", "--orphan", "fresh")
    commit(repo, "fresh")
    git(repo, "branch", "--quiet", "-M", "main")
    found = look(repo).git
    assert [blob.path for blob in found.blobs() if blob.size > 1000] == []
    assert Blob(git(repo, "rev-parse", "HEAD:notes.md"), 5, "notes.md") in found.blobs()


def test_a_repository_without_a_commit_is_empty(tmp_path: Path, look: Look) -> None:
    work = write_files(tmp_path / "work", {"a.txt": "a"})
    git(work, "init", "--quiet", "--initial-branch=main")
    found = look(work).git
    assert (found.head, found.branch, found.blobs(), found.tags(), found.files()) == (
        None,
        "main",
        [],
        {},
        {},
    )
    assert found.untracked() == ["a.txt"]


def test_a_file_name_of_any_kind_is_read_whole(tmp_path: Path, look: Look) -> None:
    name = 'two words "über" \t.csv'
    work = repository(tmp_path / "work", {name: "a"})
    assert look(work).git.files() == {name: 1}
    assert look(work).git.read(name) == b"a"


def no_repository(work: Path) -> None:
    rmtree(work / ".git")


def worktree_file(work: Path) -> None:
    rmtree(work / ".git")
    (work / ".git").write_text("gitdir: /elsewhere\n")


def no_head(work: Path) -> None:
    (work / ".git" / "HEAD").unlink()


def lost_object(work: Path) -> None:
    blob = git(work, "rev-parse", "HEAD:notes.md")
    (work / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def spoilt_head(work: Path) -> None:
    (work / ".git" / "HEAD").write_text("nonsense\n")


BROKEN_REPOSITORIES: list[tuple[Callable[[Path], None], str]] = [
    (no_repository, r"The work is no Git repository: it has no `\.git` folder with a HEAD"),
    (worktree_file, "The work is no Git repository"),
    (no_head, "The work is no Git repository"),
    (lost_object, "Git cannot read the repository: .*"),
    (spoilt_head, "Git cannot read the repository: .*"),
]


@pytest.mark.parametrize(
    ("spoil", "wanted"), BROKEN_REPOSITORIES, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_broken_repository_fails_with_its_reason(
    repo: Path, look: Look, spoil: Callable[[Path], None], wanted: str
) -> None:
    spoil(repo)
    with pytest.raises(Stopped, match=wanted) as caught:
        look(repo).git.blobs()
    assert caught.value.verdict is Verdict.FAIL


def test_changed_untracked_and_ignored_files_are_told_apart(repo: Path, look: Look) -> None:
    write_files(repo, {".gitignore": "/store\n*.log\n", "gone.md": "x", "staged.md": "x"})
    commit(repo, "two")
    write_files(repo, {"notes.md": "Two.\n", "new/a b.md": "x", "store/a": "x", "staged.md": "y"})
    git(repo, "add", "staged.md")
    (repo / "gone.md").unlink()
    found = look(repo).git
    assert sorted(found.changed()) == ["gone.md", "notes.md", "staged.md"]
    assert found.untracked() == ["new/a b.md"]
    assert found.ignored("store/a")
    assert found.ignored("data/x.log")
    assert not found.ignored("notes.md")


def test_a_clean_tree_has_nothing_changed(repo: Path, look: Look) -> None:
    assert (look(repo).git.changed(), look(repo).git.untracked()) == ([], [])


def hostile(repo: Path, trap: Path) -> None:
    """Settings, hooks and attributes that would run a program, in every place that Git reads them from."""
    script = repo.parent / "evil.sh"
    script.write_text(f"#!/bin/sh\necho ran >> {trap}\ncat\n")
    script.chmod(0o755)
    settings = {
        "core.fsmonitor": script,
        "core.hooksPath": repo / ".git" / "hooks",
        "core.pager": script,
        "pager.status": script,
        "core.sshCommand": script,
        "filter.evil.clean": script,
        "filter.evil.smudge": script,
        "filter.evil.process": script,
        "diff.external": script,
        "core.alternateRefsCommand": script,
        "alias.status": f"!{script}",
        "init.templateDir": repo.parent,
        "uploadpack.packObjectsHook": script,
    }
    write_files(repo, {".gitattributes": "* filter=evil diff=evil\n"})
    commit(repo, "attributes")
    for key, value in settings.items():
        git(repo, "config", key, str(value))
    for hook in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction"):
        copy = repo / ".git" / "hooks" / hook
        copy.write_text(script.read_text())
        copy.chmod(0o755)


def read_everything(evidence: Evidence) -> None:
    found = evidence.git
    found.blobs()
    found.tags()
    found.changed()
    found.ignored("a")
    found.read("notes.md")
    evidence.dvc.pull("HEAD")


def test_hooks_filters_and_settings_of_the_learner_never_run(repo: Path, look: Look, tmp_path: Path) -> None:
    trap = tmp_path / "trap.txt"
    hostile(repo, trap)
    trap.unlink(missing_ok=True)
    read_everything(look(repo))
    assert not trap.exists()


def test_the_settings_of_a_submodule_never_run(repo: Path, look: Look, tmp_path: Path) -> None:
    trap = tmp_path / "trap.txt"
    inner = repository(repo / "inner")
    git(repo, "-c", "advice.addEmbeddedRepo=false", "add", "--all")
    commit(repo, "a repository in the repository")
    hostile(inner, trap)
    trap.unlink(missing_ok=True)
    read_everything(look(repo))
    assert not trap.exists()


def test_unreadable_settings_of_the_learner_do_not_matter(repo: Path, look: Look) -> None:
    (repo / ".git" / "config").write_text("[core\nnonsense")
    read_everything(look(repo))


def test_alternates_lend_no_objects(repo: Path, look: Look, tmp_path: Path) -> None:
    lender = repository(tmp_path / "lender", {"lent.md": "lent"})
    (repo / ".git" / "objects" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "objects" / "info" / "alternates").write_text(f"{lender / '.git' / 'objects'}\n")
    (repo / ".git" / "refs" / "heads" / "lent").write_text(git(lender, "rev-parse", "HEAD") + "\n")
    assert look(repo).git.commit("lent") is None


def test_replaced_objects_do_not_hide_what_is_there(repo: Path, look: Look) -> None:
    write_files(repo, {"big.csv": "x" * 2000})
    big = commit(repo, "big")
    git(repo, "rm", "--quiet", "big.csv")
    git(repo, "commit", "--quiet", "--amend", "--allow-empty", "--message", "as if it never was")
    git(repo, "update-ref", f"refs/replace/{big}", "HEAD")
    git(repo, "update-ref", "refs/heads/main", big)
    found = look(repo).git
    assert "big.csv" in found.files()
    assert "big.csv" in [blob.path for blob in found.blobs()]


def test_a_commit_graph_of_the_learner_is_not_believed(repo: Path, look: Look) -> None:
    git(repo, "commit-graph", "write", "--reachable")
    evidence = look(repo)
    assert evidence.git.head is not None
    assert evidence._sealed.read("repository/objects/info/commit-graph") is None


def test_a_link_in_a_commit_is_a_plain_text_in_the_clone(repo: Path, look: Look, tmp_path: Path) -> None:
    (repo / "link").symlink_to("/etc/passwd")
    commit(repo, "a link")
    (repo / "link").unlink()
    look(repo).dvc.pull().unpack(tmp_path / "clone")
    assert not (tmp_path / "clone" / "link").is_symlink()
    assert (tmp_path / "clone" / "link").read_text() == "/etc/passwd"


def test_an_object_under_another_s_name_is_not_believed(repo: Path, look: Look) -> None:
    write_files(repo, {"big.csv": "x" * 2000})
    commit(repo, "big")
    sha = git(repo, "rev-parse", "HEAD:big.csv")
    loose = repo / ".git" / "objects" / sha[:2] / sha[2:]
    loose.chmod(0o644)
    loose.write_bytes(zlib.compress(b"blob 1\0x"))  # Git itself would call it a file of one byte
    with pytest.raises(
        Stopped, match=r"Git cannot read the repository: error: .*hash-path mismatch"
    ) as caught:
        look(repo).git.blobs()
    assert caught.value.verdict is Verdict.FAIL


def test_a_file_that_was_taken_from_the_objects_is_missed(repo: Path, look: Look) -> None:
    sha = git(repo, "rev-parse", "HEAD:data/orders.csv")
    (repo / ".git" / "objects" / sha[:2] / sha[2:]).unlink()
    with pytest.raises(Stopped, match=r"the content of data/orders\.csv is missing"):
        look(repo).git.files()


def test_more_than_can_be_read_at_once_fails_the_work(repo: Path, look: Look) -> None:
    (repo / "zeros").write_bytes(bytes(61 * 1024**2))
    commit(repo, "zeros")
    (repo / "zeros").unlink()
    found = look(repo).git
    assert found.files()["zeros"] == 61 * 1024**2
    with pytest.raises(Stopped, match="`git cat-file` has over 60 MB to say") as caught:
        found.read("zeros")
    assert caught.value.verdict is Verdict.FAIL


def test_a_tag_that_looks_like_an_option_is_a_tag(repo: Path, look: Look) -> None:
    (repo / ".git" / "packed-refs").write_text(f"{git(repo, 'rev-parse', 'HEAD')} refs/tags/--format=x\n")
    found = look(repo).git
    assert list(found.tags()) == ["--format=x"]
    assert found.files("--format=x") == found.files()
    assert found.read("notes.md", "--format=x") == b"One.\n"
    assert found.is_ancestor("--format=x", "HEAD")
    assert not found.is_ancestor("--all", "HEAD")


def test_a_branch_may_be_called_like_a_folder_of_git_s(repo: Path, look: Look) -> None:
    git(repo, "branch", "info")
    assert set(look(repo).git.branches()) == {"main", "info"}


def test_a_missing_git_is_a_missing_tool(repo: Path, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = look(repo)
    monkeypatch.setenv("PATH", str(repo / "data"))
    with pytest.raises(ToolMissing, match=r"Git is not on PATH\. Install it"):
        _ = evidence.git.head
