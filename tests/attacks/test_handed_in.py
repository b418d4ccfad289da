"""ATTACKS D, hostile submissions as they arrive: a batch of them between honest ones."""

import io
import json
import os
import re
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.attacks.room import Room, make_room, packed, with_nora
from tests.grader.classes import RIGHT
from tests.grader.courses import write_files
from tests.grader.zips import Raw, a_zip, raw_zip

pytestmark = pytest.mark.slow

Sent = bytes | Callable[[Path], None]
GOOD = a_zip({f"work/{name}": text for name, text in RIGHT.items()})
NO_PLAIN_FILE = r"only plain files are taken"
UNSEEN = r"holds characters that cannot be seen"
OUTSIDE = "attack-was-here"


def one(name: str | bytes, content: bytes = b"x", mode: int = 0o100644) -> bytes:
    """A zip of honest work and one more entry."""
    raw = name if isinstance(name, bytes) else name.encode()
    return raw_zip([Raw(b"add.py", RIGHT["add.py"].encode()), Raw(raw, content, mode=mode)])


def two(first: str, second: str) -> bytes:
    return raw_zip([Raw(first.encode()), Raw(second.encode())])


def link(target: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "odd").symlink_to(target)


def loop(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")


def linked_git(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / ".git").symlink_to("elsewhere")


def linked_objects(folder: Path) -> None:
    write_files(folder, {".git/HEAD": "ref: refs/heads/main\n"})
    (folder / ".git" / "objects").symlink_to(folder.parent)


def hard_link(folder: Path) -> None:
    os.link(folder / "add.py", folder / "odd")


def device(folder: Path) -> None:
    os.mknod(folder / "odd", 0o020644, os.makedev(1, 5))  # /dev/zero, which never ends


def bound(folder: Path) -> None:
    subprocess.run(
        ["python3", "-c", "import socket; socket.socket(socket.AF_UNIX).bind('odd')"], cwd=folder, check=True
    )


def five_gigabytes(folder: Path) -> None:
    with (folder / "odd").open("wb") as file:
        file.truncate(5 * 1024**3)


def odd_name(folder: Path) -> None:
    (folder / os.fsdecode(b"odd\xff\x1b[2J")).write_text("x")


def deep(folder: Path) -> None:
    (folder / "/".join("d" * 100)).mkdir(parents=True)
    write_files(folder, {"/".join(["d"] * 100 + ["bottom"]): "x"})


def many(count: int) -> bytes:
    """A zip of that many empty files, put together by hand: fast."""
    body, listed = [], []
    for number in range(count):
        name = b"f%06d" % number
        head = struct.pack("<4sHHHHHLLLHH", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
        facts = (b"PK\1\2", 0x314, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0o100644 << 16)
        listed.append(struct.pack("<4sHHHHHHLLLHHHHHLL", *facts, len(head) * number) + name)
        body.append(head)
    size, start = sum(map(len, listed)), sum(map(len, body))
    shown = min(count, 0xFFFF)
    wide = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, size + start, 1)
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, shown, shown, size, start, 0)
    return b"".join([*body, *listed, wide, end])


def vast(folder: Path) -> None:
    """Nothing but a zip that unpacks to 5 GB, and takes no room: it is a file of holes."""
    for path in folder.iterdir():
        path.unlink()
    size, full = 5 * 1024**3, 0xFFFFFFFF
    sizes = struct.pack("<HHQQ", 1, 16, size, size)
    head = struct.pack("<4sHHHHHLLLHH", b"PK\3\4", 45, 0, 0, 0, 0, 0, full, full, 4, len(sizes))
    extra = struct.pack("<HHQQQ", 1, 24, size, size, 0)
    facts = (b"PK\1\2", 0x32D, 45, 0, 0, 0, 0, 0, full, full, 4, len(extra), 0, 0, 0, 0o100644 << 16, full)
    listed = struct.pack("<4sHHHHHHLLLHHHHHLL", *facts) + b"vast" + extra
    start = len(head) + 4 + len(sizes) + size
    wide = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(listed), start)
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, start + len(listed), 1)
    with (folder / "it.zip").open("wb") as file:
        file.write(head + b"vast" + sizes)
        file.seek(start)
        file.write(listed + wide + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 1, 1, len(listed), full, 0))


def nested(depth: int) -> bytes:
    held = packed_zeros()
    for _ in range(depth):
        held = a_zip({"inner.zip": held})
    return held


def packed_zeros(megabytes: int = 64) -> bytes:
    """A zip bomb: a thousand times its size."""
    return raw_zip([Raw(b"zeros", bytes(megabytes * 1024**2))])


def two_ends() -> bytes:
    return raw_zip([Raw(b"a")], comment=raw_zip([Raw(b"b")])[-22:])


def overlapping() -> bytes:
    zeros = bytes(9 * 1024**2)
    return raw_zip([Raw(b"zeros", zeros), *[Raw(b"zeros", zeros, at=0)] * 50])


# Set aside: what arrives, and the reason that a person reads.
ASIDE: dict[str, tuple[Sent, str]] = {
    "zip slip": (one(f"../{OUTSIDE}"), r"leads out of its folder with `\.\.`"),
    "zip slip from a folder": (one(f"a/../../{OUTSIDE}"), r"leads out of its folder"),
    "an absolute path": (one(f"/tmp/{OUTSIDE}"), r"is an absolute path"),
    "a drive's path": (one(f"C:/{OUTSIDE}"), r"is an absolute path"),
    "a backslash path": (one(f"..\\{OUTSIDE}"), r"holds a backslash"),
    "a zip bomb": (packed_zeros(), r"a zip bomb"),
    "overlapping entries": (overlapping(), r"Entries of the zip overlap"),
    "archives in archives": (nested(5), r"nothing but another zip"),
    "a link to a file, in a zip": (one("odd", b"add.py", 0o120777), NO_PLAIN_FILE),
    "a link to /proc, in a zip": (one("odd", b"/proc/self/environ", 0o120777), NO_PLAIN_FILE),
    "a link to a file": (link("add.py"), NO_PLAIN_FILE),
    "a link to a folder": (link("."), NO_PLAIN_FILE),
    "a link to the host's files": (link("/etc"), NO_PLAIN_FILE),
    "a link to /proc": (link("/proc/self/environ"), NO_PLAIN_FILE),
    "links in a loop": (loop, NO_PLAIN_FILE),
    "a hard link": (hard_link, r"is a hard link"),
    "a named pipe, in a zip": (one("odd", b"", 0o010644), NO_PLAIN_FILE),
    "a named pipe in a folder": (lambda folder: os.mkfifo(folder / "odd"), NO_PLAIN_FILE),
    "a device, in a zip": (one("odd", b"", 0o060644), NO_PLAIN_FILE),
    "a device in a folder": (device, NO_PLAIN_FILE),
    "a socket, in a zip": (one("odd", b"", 0o140644), NO_PLAIN_FILE),
    "a socket in a folder": (bound, NO_PLAIN_FILE),
    "a name that is not UTF-8, in a zip": (one(b"\xe9\xff"), r"is not UTF-8"),
    "a name that is not UTF-8": (odd_name, r"is not UTF-8"),
    "control characters in a name": (one("a\nb\x1b[2J"), UNSEEN),
    "NUL in a name": (one(b"a.py\0.txt"), UNSEEN),
    "a bidi override in a name": (one("a\u202egpj.py"), UNSEEN),
    "names that collide by case": (two("Add.py", "add.py"), r"differ by case or Unicode form"),
    "names that collide by normal form": (two("\u00e9t", "e\u0301t"), r"differ by case or Unicode form"),
    "a name of 256 bytes": (one("n" * 256), r"is longer than 255 bytes"),
    "a setuid bit": (one("odd", b"#!/bin/sh\nid\n", 0o104755), r"has a setuid or setgid bit"),
    "a corrupt archive": (raw_zip([Raw(b"add.py", crc=1)]), r"the checksum of `add\.py` does not match"),
    "a truncated archive": (GOOD[: len(GOOD) // 2], r"it has no end"),
    "an encrypted archive": (raw_zip([Raw(b"add.py", flags=1)]), r"needs a password"),
    "a RAR called zip": (b"Rar!\x1a\x07\x01\x00" + bytes(99), r"a RAR archive, no zip"),
    "a gzip called zip": (b"\x1f\x8b\x08" + bytes(99), r"a gzip file"),
    "a web page called zip": (b"<!DOCTYPE html><script>alert(1)</script>", r"a web page"),
    "a program called zip": (b"\x7fELF" + bytes(99), r"a program, no zip"),
    "a zip with two contents": (two_ends(), r"two ends, so two contents"),
    "a file with two names": (raw_zip([Raw(b"add.py", inner=b"evil.py")]), r"two names for one file"),
    "two files of one name": (two("add.py", "add.py"), r"is in it twice"),
    "nothing at all": (b"", r"empty \(0 bytes\)"),
    "nothing in it": (a_zip({}), r"there is nothing in it"),
    "only folders in it": (a_zip({"work/": ""}), r"There are no files in it"),
    "100,001 files": (many(100_001), r"lists 100,001 entries; 100,000 are allowed"),
    "20,001 files": (many(20_001), r"holds more than 20,000 files"),
    "5 GB in a zip of holes": (vast, r"unpacks to more than 200 MB"),
    "5 GB in one file of holes": (five_gigabytes, r"unpacks to more than 200 MB"),
    "100 folders in each other": (deep, r"is deeper than 32 folders"),
    "a .git that is a link": (linked_git, NO_PLAIN_FILE),
    "a .git whose objects are a link": (linked_objects, NO_PLAIN_FILE),
    "a .git that is a file": (one(".git", b"gitdir: /root/class\n"), r"points to a repository elsewhere"),
}  # fmt: skip


def receipt(**told: object) -> bytes:
    """Honest work whose own receipt tells something."""
    files: dict[str, str | bytes] = {f"work/{name}": text for name, text in RIGHT.items()}
    return a_zip({"receipt.json": json.dumps(told)} | files)


def with_file(name: str, content: bytes, mode: int = 0o100644) -> bytes:
    """Honest work and one more file, by Python's own writer."""
    held = io.BytesIO(GOOD)
    with zipfile.ZipFile(held, "a", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(f"work/{name}")
        info.external_attr = mode << 16
        archive.writestr(info, content)
    return held.getvalue()


TOLD = {
    "lab": "01-add",
    "snapshot": "5" * 64,
    "points": 99,
    "learner": "nora",
    "made": "2099-01-01T00:00:00Z",
}
# Taken, and harmless: it is judged like any other. The checks that pass without a commit are two of four.
TAKEN: dict[str, bytes] = {
    "a name of 255 bytes": with_file("n" * 255, b"x"),
    "mode 000": with_file("odd", b"x", 0o100000),
    "a bomb that stays packed": with_file("bomb.zip", packed_zeros()),
    "a receipt nested 100,000 deep": a_zip(
        {"receipt.json": "[" * 100_000, **{f"work/{name}": text for name, text in RIGHT.items()}}
    ),
    "a receipt that tells points and another name": receipt(**TOLD, reported={"points": 99, "possible": 1}),
}


@dataclass(frozen=True)
class Batch:
    """The class after a batch of them all, what was said, and the honest rows before it."""

    room: Room
    printed: str
    before: list[str]


def learner(name: str) -> str:
    """An id of the roster for a row's name."""
    return f"x{zlib.crc32(name.encode()):08x}"


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batch]:
    """Anna and Nora are graded; then comes the batch, with Zoe's honest work after all that is hostile."""
    top = tmp_path_factory.mktemp("handed-in")
    room = make_room(top, "anna", "zoe", *map(learner, (*ASIDE, *TAKEN)))
    room.take_in({"anna.zip": packed(top / "made")})
    with_nora(room, top / "made")
    before = [room.row("anna"), room.row("nora")]
    batch = top / "batch"
    batch.mkdir()
    for name, sent in {**{name: sent for name, (sent, _) in ASIDE.items()}, **TAKEN}.items():
        if isinstance(sent, bytes):
            (batch / f"{learner(name)}.zip").write_bytes(sent)
        else:
            sent(write_files(batch / learner(name), RIGHT))
    (batch / "zoe.zip").write_bytes(packed(top / "made"))
    known = {path.name for path in top.iterdir()}
    done = room.run("collect", "01", str(batch))
    assert (done.returncode, done.stderr) == (1, "")
    assert {path.name for path in top.iterdir()} == known
    assert not list(Path("/tmp").glob(f"{OUTSIDE}*"))
    room.grade()
    room.tell()
    yield Batch(room, done.stdout, before)
    subprocess.run(["rm", "-rf", str(batch)], check=True)  # deeper than what pytest can take away


@pytest.mark.parametrize("name", ASIDE)
def test_what_cannot_be_taken_is_set_aside_with_its_reason(
    taken: Batch, name: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("attack", name)
    [said] = [line for line in taken.printed.splitlines() if learner(name) in line.partition(":")[0]]
    [aside] = (taken.room.folder / "aside").glob(f"*{learner(name)}*")
    reason = (aside / "reason.txt").read_text()
    for text in (said, reason):
        assert re.search(ASIDE[name][1], text), text
        assert all(sign.isprintable() or sign == "\n" for sign in text)
    assert taken.room.leaks(said, reason) == []
    assert not (taken.room.folder / "submissions" / learner(name)).exists()
    assert taken.room.row(learner(name)).startswith(f"{learner(name)},,,01-add,missing,,")


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_harmless_is_judged_like_any_other(
    taken: Batch, name: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("attack", name)
    assert taken.room.row(learner(name)).startswith(f"{learner(name)},,,01-add,graded,5,6,")
    page = (taken.room.folder / "feedback" / learner(name) / "01-add.html").read_text()
    assert "is_committed: failed" in page
    assert taken.room.leaks(page) == []


def test_the_honest_before_and_after_a_hostile_batch_keep_their_grades(taken: Batch) -> None:
    rows = [taken.room.row(name) for name in ("anna", "nora", "zoe")]
    assert rows[:2] == taken.before
    assert [row.split(",")[4:7] for row in rows] == [
        ["graded", "6", "6"],
        ["graded", "5.5", "6"],
        ["graded", "6", "6"],
    ]
    assert taken.room.leaks(taken.printed, taken.room.export(), taken.room.report()) == []
    assert taken.room.left() == []
