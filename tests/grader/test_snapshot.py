import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grader.errors import InvalidSubmission
from grader.snapshot import MAX_DEPTH, is_cache, take
from tests.grader.courses import write_files


def test_a_snapshot_lists_plain_files_sorted_with_bit_and_hash(tmp_path: Path) -> None:
    write_files(tmp_path, {"b.txt": "b", "a/run.sh": "x", ".git/HEAD": "ref"})
    (tmp_path / "a" / "run.sh").chmod(0o755)
    files = take(tmp_path).files
    assert [(file.path, file.executable, file.size) for file in files] == [
        (".git/HEAD", False, 3),
        ("a/run.sh", True, 1),
        ("b.txt", False, 1),
    ]
    assert files[2].sha256 == "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"


def test_the_hash_changes_with_path_bit_and_byte_and_with_nothing_else(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.txt": "1"})
    hashes = [take(tmp_path).hash]
    (tmp_path / "a.txt").chmod(0o755)
    hashes.append(take(tmp_path).hash)
    (tmp_path / "a.txt").write_text("2")
    hashes.append(take(tmp_path).hash)
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    hashes.append(take(tmp_path).hash)
    assert len(set(hashes)) == 4
    os.utime(tmp_path / "b.txt", (0, 0))
    (tmp_path / "empty").mkdir()
    assert take(tmp_path).hash == hashes[-1]


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        (".venv/bin/python", True),
        ("sub/__pycache__/a.pyc", True),
        (".dvc/cache/files/md5/aa/b", True),
        ("sub/.dvc/tmp/lock", True),
        (".lab-workspace.json", True),
        (".dvc/config", False),
        ("sub/.lab-workspace.json", False),
        (".git/refs/heads/venv", False),
        ("data/cache/a.csv", False),
    ],
)
def test_caches_and_environments_are_left_out(path: str, cache: bool, tmp_path: Path) -> None:
    assert is_cache(path) is cache
    write_files(tmp_path, {path: "x"})
    assert [file.path for file in take(tmp_path).files] == ([] if cache else [path])


def test_a_copy_has_the_accepted_files_and_their_bits_only(tmp_path: Path) -> None:
    work = write_files(tmp_path / "work", {"a/run.sh": "x", ".venv/big": "no", "b.txt": "b"})
    (work / "a" / "run.sh").chmod(0o700)
    snapshot = take(work)
    snapshot.copy_to(tmp_path / "copy")
    assert take(tmp_path / "copy").hash == snapshot.hash
    assert not (tmp_path / "copy" / ".venv").exists()


def test_a_file_that_goes_away_while_it_is_copied_is_named(tmp_path: Path) -> None:
    work = write_files(tmp_path / "work", {"a.txt": "a"})
    snapshot = take(work)
    (work / "a.txt").unlink()
    with pytest.raises(
        InvalidSubmission, match=r"a\.txt went away while the work was read\. Save everything"
    ):
        snapshot.copy_to(tmp_path / "copy")


def link_to_file(work: Path) -> None:
    (work / "odd").symlink_to("a.txt")


def link_to_folder(work: Path) -> None:
    (work / "odd").symlink_to("/etc", target_is_directory=True)


def dangling_link(work: Path) -> None:
    (work / "odd").symlink_to("nowhere")


def named_pipe(work: Path) -> None:
    os.mkfifo(work / "odd")


def unix_socket(work: Path) -> None:
    here = Path.cwd()
    os.chdir(work)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("odd")
    finally:
        os.chdir(here)


SPECIAL = [
    (link_to_file, "odd is a link; only plain files are judged"),
    (link_to_folder, "odd is a link; .*Put the file itself there, or delete it"),
    (dangling_link, "odd is a link"),
    (named_pipe, "odd is a named pipe"),
    (unix_socket, "odd is a socket"),
]


@pytest.mark.parametrize(("make", "wanted"), SPECIAL, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_no_plain_file_is_refused_by_name(make: object, wanted: str, tmp_path: Path) -> None:
    write_files(tmp_path, {"a.txt": "a"})
    assert callable(make)
    make(tmp_path)
    with pytest.raises(InvalidSubmission, match=wanted):
        take(tmp_path)


def test_devices_are_refused_by_name() -> None:
    with pytest.raises(InvalidSubmission, match=r"is a (device|link|socket|named pipe); only plain files"):
        take(Path("/dev"))


def test_too_many_files_and_too_many_bytes_say_where(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.txt": "a", "b.txt": "b"})
    with pytest.raises(InvalidSubmission, match=r"more than 1 files \(at b\.txt\)\. Delete what is not part"):
        take(tmp_path, max_files=1)
    (tmp_path / "b.txt").write_bytes(bytes(1024**2))
    with pytest.raises(
        InvalidSubmission, match=r"The work is over 1 MB \(at b\.txt\)\. Delete what is not part"
    ):
        take(tmp_path, max_bytes=1024**2)
    assert len(take(tmp_path, max_bytes=1024**2 + 1, max_files=2).files) == 2


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidSubmission, match=r"absent is not a folder\. Name the folder that holds the work"
    ):
        take(tmp_path / "absent")


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"a\xff")).write_text("x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(
        InvalidSubmission, match=r"The name 'a\\udcff' is not UTF-8\. Give the file another name"
    ):
        take(tmp_path)


UNPRIVILEGED = """
import os, sys, tempfile
from pathlib import Path
from grader.errors import InvalidSubmission
from grader.snapshot import take
if os.getuid() == 0:
    os.setuid(65534)  # root can read everything
with tempfile.TemporaryDirectory() as folder:
    odd = Path(folder) / "odd"
    odd.mkdir() if sys.argv[1] == "folder" else odd.write_text("x")
    odd.chmod(0)
    try:
        take(Path(folder))
    except InvalidSubmission as error:
        print(error)
    odd.chmod(0o700)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_cannot_be_read_is_named_and_never_left_out(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, kind], capture_output=True, text=True, check=True
    )
    assert "/odd cannot be read (Permission denied). Mend it, or try again when it is written." in done.stdout


def test_a_deep_or_long_path_is_refused_before_it_is_walked(tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    (deep / "/".join(["d"] * (MAX_DEPTH + 1))).mkdir(parents=True)
    with pytest.raises(InvalidSubmission, match=r"folders more than 64 deep\. Make it flatter"):
        take(deep)
    long = tmp_path / "long"
    (long / "/".join(["n" * 200] * 5)).mkdir(parents=True)
    (long / "/".join(["n" * 200] * 5) / "a.txt").write_text("a")
    with pytest.raises(InvalidSubmission, match=r"The path n{60}… has over 1000 bytes\. Shorten its names"):
        take(long)


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    work, victim = write_files(tmp_path / "work", {"a.txt": "a"}), tmp_path / "victim"
    victim.write_text("x")
    victim.chmod(0o600)
    snapshot = take(work)
    (work / "a.txt").unlink()
    (work / "a.txt").symlink_to(victim)
    with pytest.raises(InvalidSubmission, match=r"a\.txt went away while the work was read"):
        snapshot.copy_to(tmp_path / "copy")
    assert victim.stat().st_mode & 0o777 == 0o600
