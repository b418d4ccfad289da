"""Work that comes as a Git repository: a bundle, or a clone of an address that the instructor gives.

Git fetches into a repository of our own, checks every object, and checks nothing out: no hook, filter,
submodule or setting of a stranger's has a place to be. The files are read from the tree and go through the
one extractor that all work goes through; the repository beside them is packed anew, the same each time.
"""

import os
import re
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree, which
from tempfile import TemporaryFile

from grader.archive import BLOCK, Entry, invalid, shown
from grader.errors import CourseError, ToolMissing
from grader.texts import line
from grader.unpack import Caps, unpack

BUNDLES = (b"# v2 git bundle\n", b"# v3 git bundle\n")
WALL_S = 300
MOST_REFS = 2_000
_LISTED = 64 * 1024**2  # bytes of a list that Git prints
_MEMORY = 4 * 1024**3
_WEB = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(:\d+)?/[\w.~/%+{}-]+")
_SHELL = re.compile(r"(ssh://)?[A-Za-z0-9][\w.-]*@[A-Za-z0-9][A-Za-z0-9.-]*(:\d+/|[:/])[\w.~/+{}-]+")
_FIELD = re.compile(r"\{(\w*)\}")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_GIVEN = ("refs/heads/", "refs/tags/")
SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.bigFileThreshold": "16m",
    "fetch.fsckObjects": "true",
    "fetch.unpackLimit": "1",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "transfer.bundleURI": "false",
    "fsck.hasDotgit": "error",
    "fsck.hasDotdot": "error",
    "fsck.hasDot": "error",
    "fsck.fullPathname": "error",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "pack.threads": "1",
    "pack.writeReverseIndex": "false",
    "repack.writeBitmaps": "false",
    "repack.updateServerInfo": "false",
}
_LIST = ("ls-tree", "-r", "-t", "-z", "-l", "--full-tree", "HEAD")
_SMALLER = "Hand in less: the repository without what is not part of the work."
_MEND = "Mend that, or hand in the zip that `lab submit` makes."
CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"


@dataclass(frozen=True)
class Address:
    """Where to clone from; `{id}` or another column of the roster in it makes it one for each learner."""

    text: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that it names."""
        return tuple(_FIELD.findall(self.text))

    def of(self, values: Mapping[str, str]) -> str:
        """The address of one learner.

        Raises:
            InvalidSubmission: the roster says nothing there, or what cannot stand in an address.
        """
        for field in self.fields:
            if not _SAFE.fullmatch(values.get(field, "")):
                raise invalid(
                    f"Its line in roster.csv has no `{field}` that can stand in an address.",
                    "Write it there: letters, digits, dot, dash and underscore.",
                )
        return _FIELD.sub(lambda found: values[found[1]], self.text)


def address(text: str) -> Address | None:
    """The address that `text` is; None when it is a path.

    Raises:
        CourseError: it is an address that is not cloned from.
    """
    if _WEB.fullmatch(text) or _SHELL.fullmatch(text):
        return Address(text)
    if "::" in text or re.match(r"[A-Za-z][\w+.-]*://", text):
        raise CourseError(
            f"{line(text)} is no address that is cloned from. Write https://host/path or git@host:path, with "
            "no password in it, and `{id}` where each learner's id belongs."
        )
    return None


def is_bundle(path: Path) -> bool:
    """Whether a file is a Git bundle, by how it begins."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            return file.read(len(BUNDLES[0])) in BUNDLES
    except OSError:
        return False


def unbundle(bundle: Path, target: Path, lab_id: str, caps: Caps, *, wall_s: float = WALL_S) -> Path:
    """Put what a bundle holds below `target`; as `clone`."""
    return _bring(str(bundle.resolve()), "file", target, lab_id, caps, wall_s)


def clone(url: str, target: Path, lab_id: str, caps: Caps, *, wall_s: float = WALL_S) -> Path:
    """Put the default branch of a repository below `target`, with all branches and tags in its `.git`.

    Returns:
        The folder; or, where the repository holds one zip of `lab submit` for this lab, that zip.

    Raises:
        InvalidSubmission: it cannot be cloned, or what is in it cannot be taken; says why.
    """
    return _bring(url, "http:https:ssh", target, lab_id, caps, wall_s)


def _bring(source: str, protocols: str, target: Path, lab_id: str, caps: Caps, wall_s: float) -> Path:
    if which("git") is None or which("prlimit") is None:
        raise ToolMissing(
            "`git` or `prlimit` is not on PATH. Install them (Debian: `apt install git util-linux`)."
        )
    target.mkdir(parents=True)
    git = _Git(target / "repository", protocols, caps, wall_s)
    git.run("init", "--quiet", "--bare", "--template=", str(git.folder), bare=False)
    branch = git.default_branch(source)
    git.run("fetch", "--quiet", "--no-tags", "--", source, *(f"+{part}*:{part}*" for part in _GIVEN))
    git.run("symbolic-ref", "HEAD", branch)
    git.run("fsck", "--strict", "--no-dangling", "--no-reflogs", "--no-progress")
    entries = git.entries()
    zips = [one for one in entries if re.fullmatch(rf"{re.escape(lab_id)}-[\w-]+\.zip", one.name)]
    if len(zips) > 1:
        raise invalid(f"It holds {len(zips)} zips for {lab_id}: which one counts is not known.")
    try:
        unpack(zips or entries, target / "work", caps)
    finally:
        git.blobs.close()
    if zips:
        return target / "work" / zips[0].name
    for words in (("repack", "-a", "-d", "-F", "--quiet"), ("pack-refs", "--all"), ("read-tree", "HEAD")):
        git.run(*words)
    _tidy(git.folder)
    git.folder.rename(target / "work" / ".git")
    return target / "work"


def _tidy(repository: Path) -> None:
    """Leave objects, refs, HEAD and the index, and settings of our own."""
    for path in sorted(repository.iterdir()):
        if path.name in ("objects", "refs", "packed-refs", "HEAD", "index"):
            continue
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink()
    (repository / "config").write_text(CONFIG, encoding="utf-8")


class _Git:
    """Our Git on one repository of our own, with limits on time, memory and what it writes."""

    def __init__(self, folder: Path, protocols: str, caps: Caps, wall_s: float) -> None:
        self.folder = folder
        self.caps = caps
        self.wall_s = wall_s
        self.ends = time.monotonic() + wall_s
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self.environment = kept | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "SSH_ASKPASS": "",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
            "GIT_ALLOW_PROTOCOL": protocols,
            "LC_ALL": "C",
        }
        limits = [f"--fsize={caps.bytes * 5 // 4}", f"--as={_MEMORY}", "--core=0"]
        settings = SETTINGS | ({} if protocols == "file" else _credentials())
        self.begin = ["prlimit", *limits, "--", "git"]
        self.begin += [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self.blobs = _Blobs(self)

    def command(self, *words: str, bare: bool = True) -> list[str]:
        return [*self.begin, *([f"--git-dir={self.folder}"] if bare else []), *words]

    def run(self, *words: str, bare: bool = True) -> bytes:
        """What Git prints.

        Raises:
            InvalidSubmission: it failed, took too long, or wrote too much.
        """
        with TemporaryFile() as errors:
            process = subprocess.Popen(
                self.command(*words, bare=bare),
                env=self.environment,
                cwd=self.folder.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
            timer = _Timer(process, self.ends)
            with timer, process:
                out = process.stdout.read(_LISTED + 1) if process.stdout else b""
                if len(out) > _LISTED:
                    timer.stop()
            errors.seek(0)
            said = errors.read(64 * 1024).decode(errors="replace").strip().splitlines()
        if len(out) > _LISTED:
            raise invalid(f"The repository lists more than {self.caps.entries:,} entries.", _SMALLER)
        if timer.rang:
            raise invalid(f"Git was not done with the repository after {self.wall_s:g} seconds.", _SMALLER)
        if process.returncode:
            reason = next((one for one in said if one.startswith(("fatal: ", "error: "))), "no reason given")
            raise invalid(f"Git cannot take the repository: {line(reason)}.", _MEND)
        return out

    def default_branch(self, source: str) -> str:
        """The branch that the repository gives when none is named; of a bundle the one that HEAD is at."""
        told = self.run("ls-remote", "--symref", "--", source).decode(errors="surrogateescape").splitlines()
        pairs = [one.partition("\t")[::2] for one in told]
        branches = {name: commit for commit, name in pairs if name.startswith(_GIVEN[0])}
        if len(pairs) > MOST_REFS:
            raise invalid(f"The repository has more than {MOST_REFS:,} branches and tags.", _SMALLER)
        for commit, name in pairs:
            if name == "HEAD" and commit.startswith("ref: ") and commit[5:] in branches:
                return commit[5:]
        head = next((commit for commit, name in pairs if name == "HEAD"), "")
        at_head = [name for name in sorted(branches) if branches[name] == head]
        for name in ("refs/heads/main", "refs/heads/master", *at_head):
            if name in at_head or (name in branches and not head):
                return name
        if len(branches) == 1:
            return next(iter(branches))
        raise invalid("The repository does not say which branch counts.", "Push or bundle `HEAD` and `main`.")

    def entries(self) -> list[Entry]:
        """The files and folders of the branch, to be read while the repository is there."""
        return [self._entry(record) for record in self.run(*_LIST).split(b"\0") if record]

    def _entry(self, record: bytes) -> Entry:
        facts, _, raw = record.partition(b"\t")
        mode, kind, blob, size = facts.decode().split()
        name = raw.decode(errors="surrogateescape")
        if kind == "commit":
            raise invalid(
                f"{shown(name)} is a submodule: it points to a repository elsewhere, and that is not in it.",
                "Put the files themselves there.",
            )
        count = 0 if size == "-" else int(size)
        return Entry(name, int(mode, 8), count, partial(self.blobs.read, blob))


def _credentials() -> dict[str, str]:
    """The instructor's own way to log in, as Git's settings name it; nothing else is taken from those."""
    told = subprocess.run(
        ["git", "config", "--global", "--get", "credential.helper"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {"credential.helper": told} if told else {}


class _Timer:
    """Ends a process and all that it started when its time is over, or when told to."""

    def __init__(self, process: subprocess.Popen[bytes], ends: float) -> None:
        self.process = process
        self.rang = False
        self.timer = threading.Timer(max(0.0, ends - time.monotonic()), self._ring)

    def __enter__(self) -> None:
        self.timer.start()

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()

    def stop(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _ring(self) -> None:
        self.rang = True
        self.stop()


class _Blobs:
    """One `git cat-file` that gives blob after blob."""

    def __init__(self, git: _Git) -> None:
        self.git = git
        self.process: subprocess.Popen[bytes] | None = None

    def read(self, blob: str) -> Iterator[bytes]:
        """The content of a blob, in pieces."""
        if self.process is None:
            self.process = subprocess.Popen(
                self.git.command("cat-file", "--batch"),
                env=self.git.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        asked, told = self.process.stdin, self.process.stdout
        if asked is None or told is None:  # it was started with both
            return
        asked.write(f"{blob}\n".encode())
        asked.flush()
        header = told.readline().split()
        is_blob = header[1:2] == [b"blob"]
        left = int(header[2]) if is_blob else 1
        while left:
            piece = told.read(min(BLOCK, left)) if is_blob else b""
            if not piece:
                raise invalid("The repository lacks an object that its files need.", _MEND)
            left -= len(piece)
            yield piece
        told.read(1)

    def close(self) -> None:
        """End it."""
        if self.process is not None:
            with self.process as process:
                process.kill()
