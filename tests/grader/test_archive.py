import random
import subprocess
import zipfile
from pathlib import Path
from shutil import rmtree

import pytest

from grader.archive import open_zip
from grader.errors import InvalidSubmission
from grader.unpack import Caps, extract, unpack
from tests.grader.zips import WHOLE, Raw, a_zip, raw_zip, tree, wide_zip

GOOD = a_zip(WHOLE)
HALF = Raw(b"", b"spam" * 99).packed[:5]
LATER = 46 + 1 + 22  # the list of one entry `a`, and the end
ZEROS = Raw(b"zeros", bytes(9 * 1024**2))
SEND = r"Hand in the zip that `lab submit` makes, unchanged\."


def two_ends() -> bytes:
    inner = raw_zip([Raw(b"b")])
    return raw_zip([Raw(b"a")], comment=inner[-22:])


def changed(content: bytes, at: int, to: bytes) -> bytes:
    """The same bytes but for some of them; a negative `at` counts from the end."""
    at %= len(content)
    return content[:at] + to + content[at + len(to) :]


HOSTILE = {
    "nothing": (b"", r"The file is empty \(0 bytes\)\. " + SEND),
    "no entries": (a_zip({}), r"The zip is empty: there is nothing in it"),
    "only folders": (a_zip({"work/": ""}), r"There are no files in it"),
    "text": (b"hello", r"It is no zip: it does not begin like one"),
    "rar": (b"Rar!\x1a\x07\x01\x00", r"It is a RAR archive, no zip"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(40), r"It is a 7z archive, no zip"),
    "tar": (bytes(257) + b"ustar" + bytes(250), r"It is a tar archive, no zip"),
    "tar.gz": (b"\x1f\x8b\x08" + bytes(40), r"It is a gzip file \(a \.tar\.gz\?\), no zip"),
    "pdf": (b"%PDF-1.7\n", r"It is a PDF, no zip"),
    "login page": (b"\n<!DOCTYPE html><title>Log in", r"a web page \(the LMS may have asked for a login\)"),
    "notebook": (b'{"cells": []}', r"It is a JSON file \(a notebook\?\), no zip"),
    "program with a zip behind": (b"MZ" + bytes(64) + GOOD, r"It is a Windows program, no zip"),
    "zip with a head before it": (b"PK\3\4" + bytes(60) + GOOD, r"list of entries is not where it says"),
    "truncated": (GOOD[:-30], r"The zip is truncated, or something follows it: it has no end"),
    "cut in half": (GOOD[: len(GOOD) // 2], r"it has no end"),
    "only its head": (GOOD[:8], r"it has no end"),
    "something behind": (GOOD + b"more", r"something follows it"),
    "two ends": (two_ends(), r"The zip has two ends, so two contents"),
    "in parts": (changed(GOOD, -18, b"\1\0\1\0"), r"one part of a zip in"),
    "end elsewhere": (raw_zip([Raw(b"a")], gap=7), r"its list of entries is not where it says"),
    "more declared than listed": (raw_zip([Raw(b"a")], count=2), r"declares 2 entries and lists others"),
    "fewer declared than listed": (raw_zip([Raw(b"a"), Raw(b"b")], count=1), r"declares 1 entries and lists"),
    "100,001 entries": (raw_zip([Raw(b"a")], count=60_000), r"lists 60,000 entries; 50,000 are allowed"),
    "encrypted": (raw_zip([Raw(b"a", flags=1)]), r"The zip is encrypted \(`a` needs a password\)\. " + SEND),
    "lzma": (raw_zip([Raw(b"a", method=14)]), r"packs `a` by method 14; only stored and deflated"),
    "two names": (
        raw_zip([Raw(b"good.py", inner=b"evil.py")]),
        r"two names for one file: `good\.py` is another",
    ),
    "two sizes": (raw_zip([Raw(b"a", inner_size=9)]), r"says two things of `a`: its sizes differ"),
    "says less than it holds": (
        raw_zip([Raw(b"a", b"x" * 5000, size=10)]),
        r"The zip lies about `a`: 10 bytes declared, and it is not that",
    ),
    "says more than it holds": (raw_zip([Raw(b"a", size=10)]), r"The zip lies about `a`: 10 bytes declared"),
    "stored with two sizes": (
        raw_zip([Raw(b"a", method=0, size=10)]),
        r"it is stored, yet its two sizes differ",
    ),
    "wrong checksum": (raw_zip([Raw(b"a", crc=1)]), r"the checksum of `a` does not match"),
    "not deflated": (raw_zip([Raw(b"a", packed_as=b"\xff" * 9)]), r"damaged: `a` cannot be unpacked"),
    "deflated half": (raw_zip([Raw(b"a", b"spam" * 99, packed_as=HALF)]), r"`a` ends too early or too late"),
    "content behind the content": (
        raw_zip([Raw(b"a", tail=bytes(10**6))]),
        r"`a` ends too early or too late",
    ),
    "more behind the content": (raw_zip([Raw(b"a", tail=b"more")]), r"`a` ends too early or too late"),
    "overlapping": (
        raw_zip([Raw(b"zeros", ZEROS.content), *[Raw(b"zeros", ZEROS.content, at=0)] * 50]),
        r"Entries of the zip overlap: it unpacks to more than it holds",
    ),
    "list that is none": (
        raw_zip([Raw(b"a")]).replace(b"PK\1\2", b"PK\1\3"),
        r"list of entries cannot be read",
    ),
    "list that breaks off": (
        raw_zip([Raw(b"a")], count=2, junk=b"PK\1\2"),
        r"its list of entries breaks off",
    ),
    "list that runs over": (
        changed(raw_zip([Raw(b"a")]), -LATER + 32, b"\1"),
        r"list of entries cannot be read",
    ),
    "list without end": (raw_zip([Raw(b"a" * 60_000)] * 500), r"list of entries is far too long"),
    "entry that is none": (changed(raw_zip([Raw(b"b"), Raw(b"a")]), 34, b"PQ"), r"The zip is damaged at `a`"),
    "two methods": (changed(raw_zip([Raw(b"a")]), 8, b"\0"), r"The zip says two things of `a`\."),
    "entry in another part": (
        changed(raw_zip([Raw(b"a")]), -LATER + 34, b"\7"),
        r"one part of a zip in several",
    ),
    "bomb": (
        raw_zip([ZEROS, Raw(b"more", bytes(9 * 1024**2))]),
        r"unpacks to more than 100 times its size \(at `more`\)",
    ),
    "too large": (raw_zip([Raw(b"a", b"x", size=300 * 1024**2)]), r"unpacks to more than 200 MB \(at `a`\)"),
    "wide end elsewhere": (wide_zip(b"a", b"x", off=4), r"its end is not where it says"),
    "wide end says another": (wide_zip(b"a", b"x", said=2), r"two ends, so two contents"),
    "wide end that is none": (wide_zip(b"a", b"x").replace(b"PK\6\6", b"PK\6\5"), r"its end cannot be read"),
    "file that is a folder": (
        raw_zip([Raw(b"a", mode=0o40755)]),
        r"says of `a` that it is a file and a folder",
    ),
    "folder with content": (
        raw_zip([Raw(b"a/", mode=0o40755)]),
        r"says of `a/` that it is a folder with content",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_zip_is_refused_with_its_reason_and_leaves_nothing(case: str, tmp_path: Path) -> None:
    content, reason = HOSTILE[case]
    archive = tmp_path / "in" / "it.zip"
    archive.parent.mkdir()
    archive.write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidSubmission, match=reason):
        extract(archive, tmp_path / "out" / "new", Caps(entries=50_000))
    assert tree(tmp_path).keys() == {"in", "in/it.zip", "out"}


def test_a_hundred_thousand_files_are_refused_before_one_is_written(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "it.zip", "w") as archive:
        for number in range(100_000):
            archive.writestr(f"work/{number}", b"")
    with pytest.raises(InvalidSubmission, match=r"It holds more than 20,000 files\. Delete what is not part"):
        extract(tmp_path / "it.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_honest_zip_comes_out_as_it_went_in(tmp_path: Path) -> None:
    (tmp_path / "it.zip").write_bytes(a_zip(WHOLE | {"work/größe.txt": "é" * 9000, "work/.git/refs/": ""}))
    extract(tmp_path / "it.zip", tmp_path / "new")
    assert (tmp_path / "new" / "work" / "größe.txt").read_text() == "é" * 9000
    assert (tmp_path / "new" / "work" / ".git" / "refs").is_dir()
    assert (tmp_path / "new" / "receipt.json").read_text() == "{}"


def test_the_form_for_large_zips_is_read(tmp_path: Path) -> None:
    (tmp_path / "it.zip").write_bytes(wide_zip(b"add.py", b"sum"))
    extract(tmp_path / "it.zip", tmp_path / "new")
    assert (tmp_path / "new" / "add.py").read_bytes() == b"sum"


def test_a_zip_written_to_a_pipe_is_read(tmp_path: Path) -> None:
    (tmp_path / "add.py").write_text("sum")
    made = subprocess.run(["zip", "-q", "-", "add.py"], cwd=tmp_path, capture_output=True, check=True).stdout
    (tmp_path / "it.zip").write_bytes(made)
    extract(tmp_path / "it.zip", tmp_path / "new")
    assert (tmp_path / "new" / "add.py").read_text() == "sum"


def test_a_zip_that_is_a_link_or_a_pipe_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "good.zip").write_bytes(GOOD)
    (tmp_path / "it.zip").symlink_to("good.zip")
    with pytest.raises(InvalidSubmission, match=r"`it\.zip` cannot be opened \(Too many levels of symbolic"):
        extract(tmp_path / "it.zip", tmp_path / "new")
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(InvalidSubmission, match=r"It is no plain file"):
        extract(tmp_path / "folder.zip", tmp_path / "new")


def test_a_zip_that_shrinks_while_it_is_read_leaves_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "it.zip"
    archive.write_bytes(raw_zip([Raw(b"a", random.Random(1).randbytes(10**6)), Raw(b"b")]))
    with open_zip(archive, max_entries=9) as entries:
        archive.write_bytes(b"PK")
        with pytest.raises(InvalidSubmission, match=r"truncated: it ends in the middle of an entry"):
            unpack(entries, tmp_path / "new", Caps())
    assert not (tmp_path / "new").exists()


def test_what_packs_well_comes_out_whole(tmp_path: Path) -> None:
    (tmp_path / "it.zip").write_bytes(raw_zip([ZEROS]))
    extract(tmp_path / "it.zip", tmp_path / "new")
    assert (tmp_path / "new" / "zeros").read_bytes() == ZEROS.content


def test_an_entry_is_read_only_while_its_zip_is_open(tmp_path: Path) -> None:
    (tmp_path / "it.zip").write_bytes(GOOD)
    with open_zip(tmp_path / "it.zip", max_entries=9) as entries:
        pass
    with pytest.raises(InvalidSubmission, match=r"It cannot be read \(Bad file descriptor\)\. Copy it again"):
        unpack(entries, tmp_path / "new", Caps())
    assert not (tmp_path / "new").exists()


def test_mutated_zips_are_refused_or_come_out_whole(tmp_path: Path) -> None:
    rng = random.Random(20261121)
    files = WHOLE | {"work/data.bin": rng.randbytes(3000), "work/text.txt": "spam " * 400}
    good = a_zip(files)
    archive, refused = tmp_path / "it.zip", 0
    for _ in range(200):
        content = bytearray(good)
        for _ in range(rng.choice((1, 1, 2, 8))):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        if rng.random() < 0.3:
            del content[rng.randrange(len(content)) :]
        archive.write_bytes(content)
        try:
            extract(archive, tmp_path / "new")
        except InvalidSubmission:
            refused += 1
        else:
            for path in (path for path in (tmp_path / "new").rglob("*") if path.is_file()):
                found = path.read_bytes()
                assert found in {one if isinstance(one, bytes) else one.encode() for one in files.values()}
            rmtree(tmp_path / "new")
        assert [path.name for path in tmp_path.iterdir()] == ["it.zip"]
    assert 100 < refused < 200
