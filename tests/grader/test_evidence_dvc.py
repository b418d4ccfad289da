"""What the judge reads of real DVC projects and their stores."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from grader.boxes.base import Stopped
from grader.boxes.local import LocalBox
from grader.errors import BoxError
from grader.evidence import Checkout, Evidence, Out
from grader.results import Verdict
from grader.sealed import SealedBox
from grader.starter import course_environment, run
from tests.grader.courses import commit, repository, write_files

Look = Callable[[Path], Evidence]


TWO_VERSIONS = """
import subprocess
from pathlib import Path
from dvc.repo import Repo
repo = Repo.init(".")
Path(".dvc/config").write_text("[core]\\nremote = shared\\n['remote \\"shared\\"']\\nurl = ../store\\n")
for number in (1, 2):
    Path("data/orders.csv").write_text(f"version {number}\\n")
    with Repo(".") as repo:
        repo.add("data/orders.csv")
        repo.push()
    for words in (["add", "--all"], ["commit", "-qm", "version"], ["tag", f"orders-v{number}"]):
        subprocess.run(["git", *words], check=True)
"""


def write_config(work: Path, url: str, name: str = "shared") -> None:
    write_files(work, {".dvc/config": f"[core]\nremote = {name}\n['remote \"{name}\"']\nurl = {url}\n"})


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work with two versions of one file, both pushed to a store inside it. Only read."""
    work = repository(tmp_path_factory.mktemp("dvc") / "work", {".gitignore": "/store\n"})
    write_files(work, {"data/keep.md": "x"})
    home = work.parent / "home"
    home.mkdir()
    run([sys.executable, "-c", TWO_VERSIONS], work, course_environment(home))
    write_config(work, "../store")
    return work


@pytest.fixture
def orders(versions: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may break."""
    copytree(versions, tmp_path / "work", symlinks=True)
    return tmp_path / "work"


def digest(number: int) -> str:
    return md5(f"version {number}\n".encode(), usedforsecurity=False).hexdigest()


def test_each_version_is_pulled_into_a_clean_clone(versions: Path, look: Look) -> None:
    found = look(versions).dvc
    assert (found.remotes, found.default) == ({"shared": "../store"}, "shared")
    assert found.outs() == {"data/orders.csv": Out(digest(2), 10, "data/orders.csv.dvc")}
    assert found.outs("orders-v1")["data/orders.csv"].md5 == digest(1)
    assert found.store() == {digest(1): 10, digest(2): 10}
    for number in (1, 2):
        checkout = found.pull(f"orders-v{number}")
        assert (checkout.ok, checkout.error) == (True, "")
        assert checkout.read("data/orders.csv") == f"version {number}\n".encode()
        assert checkout.read("absent.csv") is None
    assert found.pull("orders-v2") == replace(found.pull(), ref="orders-v2")  # one commit, one clone
    assert not found.pull("absent").ok
    assert found.pull("absent").error == "There is no absent."


def test_a_missing_object_fails_the_pull_of_its_version_only(orders: Path, look: Look) -> None:
    (orders / "store" / "files" / "md5" / digest(1)[:2] / digest(1)[2:]).unlink()
    found = look(orders).dvc
    assert found.store() == {digest(2): 10}
    assert found.pull("orders-v2").ok
    missing = found.pull("orders-v1")
    assert not missing.ok
    assert digest(1) in missing.error or "data/orders.csv" in missing.error


def test_a_corrupt_object_is_no_object(orders: Path, look: Look) -> None:
    stored = orders / "store" / "files" / "md5" / digest(2)[:2] / digest(2)[2:]
    stored.chmod(0o644)
    stored.write_text("typed by hand\n")
    found = look(orders).dvc
    assert found.store() == {digest(1): 10}
    assert not found.pull().ok
    assert found.pull().read("data/orders.csv") is None


def test_files_beside_the_objects_are_not_counted(orders: Path, look: Look) -> None:
    write_files(orders / "store", {"files/md5/readme.txt": "x", "files/md5/aa/short": "x"})
    assert look(orders).dvc.store().keys() == {digest(1), digest(2)}


OUTSIDE = ["../../store", "/tmp/store", "s3://bucket/store", "file:///tmp/store", "ssh://host/store", ""]


@pytest.mark.parametrize("url", OUTSIDE)
def test_a_remote_that_is_not_in_the_work_gives_nothing(orders: Path, look: Look, url: str) -> None:
    write_config(orders, url)
    found = look(orders).dvc
    assert found.store_folder is None
    assert found.store() == {}
    assert not found.pull().ok
    assert found.pull().error == "There is no default remote inside the workspace."
    assert found.remotes == {"shared": url}


def test_a_store_that_was_never_pushed_to_is_told(orders: Path, look: Look) -> None:
    rmtree(orders / "store")
    found = look(orders).dvc
    assert found.store() == {}
    assert found.pull().error == "Nothing was ever pushed to the remote."


def test_a_work_without_dvc_has_no_remote(repo: Path, look: Look) -> None:
    found = look(repo).dvc
    assert (found.remotes, found.default, found.outs(), found.store()) == ({}, None, {}, {})
    assert not found.pull().ok


def test_a_clone_without_dvc_is_told(repo: Path, look: Look) -> None:
    write_config(repo, "../store")
    write_files(repo, {"store/a": "a"})
    assert look(repo).dvc.pull().error == "DVC was never initialised here: there is no .dvc folder."


@pytest.mark.parametrize("text", ["nonsense", "[core", "url = x\n[core]\n"])
def test_a_broken_config_fails_with_its_reason(orders: Path, look: Look, text: str) -> None:
    (orders / ".dvc" / "config").write_text(text)
    with pytest.raises(Stopped, match=r"\.dvc/config cannot be read: ") as caught:
        _ = look(orders).dvc.default
    assert caught.value.verdict is Verdict.FAIL


def test_a_committed_config_does_not_matter_to_the_pull(orders: Path, look: Look) -> None:
    sound = (orders / ".dvc" / "config").read_text()
    (orders / ".dvc" / "config").write_text("nonsense")
    commit(orders, "broken settings")
    (orders / ".dvc" / "config").write_text(sound)
    assert look(orders).dvc.pull().ok


def test_a_cache_in_git_does_not_help_the_pull(orders: Path, look: Look) -> None:
    (orders / ".dvc" / ".gitignore").unlink()
    commit(orders, "the cache too")
    assert any(path.startswith(".dvc/cache/") for path in look(orders).git.files())
    rmtree(orders / "store" / "files")
    assert not look(orders).dvc.pull().ok


POINTERS = {
    "no YAML": "outs: [",
    "a list": "- outs",
    "a number": "outs: 5",
    "a table": "outs: {path: a}",
    "no path": "outs:\n- md5: abc\n",
    "a path that is a number": "outs:\n- path: 5\n",
    "a day that is none": "outs:\n- path: 2026-99-99\n",
    "deep": "[" * 400,
    "stages that are a list": "stages: [1]",
    "nothing": "",
}


@pytest.mark.parametrize("name", POINTERS)
def test_a_pointer_that_is_none_tracks_nothing(tmp_path: Path, look: Look, name: str) -> None:
    work = repository(tmp_path / "work", {"a.csv.dvc": POINTERS[name]})
    assert look(work).dvc.outs() == {}


def test_outs_of_a_pipeline_are_read_from_its_lock(tmp_path: Path, look: Look) -> None:
    lock = "stages:\n  fit:\n    outs:\n    - path: model.bin\n      md5: abc\n      size: 3\n    - path: x\n"
    work = repository(tmp_path / "work", {"train/dvc.lock": lock})
    assert look(work).dvc.outs() == {
        "train/model.bin": Out("abc", 3, "train/dvc.lock"),
        "train/x": Out("", None, "train/dvc.lock"),
    }


def test_a_pointer_out_of_the_clone_writes_nothing_there(orders: Path, look: Look, tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    for path in (victim, "../../escaped.txt"):
        text = (orders / "data" / "orders.csv.dvc").read_text().replace("path: orders.csv", f"path: {path}")
        (orders / "data" / f"{Path(path).name}.dvc").write_text(text)
    commit(orders, "a pointer out of the clone")
    look(orders).dvc.pull()
    assert not victim.exists()
    assert not list(tmp_path.rglob("escaped.txt"))


def test_a_reader_that_died_is_no_fault_of_the_learner(versions: Path, look: Look) -> None:
    evidence = look(versions)
    assert evidence.dvc.pull("orders-v1").ok
    with pytest.raises(BoxError, match=r"Reading the submission failed in `no_such_act`: AttributeError"):
        evidence._sealed.ask("no_such_act")
    evidence.close()
    for _ in range(2):
        with pytest.raises(BoxError, match=r"This box has ended\."):
            evidence.dvc.pull()


def put(work: Path, content: bytes, ending: str = "") -> str:
    """Put content into the store under its hash, as a push would."""
    name = md5(content).hexdigest() + ending
    target = work / "store" / "files" / "md5" / name[:2] / name[2:]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return name


EVIL = md5(b"evil").hexdigest()
OUT_OF_ITS_FOLDER = "names what is no file of its folder: "
# What DVC 3.67 itself follows: it would write beside the clone, where the repository and the reader are.
ESCAPES = {
    "a list in the remote": (
        "outs:\n- path: a\n  hash: md5\n  md5: @LIST@\n",
        f"A list of files in the remote {OUT_OF_ITS_FOLDER}../../escaped",
    ),
    "a list in the pointer": (
        f"outs:\n- path: a\n  hash: md5\n  files:\n  - relpath: ../../escaped\n    md5: {EVIL}\n",
        f"evil.dvc {OUT_OF_ITS_FOLDER}../../escaped",
    ),
    "the workspace itself": (
        "outs:\n- path: .\n  hash: md5\n  md5: @LIST@\n",
        "evil.dvc points to what is no file of the work: .",
    ),
    "a hash that is a path": (
        "outs:\n- path: a\n  hash: md5\n  md5: ../../../../notes.md\n",
        "evil.dvc points to what is no file of the work: a",
    ),
    "another repository": (
        "frozen: true\ndeps:\n- path: a\n  repo:\n    url: ../repository\n    rev_lock: main\n"
        f"outs:\n- path: a\n  md5: {EVIL}\n",
        "evil.dvc imports from elsewhere. Only the submitted remote is read.",
    ),
}


@pytest.mark.parametrize("name", ESCAPES)
def test_dvc_is_led_nowhere_but_into_the_clone(orders: Path, look: Look, name: str) -> None:
    text, wanted = ESCAPES[name]
    entries = [{"md5": put(orders, b"evil"), "relpath": "../../escaped"}]
    listed = put(orders, json.dumps(entries).encode(), ".dir")
    write_files(orders, {"evil.dvc": text.replace("@LIST@", listed)})
    commit(orders, "a pointer that leads out")
    evidence = look(orders)
    assert evidence.dvc.pull().error == wanted
    assert evidence._sealed.read("escaped") is None


def test_a_hash_that_is_no_text_is_none(tmp_path: Path, look: Look) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abc", "bcd", strict=True)
    )
    work = repository(tmp_path / "work", {"a.csv.dvc": f"{bomb}outs:\n- path: a.csv\n  md5: *d\n"})
    assert look(work).dvc.outs() == {"a.csv": Out("", None, "a.csv.dvc")}


class Liar(SealedBox):
    """A sealed box that somebody took over."""

    def ask(self, act: str, *arguments: object) -> list[list[object]]:
        return [["../../escaped", False, f"{act} {arguments}".encode()]]


def test_what_a_sealed_box_says_is_written_nowhere_but_into_the_target(tmp_path: Path) -> None:
    liar = Liar(LocalBox(), tmp_path, tmp_path)
    with pytest.raises(BoxError, match=r"'../../escaped' of a checkout leads out of it"):
        Checkout("HEAD", "clone-0", ok=True, sealed=liar).unpack(tmp_path / "a" / "b")
    assert not (tmp_path / "escaped").exists()
