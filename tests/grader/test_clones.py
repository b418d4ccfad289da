"""A repository is collected as a zip is, and nothing in it runs, leads out or comes from elsewhere."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader import clones
from grader.classroom import Classroom, read_class
from grader.clones import Address, address, clone, is_bundle, unbundle
from grader.errors import CourseError, InvalidSubmission
from grader.intake import collect
from grader.manifest import Lab
from grader.snapshot import take
from grader.unpack import CAPS
from tests.grader.courses import commit, git, repository, write_files
from tests.grader.forge import forge
from tests.grader.handed_in import ADD, NOW, class_of_four, learners, packed, reasons
from tests.grader.test_cli_class import typed

PLACES = [
    "https://git.example.org/school/lab-02-{id}.git",
    "http://127.0.0.1:8080/ana.git",
    "git@git.example.org:school/ana.git",
    "ssh://git@git.example.org:2222/school/{account}",
]
ODD = [
    "ext::sh -c touch% /tmp/x",
    "fd::17",
    "file:///etc",
    "git://git.example.org/x.git",
    "https://me:secret@git.example.org/x.git",
    "ssh://-oProxyCommand=touch/x",
    "https://git.example.org/x.git --upload-pack=touch",
]


@pytest.fixture
def room(sound: Lab, tmp_path: Path) -> Classroom:
    return class_of_four(tmp_path / "class", sound)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """A forge with ana's work, ben's that is hostile, and nothing of cleo and dan."""
    ana = repository(tmp_path / "ana", {"add.py": ADD})
    git(ana, "tag", "v1")
    git(ana, "branch", "other")
    git(tmp_path, "clone", "--quiet", "--bare", "ana", "host/lab-ana.git")
    ben = repository(tmp_path / "ben", {"add.py": ADD})
    (ben / "link").symlink_to("/etc/passwd")
    commit(ben, "link")
    git(tmp_path, "clone", "--quiet", "--bare", "ben", "host/lab-ben.git")
    with forge(tmp_path / "host") as place:
        yield place


def bundled(folder: Path, *what: str) -> Path:
    """A bundle of a repository, beside it."""
    bundle = folder.with_suffix(".bundle")
    git(folder, "bundle", "create", "--quiet", str(bundle), *(what or ("--all", "HEAD")))
    return bundle


def raw_tree(folder: Path, *entries: tuple[str, bytes, bytes]) -> str:
    """Write a tree as it is, with whatever names; its id."""
    content = b"".join(
        mode.encode() + b" " + name + b"\0" + bytes.fromhex(blob.decode()) for mode, name, blob in entries
    )
    words = ["git", "-C", str(folder), "hash-object", "-t", "tree", "-w", "--literally", "--stdin"]
    return subprocess.run(words, input=content, capture_output=True, check=True).stdout.decode().strip()


def with_tree(folder: Path, tree: str) -> Path:
    """Let `main` be a commit of that tree, and bundle it."""
    made = git(folder, "commit-tree", tree, "-m", "odd")
    git(folder, "update-ref", "refs/heads/main", made)
    return bundled(folder)


def test_a_class_is_cloned_from_the_address_that_its_roster_fills_in(
    room: Classroom, sound: Lab, tmp_path: Path, host: str
) -> None:
    place = address(f"{host}/lab-{{id}}.git")
    assert place is not None
    done = collect(room, sound, place, now=NOW)
    assert learners(done.receipts) == ["ana"]
    why = reasons(done)
    assert why.keys() == {"ben", "cleo", "dan"}
    assert why["ben"].startswith("`link` is a link; only plain files are taken.")
    assert re.match(r"Git cannot take the repository: fatal: repository .* not found\. Mend that", why["dan"])
    [receipt] = done.receipts
    assert (receipt.work / "add.py").read_text() == ADD
    assert git(receipt.work, "rev-parse", "HEAD", "v1", "other") == git(
        tmp_path / "ana", "rev-parse", "HEAD", "v1", "other"
    )
    assert git(receipt.work, "status", "--porcelain", "--branch") == "## main"
    assert receipt.collected_at == NOW.replace(microsecond=0)


def test_a_clone_of_the_same_is_the_same_however_the_host_packs_it(
    room: Classroom, sound: Lab, tmp_path: Path, host: str
) -> None:
    place = Address(f"{host}/lab-ana.git")
    first = collect(room, sound, place, as_="ana", now=NOW).receipts
    git(tmp_path / "host" / "lab-ana.git", "repack", "-a", "-d", "--quiet", "--depth=1")
    git(tmp_path / "host" / "lab-ana.git", "pack-refs", "--all")
    again = collect(room, sound, place, as_="ana", now=NOW)
    assert (again.receipts, [one.snapshot for one in again.already]) == ((), [one.snapshot for one in first])


def test_a_column_of_the_roster_fills_an_address(room: Classroom, sound: Lab, host: str) -> None:
    (room.folder / "roster.csv").write_text("id,account\nana,lab-ana\nben,../../etc\ncleo\n")
    there = replace(read_class(room.folder), box="local")
    done = collect(there, sound, Address(f"{host}/{{account}}.git"), now=NOW)
    assert learners(done.receipts) == ["ana"]
    assert {one[:60] for one in reasons(done).values()} == {
        "Its line in roster.csv has no `account` that can stand in an addr"[:60]
    }
    with pytest.raises(CourseError, match=r"roster\.csv has no column `login`\. Add it, or write `{id}`\."):
        collect(there, sound, Address("https://host/{login}"), now=NOW)
    with pytest.raises(CourseError, match=r"https://host/x is one repository\. Say whose with `--as ID`"):
        collect(there, sound, Address("https://host/x"), now=NOW)


@pytest.mark.parametrize("text", PLACES)
def test_an_address_is_known_from_a_path(text: str) -> None:
    assert address(text) == Address(text)


def test_a_path_is_no_address() -> None:
    assert [address(text) for text in ("../downloads", "downloads.zip", "C:/x", "a@b")] == [None] * 4


@pytest.mark.parametrize("text", ODD)
def test_any_other_address_is_refused(room: Classroom, text: str) -> None:
    done = typed(room.folder, "collect", "01", text, "--as", "ana")
    assert done.returncode == 2
    assert "is no address that is cloned from. Write https://host/path or git@host:path" in done.stderr


def test_a_folder_of_bundles_is_collected(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    ana = repository(tmp_path / "in" / "ana", {"add.py": ADD})
    bundled(ana)
    ben = repository(tmp_path / "in" / "ben", {"add.py": ADD, ".lfsconfig": "x"})
    write_files(
        ben,
        {
            ".gitattributes": "*.bin filter=lfs\n*.py filter=run export-subst ident\n",
            "model.bin": "oid sha256:0\n",
        },
    )
    commit(ben, "filters")
    bundled(ben)
    for folder in (ana, ben):
        subprocess.run(["rm", "-r", str(folder)], check=True)
    (tmp_path / "in" / "cleo.bundle").write_bytes(b"# v2 git bundle\nnothing")
    done = collect(room, sound, tmp_path / "in", now=NOW)
    assert learners(done.receipts) == ["ana", "ben"]
    assert (done.receipts[1].work / "model.bin").read_text() == "oid sha256:0\n"
    assert reasons(done)["cleo.bundle"].startswith("The repository does not say which branch counts.")
    one = collect(room, sound, tmp_path / "in" / "ana.bundle", now=NOW)
    assert [receipt.learner for receipt in one.already] == ["ana"]


def test_the_zip_of_lab_submit_in_a_repository_is_what_counts(
    room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    ana = repository(tmp_path / "ana", {"README.md": "Handed in here.\n"})
    (ana / "01-add-0123456789ab.zip").write_bytes(packed(sound))
    commit(ana, "hand in")
    [receipt] = collect(room, sound, bundled(ana), as_="ana", now=NOW).receipts
    assert sorted(path.name for path in receipt.work.iterdir()) == [".git", "add.py"]
    assert receipt.reported["release"] == sound.release
    (ana / "01-add-987654321000.zip").write_bytes(packed(sound, "x = 1\n"))
    commit(ana, "another")
    why = reasons(collect(room, sound, bundled(ana), as_="ana", now=NOW))
    assert why["ana.bundle"].startswith("It holds 2 zips for 01-add: which one counts is not known.")


def refused(bundle: Path, tmp_path: Path, **caps: int) -> str:
    with pytest.raises(InvalidSubmission) as raised:
        unbundle(bundle, tmp_path / "out", "01-add", replace(CAPS, **caps))
    assert not (tmp_path / "out" / "work").exists()
    return str(raised.value)


def test_a_submodule_is_refused_and_never_fetched(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"a.py": ""})
    outer = repository(tmp_path / "outer")
    write_files(outer, {".gitmodules": '[submodule "x"]\n path = x\n url = ../inner\n'})
    git(outer, "update-index", "--add", "--cacheinfo", f"160000,{git(inner, 'rev-parse', 'HEAD')},x")
    git(outer, "add", ".gitmodules")
    git(outer, "commit", "--quiet", "-m", "inner")
    assert refused(bundled(outer), tmp_path).startswith(
        "`x` is a submodule: it points to a repository elsewhere"
    )


def test_names_that_lead_into_a_repository_are_refused(tmp_path: Path) -> None:
    folder = repository(tmp_path / "odd")
    blob = git(folder, "rev-parse", "HEAD:notes.md").encode()
    for name in (b".git", b".GIT", b"..", b"git~1"):
        tree = raw_tree(folder, ("100644", name, blob))
        assert refused(with_tree(folder, tree), tmp_path).startswith("Git cannot take the repository: "), name
        subprocess.run(["rm", "-r", str(tmp_path / "out")], check=True)
    hooks = write_files(folder, {".gitmodules": '[submodule "x"]\n path = x\n url = -u./payload\n'})
    commit(hooks, "option as address")
    assert "Git cannot take the repository" in refused(bundled(folder), tmp_path)


def test_a_tree_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    folder = repository(tmp_path / "bomb")
    tree, mode = git(folder, "rev-parse", "HEAD:notes.md"), "100644"
    for _ in range(10):
        tree = raw_tree(folder, *((mode, b"d%d" % at, tree.encode()) for at in range(10)))
        mode = "40000"
    assert refused(with_tree(folder, tree), tmp_path).startswith(
        "The repository lists more than 100,000 entries."
    )


def test_a_pack_that_is_too_large_and_a_file_that_is_too_large_are_refused(tmp_path: Path) -> None:
    folder = repository(tmp_path / "large")
    (folder / "noise").write_bytes(os.urandom(300_000))
    commit(folder, "noise")
    (folder / "noise").unlink()
    commit(folder, "away")
    assert refused(bundled(folder), tmp_path, bytes=100_000).startswith("Git cannot take the repository: ")
    subprocess.run(["rm", "-r", str(tmp_path / "out")], check=True)
    (folder / "zeros").write_bytes(bytes(2 * 1024**2))
    commit(folder, "zeros")
    assert refused(bundled(folder), tmp_path, bytes=1024**2).startswith(
        "It unpacks to more than 1 MB (at `zeros`)."
    )


def test_a_repository_without_a_branch_that_counts_is_refused(tmp_path: Path) -> None:
    folder = repository(tmp_path / "two")
    git(folder, "branch", "--move", "one")
    git(folder, "branch", "two")
    said = refused(bundled(folder, "one", "two"), tmp_path)
    assert said == "The repository does not say which branch counts. Push or bundle `HEAD` and `main`."
    subprocess.run(["rm", "-r", str(tmp_path / "out")], check=True)
    head = git(folder, "rev-parse", "one")
    (folder / ".git" / "packed-refs").write_text("".join(f"{head} refs/tags/t{at}\n" for at in range(2_001)))
    assert refused(bundled(folder), tmp_path).startswith(
        "The repository has more than 2,000 branches and tags."
    )


def test_an_object_that_is_not_there_is_said(tmp_path: Path) -> None:
    git_ = clones._Git(repository(tmp_path / "one") / ".git", "file", CAPS, 60)
    with pytest.raises(InvalidSubmission, match=r"The repository lacks an object that its files need\."):
        list(git_.blobs.read("0" * 40))
    git_.blobs.close()


def test_one_branch_needs_no_head(tmp_path: Path) -> None:
    folder = repository(tmp_path / "one")
    git(folder, "branch", "--move", "work")
    work = unbundle(bundled(folder, "work"), tmp_path / "out", "01-add", CAPS)
    assert (work / ".git" / "HEAD").read_text() == "ref: refs/heads/work\n"
    assert take(work).files


def test_a_host_that_does_not_answer_is_left(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        with pytest.raises(
            InvalidSubmission, match=r"Git was not done with the repository after 1 seconds\."
        ):
            clone(url, tmp_path / "out", "01-add", CAPS, wall_s=1)


def test_no_setting_of_a_repository_comes_along(tmp_path: Path) -> None:
    folder = repository(tmp_path / "mine")
    git(folder, "config", "core.fsmonitor", "touch /tmp/never")
    write_files(folder, {".git/hooks/post-checkout": "touch /tmp/never\n"})
    work = unbundle(bundled(folder), tmp_path / "out", "01-add", CAPS)
    assert sorted(path.name for path in (work / ".git").iterdir()) == [
        "HEAD", "config", "index", "objects", "packed-refs", "refs",
    ]  # fmt: skip
    assert "fsmonitor" not in (work / ".git" / "config").read_text()


def test_what_is_no_file_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(bundled(repository(tmp_path / "one")))
    assert [is_bundle(tmp_path / name) for name in ("one.bundle", "link", "one", "none")] == [
        True,
        False,
        False,
        False,
    ]


def test_without_git_or_prlimit_the_missing_tool_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundled(repository(tmp_path / "one"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        CourseError, match=r"`git` or `prlimit` is not on PATH\. Install them \(Debian: `apt install"
    ):
        unbundle(bundle, tmp_path / "out", "01-add", CAPS)
