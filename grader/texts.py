"""Text that a stranger may have had a hand in, made fit to be shown; files written whole."""

import glob
import json
import os
import tempfile
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

import psutil

UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
JOINERS = "\u200c\u200d"  # names in several scripts need them
LONGEST = 4000


def plain(text: str, *, longest: int = LONGEST) -> str:
    """The text with everything spelled out that would not be seen as what it is.

    Control characters, terminal escapes, NUL, overrides of the writing direction and line separators
    become `\\x1b`, `\\u202e` and so on. Line breaks and tabs stay. A long text keeps its head and its tail.

    >>> plain("red \\x1b[31m, turned \\u202e round")
    'red \\\\x1b[31m, turned \\\\u202e round'
    """
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]} … ({len(text):,} characters) … {text[-half:]}"
    return "".join(map(_seen, text.replace("\r\n", "\n")))


def line(text: str, *, longest: int = 200) -> str:
    """The text as one plain line: every run of white space is one space."""
    return plain(" ".join(text.split()), longest=longest)


def json_text(data: Mapping[str, Any]) -> str:
    """The data as JSON that a person may look at: what would not be seen stands there as `\\u202e`.

    Read as JSON it is what it was.
    """
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    return "".join(sign if _is_seen(sign) else json.dumps(sign)[1:-1] for sign in text) + "\n"


def lesson(check: Mapping[str, Any]) -> list[str]:
    """What a check of a record teaches, plain, a paragraph each: looked at, found, expected, why, read."""
    parts = (
        ("Looked at: ", check["looked_at"]),
        ("Found: ", check["found"]),
        ("Raised: ", check["exception"] if check["exception"] not in check["found"] else ""),
        ("Expected: ", check["expected"]),
        ("", check["why"]),
        ("Misconception: ", check["misconception"]),
        ("Read: docs/", check["link"]),
    )
    return [plain(label + text) for label, text in parts if text]


def _is_seen(sign: str) -> bool:
    return sign in "\n\t" or sign in JOINERS or unicodedata.category(sign) not in UNSEEN


def _seen(sign: str) -> str:
    if _is_seen(sign):
        return sign
    return sign.encode("ascii", "backslashreplace").decode() if ord(sign) > 127 else f"\\x{ord(sign):02x}"


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> bool:
    """Write `text` whole or not at all; False when the file holds just that already."""
    content = text.encode("utf-8")
    sweep(path)
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{os.getpid()}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


def sweep(path: Path) -> None:
    """Take away what writers of this file, or folder, had half written when they were killed."""
    for half in path.parent.glob(f".{glob.escape(path.name)}.*.*"):
        pid = half.name.split(".")[-2]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            if half.is_dir() and not half.is_symlink():
                rmtree(half, ignore_errors=True)
            else:
                half.unlink(missing_ok=True)
