"""The course changed under way: carry its changes into a workspace without losing the learner's."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lab_env.backups import back_up, put_back
from lab_env.errors import LabError
from lab_env.layout import keep_starter, starter_of
from lab_env.workspace import Workspace, read_json

TAKEN, MERGED, CONFLICT, BESIDE, REMOVED, KEPT = "taken", "merged", "conflict", "beside", "removed", "kept"


@dataclass(frozen=True)
class Change:
    """What an update does to one file.

    `taken`: the learner had not touched it. `merged`: both changed it, in different places.
    `conflict`: both changed the same lines; both versions stand in it between markers. `beside`: it
    cannot be merged, so the course's version goes beside it as `<name>.new`. `removed`: the course
    dropped it. `kept`: the course dropped it, but the learner had changed it.
    """

    path: str
    what: str
    content: bytes | None = None
    executable: bool = False

    @property
    def needs_a_person(self) -> bool:
        """Whether the learner has to decide something in it."""
        return self.what in (CONFLICT, BESIDE)


@dataclass(frozen=True)
class Update:
    """What an update did, the copy from before it, and whether the lab's data is made another way now."""

    before: str
    after: str
    changes: tuple[Change, ...]
    backup: Path | None
    prepares_anew: bool

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """The changes that a person has to look at."""
        return tuple(change for change in self.changes if change.needs_a_person)


def update(workspace: Workspace, *, now: datetime) -> Update:
    """Merge what the course changed in the starter into the workspace; nothing is committed.

    Raises:
        LabError: the old starter is gone, or the workspace could not be copied first.
    """
    workspace.require_sound()
    before, after = workspace.release, workspace.lab.release
    if before == after:
        return Update(before, after, (), None, prepares_anew=False)
    changes = tuple(plan(starter_of(workspace), workspace.lab.folder / "work", workspace.folder))
    prepares_anew = _prepares_anew(workspace)
    backup = back_up(workspace, "update", now=now) if changes else None
    try:
        for change in changes:
            _apply(change, workspace.folder)
        keep_starter(workspace)
        workspace.write_marker()
    except BaseException:
        if backup is not None:
            put_back(workspace, backup)
        raise
    return Update(before, after, changes, backup, prepares_anew)


def plan(old: Path, new: Path, mine: Path) -> Iterator[Change]:
    """What has to change in `mine` so that it holds both what `new` and what the learner did to `old`."""
    for name in sorted(_names(old) | _names(new)):
        was, wanted, here = (_read(folder / name) for folder in (old, new, mine))
        executable = _executable(new / name)
        if wanted == was and executable == _executable(old / name):
            continue
        if here == wanted and (wanted is None or executable == _executable(mine / name)):
            continue
        if here in (was, wanted):
            yield Change(name, TAKEN if wanted is not None else REMOVED, wanted, executable)
        elif wanted is None:
            yield Change(name, KEPT)
        elif here is None or was is None or not all(_is_text(name, one) for one in (was, wanted, here)):
            yield Change(name, BESIDE, wanted, executable)
        else:
            merged, clashes = merge_texts(here, was, wanted)
            yield Change(name, CONFLICT if clashes else MERGED, merged, executable)


def _is_text(name: str, content: bytes) -> bool:
    """Whether lines of it can be merged; of a notebook's lines the result is seldom a notebook."""
    return b"\0" not in content and not name.endswith(".ipynb")


def merge_texts(mine: bytes, old: bytes, new: bytes) -> tuple[bytes, bool]:
    """Merge with `git merge-file`, and say whether both sides changed the same lines.

    Raises:
        LabError: Git could not merge at all.
    """
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder, name)) for name in ("mine", "old", "new")]
        for name, text in zip(names, (mine, old, new), strict=True):
            Path(name).write_bytes(text)
        labels = ["-L", "yours", "-L", "the old starter", "-L", "the course now"]
        done = subprocess.run(
            ["git", "merge-file", "-p", *labels, *names], capture_output=True, check=False, cwd=folder
        )
    if done.returncode > 127:
        raise LabError(f"git merge-file failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout, done.returncode > 0


def _apply(change: Change, folder: Path) -> None:
    path = folder / change.path
    if change.what == REMOVED:
        path.unlink(missing_ok=True)
    elif change.content is not None:
        target = path.with_name(f"{path.name}.new") if change.what == BESIDE else path
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.update")
        fresh.write_bytes(change.content)
        fresh.chmod(0o755 if change.executable else 0o644)
        fresh.replace(target)


def _prepares_anew(workspace: Workspace) -> bool:
    noted: Sequence[Sequence[str]] | None = read_json(workspace.notes / "layout.json").get("prepare")
    return noted is not None and noted != [list(words) for words in workspace.lab.prepare]


def _names(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _executable(path: Path) -> bool:
    return path.is_file() and bool(path.stat().st_mode & 0o100)
