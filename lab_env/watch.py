"""Judge again on every save, and say what changed."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import replace
from pathlib import Path

from watchfiles import Change, watch

from grader.errors import InvalidSubmission, ManifestError
from grader.manifest import read_lab
from grader.snapshot import is_cache
from grader.warm import WarmJudge
from lab_env.checking import Checked, check
from lab_env.errors import LabError
from lab_env.progress import note_result, now
from lab_env.screen import Screen
from lab_env.workspace import Workspace

_GIT_STATE = ("HEAD", "packed-refs", "refs")
_SCRATCH = (".swp", ".swx", ".tmp", "~", ".db-journal", ".db-wal", ".db-shm", ".lock")


def follow(
    workspace: Workspace, screen: Screen, *, as_json: bool, stop: threading.Event | None = None
) -> None:
    """Print a whole check, then after every save what it changed; returns on Ctrl-C.

    With `as_json`, one line of JSON for each judging.

    Raises:
        LabError: the workspace is only half there.
    """
    workspace.require_sound()
    logging.getLogger("watchfiles").setLevel(logging.CRITICAL)  # it announces Ctrl-C as a warning
    with contextlib.suppress(KeyboardInterrupt), WarmJudge(workspace.lab) as warm:
        warm.start()
        told = _Told(screen, as_json)
        for files in changes(workspace, stop=stop, course=warm.changed):
            began = time.monotonic()
            try:
                if changed := warm.changed():
                    told.afresh(changed)
                    workspace = replace(workspace, lab=read_lab(workspace.lab.folder))
                    warm.renew(workspace.lab)
                told.judged(check(workspace, warm=warm), files, began)
            except (InvalidSubmission, ManifestError) as error:
                told.problem(str(error))
                warm.settle()


class _Told:
    """What is printed, as each judging differs from the one before."""

    def __init__(self, screen: Screen, as_json: bool) -> None:
        self.screen = screen
        self.as_json = as_json
        self.before: Checked | None = None

    def judged(self, found: Checked, files: Set[str], began: float) -> None:
        """A judging that ended; kept as the learner's progress."""
        from lab_env import report

        if self.as_json:
            self.screen.json_line({"files": sorted(files)} | found.to_dict())
        elif self.before is None:
            report.checked(self.screen, found)
            self.screen.say("Watching. Save a file, commit or tag; Ctrl-C ends.", "dim")
        else:
            took = f"{time.strftime('%H:%M:%S')}, {time.monotonic() - began:.1f} s"
            report.changed(self.screen, found, self.before, sorted(files), took)
        self.before = found
        note_result(found.workspace, found.result, now=now())

    def afresh(self, changed: str) -> None:
        """The course or its environment is not what the judge was started with."""
        said = f"{Path(changed).name} changed in the course: the judge starts again."
        self.screen.json_line({"restarted": changed}) if self.as_json else self.screen.say(said, "dim")

    def problem(self, said: str) -> None:
        """Why nothing could be judged."""
        self.screen.json_line({"error": said}) if self.as_json else self.screen.say(said, "red")


def changes(
    workspace: Workspace, *, stop: threading.Event | None = None, course: Callable[[], str] = str
) -> Iterator[frozenset[str]]:
    """The files that changed, one set after another; the first is empty and means: watching now.

    An empty one later means that `course` named a file of the course that changed.
    Ends when `stop` is set or on Ctrl-C.

    Raises:
        LabError: the workspace was deleted while it was watched.
    """
    folder = workspace.folder.resolve()
    armed = False
    for batch in watch(
        folder,
        watch_filter=lambda _, path: matters(folder, path),
        debounce=1000,
        step=80,
        rust_timeout=300,
        yield_on_timeout=True,
        raise_interrupt=False,
        stop_event=stop,
    ):
        if not folder.is_dir():
            raise LabError(f"{folder} is gone. `lab start {workspace.lab.number}` lays it out again.")
        if batch or not armed or course():
            armed = True
            yield frozenset(_relative(folder, change) for change in batch)


def matters(folder: Path, path: str) -> bool:
    """Whether a check can tell that this file changed: no cache, no scratch file, of `.git` only refs."""
    name = Path(path).relative_to(folder).as_posix()
    parts = name.split("/")
    if ".git" in parts:
        inside = parts[parts.index(".git") + 1 :]
        return bool(inside) and inside[0] in _GIT_STATE and not name.endswith(".lock")
    return not (is_cache(name) or name.endswith(_SCRATCH) or parts[-1] == "4913")


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The checks that pass now and did not, and those that passed and do not now."""
    won = [name for name, verdict in after.items() if verdict == "PASS" and before.get(name) != "PASS"]
    lost = [name for name, verdict in after.items() if verdict != "PASS" and before.get(name) == "PASS"]
    return won, lost


def _relative(folder: Path, change: tuple[Change, str]) -> str:
    return Path(change[1]).relative_to(folder).as_posix()
