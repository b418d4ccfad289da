"""Laying a lab out, and laying it out again."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.errors import CourseError
from grader.manifest import Lab, list_labs
from grader.results import write_json
from grader.snapshot import MARKER
from grader.starter import lay_out
from lab_env.backups import back_up, empty, free_name, put_back
from lab_env.errors import LabError
from lab_env.progress import note_start, standing
from lab_env.workspace import Home, Workspace, read_json, require_git

EARLIER = "LAB_EARLIER"  # for `prepare`: the learner's own finished workspaces that the lab builds on


@dataclass(frozen=True)
class Started:
    """What `start` did: a lab already there is only made current."""

    workspace: Workspace
    fresh: bool
    given: bool
    earlier: tuple[Workspace, ...]


@dataclass(frozen=True)
class Reset:
    """What `reset` did: the files that it put back (empty: the whole lab) and where the copy is."""

    workspace: Workspace
    backup: Path | None
    files: tuple[str, ...]


def start(home: Home, lab: Lab, *, given: bool, now: datetime) -> Started:
    """Lay a lab out in its workspace, or go back to the one that is there.

    A lab that builds on others takes over the learner's own when they are finished; with `given`, its
    own `prepare` makes what it needs.

    Raises:
        LabError: the folder holds something else, or an earlier lab is not finished.
    """
    require_git()
    workspace = Workspace(home, lab)
    if (workspace.folder / MARKER).is_file():
        workspace.require_sound()
        home.make_current(lab.id)
        return Started(workspace, fresh=False, given=standing(home, lab).given, earlier=())
    earlier = () if given else _earlier(home, lab)
    _make_room(workspace, now=now)
    _lay_out(workspace, given=given, earlier=earlier, now=now)
    return Started(workspace, fresh=True, given=given, earlier=earlier)


def reset(workspace: Workspace, *, now: datetime) -> Reset:
    """Lay a lab out again, after a full copy of what was there.

    Raises:
        LabError: it could not be copied or laid out; the workspace is then as it was.
    """
    require_git()
    given = standing(workspace.home, workspace.lab).given
    earlier = () if given else _earlier(workspace.home, workspace.lab)
    if not workspace.folder.is_dir():
        _lay_out(workspace, given=given, earlier=earlier, now=now)
        return Reset(workspace, None, ())
    backup = back_up(workspace, "reset", now=now)
    try:
        empty(workspace)
        _lay_out(workspace, given=given, earlier=earlier, now=now)
    except BaseException:
        put_back(workspace, backup)
        raise
    return Reset(workspace, backup, ())


def reset_task(workspace: Workspace, task: str, *, now: datetime) -> Reset:
    """Put the starter's files of one task back. History, tags, data and all other files stay.

    A file belongs to a task when a line in it says `task: <id>`.

    Raises:
        ManifestError: no such task.
        LabError: no file belongs to it.
    """
    workspace.require_sound()
    lab = workspace.lab
    lab.task(task)
    files = files_of(starter_of(workspace), task)
    if not files:
        raise LabError(
            f"Task `{task}` has no file of its own to put back: what it asks for lives in Git and DVC. "
            f"`lab hint` has the next step; `lab reset` starts the whole lab over and keeps a copy."
        )
    starter = starter_of(workspace)
    changed = tuple(name for name in files if not _same(starter / name, workspace.folder / name))
    if not changed:
        return Reset(workspace, None, ())
    backup = back_up(workspace, f"reset-{task}", now=now)
    for name in changed:
        (workspace.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(starter / name, workspace.folder / name)
    return Reset(workspace, backup, changed)


def starter_of(workspace: Workspace) -> Path:
    """The starter that the workspace was laid out from, as it was then.

    Raises:
        LabError: it is gone.
    """
    starter = workspace.notes / "starter"
    if not starter.is_dir():
        raise LabError(
            f"{starter} is gone, so nobody knows which lines are yours. `lab reset` keeps a copy of your "
            "work and lays the lab out again; carry your changes over from the copy."
        )
    return starter


def keep_starter(workspace: Workspace) -> None:
    """Remember the starter and the `prepare` of this release, for `update`."""
    target = workspace.notes / "starter"
    fresh = target.with_name("starter.new")
    for folder in (fresh, target.with_name("starter.old")):
        shutil.rmtree(folder, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(workspace.lab.folder / "work", fresh, ignore=shutil.ignore_patterns("__pycache__"))
    if target.is_dir():
        target.rename(target.with_name("starter.old"))
    fresh.rename(target)
    shutil.rmtree(target.with_name("starter.old"), ignore_errors=True)
    write_json(workspace.notes / "layout.json", {"prepare": [list(words) for words in workspace.lab.prepare]})


def files_of(starter: Path, task: str) -> tuple[str, ...]:
    """The starter's files that say they belong to a task."""
    says = re.compile(rf"\btask: {re.escape(task)}(?![\w-])".encode())
    return tuple(
        path.relative_to(starter).as_posix()
        for path in sorted(starter.rglob("*"))
        if path.is_file() and says.search(path.read_bytes())
    )


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _earlier(home: Home, lab: Lab) -> tuple[Workspace, ...]:
    """The learner's own labs that `lab` builds on; one that this course lacks is always given."""
    found = []
    for need in (other for other in list_labs(home.course) if other.id in lab.needs):
        noted = standing(home, need)
        workspace = Workspace(home, need)
        if not noted.finished or not (workspace.folder / MARKER).is_file():
            raise LabError(
                f"Lab {lab.id} builds on {need.id}, which you have not finished. Either finish that one "
                f"(`lab start {need.number}`), or let the course give you its result: "
                f"`lab start {lab.number} --given`."
            )
        workspace.require_sound()
        found.append(workspace)
    return tuple(found)


def _make_room(workspace: Workspace, *, now: datetime) -> None:
    """Make sure that the workspace's folder is free; what an interrupted start left goes to the backups."""
    folder = workspace.folder
    begun = workspace.notes / "laying-out.json"
    if folder.is_dir() and any(folder.iterdir()):
        if not read_json(begun):
            raise LabError(_in_the_way(workspace))
        shutil.move(folder, free_name(workspace, f"{now:%Y%m%d-%H%M%S}-interrupted"))
    elif folder.exists() and not folder.is_dir():
        raise LabError(f"{folder} is a file. Move it away (`mv {folder} {folder}.old`) and start again.")


def _in_the_way(workspace: Workspace) -> str:
    folder, number = workspace.folder, workspace.lab.number
    if (workspace.notes / "starter").is_dir():
        return (
            f"{folder} is half deleted: its marker {MARKER} is gone. `lab reset --lab {number}` keeps a copy "
            "of what is left and lays the lab out again."
        )
    return (
        f"{folder} is there already and is no workspace of this course. Move it away "
        f"(`mv {folder} {folder}.old`), then `lab start {number}`."
    )


def _lay_out(workspace: Workspace, *, given: bool, earlier: Sequence[Workspace], now: datetime) -> None:
    """Lay out in the workspace's folder; when that fails, the folder is empty again."""
    begun = workspace.notes / "laying-out.json"
    was_there = workspace.folder.is_dir()
    write_json(begun, {"lab": workspace.lab.id})
    try:
        workspace.folder.mkdir(parents=True, exist_ok=True)
        with _environment(earlier):
            lay_out(workspace.lab, workspace.folder)
        keep_starter(workspace)
        note_start(workspace.home, workspace.lab, given=given, now=now)
        workspace.home.make_current(workspace.lab.id)
        workspace.write_marker()
    except BaseException as error:
        empty(workspace)
        if not was_there:
            workspace.folder.rmdir()
        begun.unlink(missing_ok=True)
        if isinstance(error, CourseError) and "No space left on device" in str(error):
            raise LabError(
                f"The disk is full, so {workspace.lab.id} could not be laid out in {workspace.folder}. Free "
                "some space (`df -h` shows how much there is), or set LAB_HOME to a folder on another disk."
            ) from error
        raise
    begun.unlink()


@contextmanager
def _environment(earlier: Sequence[Workspace]) -> Iterator[None]:
    """Tell `prepare` which finished labs to build on."""
    before = os.environ.get(EARLIER)
    os.environ[EARLIER] = os.pathsep.join(str(workspace.folder) for workspace in earlier)
    try:
        yield
    finally:
        os.environ.pop(EARLIER)
        if before is not None:
            os.environ[EARLIER] = before
