"""One extractor for what strangers send, a zip or a folder: it rejects rather than repairs.

Every name, kind and declared size is looked at before the first byte is written; then the bytes are
counted as they come. What is refused leaves nothing behind. Links are never followed, no folder that
exists is written to, and no bit but the executable one is taken over.
"""

import errno
import os
import re
import shutil
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader.archive import BLOCK, SEND, Entry, invalid, open_zip, shown
from grader.snapshot import MAX_BYTES, MAX_FILES, is_cache

RENAME = "Rename the file, then run `lab submit` again."
LEAVE_OUT = "Delete what is not part of the work, then run `lab submit` again."
_UNSEEN = frozenset(
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_CONTROL = frozenset(("Cc", "Cs", "Zl", "Zp"))
_DRIVE = re.compile(r"[A-Za-z]:")
_UNWRITABLE = frozenset((errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EEXIST, errno.ENOTDIR))
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


@dataclass(frozen=True)
class Caps:
    """What one submission may be. `entries` counts what is listed, caches too; `ratio` is against the zip.

    A small zip may unpack to `free` bytes whatever the ratio.
    """

    bytes: int = MAX_BYTES
    files: int = MAX_FILES
    entries: int = 100_000
    depth: int = 32
    name: int = 255
    path: int = 1024
    ratio: int = 100
    free: int = 10 * 1024**2


CAPS = Caps()


def extract(archive: Path, target: Path, caps: Caps = CAPS) -> None:
    """Unpack a zip into `target`, a new folder. Caches and environments are left out.

    Raises:
        InvalidSubmission: the reason, for a person. Nothing was left behind.
        OSError: `target` cannot be written. Nothing was left behind.
    """
    with open_zip(archive, max_entries=caps.entries) as entries:
        unpack(entries, target, caps, packed=archive.stat().st_size)


def copy_in(folder: Path, target: Path, caps: Caps = CAPS) -> None:
    """Copy a folder into `target`, a new folder, by the rules for a zip.

    Raises:
        InvalidSubmission: the reason, for a person. Nothing was left behind.
        OSError: `target` cannot be written. Nothing was left behind.
    """
    top = _open_folder(folder)
    try:
        unpack(listed(top, caps), target, caps)
    finally:
        os.close(top)


def unpack(entries: Iterable[Entry], target: Path, caps: Caps, *, packed: int | None = None) -> None:
    """Write what `entries` hold into `target`, a new folder, all or nothing.

    Raises:
        InvalidSubmission: an entry breaks a rule or a cap; says which.
        OSError: `target` cannot be written.
    """
    plan = _Plan(caps, packed)
    for entry in entries:
        plan.add(entry)
    if not plan.files:
        raise invalid("There are no files in it.")
    target.mkdir(parents=True)
    try:
        _write(plan, target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def listed(top: int, caps: Caps) -> Iterator[Entry]:
    """What lies below an open folder; caches are not walked, links not followed.

    Raises:
        InvalidSubmission: a hard link, or what cannot be read, by its name.
    """
    waiting = [""]
    while waiting:
        below = waiting.pop()
        for name, info in _children(top, below, caps):
            path = f"{below}/{name}" if below else name
            if _is_left_out(path.split("/")):
                continue
            if stat.S_ISREG(info.st_mode) and info.st_nlink > 1:
                raise invalid(
                    f"{shown(path)} is a hard link: the file has another name somewhere.",
                    "Put a copy there instead.",
                )
            yield Entry(path, info.st_mode, info.st_size, partial(_read, top, path, info))
            if stat.S_ISDIR(info.st_mode):
                waiting.append(path)


class _Plan:
    """The entries that will be written, each of them and all together within the rules."""

    def __init__(self, caps: Caps, packed: int | None) -> None:
        self.caps = caps
        self.limit = caps.bytes if packed is None else min(caps.bytes, max(caps.ratio * packed, caps.free))
        self.files: dict[str, Entry] = {}
        self.folders: set[str] = set()
        self.spelled: dict[str, str] = {}
        self.listed = 0
        self.bytes = 0

    def add(self, entry: Entry) -> None:
        self.listed += 1
        if self.listed > self.caps.entries:
            raise invalid(f"It lists more than {self.caps.entries:,} entries.", LEAVE_OUT)
        parts = entry.name.split("/")
        _refuse_name(entry.name, parts, self.caps)
        if _is_left_out(parts):
            return
        _refuse_kind(entry)
        for depth in range(1, len(parts)):
            self._folder("/".join(parts[:depth]))
        if entry.is_folder:
            self._folder(entry.name)
        else:
            self._file(entry)

    def grow(self, count: int, name: str) -> None:
        """Count bytes; the caps hold for what is declared and again for what comes."""
        self.bytes += count
        if self.bytes > self.caps.bytes:
            size = self.caps.bytes // 1024**2
            raise invalid(f"It unpacks to more than {size:,} MB (at {shown(name)}).", LEAVE_OUT)
        if self.bytes > self.limit:
            raise invalid(
                f"It unpacks to more than {self.caps.ratio} times its size (at {shown(name)}): a zip bomb."
            )

    def _file(self, entry: Entry) -> None:
        name = entry.name
        if name in self.files:
            raise invalid(f"{shown(name)} is in it twice.")
        if name in self.folders:
            raise invalid(f"{shown(name)} is in it as a file and as a folder.")
        self._spell(name)
        self.files[name] = entry
        if len(self.files) > self.caps.files:
            raise invalid(f"It holds more than {self.caps.files:,} files.", LEAVE_OUT)
        self.grow(entry.size, name)

    def _folder(self, name: str) -> None:
        if name in self.folders:
            return
        if name in self.files:
            raise invalid(f"{shown(name)} is in it as a file and as a folder.")
        self._spell(name)
        self.folders.add(name)
        if len(self.folders) > self.caps.files:
            raise invalid(f"It holds more than {self.caps.files:,} folders.", LEAVE_OUT)

    def _spell(self, name: str) -> None:
        """Refuse two names that are one on a system that ignores case or the Unicode form."""
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
        other = self.spelled.setdefault(key, name)
        if other != name:
            raise invalid(
                f"{shown(other)} and {shown(name)} differ by case or Unicode form only, and are one file on "
                "some systems.",
                RENAME,
            )


def _refuse_name(name: str, parts: list[str], caps: Caps) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise invalid(f"The name {shown(name)} is not UTF-8.", RENAME) from error
    said = f"The name {shown(name)}"
    if any(sign in _UNSEEN or unicodedata.category(sign) in _CONTROL for sign in name):
        raise invalid(f"{said} holds characters that cannot be seen.", RENAME)
    if "\\" in name:
        raise invalid(f"{said} holds a backslash, which is a path on Windows.", RENAME)
    if name.startswith("/") or _DRIVE.match(name):
        raise invalid(f"{said} is an absolute path: it would be written outside its folder.")
    if ".." in parts:
        raise invalid(f"{said} leads out of its folder with `..`.")
    if "" in parts or "." in parts:
        raise invalid(f"{said} has an empty part or a `.` in it.")
    if max(len(part.encode()) for part in parts) > caps.name:
        raise invalid(f"{said} is longer than {caps.name} bytes.", RENAME)
    if len(parts) > caps.depth or len(name.encode()) > caps.path:
        raise invalid(
            f"{said} is deeper than {caps.depth} folders or longer than {caps.path:,} bytes.", LEAVE_OUT
        )


def _refuse_kind(entry: Entry) -> None:
    kind = stat.S_IFMT(entry.mode)
    if kind not in (stat.S_IFREG, stat.S_IFDIR):
        raise invalid(
            f"{shown(entry.name)} is {_KINDS.get(kind, 'no plain file')}; only plain files are taken.",
            "Put the file itself there, or delete it, then run `lab submit` again.",
        )
    if kind == stat.S_IFREG and entry.mode & (stat.S_ISUID | stat.S_ISGID):
        raise invalid(
            f"{shown(entry.name)} has a setuid or setgid bit.", f"Take it off with `chmod ug-s`. {SEND}"
        )


def _is_left_out(parts: list[str]) -> bool:
    """Whether a path is a cache or an environment; what lies in a `.git` never is, as in a snapshot."""
    outside = parts[: parts.index(".git")] if ".git" in parts else parts
    return any(is_cache("/".join(outside[: depth + 1])) for depth in range(len(outside)))


def _write(plan: _Plan, target: Path) -> None:
    for folder in sorted(plan.folders):
        (target / folder).mkdir(mode=0o755)
    plan.bytes = 0
    for name, entry in plan.files.items():
        mode = 0o755 if entry.mode & stat.S_IXUSR else 0o644
        with os.fdopen(_create(target / name, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)
            for chunk in entry.chunks():
                plan.grow(len(chunk), name)
                file.write(chunk)


def _create(path: Path, mode: int) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        raise invalid(f"The name {shown(path.name)} is none that this disk takes.", RENAME) from error


def _open_folder(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(folder.name, error) from error


def _children(top: int, below: str, caps: Caps) -> list[tuple[str, os.stat_result]]:
    try:
        opened = _descend(top, below.split("/")) if below else os.dup(top)
        try:
            with os.scandir(opened) as found:
                children = []
                for child in found:
                    children.append((child.name, child.stat(follow_symlinks=False)))
                    if len(children) > caps.entries:
                        raise invalid(f"It lists more than {caps.entries:,} entries.", LEAVE_OUT)
        finally:
            os.close(opened)
    except OSError as error:
        raise _unreadable(below, error) from error
    return sorted(children)


def _descend(top: int, parts: list[str]) -> int:
    """Open a folder below `top` part by part, so that no link on the way is followed."""
    opened = os.dup(top)
    for part in parts:
        upper = opened
        try:
            opened = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=upper)
        finally:
            os.close(upper)
    return opened


def _read(top: int, path: str, info: os.stat_result) -> Iterator[bytes]:
    """The content of a file below `top`, as long as it is the file that was looked at."""
    *folders, name = path.split("/")
    try:
        folder = _descend(top, folders)
        try:
            opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        finally:
            os.close(folder)
        with os.fdopen(opened, "rb", buffering=0) as file:
            found = os.fstat(opened)
            if (found.st_dev, found.st_ino, found.st_nlink) != (info.st_dev, info.st_ino, 1):
                raise invalid(f"{shown(path)} changed while it was read.", "Collect it again.")
            while chunk := file.read(BLOCK):
                yield chunk
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> Exception:
    return invalid(f"{shown(path)} cannot be read ({error.strerror}).", "Mend that, then collect it again.")
