"""A submission as it is judged: a sorted list of plain files and its hash."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

from grader.errors import InvalidSubmission

MAX_BYTES = 200 * 1024**2
MAX_FILES = 20_000
MAX_DEPTH = 64  # folders
MAX_PATH = 1000  # bytes; a copy lies in folders of its own

CACHES = frozenset(
    (
        ".venv",
        "venv",
        "__pycache__",
        ".ipynb_checkpoints",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        "node_modules",
    )
)
CACHE_PATHS = frozenset((".dvc/cache", ".dvc/tmp"))
MARKER = ".lab-workspace.json"


@dataclass(frozen=True)
class File:
    """One accepted file: its path below the work, whether it may be executed, its content's sha256."""

    path: str
    executable: bool
    sha256: str
    size: int


@dataclass(frozen=True)
class Snapshot:
    """The accepted files of a folder, sorted by path; `hash` changes with any path, bit or byte."""

    folder: Path
    files: tuple[File, ...]

    @property
    def hash(self) -> str:
        """sha256 over path, executable bit and content of every file, as 64 hex digits."""
        total = hashlib.sha256()
        for file in self.files:
            total.update(f"{file.path}\0{int(file.executable)}\0{file.sha256}\n".encode())
        return total.hexdigest()

    def copy_to(self, target: Path) -> None:
        """Copy the accepted files below `target`, which is made if need be. Nothing else comes along.

        Raises:
            InvalidSubmission: a file is no longer there.
        """
        target.mkdir(parents=True, exist_ok=True)
        for folder in sorted({Path(file.path).parent for file in self.files}):
            (target / folder).mkdir(parents=True, exist_ok=True)
        for file in self.files:
            try:
                copyfile(self.folder / file.path, target / file.path, follow_symlinks=False)
                if (target / file.path).is_symlink():
                    raise FileNotFoundError
            except FileNotFoundError as error:
                raise InvalidSubmission(
                    f"{file.path} went away while the work was read. Save everything and try again."
                ) from error
            (target / file.path).chmod(0o755 if file.executable else 0o644)


def take(folder: Path, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> Snapshot:
    """List the files of `folder` that are judged; caches and environments are left out.

    Raises:
        InvalidSubmission: names a link, a special or an unreadable file, or says which cap was passed.
    """
    if not folder.is_dir():
        raise InvalidSubmission(f"{folder} is not a folder. Name the folder that holds the work.")
    try:
        return Snapshot(
            folder, tuple(sorted(_files(folder, max_bytes, max_files), key=lambda file: file.path))
        )
    except OSError as error:
        raise InvalidSubmission(
            f"{error.filename} cannot be read ({error.strerror}). Mend it, or try again when it is written."
        ) from error


def _files(folder: Path, max_bytes: int, max_files: int) -> list[File]:
    files: list[File] = []
    size = 0
    for path in _walk(folder):
        info = path.lstat()
        name = path.relative_to(folder).as_posix()
        if name.encode(errors="replace").decode() != name:
            raise InvalidSubmission(f"The name {name!a} is not UTF-8. Give the file another name.")
        if len(name.encode()) > MAX_PATH:
            raise InvalidSubmission(f"The path {name[:60]}… has over {MAX_PATH} bytes. Shorten its names.")
        if not stat.S_ISREG(info.st_mode):
            raise InvalidSubmission(
                f"{name} is {_kind(info.st_mode)}; only plain files are judged. "
                "Put the file itself there, or delete it."
            )
        size += info.st_size
        if size > max_bytes:
            raise InvalidSubmission(
                f"The work is over {max_bytes // 1024**2} MB (at {name}). Delete what is not part of it."
            )
        if len(files) == max_files:
            raise InvalidSubmission(
                f"The work has more than {max_files:,} files (at {name}). Delete what is not part of it."
            )
        executable = bool(info.st_mode & stat.S_IXUSR)
        files.append(File(name, executable, _sha256(path), info.st_size))
    return files


def is_cache(relative: str) -> bool:
    """Whether a path below the work is a cache or an environment, and so no part of a submission."""
    parts = relative.split("/")
    if parts[0] == ".git":  # a branch may be called `venv`
        return False
    if relative == MARKER or CACHES.intersection(parts):
        return True
    return any("/".join(parts[at : at + 2]) in CACHE_PATHS for at in range(len(parts)))


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder, onerror=_refuse):
        here = Path(root)
        if len(here.relative_to(folder).parts) > MAX_DEPTH:
            raise InvalidSubmission(f"The work has folders more than {MAX_DEPTH} deep. Make it flatter.")
        kept = []
        for name in sorted(folders):
            path = here / name
            if is_cache(path.relative_to(folder).as_posix()):
                continue
            if path.is_symlink():
                yield path
            else:
                kept.append(name)
        folders[:] = kept
        for name in sorted(names):
            path = here / name
            if not is_cache(path.relative_to(folder).as_posix()):
                yield path


def _refuse(error: OSError) -> None:
    raise error


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no plain file")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
