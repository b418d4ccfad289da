"""Where a learner's work lives: the home of all workspaces, and the one in hand."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import ManifestError
from grader.manifest import Lab, find_course, find_lab
from grader.results import write_json
from grader.snapshot import MARKER
from lab_env.errors import LabError

NOTES = ".lab"
NO_GIT = (
    "git is not on PATH, and every lab is a Git repository. Install it: `sudo apt install git` "
    "(Debian, Ubuntu, WSL2), `sudo dnf install git` (Fedora), `xcode-select --install` (macOS)."
)


@dataclass(frozen=True)
class Home:
    """The folder of all workspaces of one course; what `lab` notes about them is in its `.lab/`."""

    course: Path
    folder: Path

    @property
    def notes(self) -> Path:
        """Progress, backups, logs and old starters."""
        return self.folder / NOTES

    def to_read(self, name: str) -> Path:
        """A file of the course where a person finds it: of a container's course that is outside."""
        return Path(os.environ.get("LAB_COURSE", self.course), name)

    def lab_notes(self, lab_id: str) -> Path:
        """What is noted about one lab."""
        return self.notes / "labs" / lab_id

    def workspace(self, lab_id: str) -> Path:
        """Where that lab is, or would be, laid out."""
        return self.folder / lab_id

    @property
    def current(self) -> str | None:
        """The id of the lab that was started last; None before the first."""
        current = read_json(self.notes / "state.json").get("current")
        return current if isinstance(current, str) else None

    def make_current(self, lab_id: str) -> None:
        """Remember `lab_id` as the lab in hand."""
        if self.current != lab_id:
            write_json(self.notes / "state.json", {"current": lab_id})


@dataclass(frozen=True)
class Workspace:
    """One lab laid out for work."""

    home: Home
    lab: Lab

    @property
    def folder(self) -> Path:
        """The root of the work, a Git repository of its own."""
        return self.home.workspace(self.lab.id)

    @property
    def notes(self) -> Path:
        """What is noted about this lab."""
        return self.home.lab_notes(self.lab.id)

    @property
    def release(self) -> str:
        """The release that the files in it came from; empty when the marker does not say."""
        return str(read_json(self.folder / MARKER).get("release", ""))

    def require_sound(self) -> None:
        """Refuse to work on what is only half there.

        Raises:
            LabError: the folder, its marker or its own `.git` is gone, or Git is.
        """
        again = (
            "`lab reset` keeps a copy of what is left and lays the lab out again; earlier copies are in "
            f"{self.home.notes / 'backups'}."
        )
        if not self.folder.is_dir():
            raise LabError(f"{self.folder} is not there. `lab start {self.lab.number}` lays it out.")
        if not (self.folder / MARKER).is_file():
            raise LabError(f"{self.folder} is half deleted: its marker {MARKER} is gone. {again}")
        if top_level(self.folder) != self.folder.resolve():
            raise LabError(f"{self.folder} has lost its own Git repository (.git is gone or broken). {again}")

    def write_marker(self) -> None:
        """Mark the folder as a workspace of the lab's present release, unseen by its Git."""
        write_json(
            self.folder / MARKER,
            {"lab": self.lab.id, "release": self.lab.release, "course": str(self.home.course)},
        )
        exclude = self.folder / ".git" / "info" / "exclude"
        exclude.parent.mkdir(parents=True, exist_ok=True)
        known = exclude.read_text(encoding="utf-8") if exclude.is_file() else ""
        missing = [name for name in (MARKER, "mlflow.db", "mlartifacts/") if f"/{name}\n" not in known]
        if missing:
            exclude.write_text(known + "".join(f"/{name}\n" for name in missing), encoding="utf-8")


def here() -> Path:
    """The folder that the learner is in.

    Raises:
        LabError: it was deleted.
    """
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise LabError("The folder you are in was deleted. `cd` to the course and try again.") from error


def find_home(start: Path, environment: Mapping[str, str] | None = None) -> Home:
    """The home that `start` belongs to.

    Inside a workspace it is the folder around it; else LAB_HOME; else `workspace/` in the course.

    Raises:
        LabError: LAB_HOME is a file, or `start` lies in a backup.
        ManifestError: there is no course here, nor where `lab` was installed from.
    """
    marked = marked_folder(start)
    if marked is not None:
        return Home(_course_of(marked), marked.parent)
    course = _course_around(start)
    named = (os.environ if environment is None else environment).get("LAB_HOME")
    folder = Path(named).expanduser().resolve() if named else course / "workspace"
    if folder.exists() and not folder.is_dir():
        raise LabError(f"LAB_HOME is {folder}, which is a file. Set it to a folder, or unset it.")
    return Home(course, folder)


def find_workspace(start: Path, home: Home | None = None) -> Workspace:
    """The workspace around `start`, or else the one of the lab that was started last.

    Raises:
        LabError: no lab was started yet.
    """
    marked = marked_folder(start)
    home = home or find_home(start)
    name = marked.name if marked is not None else home.current
    if name is None:
        raise LabError(
            f"No lab is started in {home.folder}. `lab list` shows the labs, `lab start 01` lays one out."
        )
    return Workspace(home, find_lab(home.course, name))


def marked_folder(start: Path) -> Path | None:
    """The nearest folder from `start` upward that has the marker of a workspace.

    Raises:
        LabError: it is a backup, or was renamed.
    """
    here = start.resolve()
    for folder in (here, *here.parents):
        if not (folder / MARKER).is_file():
            continue
        lab_id = str(read_json(folder / MARKER).get("lab", folder.name))
        if NOTES in folder.parts:
            raise LabError(f"{folder} is a backup of {lab_id}, kept as it was. Change into the workspace.")
        if lab_id != folder.name:
            raise LabError(f"{folder} was laid out as {lab_id}. Rename the folder back to {lab_id}.")
        return folder
    return None


def top_level(folder: Path) -> Path | None:
    """The root of the Git repository that `folder` is in; None when it is in none.

    Raises:
        LabError: there is no Git, or it refuses the folder as somebody else's.
    """
    require_git()
    done = git(folder, "rev-parse", "--show-toplevel")
    if "dubious ownership" in done.stderr:
        raise LabError(
            f"{folder} belongs to another user, so Git will not touch it. Take it over: "
            f"`sudo chown -R $(id -u) {folder}`."
        )
    return Path(done.stdout.strip()).resolve() if done.returncode == 0 else None


def git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Git in `folder`, whatever repository the caller's variables point at."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
    }
    return subprocess.run(
        ["git", "-C", str(folder), *words],
        env=environment | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def require_git() -> None:
    """Make sure that there is a Git to run.

    Raises:
        LabError: there is none on PATH; says how to install it.
    """
    if shutil.which("git") is None:
        raise LabError(NO_GIT)


def read_json(path: Path) -> dict[str, Any]:
    """The object noted in `path`; empty when nothing was noted yet.

    Raises:
        LabError: the file holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, UnicodeDecodeError):
        value = None
    if not isinstance(value, dict):
        raise LabError(f"{path} is damaged. It holds notes of `lab`, not your work: delete it and try again.")
    return value


def _course_of(marked: Path) -> Path:
    noted = Path(str(read_json(marked / MARKER).get("course", "")))
    if noted.is_absolute() and (noted / "labs").is_dir() and (noted / "mkdocs.yml").is_file():
        return noted
    return _course_around(marked)


def _course_around(start: Path) -> Path:
    try:
        return find_course(start)
    except ManifestError:
        return find_course(Path(__file__).parent)
