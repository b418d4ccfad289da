"""A command that is killed or meets a full disk: what was whole stays whole, and the next run finishes."""

import csv
import io
import json
import os
import re
import tarfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree

import pytest

from grader import signing
from grader.certificates import verify
from grader.classroom import read_class
from grader.cli_here import in_class
from grader.locks import WHOLE, hold, note
from grader.manifest import Lab
from grader.receipts import newest
from grader.signing import make_key
from tests.grader.classes import judged, record
from tests.grader.courses import replace
from tests.grader.mortal import Mortal
from tests.grader.test_gradebook import give
from tests.grader.traces import leave_traces, told
from tests.lab_env.disks import fill, small_disk

pytestmark = pytest.mark.slow

# By name: what is typed. OUT is a folder beside the class, KEY an instructor's own.
COMMANDS = {
    "feedback": ["feedback", "01"],
    "report": ["report"],
    "report without names": ["report", "--anonymous", "--output", "OUT/report"],
    "export": ["export", "--output", "OUT/grades.csv"],
    "export for canvas": ["export", "01", "--format", "canvas", "--output", "OUT/canvas.csv"],
    "export for moodle": ["export", "01", "--format", "moodle", "--output", "OUT/moodle.csv"],
    "export for gradescope": ["export", "01", "--format", "gradescope"],
    "certificate": ["certificate", "sign", "--by", "Ada", "--at-least", "0", "--signing-key", "KEY"],
    "similar": ["similar", "01", "--least", "1"],
    "appeal": ["appeal", "ben", "01", "--output", "OUT/appeal.txt"],
    "regrade": ["regrade", "01", "--lower"],
    "grade": ["grade", "01", "--lower"],
    "backup": ["backup", "OUT/class.tar.gz"],
    "take out": ["learner", "export", "ben", "OUT/ben.zip"],
}
# Their first long file is a lock, the gradebook, or a file of a program of Git's.
FIRST_OTHERS = ("grade", "regrade", "similar")
TYPED = "Typed between the two runs."


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    one = Mortal(tmp_path_factory.mktemp("mortal") / "log")
    yield one
    one.close()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "key"
    make_key(file)
    return file


@pytest.fixture(scope="module")
def made(sound: Lab, mortal: Mortal, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class in which every command has been run once, and then something was typed."""
    top = tmp_path_factory.mktemp("ended")
    folder = leave_traces(top / "class", sound)
    (top / "out").mkdir()
    for name in COMMANDS:
        done = mortal.type(folder, words(top, key, name))
        assert done.code == 0, (name, done)
    give(read_class(folder), "adds", 2.5, TYPED)
    replace(folder / "roster.csv", "Ben Hur", "Ben Hur the second")
    for who, receipt in newest(read_class(folder), sound.id).items():
        record(read_class(folder), sound, who, judged(sound, receipt.snapshot, found="-1", adds="FAIL"))
    return top


def words(top: Path, key: Path, name: str) -> list[str]:
    return [one.replace("OUT", str(top / "out")).replace("KEY", str(key)) for one in COMMANDS[name]]


def files(top: Path) -> dict[str, bytes]:
    """Every file of the class and beside it, but the locks."""
    found = (path for path in top.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(top)): path.read_bytes() for path in found}


def halves(top: Path) -> list[str]:
    """What a writer left half done."""
    return [name for name in files(top) if re.search(r"/\.[^/]+\.\d+\.\w+(/|$)|\.new$", f"/{name}")]


def is_whole(name: str, content: bytes, key: Path) -> bool:
    """Whether a file can be used as what it is called."""
    if name.endswith(".html"):
        return content.endswith(b"</html>\n")
    if name.startswith("class/certificates/") and name.endswith((".json", ".svg")):
        return bool(verify(content, signing.read_public(key.with_name("key.pub"))).labs)
    if name.endswith((".json", ".ipynb")):
        return isinstance(json.loads(content), dict)
    if name.endswith(".csv"):
        lines = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
        return content.endswith(b"\n") and len({len(one) for one in lines}) == 1
    if name.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(content)) as packed:
            return "class/roster.csv" in packed.getnames()
    if name == "out/ben.zip":
        return zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    return bool(content)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_kill_leaves_each_file_as_it_was_or_whole_and_the_next_run_finishes(
    name: str, made: Path, mortal: Mortal, key: Path, tmp_path: Path
) -> None:
    before, whole = files(made), copytree(made, tmp_path / "whole")
    done = mortal.type(whole / "class", words(whole, key, name))
    assert done.code == 0, done
    deaths = [{"dies": dies} for dies in sorted({1, (done.renames + 1) // 2, done.renames} - {0})]
    deaths += [{"cut": 64}] if name not in FIRST_OTHERS else []
    for at, death in enumerate(deaths):
        top = copytree(made, tmp_path / str(at))
        assert mortal.type(top / "class", words(top, key, name), **death).code in (-9, -25), death  # SIGXFSZ
        half = halves(top)
        now = {name: content for name, content in files(top).items() if name not in half}
        assert before.keys() <= now.keys(), death
        for path, content in now.items():
            assert content == before.get(path) or is_whole(path, content, key), (path, death)
        again = mortal.type(top / "class", words(top, key, name))
        assert again.code == 0, again
        assert halves(top) == [], death
        assert files(top).keys() == files(whole).keys(), death


def test_a_full_disk_is_said_with_the_file_and_the_next_step(
    made: Path, mortal: Mortal, key: Path, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", kilobytes=16_384) as disk:
        top = copytree(made, disk / "here", symlinks=True)
        fill(disk)
        before = files(top)
        for name in COMMANDS:
            done = mortal.type(top / "class", words(top, key, name))
            assert done.code == 2, (name, done)
            said = r"cannot be written \(No space left on device\)\.|cannot be used: .*disk is full\."
            assert re.search(rf"{disk}\S+ ({said})", done.err), done
            assert re.search(
                r"Mend that|[Nn]ame another (file|place|folder)|The results are safe", done.err
            ), done
            assert "Traceback" not in done.err
            assert files(top) == before, name
        (disk / "filler").unlink()
        for name in COMMANDS:
            done = mortal.type(top / "class", words(top, key, name))
            assert done.code == 0, (name, done)
        assert halves(top) == []


def test_a_killed_restore_leaves_nothing_once_it_is_done_again(
    made: Path, mortal: Mortal, tmp_path: Path
) -> None:
    mortal.type(made / "class", ["backup", str(tmp_path / "class.tar.gz")])
    typed = ["restore", str(tmp_path / "class.tar.gz"), str(tmp_path / "back" / "class")]
    assert mortal.type(tmp_path, typed, dies=1).code == -9
    assert not (tmp_path / "back" / "class").exists()
    assert mortal.type(tmp_path, typed, cut=64).code == -25
    done = mortal.type(tmp_path, typed)
    assert (done.code, done.err) == (0, "")
    assert [path.name for path in (tmp_path / "back").iterdir()] == ["class"]


def test_nobody_is_deleted_while_something_is_made_that_tells_of_them(
    made: Path, mortal: Mortal, key: Path, tmp_path: Path
) -> None:
    top = copytree(made, tmp_path / "here")
    folder = top / "class"
    with in_class(folder), in_class(folder / "feedback"):  # two may work at once
        for words_of_it in (["delete", "anna"], ["delete", "anna", "--dry-run"]):
            done = mortal.type(folder, ["learner", *words_of_it])
            assert done.code == 2
            assert f"is being worked on (process {os.getpid()}). Wait until it ends, then run `gr" in done.err
    before = files(top)
    with hold(folder / WHOLE) as lock:
        note(lock)
        for name in COMMANDS:
            done = mortal.type(folder, words(top, key, name))
            assert done.code == 2
            assert re.search(rf"is (held by |being worked on \()process {os.getpid()}\W", done.err), (
                name,
                done,
            )
    assert files(top) == before


def test_a_class_whose_lock_cannot_be_written_is_named(made: Path, mortal: Mortal, tmp_path: Path) -> None:
    folder = copytree(made / "class", tmp_path / "class")
    (folder / WHOLE).unlink()
    (folder / WHOLE).mkdir()
    done = mortal.type(folder, ["feedback", "01"])
    assert done.code == 2
    assert (
        ".class.lock cannot be written (Is a directory). Nothing was done. Mend that, then run the"
        in done.err
    )
    done = mortal.type(folder, ["learner", "delete", "anna"])
    assert done.code == 2
    assert (
        ".class.lock cannot be written (Is a directory). Nothing was done. Mend that, then run `gr"
        in done.err
    )


def test_what_a_killed_run_wrote_of_a_learner_goes_with_them(
    made: Path, mortal: Mortal, key: Path, tmp_path: Path
) -> None:
    top = copytree(made, tmp_path / "here")
    for name in ("report", "certificate", "export for gradescope", "feedback", "grade"):
        killed = mortal.type(top / "class", words(top, key, name), dies=1)
        assert killed.code == -9, name
    assert len(halves(top)) == 5
    assert mortal.type(top / "class", ["learner", "delete", "anna"]).code in (0, 1)
    assert told(top / "class") == []
    assert halves(top) == []


def test_two_who_make_the_same_at_once_both_finish(
    made: Path, mortal: Mortal, key: Path, tmp_path: Path
) -> None:
    top, other = copytree(made, tmp_path / "here"), Mortal(tmp_path / "log")
    try:
        with ThreadPoolExecutor(2) as both:
            for name in COMMANDS.keys() - {"grade", "regrade", "backup", "take out"}:
                typed = words(top, key, name)
                ended = [both.submit(one.type, top / "class", typed) for one in (mortal, other)]
                assert [one.result().code for one in ended] == [0, 0], (name, [one.result() for one in ended])
    finally:
        other.close()
    assert halves(top) == []
    assert all(is_whole(path, content, key) for path, content in files(top).items())
