"""What the judge reads of a submission with its own tools: files, Git objects and refs, DVC's remote.

Nothing of the learner's configuration is used: the repository is a new one that got only the objects
and refs, and DVC's configuration is rebuilt from its remotes' local paths.
"""

import configparser
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns, which
from tempfile import mkdtemp
from typing import Any

import yaml

from grader.boxes.base import Stopped
from grader.errors import ToolMissing
from grader.results import Verdict
from grader.snapshot import Snapshot, is_cache
from grader.starter import course_environment

OBJECT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}(\.dir)?")


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

    def __init__(self, work: Path, scratch: Path) -> None:
        self._work = work
        self._environment = course_environment(scratch) | {"GIT_NO_REPLACE_OBJECTS": "1"}
        self.folder = scratch / "git"
        if which("git", path=self._environment["PATH"]) is None:
            raise ToolMissing("Git is not on PATH. Install it (Debian: `apt install git`).")
        source = work / ".git"
        if not (source / "HEAD").is_file():
            raise Stopped(Verdict.FAIL, "The work is no Git repository: it has no `.git` folder with a HEAD.")
        self._git("init", "--quiet", "--bare", str(self.folder), bare=False)
        for part in ("objects", "refs"):
            if (source / part).is_dir():
                ignored = ignore_patterns("info", "*.bitmap", "multi-pack-index*")  # Git believes these
                copytree(source / part, self.folder / part, dirs_exist_ok=True, ignore=ignored)
        for name in ("packed-refs", "HEAD"):
            if (source / name).is_file():
                copyfile(source / name, self.folder / name)

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
        if self.commit(ref) is None:
            return {}
        rows = self._git("ls-tree", "-r", "-l", "-z", ref).split("\0")
        parts = [row.partition("\t") for row in rows if row]
        return {path: int(facts.split()[3]) for facts, _, path in parts if facts.split()[1] == "blob"}

    def read(self, path: str, ref: str = "HEAD") -> bytes | None:
        """A file as it is in `ref`; None when it is not there."""
        if path not in self.files(ref):
            return None
        return self._raw("cat-file", "blob", f"{ref}:{path}")

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`."""
        base = self._git("merge-base", older, newer, check=False).strip()
        return base != "" and base == self.commit(older)

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

    def clone(self, target: Path, ref: str) -> None:
        """A clean clone at `ref`, detached."""
        self._git("clone", "--quiet", "--no-checkout", "--shared", str(self.folder), str(target), bare=False)
        plain = ("-C", str(target), "-c", "core.symlinks=false")  # a link would lead out of the clone
        self._git(*plain, "checkout", "--quiet", "--detach", str(self.commit(ref)), bare=False)

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

    def _git(
        self, *words: str, check: bool = True, stdin: str = "", bare: bool = True, work: bool = False
    ) -> str:
        return self._raw(*words, check=check, stdin=stdin, bare=bare, work=work).decode(errors="replace")

    def _raw(
        self, *words: str, check: bool = True, stdin: str = "", bare: bool = True, work: bool = False
    ) -> bytes:
        place = [f"--git-dir={self.folder}"] if bare else []
        if work:
            place += [f"--work-tree={self._work}", "-c", "core.bare=false", "-c", "core.fsmonitor=false"]
        done = subprocess.run(
            ["git", *place, *words],
            cwd=self._work if work else self.folder.parent,
            env=self._environment,
            input=stdin.encode(),
            capture_output=True,
            check=False,
        )
        if check and done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise Stopped(
                Verdict.FAIL, f"Git cannot read the repository: {said[-1] if said else 'no reason given'}"
            )
        return done.stdout


@dataclass(frozen=True)
class Checkout:
    """A clean clone at a ref after `dvc pull` with an empty cache."""

    ref: str
    folder: Path
    ok: bool
    error: str = ""

    def read(self, path: str) -> bytes | None:
        """A file of the checkout; None when it is not there."""
        target = self.folder / path
        return target.read_bytes() if target.is_file() else None


class DvcEvidence:
    """What DVC makes of the submission: pointers, remotes, and a pull into a clean clone."""

    def __init__(self, work: Path, scratch: Path, git: GitEvidence) -> None:
        self._work = work
        self._scratch = scratch
        self._git = git
        self._checkouts: dict[str, Checkout] = {}

    @cached_property
    def _config(self) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        file = self._work / ".dvc" / "config"
        try:
            parser.read_string(file.read_text(errors="replace") if file.is_file() else "")
        except configparser.Error as error:
            first = str(error).splitlines()[0]
            raise Stopped(Verdict.FAIL, f".dvc/config cannot be read: {first}") from error
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
        found: dict[str, Out] = {}
        for path in self._git.files(ref):
            if path.endswith(".dvc") or Path(path).name == "dvc.lock":
                for out in _outs(self._git.read(path, ref) or b""):
                    place = (Path(path).parent / out["path"]).as_posix()
                    found[place] = Out(str(out.get("md5", "")), out.get("size"), path)
        return found

    def pull(self, ref: str = "HEAD") -> Checkout:
        """Clone at `ref`, empty cache, `dvc pull` from the submitted default remote."""
        if ref not in self._checkouts:
            self._checkouts[ref] = self._pull(ref)
        return self._checkouts[ref]

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

    def _pull(self, ref: str) -> Checkout:
        folder = Path(mkdtemp(prefix="clone-", dir=self._scratch))
        if self._git.commit(ref) is None:  # two halves of one reader
            return Checkout(ref, folder, ok=False, error=f"There is no {ref}.")
        self._git.clone(folder, ref)
        store = self.store_folder
        if store is None:
            return Checkout(ref, folder, ok=False, error="There is no default remote inside the workspace.")
        if not store.is_dir():
            return Checkout(ref, folder, ok=False, error="Nothing was ever pushed to the remote.")
        answer = self._reader.ask({"folder": str(folder), "store": str(store)})
        return Checkout(ref, folder, ok=answer["ok"], error=answer["error"])

    @cached_property
    def _reader(self) -> "_DvcReader":
        return _DvcReader(course_environment(self._scratch))

    def close(self) -> None:
        """End the process that pulls."""
        if "_reader" in self.__dict__:
            self._reader.close()


class _DvcReader:
    """One process with DVC loaded that pulls into one clone after the other (`dvc_reader.py`)."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        script = Path(__file__).with_name("dvc_reader.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(script)],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, question: Mapping[str, str]) -> dict[str, Any]:
        assert self._process.stdin is not None  # noqa: S101  # both were asked for
        assert self._process.stdout is not None  # noqa: S101
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise ToolMissing("DVC cannot be loaded. Run `make setup` to mend the environment.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


class Evidence:
    """The submission as files, as a Git repository and as a DVC project."""

    def __init__(self, snapshot: Snapshot, work: Path, scratch: Path) -> None:
        self._snapshot = snapshot
        self._work = work
        self._scratch = scratch

    @cached_property
    def git(self) -> GitEvidence:
        """The repository. A submission without one fails the check that asks."""
        return GitEvidence(self._work, self._scratch)

    @cached_property
    def dvc(self) -> DvcEvidence:
        """The DVC project."""
        return DvcEvidence(self._work, self._scratch, self.git)

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
        if "dvc" in self.__dict__:
            self.dvc.close()


def _outs(content: bytes) -> list[dict[str, Any]]:
    """The `outs` of a pointer or of a lock's stages; nothing of what is no such file."""
    try:
        tree = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    if not isinstance(tree, dict):
        return []
    stages = tree.get("stages")
    sources = [tree, *stages.values()] if isinstance(stages, dict) else [tree]
    lists = [source.get("outs") for source in sources if isinstance(source, dict)]
    listed = [out for outs in lists if isinstance(outs, list) for out in outs]
    return [out for out in listed if isinstance(out, dict) and isinstance(out.get("path"), str)]
