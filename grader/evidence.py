"""What the judge reads of a submission with its own tools: files, Git objects and refs, DVC's remote.

Git and DVC run in a sealed box of their own, where learner code never runs (`reader.py` is what runs there).
Nothing of the learner's configuration is used: the repository is a new one that got only the objects and
refs, and DVC's configuration is rebuilt from its remotes' local paths.
"""

import configparser
import hashlib
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from grader.boxes.base import Box, Stopped
from grader.errors import BoxError
from grader.results import Verdict
from grader.sealed import SealedBox
from grader.snapshot import Snapshot, is_cache
from grader.store import MlflowEvidence

OBJECT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}(\.dir)?")
MEND_CONFIG = "`git checkout .dvc/config` brings the committed one back."


@dataclass(frozen=True)
class Blob:
    """A file's content in Git: its id, its size in bytes and a path under which it is reachable."""

    sha: str
    size: int
    path: str


@dataclass(frozen=True)
class Out:
    """What a DVC pointer says: content hash, size in bytes (None when not recorded), the pointer's path."""

    md5: str
    size: int | None
    pointer: str


class GitEvidence:
    """The submitted repository, as objects and refs only. `ref` is a branch, a tag, a commit or HEAD."""

    def __init__(self, work: Path, sealed: SealedBox) -> None:
        self._sealed = sealed
        self._known: dict[tuple[object, ...], tuple[int, bytes, str]] = {}
        if not (work / ".git" / "HEAD").is_file():
            raise Stopped(Verdict.FAIL, "The work is no Git repository: it has no `.git` folder with a HEAD.")

    @property
    def head(self) -> str | None:
        """The commit that HEAD names; None before the first."""
        return self.commit("HEAD")

    @property
    def branch(self) -> str | None:
        """The branch that HEAD is on; None when it is detached."""
        done = self._git("symbolic-ref", "--quiet", "--short", "HEAD", check=False)
        return done.strip() or None

    def tags(self) -> dict[str, str]:
        """The commit of each tag, annotated ones followed."""
        return self._refs("refs/tags")

    def branches(self) -> dict[str, str]:
        """The commit of each branch."""
        return self._refs("refs/heads")

    def blobs(self) -> list[Blob]:
        """Every file content that is reachable from any ref, each once."""
        starts = ["--all"] + (["HEAD"] if self.head else [])
        listed = self._git("rev-list", "--objects", *starts).splitlines()
        paths = dict(line.partition(" ")[::2] for line in listed)
        form = "--batch-check=%(objecttype) %(objectname) %(objectsize)"
        facts = self._git("cat-file", form, stdin="\n".join(paths) + "\n").splitlines()
        rows = [line.split() for line in facts]
        return [Blob(row[1], int(row[2]), paths[row[1]]) for row in rows if row[0] == "blob"]

    def files(self, ref: str = "HEAD") -> dict[str, int]:
        """Path and size of every file in the tree of `ref`; empty when there is no such ref."""
        commit = self.commit(ref)
        if commit is None:
            return {}
        rows = self._git("ls-tree", "-r", "-l", "-z", commit).split("\0")
        parts = [(facts.split(), path) for facts, _, path in (row.partition("\t") for row in rows if row)]
        for facts, path in parts:
            if facts[1] == "blob" and not facts[3].isdecimal():
                raise Stopped(
                    Verdict.FAIL, f"Git cannot read the repository: the content of {path} is missing."
                )
        return {path: int(facts[3]) for facts, path in parts if facts[1] == "blob"}

    def read(self, path: str, ref: str = "HEAD") -> bytes | None:
        """A file as it is in `ref`; None when it is not there."""
        if path not in self.files(ref):
            return None
        return self._raw("cat-file", "blob", f"{self.commit(ref)}:{path}")

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`."""
        first, second = self.commit(older), self.commit(newer)
        if first is None or second is None:
            return False
        return self._git("merge-base", first, second, check=False).strip() == first

    def changed(self) -> list[str]:
        """Tracked files whose working copy differs from HEAD or is missing."""
        return [path for state, path in self._status() if state != "??"]

    def untracked(self) -> list[str]:
        """Working files that are neither tracked nor ignored."""
        return [path for state, path in self._status() if state == "??"]

    def ignored(self, path: str) -> bool:
        """Whether a working file is ignored by the work's own .gitignore files."""
        done = self._git("check-ignore", "--no-index", path, check=False, work=True)
        return bool(done.strip())

    def commit(self, ref: str) -> str | None:
        """The commit that `ref` names; None when there is no such ref."""
        done = self._git(
            "rev-parse", "--quiet", "--verify", "--end-of-options", f"{ref}^{{commit}}", check=False
        )
        return done.strip() or None

    def _refs(self, below: str) -> dict[str, str]:
        refs = self._git("for-each-ref", "--format=%(refname)", below).splitlines()
        asked = "".join(f"{ref}^{{commit}}\n" for ref in refs)  # a tag of a tag is followed to its end
        rows = self._git("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked).splitlines()
        found = {ref.removeprefix(f"{below}/"): row for ref, row in zip(refs, rows, strict=True)}
        return {name: row.split()[0] for name, row in found.items() if row.endswith(" commit")}

    @cached_property
    def _states(self) -> list[tuple[str, str]]:
        if self.head is not None:
            self._git("read-tree", "HEAD")
        form = ("--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")
        rows = self._git("status", *form, work=True)  # a submodule's own settings could name programs
        pairs = [(row[:2], row[3:]) for row in rows.split("\0") if row]
        return [(state, path) for state, path in pairs if not is_cache(path)]

    def _status(self) -> list[tuple[str, str]]:
        return self._states

    def _git(self, *words: str, check: bool = True, stdin: str = "", work: bool = False) -> str:
        return self._raw(*words, check=check, stdin=stdin, work=work).decode(errors="replace")

    def _raw(self, *words: str, check: bool = True, stdin: str = "", work: bool = False) -> bytes:
        asked = (words, stdin, work)  # what it reads never changes
        if asked not in self._known:
            self._known[asked] = tuple(self._sealed.ask("git", list(words), stdin.encode(), True, work))
        code, out, said = self._known[asked]
        if check and code:
            raise Stopped(Verdict.FAIL, f"Git cannot read the repository: {said}")
        return bytes(out)


@dataclass(frozen=True)
class Checkout:
    """A clean clone at a ref after `dvc pull` with an empty cache. It lives in the sealed box."""

    ref: str
    folder: str
    ok: bool
    error: str = ""
    sealed: SealedBox | None = field(default=None, repr=False, compare=False)

    def read(self, path: str) -> bytes | None:
        """A file of the checkout; None when it is not there."""
        return self.sealed.read(f"{self.folder}/{path}") if self.sealed is not None else None

    def unpack(self, target: Path) -> None:
        """Write its files below `target`, without `.git` and caches."""
        target.mkdir(parents=True, exist_ok=True)
        packed = self.sealed.ask("pack", self.folder) if self.sealed else []
        if packed is None:
            raise Stopped(Verdict.DISK, f"The files of {self.ref} are too large to be run: over 60 MB.")
        for name, executable, content in packed:
            path = target / name
            if ".." in path.parts or Path(name).is_absolute():  # what a box says is never believed
                raise BoxError(f"{name!r} of a checkout leads out of it.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o755 if executable else 0o644)


class DvcEvidence:
    """What DVC makes of the submission: pointers, remotes, and a pull into a clean clone."""

    def __init__(self, work: Path, sealed: SealedBox, git: GitEvidence) -> None:
        self._work = work
        self._sealed = sealed
        self._git = git
        self._checkouts: dict[str, Checkout] = {}
        self._outs: dict[str, list[tuple[str, str, str, int | None]]] = {}

    @cached_property
    def _config(self) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        file = self._work / ".dvc" / "config"
        try:
            parser.read_string(file.read_text(errors="replace") if file.is_file() else "")
        except configparser.Error as error:
            first = str(error).splitlines()[0]
            raise Stopped(Verdict.FAIL, f".dvc/config cannot be read: {first} {MEND_CONFIG}") from error
        return parser

    @property
    def remotes(self) -> dict[str, str]:
        """The address of each remote as .dvc/config has it."""
        found = {}
        for section in self._config.sections():
            if match := re.fullmatch(r"'?remote \"(.+)\"'?", section):
                found[match[1]] = self._config.get(section, "url", fallback="")
        return found

    @property
    def default(self) -> str | None:
        """The name of the default remote; None when there is none."""
        return self._config.get("core", "remote", fallback=None)

    @property
    def store_folder(self) -> Path | None:
        """The default remote's folder in the submission, there or not yet; None when it is outside."""
        url = self.remotes.get(self.default or "", "")
        if not url or "://" in url:
            return None
        target = (self._work / ".dvc" / url).resolve()
        inside = target.is_relative_to(self._work.resolve())
        return None if Path(url).is_absolute() or not inside else target

    def outs(self, ref: str = "HEAD") -> dict[str, Out]:
        """What DVC tracks in `ref`, by path: from `*.dvc` files and `dvc.lock`."""
        commit = self._git.commit(ref)
        if commit is not None and commit not in self._outs:
            self._outs[commit] = self._sealed.ask("outs", commit)
        rows = self._outs[commit] if commit is not None else []
        return {place: Out(md5, size, pointer) for pointer, place, md5, size in rows}

    def pull(self, ref: str = "HEAD") -> Checkout:
        """Clone at `ref`, empty cache, `dvc pull` from the submitted default remote."""
        commit = self._git.commit(ref)
        if commit is None:
            return Checkout(ref, "", ok=False, error=f"There is no {ref}.")
        if commit not in self._checkouts:
            self._checkouts[commit] = self._pull(ref, commit)
        return replace(self._checkouts[commit], ref=ref)

    def store(self) -> dict[str, int]:
        """Content hash and size of every sound object in the default remote."""
        folder = self.store_folder
        if folder is None:
            return {}
        found = {}
        for file in sorted((folder / "files" / "md5").rglob("*")):
            name = file.relative_to(folder / "files" / "md5").as_posix()
            if file.is_file() and OBJECT.fullmatch(name):
                content = file.read_bytes()
                digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
                if digest == name.replace("/", "").removesuffix(".dir"):
                    found[name.replace("/", "")] = len(content)
        return found

    def _pull(self, ref: str, commit: str) -> Checkout:
        folder = f"clone-{len(self._checkouts)}"
        error = str(self._sealed.ask("clone", folder, commit)) or self._fill(folder)
        return Checkout(ref, folder, ok=not error, error=error, sealed=self._sealed)

    def _fill(self, folder: str) -> str:
        store = self.store_folder
        if store is None:
            return "There is no default remote inside the workspace."
        if not store.is_dir():
            return "Nothing was ever pushed to the remote."
        return str(self._sealed.ask("pull", folder, store.relative_to(self._work.resolve()).as_posix()))


class Evidence:
    """The submission as files, as a Git repository, as a DVC project and as an MLflow store."""

    def __init__(self, snapshot: Snapshot, work: Path, box: Box, scratch: Path) -> None:
        self._snapshot = snapshot
        self._work = work
        self._sealed = SealedBox(box, work, scratch)

    @cached_property
    def git(self) -> GitEvidence:
        """The repository. A submission without one fails the check that asks."""
        return GitEvidence(self._work, self._sealed)

    @cached_property
    def dvc(self) -> DvcEvidence:
        """The DVC project."""
        return DvcEvidence(self._work, self._sealed, self.git)

    @cached_property
    def mlflow(self) -> MlflowEvidence:
        """The MLflow store `mlflow.db`. A submission without one fails the check that asks."""
        return MlflowEvidence(self._sealed, self.files())

    def files(self) -> dict[str, int]:
        """Path and size of every submitted file."""
        return {file.path: file.size for file in self._snapshot.files}

    def read(self, path: str) -> bytes | None:
        """A submitted file; None when it is not there."""
        return (self._work / path).read_bytes() if path in self.files() else None

    def text(self, path: str) -> str | None:
        """A submitted text file, undecodable bytes replaced; None when it is not there."""
        content = self.read(path)
        return None if content is None else content.decode("utf-8", errors="replace")

    def close(self) -> None:
        """End what was started to read."""
        self._sealed.close()
