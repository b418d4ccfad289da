import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import rmtree

import pytest

from grader.archive import Entry
from grader.errors import InvalidSubmission
from grader.unpack import Caps, copy_in, extract, listed, unpack
from tests.grader.courses import write_files
from tests.grader.zips import Raw, raw_zip, tree

SMALL = Caps(bytes=2 * 1024**2, files=4, entries=9, depth=4, path=60, ratio=10**6)

NAMES: dict[str, tuple[Sequence[str | bytes], str]] = {
    "slip": (["../evil.py"], r"The name `\.\./evil\.py` leads out of its folder with `\.\.`"),
    "slip inside": (["a/../../evil.py"], r"leads out of its folder"),
    "slip folder": (["a/../"], r"leads out of its folder"),
    "absolute": (["/tmp/evil.py"], r"`/tmp/evil\.py` is an absolute path: it would be written outside"),
    "two slashes": (["//server/evil.py"], r"is an absolute path"),
    "drive": (["C:/evil.py"], r"`C:/evil\.py` is an absolute path"),
    "drive without slash": (["c:evil.py"], r"is an absolute path"),
    "backslash": (["..\\evil.py"], r"holds a backslash, which is a path on Windows"),
    "empty part": (["a//b.py"], r"has an empty part or a `\.` in it"),
    "dot": (["./a.py"], r"has an empty part or a `\.` in it"),
    "no name": ([""], r"has an empty part"),
    "not UTF-8": ([b"\xe9t\xe9.txt"], r"The name `\\udce9t\\udce9\.txt` is not UTF-8\. Rename the file"),
    "NUL": (["a.py\0.txt"], r"The name `a\.py\\x00\.txt` holds characters that cannot be seen"),
    "line break": (["a\nb.py"], r"holds characters that cannot be seen"),
    "terminal escape": (["\x1b[2Jb.py"], r"`\\x1b\[2Jb\.py` holds characters that cannot be seen"),
    "bidi override": (["a\u202egpj.py"], r"`a\\u202egpj\.py` holds characters that cannot be seen"),
    "line separator": (["a\u2028b"], r"holds characters that cannot be seen"),
    "name too long": (["a" * 256], r"is longer than 255 bytes"),
    "name too long in bytes": (["é" * 128], r"is longer than 255 bytes"),
    "too deep": (["a/b/c/d/e.py"], r"is deeper than 4 folders or longer than 60 bytes"),
    "path too long": (["/".join(["a" * 20] * 3)], r"is deeper than 4 folders or longer than 60 bytes"),
    "case": (["Add.py", "add.py"], r"`Add\.py` and `add\.py` differ by case or Unicode form only"),
    "case of folders": (["A/b.py", "a/c.py"], r"`A` and `a` differ by case"),
    "case of folder and file": (["A/b.py", "a"], r"`A` and `a` differ by case"),
    "sharp s": (["straße", "STRASSE"], r"differ by case or Unicode form"),
    "normal form": (["\u00e9t", "e\u0301t"], r"differ by case or Unicode form"),
    "twice": (["a.py", "a.py"], r"`a\.py` is in it twice"),
    "file then folder": (["a", "a/b.py"], r"`a` is in it as a file and as a folder"),
    "folder then file": (["a/b.py", "a"], r"`a` is in it as a file and as a folder"),
    "too many files": (list("abcde"), r"It holds more than 4 files\. Delete what is not part of the work"),
    "too many folders": ([f"{name}/" for name in "abcde"], r"It holds more than 4 folders"),
    "too many entries": ([f".venv/{name}" for name in range(10)], r"lists 10 entries; 9 are allowed"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_name_that_could_harm_is_refused_and_nothing_is_written(case: str, tmp_path: Path) -> None:
    names, reason = NAMES[case]
    raw = [name if isinstance(name, bytes) else name.encode() for name in names]
    modes = [0o40755 if name.endswith(b"/") else 0o100644 for name in raw]
    entries = [
        Raw(name, b"" if mode == 0o40755 else b"x", mode=mode) for name, mode in zip(raw, modes, strict=True)
    ]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "it.zip").write_bytes(raw_zip(entries))
    with pytest.raises(InvalidSubmission, match=reason):
        extract(tmp_path / "in" / "it.zip", tmp_path / "out", SMALL)
    assert tree(tmp_path).keys() == {"in", "in/it.zip"}


MODES = {
    "link": (0o120777, r"`odd` is a link; only plain files are taken\. Put the file itself there"),
    "pipe": (0o010644, r"`odd` is a named pipe"),
    "socket": (0o140644, r"`odd` is a socket"),
    "character device": (0o020644, r"`odd` is a device"),
    "block device": (0o060644, r"`odd` is a device"),
    "unheard of": (0o150644, r"`odd` is no plain file"),
    "setuid": (0o104755, r"`odd` has a setuid or setgid bit\. Take it off"),
    "setgid": (0o102755, r"`odd` has a setuid or setgid bit"),
}


@pytest.mark.parametrize("case", MODES)
def test_what_is_no_plain_file_in_a_zip_is_refused(case: str, tmp_path: Path) -> None:
    mode, reason = MODES[case]
    (tmp_path / "it.zip").write_bytes(raw_zip([Raw(b"a"), Raw(b"odd", b"/proc/self/environ", mode=mode)]))
    with pytest.raises(InvalidSubmission, match=reason):
        extract(tmp_path / "it.zip", tmp_path / "out")
    assert tree(tmp_path).keys() == {"it.zip"}


def test_only_the_executable_bit_is_taken_over(tmp_path: Path) -> None:
    modes = {b"none": 0o100000, b"open": 0o100666, b"run": 0o100711, b"sticky": 0o101644, b"dos": 0}
    entries = [Raw(name, mode=mode) for name, mode in modes.items()]
    (tmp_path / "it.zip").write_bytes(raw_zip([*entries, Raw(b"d/", b"", mode=0o042777)]))
    extract(tmp_path / "it.zip", tmp_path / "out")
    found = {name: mode & 0o7777 for name, mode in tree(tmp_path / "out").items()}
    folder = found.pop("d")
    assert found == {"none": 0o644, "open": 0o644, "run": 0o755, "sticky": 0o644, "dos": 0o644}
    assert folder & 0o7022 == 0


def test_caches_are_left_out_whatever_they_hold_but_branches_called_like_one_stay(tmp_path: Path) -> None:
    entries = [
        Raw(b"work/a.py"),
        Raw(b"work/.venv/bin/python", b"/usr/bin/python3", mode=0o120777),
        Raw(b"work/.dvc/cache/files/x"),
        Raw(b"work/__pycache__/a.pyc"),
        Raw(b"work/.git/refs/heads/venv"),
    ]
    (tmp_path / "it.zip").write_bytes(raw_zip(entries))
    extract(tmp_path / "it.zip", tmp_path / "out")
    files = {name for name in tree(tmp_path / "out") if (tmp_path / "out" / name).is_file()}
    assert files == {"work/a.py", "work/.git/refs/heads/venv"}


def test_bytes_are_counted_as_they_come(tmp_path: Path) -> None:
    entry = Entry("endless", 0o100644, 1, lambda: iter([bytes(1024**2)] * 999))
    with pytest.raises(InvalidSubmission, match=r"It unpacks to more than 2 MB \(at `endless`\)"):
        unpack([entry], tmp_path / "out", SMALL)
    with pytest.raises(InvalidSubmission, match=r"more than 100 times its size \(at `endless`\): a zip bomb"):
        unpack([entry], tmp_path / "out", Caps(), packed=10)
    assert not (tmp_path / "out").exists()


def test_no_folder_that_exists_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "it.zip").write_bytes(raw_zip([Raw(b"a")]))
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError):
        extract(tmp_path / "it.zip", tmp_path / "out")
    (tmp_path / "link").symlink_to("elsewhere")
    with pytest.raises(FileExistsError):
        extract(tmp_path / "it.zip", tmp_path / "link")
    assert not any((tmp_path / "out").iterdir())


def test_entries_are_counted_however_they_come(tmp_path: Path) -> None:
    entries = [Entry(f".venv/{number}", 0o100644, 1, lambda: iter([b"x"])) for number in range(10)]
    with pytest.raises(InvalidSubmission, match=r"It lists more than 9 entries\. Delete what is not part"):
        unpack(entries, tmp_path / "out", SMALL)


def test_a_disk_that_fails_is_not_put_on_the_learner(tmp_path: Path) -> None:
    def gone() -> Iterator[bytes]:
        rmtree(tmp_path / "out")
        yield b"x"

    entries = [Entry("a", 0o100644, 1, gone), Entry("b", 0o100644, 1, lambda: iter([b"x"]))]
    with pytest.raises(FileNotFoundError):
        unpack(entries, tmp_path / "out", Caps())
    assert not (tmp_path / "out").exists()


def link(folder: Path) -> None:
    (folder / "odd").symlink_to("a.txt")


def link_to_proc(folder: Path) -> None:
    (folder / "odd").symlink_to("/proc/self/fd")


def loop(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "odd").symlink_to("..")


def hard_link(folder: Path) -> None:
    (folder.parent / "elsewhere").write_text("secret")
    os.link(folder.parent / "elsewhere", folder / "odd")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "odd")


def unix_socket(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("odd")
    finally:
        os.chdir(here)


def setuid(folder: Path) -> None:
    (folder / "odd").write_text("x")
    (folder / "odd").chmod(0o4755)


def not_utf8(folder: Path) -> None:
    try:
        (folder / os.fsdecode(b"odd\xff")).write_text("x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")


def deep(folder: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(1000):
            os.mkdir("d")  # noqa: PTH102  # a path of that depth is too long
            os.chdir("d")
    finally:
        os.chdir(here)


def many(folder: Path) -> None:
    for number in range(60):
        (folder / f"f{number}").touch()


FOLDERS: list[tuple[Callable[[Path], None], str]] = [
    (link, r"`odd` is a link; only plain files are taken"),
    (link_to_proc, r"`odd` is a link"),
    (loop, r"`sub/odd` is a link"),
    (hard_link, r"`odd` is a hard link: the file has another name somewhere\. Put a copy there instead"),
    (pipe, r"`odd` is a named pipe"),
    (unix_socket, r"`odd` is a socket"),
    (setuid, r"`odd` has a setuid"),
    (not_utf8, r"is not UTF-8"),
    (deep, r"is deeper than 32 folders"),
    (many, r"It lists more than 50 entries\. Delete what is not part of the work"),
]


@pytest.mark.parametrize(("make", "reason"), FOLDERS, ids=[make.__name__ for make, _ in FOLDERS])
def test_a_hostile_folder_is_refused_with_its_reason(
    make: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "in", {"a.txt": "a"})
    make(folder)
    try:
        with pytest.raises(InvalidSubmission, match=reason):
            copy_in(folder, tmp_path / "out", Caps(entries=50))
        assert not (tmp_path / "out").exists()
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)  # deeper than what pytest can take away


def test_a_folder_is_copied_without_its_caches(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {"a/b.txt": "b", ".venv/x": "x", ".git/refs/heads/main": "1"})
    (folder / ".venv" / "python").symlink_to("/usr/bin/python3")
    (folder / "a" / "b.txt").chmod(0o700)
    copy_in(folder, tmp_path / "out")
    assert (tmp_path / "out" / "a" / "b.txt").read_text() == "b"
    assert (tmp_path / "out" / "a" / "b.txt").stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".git", "a"]


def test_a_folder_that_is_a_link_or_gone_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "in").symlink_to("/etc")
    with pytest.raises(
        InvalidSubmission, match=r"`in` cannot be read \((Not a directory|Too many levels.*)\)"
    ):
        copy_in(tmp_path / "in", tmp_path / "out")
    with pytest.raises(InvalidSubmission, match=r"`gone` cannot be read \(No such file.*\)\. Mend that"):
        copy_in(tmp_path / "gone", tmp_path / "out")


def test_a_file_that_is_changed_for_another_while_it_is_read_is_refused(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {"a.txt": "a", "b.txt": "b"})
    top = os.open(folder, os.O_RDONLY)
    entries = list(listed(top, Caps()))
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to("/etc/passwd")
    with pytest.raises(
        InvalidSubmission, match=r"`a\.txt` cannot be read \(Too many levels of symbolic links\)"
    ):
        unpack(entries, tmp_path / "out", Caps())
    (folder / "a.txt").unlink()
    (folder / "b.txt").rename(folder / "a.txt")
    with pytest.raises(InvalidSubmission, match=r"`a\.txt` changed while it was read\. Collect it again"):
        unpack(entries, tmp_path / "out", Caps())
    os.close(top)
    assert not (tmp_path / "out").exists()


UNPRIVILEGED = """
import os, sys, tempfile
from pathlib import Path
from grader.errors import InvalidSubmission
from grader.unpack import copy_in
if os.getuid() == 0:
    os.setuid(65534)  # root can read everything
with tempfile.TemporaryDirectory() as folder:
    odd = Path(folder) / "in" / "odd"
    odd.parent.mkdir()
    odd.mkdir() if sys.argv[1] == "folder" else odd.write_text("x")
    odd.chmod(0)
    try:
        copy_in(odd.parent, Path(folder) / "out")
    except InvalidSubmission as error:
        print(error)
    print((Path(folder) / "out").exists())
    odd.chmod(0o700)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_has_mode_000_is_named(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, kind], capture_output=True, text=True, check=True
    )
    assert (
        done.stdout == "`odd` cannot be read (Permission denied). Mend that, then collect it again.\nFalse\n"
    )


def test_a_name_that_the_disk_does_not_take_is_no_fault_of_the_class(tmp_path: Path) -> None:
    entry = Entry("a" * 256, 0o100644, 1, lambda: iter([b"x"]))
    with pytest.raises(InvalidSubmission, match=r"is none that this disk takes\. Rename the file"):
        unpack([entry], tmp_path / "out", Caps(name=999))
    assert not (tmp_path / "out").exists()
