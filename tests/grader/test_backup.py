"""A backup is the whole class, and a restore puts back just that or nothing."""

import gzip
import io
import os
import sqlite3
import subprocess
import sys
import tarfile
import tracemalloc
from contextlib import closing
from pathlib import Path
from shutil import rmtree

import pytest

from grader import backup as backups
from grader.classroom import Classroom, read_class
from grader.errors import CourseError
from grader.locks import hold, note
from grader.manifest import Lab
from grader.receipts import newest
from tests.grader.classes import RIGHT, a_class, hand_in, judged, record
from tests.grader.courses import replace
from tests.grader.test_cli_grade import typed
from tests.lab_env.disks import fill, small_disk


@pytest.fixture
def class_of(sound: Lab, tmp_path: Path) -> Classroom:
    """Anna, with work, a result, and a gradebook that somebody has open."""
    classroom = a_class(tmp_path / "class", sound, "anna", box="bubblewrap")
    record(classroom, sound, "anna", judged(sound, hand_in(classroom, sound, "anna", RIGHT)))
    with closing(sqlite3.connect(classroom.folder / "gradebook.db")) as book, book:
        book.execute("CREATE TABLE typed (comment TEXT)")
        book.execute("INSERT INTO typed VALUES ('Well done.')")
    (classroom.folder / ".grading.lock").write_text("")
    return classroom


def held(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Every file but locks and the gradebook, and whether it may be executed."""
    kept = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".lock", ".db")]
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), os.access(path, os.X_OK)) for path in kept
    }


def test_what_is_put_back_is_what_was_there(class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    before, file = held(class_of.folder), tmp_path / "out" / "class.tar.gz"
    file.parent.mkdir()
    count = backups.backup(class_of, file)
    assert file.stat().st_mode & 0o777 == 0o600
    (tmp_path / "back").mkdir()
    assert backups.restore(file, tmp_path / "back") == count
    assert held(tmp_path / "back") == before
    back = read_class(tmp_path / "back")
    assert (back.secret, newest(back, sound.id)["anna"].snapshot) == (
        class_of.secret,
        newest(class_of, sound.id)["anna"].snapshot,
    )
    assert back.folder.stat().st_mode & 0o777 == 0o700
    assert (back.folder / ".secret").stat().st_mode & 0o777 == 0o600
    assert not (back.folder / ".grading.lock").exists()
    assert [path.name for path in file.parent.iterdir()] == ["class.tar.gz"]


def test_a_program_is_neither_kept_nor_put_back(class_of: Classroom, tmp_path: Path) -> None:
    before = held(class_of.folder)
    settings = ("nbgrader_config.py", "nbgrader_config.json", ".formgrader/templates/formgrade/index.html.j2")
    for name in settings:
        (class_of.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (class_of.folder / name).write_text("print('run')\n")
    backups.backup(class_of, tmp_path / "class.tar.gz")
    with tarfile.open(tmp_path / "class.tar.gz") as archive:
        assert not [name for name in archive.getnames() if "nbgrader" in name or "formgrader" in name]
    planted = [f"class/{name}" for name in (*settings, "./nbgrader_config.py", "/.formgrader/x.py")]
    file = tar_of(tmp_path / "in.tar.gz", *WHOLE, *(member(name) for name in planted))
    assert backups.restore(file, tmp_path / "bare") == 3
    assert sorted(path.name for path in (tmp_path / "bare").iterdir()) == [
        ".secret", "class.toml", "roster.csv",
    ]  # fmt: skip
    backups.restore(tmp_path / "class.tar.gz", tmp_path / "back")
    assert held(tmp_path / "back") == before


def test_a_gradebook_that_is_being_typed_into_is_copied_whole(class_of: Classroom, tmp_path: Path) -> None:
    with closing(sqlite3.connect(class_of.folder / "gradebook.db", isolation_level=None)) as book:
        book.execute("PRAGMA journal_mode = WAL")
        book.execute("INSERT INTO typed VALUES ('kept')")
        book.execute("BEGIN")
        book.execute("INSERT INTO typed VALUES ('half typed')")
        backups.backup(class_of, tmp_path / "class.tar.gz")
    backups.restore(tmp_path / "class.tar.gz", tmp_path / "back")
    with closing(sqlite3.connect(tmp_path / "back" / "gradebook.db")) as book:
        assert book.execute("SELECT comment FROM typed").fetchall() == [("Well done.",), ("kept",)]


def test_nobody_works_on_the_class_meanwhile(class_of: Classroom, tmp_path: Path) -> None:
    for name in backups.LOCKS:
        with hold(class_of.folder / name) as lock:
            note(lock)
            with pytest.raises(
                CourseError, match=rf"is being worked on \(process {os.getpid()}\)\. Wait until"
            ):
                backups.backup(class_of, tmp_path / "class.tar.gz")
    assert not (tmp_path / "class.tar.gz").exists()


def test_who_finds_the_class_held_is_told_by_whom(class_of: Classroom, tmp_path: Path) -> None:
    lock = class_of.folder / ".grading.lock"
    lock.write_text("1\n/tmp/grader-0123\n")  # a run that was killed
    backups.backup(class_of, tmp_path / "class.tar.gz")
    assert lock.read_text() == f"{os.getpid()}\n/tmp/grader-0123\n"


@pytest.mark.parametrize("name", ["submissions", "roster.csv", "results/anna"])
def test_a_part_that_lies_elsewhere_is_not_left_out_in_silence(
    name: str, class_of: Classroom, tmp_path: Path
) -> None:
    (class_of.folder / name).rename(tmp_path / "elsewhere")
    (class_of.folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CourseError, match=rf"{name} is a link, and what it points to would be missing"):
        backups.backup(class_of, tmp_path / "class.tar.gz")
    assert not (tmp_path / "class.tar.gz").exists()


def test_a_backup_that_cannot_be_written_leaves_the_one_before(class_of: Classroom, tmp_path: Path) -> None:
    with pytest.raises(
        CourseError, match=r"lies in the class itself\. Name a place elsewhere, best on another"
    ):
        backups.backup(class_of, class_of.folder / "feedback" / "class.tar.gz")
    with pytest.raises(
        CourseError, match=r"cannot be written \(No such file or directory\)\. The class is as it"
    ):
        backups.backup(class_of, tmp_path / "none" / "class.tar.gz")
    with small_disk(tmp_path / "disk", kilobytes=256) as disk:
        backups.backup(class_of, disk / "class.tar.gz")
        before = (disk / "class.tar.gz").read_bytes()
        fill(disk)
        with pytest.raises(CourseError, match=r"cannot be written \(No space left on device\)"):
            backups.backup(class_of, disk / "class.tar.gz")
        assert (disk / "class.tar.gz").read_bytes() == before
        assert len(list(disk.iterdir())) == 2


KILLED = """
import os, signal, sys, tarfile
from pathlib import Path
from grader import backup
from grader.classroom import read_class
real = tarfile.TarFile.add
def add(self, *words, **named):
    real(self, *words, **named)
    os.kill(os.getpid(), signal.SIGKILL)
tarfile.TarFile.add = add
backup.backup(read_class(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def test_a_kill_in_the_middle_leaves_nothing_that_looks_whole(class_of: Classroom, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(class_of.folder), str(out / "c.tar.gz")],
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        check=False,
    )
    assert done.returncode == -9
    assert not (out / "c.tar.gz").exists()
    assert list((tmp_path / "tmp").iterdir()) == []  # no copy of the gradebook where nobody looks for it
    backups.backup(class_of, out / "c.tar.gz")
    assert [path.name for path in out.iterdir()] == ["c.tar.gz"]


def tar_of(file: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return file


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


def from_the_far_future(name: str) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.mtime = 1e30
    return found


WHOLE = [member(f"class/{name}") for name in ("class.toml", ".secret", "roster.csv")]
HOSTILE = {
    "another tar": [member("etc/passwd")],
    "a path out of it": [*WHOLE, member("class/../../out.txt")],
    "a roundabout path": [*WHOLE, member("class/x/../nbgrader_config.py")],
    "an absolute path": [*WHOLE, member("/etc/passwd")],
    "a link": [*WHOLE, member("class/x", tarfile.SYMTYPE, "/etc/passwd")],
    "a hard link": [*WHOLE, member("class/x", tarfile.LNKTYPE, "class/.secret")],
    "a device": [*WHOLE, member("class/x", tarfile.CHRTYPE)],
    "a time that no clock has": [*WHOLE, from_the_far_future("class/x")],
    "no secret": WHOLE[:1],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_backup_is_refused_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    file = tar_of(tmp_path / "in.tar.gz", *HOSTILE[kind])
    with pytest.raises(CourseError, match=r"is no backup of a class: .* is (not )?in it|cannot be put back"):
        backups.restore(file, tmp_path / "deep" / "back")
    assert list((tmp_path / "deep").iterdir()) == []
    assert not (tmp_path / "out.txt").exists()


def test_neither_a_large_class_nor_a_hostile_header_fills_the_memory(
    class_of: Classroom, tmp_path: Path
) -> None:
    many = class_of.folder / "aside" / "many"
    for at in range(40):
        (many / str(at)).mkdir(parents=True)
        for one in range(20):
            (many / str(at) / f"{one}.txt").touch()
    (many / "again.txt").hardlink_to(many / "0" / "0.txt")
    header = tarfile.TarInfo("class/x")
    header.type, header.size = tarfile.XHDTYPE, 64 << 20
    with gzip.open(tmp_path / "in.tar.gz", "wb", compresslevel=1) as file:
        file.write(header.tobuf())
        for _ in range(64):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        backups.backup(class_of, tmp_path / "class.tar.gz")
        packed = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        assert backups.restore(tmp_path / "class.tar.gz", tmp_path / "back") > 800
        with pytest.raises(
            CourseError, match=r"cannot be put back \(67108864 bytes in one piece are in it\)"
        ):
            backups.restore(tmp_path / "in.tar.gz", tmp_path / "other")
        unpacked = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert max(packed, unpacked) < 650_000


def test_what_cannot_fit_is_not_begun(tmp_path: Path) -> None:
    huge = tarfile.TarInfo("class/huge")
    huge.size = 1 << 60
    with gzip.open(tmp_path / "in.tar.gz", "wb") as file:
        file.write(huge.tobuf())
    with pytest.raises(CourseError, match=r"cannot be put back \(more is in it than there is room for\)"):
        backups.restore(tmp_path / "in.tar.gz", tmp_path / "back")
    assert [path.name for path in tmp_path.iterdir()] == ["in.tar.gz"]


def test_a_damaged_backup_and_a_full_folder_are_refused(class_of: Classroom, tmp_path: Path) -> None:
    file = tmp_path / "class.tar.gz"
    backups.backup(class_of, file)
    with pytest.raises(CourseError, match=r"class is not an empty folder\. Name a new one for the class"):
        backups.restore(file, class_of.folder)
    whole = file.read_bytes()
    file.write_bytes(whole[:-200])
    (tmp_path / "bent.tar.gz").write_bytes(whole[:300] + bytes(200) + whole[500:])
    for broken in (file, tmp_path / "bent.tar.gz", tmp_path / "none.tar.gz", class_of.folder / "class.toml"):
        with pytest.raises(
            CourseError, match=r"cannot be put back .*Nothing was written to .*another backup"
        ):
            backups.restore(broken, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_place_that_cannot_be_made_is_named(class_of: Classroom, tmp_path: Path) -> None:
    backups.backup(class_of, tmp_path / "class.tar.gz")
    with pytest.raises(CourseError, match=r"cannot be put back .*Nothing was written .*another place"):
        backups.restore(tmp_path / "class.tar.gz", class_of.folder / "class.toml" / "deep" / "back")


@pytest.mark.slow
def test_a_class_is_kept_and_put_back_by_command(class_of: Classroom, tmp_path: Path) -> None:
    file, back = tmp_path / "class.tar.gz", tmp_path / "back"
    done = typed(class_of, "backup", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert f" files in {file}. It holds the secret and everybody's work" in done.stdout
    done = typed(class_of, "restore", str(file), str(back))
    assert (done.returncode, f" files in {back}.\n" in done.stdout) == (0, True)
    rmtree(back)
    replace(class_of.folder / "class.toml", "course = ", 'course = "/elsewhere" # ')
    backups.backup(class_of, file)
    done = typed(class_of, "restore", str(file), str(back))
    assert (done.returncode, f" files in {back}.\n" in done.stdout) == (2, True)
    assert "`course` is /elsewhere, which has no `labs/`. Write the path of the full clone." in done.stderr
    assert (back / ".secret").is_file()
