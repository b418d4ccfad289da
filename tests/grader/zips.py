"""Zips for tests: honest ones, and ones put together byte by byte."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

WHOLE: dict[str, str | bytes] = {
    "receipt.json": "{}",
    "work/add.py": "def add(a, b):\n    return a + b\n",
    "work/.git/HEAD": "x\n",
}


def a_zip(files: Mapping[str, str | bytes], modes: Mapping[str, int] | None = None) -> bytes:
    """An honest, deflated zip; a name that ends in a slash is a folder, `modes` are whole Unix modes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o40755 if name.endswith("/") else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return held.getvalue()


@dataclass(frozen=True)
class Raw:
    """An entry as its bytes stand in the file; what is None is told as it is."""

    name: bytes
    content: bytes = b"x"
    inner: bytes | None = None
    method: int = 8
    flags: int = 0
    size: int | None = None
    inner_size: int | None = None
    crc: int | None = None
    mode: int = 0o100644
    at: int | None = None
    tail: bytes = b""
    packed_as: bytes | None = None

    @property
    def packed(self) -> bytes:
        """The content as it stands in the zip."""
        if self.packed_as is not None:
            return self.packed_as
        if self.method == 0:
            return self.content
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(self.content) + packer.flush() + self.tail


def raw_zip(
    entries: Iterable[Raw], *, count: int | None = None, comment: bytes = b"", gap: int = 0, junk: bytes = b""
) -> bytes:
    """A zip of just these bytes.

    `count` is what its end declares, `gap` what that is off by, `junk` what ends the list of entries.
    """
    body, listed, number = b"", b"", 0
    for one in entries:
        number += 1
        size = len(one.content) if one.size is None else one.size
        crc = zlib.crc32(one.content) if one.crc is None else one.crc
        inner = one.name if one.inner is None else one.inner
        inner_size = size if one.inner_size is None else one.inner_size
        start = len(body) if one.at is None else one.at
        if one.at is None:
            head = (
                b"PK\3\4",
                20,
                one.flags,
                one.method,
                0,
                0,
                crc,
                len(one.packed),
                inner_size,
                len(inner),
                0,
            )
            body += struct.pack("<4sHHHHHLLLHH", *head) + inner + one.packed
        facts = (b"PK\1\2", 0x314, 20, one.flags, one.method, 0, 0, crc, len(one.packed), size)
        places = (len(one.name), 0, 0, 0, 0, one.mode << 16, start)
        listed += struct.pack("<4sHHHHHHLLLHHHHHLL", *facts, *places) + one.name
    listed += junk
    said = number if count is None else count
    end = (b"PK\5\6", 0, 0, said, said, len(listed), len(body) + gap, len(comment))
    return body + listed + struct.pack("<4sHHHHLLH", *end) + comment


def wide_zip(name: bytes, content: bytes, *, off: int = 0, said: int = 0xFFFF) -> bytes:
    """A zip in the form for large ones, whatever its size. `off` moves its end, `said` is the old count."""
    sizes = struct.pack("<HHQQ", 1, 16, len(content), len(content))
    crc = zlib.crc32(content)
    head = struct.pack(
        "<4sHHHHHLLLHH", b"PK\3\4", 45, 0, 0, 0, 0, crc, *[0xFFFFFFFF] * 2, len(name), len(sizes)
    )
    body = head + name + sizes + content
    extra = struct.pack("<HHQQQ", 1, 24, len(content), len(content), 0)
    facts = (b"PK\1\2", 0x32D, 45, 0, 0, 0, 0, crc, *[0xFFFFFFFF] * 2, len(name), len(extra))
    listed = struct.pack("<4sHHHHHHLLLHHHHHLL", *facts, 0, 0, 0, 0o100644 << 16, 0xFFFFFFFF) + name + extra
    at = len(body) + len(listed)
    end = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(listed), len(body))
    end += struct.pack("<4sLQL", b"PK\6\7", 0, at + off, 1)
    return body + listed + end + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, said, said, *[0xFFFFFFFF] * 2, 0)


def tree(folder: Path) -> dict[str, int]:
    """Every path below a folder with its mode."""
    return {path.relative_to(folder).as_posix(): path.lstat().st_mode for path in folder.rglob("*")}
