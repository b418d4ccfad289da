"""What is the same in two submissions only if it came from one place: files, run ids, commits.

All of it is read as bytes: no Git, no SQLite and no other program opens what a stranger made.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.snapshot import Snapshot

MAX_SCANNED = 64 * 1024**2
SMALL = 16  # bytes: an empty `__init__.py` says nothing
_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_LOOSE = re.compile(r"(.*/)?objects/([0-9a-f]{2})/([0-9a-f]{38})")
_PACK = re.compile(r"(.*/)?objects/pack/[^/]+\.idx")
_STORES = (".db", ".yaml", ".yml", ".json", "MLmodel")
_PAPERS = (".dvc", ".lock")
_GIT = re.compile(r"(.*/)?(\.git|objects)/")
_COMMIT = 1


@dataclass(frozen=True)
class Traces:
    """What can be compared as it is.

    Attributes:
        data: by the hash of its content, the path of each file, and of each that DVC keeps elsewhere.
        ids: what MLflow calls runs and models, from stores and from names of folders.
        commits: ids of Git's commits, in every repository of the submission.
    """

    data: dict[str, str]
    ids: frozenset[str]
    commits: frozenset[str]


def traces(snapshot: Snapshot) -> Traces:
    """The traces in a submission. What cannot be read leaves none."""
    data: dict[str, str] = {}
    ids: set[str] = set()
    for file in snapshot.files:
        if _GIT.match(file.path):
            continue
        if file.size >= SMALL:
            data.setdefault(file.sha256, file.path)
        if file.path.endswith(_PAPERS):
            data |= dict.fromkeys(_found(snapshot.folder / file.path, file.size), file.path)
        elif file.path.endswith(_STORES):
            ids.update(_found(snapshot.folder / file.path, file.size))
        ids.update(found.decode() for found in _ID.findall(file.path.encode()))
    return Traces(data, frozenset(ids), frozenset(_commits(snapshot)))


def _found(file: Path, size: int) -> list[str]:
    """Every id of 32 hex digits in a file; a database is read as bytes too."""
    return [found.decode() for found in _ID.findall(file.read_bytes())] if size <= MAX_SCANNED else []


def _commits(snapshot: Snapshot) -> Iterator[str]:
    """The ids of all commits in the Git repositories of a submission, loose and packed."""
    for file in snapshot.files:
        if loose := _LOOSE.fullmatch(file.path):
            if _is_commit(snapshot.folder / file.path):
                yield loose[2] + loose[3]
        elif _PACK.fullmatch(file.path) and file.size <= MAX_SCANNED:
            yield from _packed(snapshot.folder / file.path)


def _is_commit(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return zlib.decompressobj().decompress(opened.read(64), 7) == b"commit "
    except zlib.error:
        return False


def _packed(index: Path) -> Iterator[str]:
    """The commits of a pack: its index says where each object begins, the first byte there what it is."""
    try:
        table = index.read_bytes()
        if table[:8] != b"\xfftOc\x00\x00\x00\x02":
            return
        count = struct.unpack_from(">I", table, 8 + 255 * 4)[0]
        names = 8 + 256 * 4
        places = names + count * 24
        with index.with_suffix(".pack").open("rb") as pack:
            for at in range(count):
                place = struct.unpack_from(">I", table, places + at * 4)[0]
                pack.seek(place & 0x7FFFFFFF)
                if (first := pack.read(1)) and first[0] >> 4 & 7 == _COMMIT:
                    yield table[names + at * 20 : names + at * 20 + 20].hex()
    except (OSError, struct.error):
        return
