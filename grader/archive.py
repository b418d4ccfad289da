"""Reads a zip strictly: what its parts do not agree on is refused, and no size it declares is trusted.

The standard library's reader takes what it can get: it skips what stands before the first entry, stops at
a declared size, knows no overlap. Two readers may then see two contents in one file. This one sees one, or
says why not. Format: APPNOTE.TXT of PKWARE, sections 4.3 to 4.5.
"""

import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader.errors import InvalidSubmission
from grader.texts import line

SEND = "Hand in the zip that `lab submit` makes, unchanged."
BLOCK = 256 * 1024

_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQHHLLQQQQ")
_WIDE = 0xFFFFFFFF
_FULL = (0xFFFF, _WIDE, _WIDE)
_ENCRYPTED = 0x2041  # encrypted, strongly, or with its names hidden
_DESCRIBED = 0x0008  # sizes and checksum follow the content
_METHODS = {0: "stored", 8: "deflated"}
_OTHERS = (
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip file (a .tar.gz?)"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"%PDF", "a PDF"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"<", "a web page (the LMS may have asked for a login)"),
    (b"{", "a JSON file (a notebook?)"),
)


@dataclass(frozen=True)
class Entry:
    """One name in an archive or a folder. `mode` has the type and the bits; `size` is what is declared."""

    name: str
    mode: int
    size: int
    chunks: Callable[[], Iterator[bytes]]

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)


@dataclass(frozen=True)
class _Record:
    """An entry as the central directory has it."""

    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    at: int


def invalid(problem: str, then: str = SEND) -> InvalidSubmission:
    """The error for work that is refused: what is wrong, then what to do."""
    return InvalidSubmission(f"{problem} {then}")


def shown(name: str | bytes) -> str:
    """A name that a stranger chose, fit to be read in a message."""
    text = name if isinstance(name, str) else name.decode(errors="surrogateescape")
    return f"`{line(text, longest=120)}`"


@contextmanager
def open_zip(path: Path, *, max_entries: int) -> Iterator[list[Entry]]:
    """The entries of a zip, to be read while it is open. Names are as written, a folder's without its slash.

    Raises:
        InvalidSubmission: it is no zip, damaged, encrypted, or its parts contradict each other.
    """
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise invalid(
            f"{shown(path.name)} cannot be opened ({error.strerror}).", "Mend that, or set it right."
        ) from error
    try:
        yield _Zip(opened, max_entries).entries()
    finally:
        os.close(opened)


class _Zip:
    """An open zip."""

    def __init__(self, opened: int, max_entries: int) -> None:
        self.opened = opened
        self.max_entries = max_entries
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            raise invalid("It is no plain file.")
        self.size = found.st_size

    def entries(self) -> list[Entry]:
        self._recognise()
        records, start = self._central()
        return [
            Entry(*_name_and_mode(record), record.size, partial(self._content, record, at))
            for record, at in zip(records, self._places(records, start), strict=True)
        ]

    def _read(self, at: int, count: int) -> bytes:
        try:
            found = os.pread(self.opened, count, at)
        except OSError as error:
            raise invalid(f"It cannot be read ({error.strerror}).", "Copy it again.") from error
        if len(found) != count:
            raise invalid("The zip is truncated: it ends in the middle of an entry.")
        return found

    def _recognise(self) -> None:
        head = self._read(0, min(self.size, 512))
        if not head:
            raise invalid("The file is empty (0 bytes).")
        if head.startswith(b"PK\x05\x06"):
            raise invalid("The zip is empty: there is nothing in it.")
        if head.startswith(b"PK\x03\x04"):
            return
        kind = next((kind for magic, kind in _OTHERS if head.lstrip().startswith(magic)), "")
        if head[257:262] == b"ustar":
            kind = "a tar archive"
        raise invalid(f"It is {kind}, no zip." if kind else "It is no zip: it does not begin like one.")

    def _central(self) -> tuple[list[_Record], int]:
        """The central directory and where it starts."""
        count, length, start, end = self._end()
        if start + length != end:
            raise invalid("The zip is damaged: its list of entries is not where it says.")
        if count > self.max_entries:
            raise invalid(f"The zip lists {count:,} entries; {self.max_entries:,} are allowed.")
        if length > self.max_entries * 512:
            raise invalid("The zip's list of entries is far too long.")
        data = self._read(start, length)
        records, at = [], 0
        while at < length:
            record, at = _record(data, at)
            records.append(record)
            if len(records) > count:
                break
        if len(records) != count:
            raise invalid(f"The zip is damaged: it declares {count:,} entries and lists others.")
        return records, start

    def _end(self) -> tuple[int, int, int, int]:
        """How many entries, how long their list is, where it starts, where what ends the zip begins."""
        reach = min(self.size, _END.size + 0xFFFF)
        tail = self._read(self.size - reach, reach)
        places = []
        at = tail.rfind(b"PK\x05\x06")
        while at >= 0:
            if len(tail) - at >= _END.size and _END.unpack_from(tail, at)[-1] == len(tail) - at - _END.size:
                places.append(at)
            at = tail.rfind(b"PK\x05\x06", 0, at)
        if not places:
            raise invalid("The zip is truncated, or something follows it: it has no end.")
        if len(places) > 1:
            raise invalid("The zip has two ends, so two contents.")
        _, disk, first, here, count, length, start, _ = _END.unpack_from(tail, places[0])
        end = self.size - reach + places[0]
        if disk not in (0, 0xFFFF) or first not in (0, 0xFFFF) or here != count:
            raise invalid("It is one part of a zip in several parts.")
        wide = self._end64(end)
        if wide is None:
            return count, length, start, end
        if any(
            old not in (new, full)
            for old, new, full in zip((count, length, start), wide, _FULL, strict=False)
        ):
            raise invalid("The zip has two ends, so two contents.")
        return wide

    def _end64(self, end: int) -> tuple[int, int, int, int] | None:
        """The same from the record for large zips, where there is one."""
        if end < _LOCATOR.size + _END64.size:
            return None
        magic, _, at, _ = _LOCATOR.unpack(self._read(end - _LOCATOR.size, _LOCATOR.size))
        if magic != b"PK\x06\x07":
            return None
        if at + _END64.size != end - _LOCATOR.size:
            raise invalid("The zip is damaged: its end is not where it says.")
        magic, _, _, _, disk, first, here, count, length, start = _END64.unpack(self._read(at, _END64.size))
        if magic != b"PK\x06\x06" or disk or first or here != count:
            raise invalid("The zip is damaged: its end cannot be read.")
        return count, length, start, at

    def _places(self, records: list[_Record], start: int) -> list[int]:
        """Where each entry's content begins. None overlaps another, or the list of entries."""
        places = [self._place(record) for record in records]
        taken = sorted(
            (record.at, place + record.packed) for record, place in zip(records, places, strict=True)
        )
        for (_, ends), (begins, _) in zip(taken, [*taken[1:], (start, start)], strict=True):
            if ends > begins:
                raise invalid("Entries of the zip overlap: it unpacks to more than it holds.")
        return places

    def _place(self, record: _Record) -> int:
        data = self._read(record.at, _LOCAL.size)
        magic, _, flags, method, _, _, crc, packed, size, names, extra = _LOCAL.unpack(data)
        if magic != b"PK\x03\x04":
            raise invalid(f"The zip is damaged at {shown(record.raw)}.")
        if self._read(record.at + _LOCAL.size, names) != record.raw:
            raise invalid(f"The zip has two names for one file: {shown(record.raw)} is another one inside.")
        if flags & _ENCRYPTED or method != record.method:
            raise invalid(f"The zip says two things of {shown(record.raw)}.")
        told = (crc, packed, size)
        if not flags & _DESCRIBED and _WIDE not in told and told != (record.crc, record.packed, record.size):
            raise invalid(f"The zip says two things of {shown(record.raw)}: its sizes differ.")
        return int(record.at + _LOCAL.size + names + extra)

    def _content(self, record: _Record, at: int) -> Iterator[bytes]:
        """The content, never more than is declared; what is not exactly that is refused."""
        name = shown(record.raw)
        count = crc = 0
        blocks = self._blocks(at, record.packed)
        for chunk in blocks if record.method == 0 else _inflate(blocks, name):
            count += len(chunk)
            crc = zlib.crc32(chunk, crc)
            if count > record.size:
                break
            yield chunk
        if count != record.size:
            raise invalid(f"The zip lies about {name}: {record.size:,} bytes declared, and it is not that.")
        if crc != record.crc:
            raise invalid(f"The zip is damaged: the checksum of {name} does not match.")

    def _blocks(self, at: int, count: int) -> Iterator[bytes]:
        end = at + count
        while at < end:
            block = self._read(at, min(BLOCK, end - at))
            yield block
            at += len(block)


def _inflate(blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """What deflated blocks unpack to, at most `BLOCK` bytes at a time."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for block in blocks:
            if stream.eof:
                break
            left = block
            while left and not stream.eof:
                yield stream.decompress(left, BLOCK)
                left = stream.unconsumed_tail
        while not stream.eof and (chunk := stream.decompress(b"", BLOCK)):
            yield chunk
    except zlib.error as error:
        raise invalid(f"The zip is damaged: {name} cannot be unpacked.") from error
    if not stream.eof or stream.unused_data or any(True for _ in blocks):
        raise invalid(f"The zip is damaged: {name} ends too early or too late.")


def _record(data: bytes, at: int) -> tuple[_Record, int]:
    """The record of the central directory at `at`, and where the next one begins."""
    if len(data) - at < _CENTRAL.size:
        raise invalid("The zip is damaged: its list of entries breaks off.")
    (magic, _, _, flags, method, _, _, crc, packed, size, names, extras, notes, disk, _, outer, start) = (
        _CENTRAL.unpack_from(data, at)
    )
    at += _CENTRAL.size
    end = at + names + extras + notes
    if magic != b"PK\x01\x02" or end > len(data):
        raise invalid("The zip is damaged: its list of entries cannot be read.")
    raw = data[at : at + names]
    if flags & _ENCRYPTED or method == 99:
        raise invalid(f"The zip is encrypted ({shown(raw)} needs a password).")
    if method not in _METHODS:
        raise invalid(
            f"The zip packs {shown(raw)} by method {method}; only stored and deflated ones are read."
        )
    if disk not in (0, 0xFFFF):
        raise invalid("It is one part of a zip in several parts.")
    size, packed, start = _widen(data[at + names : at + names + extras], size, packed, start)
    if method == 0 and size != packed:
        raise invalid(f"The zip lies about {shown(raw)}: it is stored, yet its two sizes differ.")
    return _Record(raw, flags, method, crc, packed, size, outer >> 16, start), end


def _widen(extra: bytes, *values: int) -> list[int]:
    """Put 64-bit values from the extra field in place of those that did not fit into 32 bits."""
    found = list(values)
    wide = [at for at, value in enumerate(values) if value == _WIDE]
    while wide and len(extra) >= 4:
        tag, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if tag == 1 and len(field) >= 8 * len(wide):
            for place, value in zip(wide, struct.unpack_from(f"<{len(wide)}Q", field), strict=True):
                found[place] = value
            break
    return found


def _name_and_mode(record: _Record) -> tuple[str, int]:
    """The name and what kind of file it is: what Unix says of it, else what the name says."""
    name = record.raw.decode(errors="surrogateescape")  # what is not UTF-8 is refused with the other names
    slashed = name.endswith("/")
    kind = stat.S_IFMT(record.mode) or (stat.S_IFDIR if slashed else stat.S_IFREG)
    if slashed != (kind == stat.S_IFDIR) and kind in (stat.S_IFDIR, stat.S_IFREG):
        raise invalid(f"The zip says of {shown(name)} that it is a file and a folder.")
    if slashed and record.size:
        raise invalid(f"The zip says of {shown(name)} that it is a folder with content.")
    return name.removesuffix("/"), kind | stat.S_IMODE(record.mode)
