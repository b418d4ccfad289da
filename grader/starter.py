"""A new workspace: the starter's files, a Git repository of its own, and the lab's data."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copytree, ignore_patterns, which

from grader.errors import CourseError, ReleaseError, ToolMissing
from grader.manifest import Lab

IDENTITY = {
    "GIT_AUTHOR_NAME": "Course",
    "GIT_AUTHOR_EMAIL": "course@example.invalid",
    "GIT_COMMITTER_NAME": "Course",
    "GIT_COMMITTER_EMAIL": "course@example.invalid",
    "GIT_AUTHOR_DATE": "2026-01-05T09:00:00+00:00",
    "GIT_COMMITTER_DATE": "2026-01-05T09:00:00+00:00",
}
QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_TERMINAL_PROMPT": "0",
}
THREADS = ("OPENBLAS", "OMP", "MKL", "NUMEXPR")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in THREADS} | {
    "LOKY_MAX_CPU_COUNT": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MALLOC_ARENA_MAX": "2",
}


def lay_out(lab: Lab, workspace: Path) -> None:
    """Make `workspace` a new workspace of the lab: starter, first commit, then `prepare`.

    What `prepare` writes stays uncommitted unless it commits it.

    Raises:
        ReleaseError: the lab has no starter yet.
        CourseError: the folder is not empty, or a command of `prepare` failed (with its output).
        ToolMissing: there is no Git.
    """
    if workspace.exists() and (not workspace.is_dir() or any(workspace.iterdir())):
        raise CourseError(f"{workspace} is not an empty folder. Move it away, or name another folder.")
    if not (lab.folder / "work").is_dir():
        raise ReleaseError(
            f"{lab.folder / 'work'} is missing: this lab was never released. "
            f"Run `grader release {lab.number}`."
        )
    copytree(
        lab.folder / "work",
        workspace,
        dirs_exist_ok=True,
        ignore=ignore_patterns("__pycache__", ".ipynb_checkpoints"),
    )
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--allow-empty", "--no-verify", "--message", f"Starter of {lab.id}"],
    ):
        run(command, workspace, course_environment())
    prepare(lab, workspace)


def prepare(lab: Lab, workspace: Path) -> None:
    """Run the manifest's `prepare` commands in `workspace`.

    Raises:
        CourseError: one failed; names the command and shows the end of its output.
    """
    for command in lab.prepare:
        run(command, workspace, course_environment())


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Run one of the course's own commands and return its output.

    Raises:
        ToolMissing: the program is not there.
        CourseError: it failed; names the command, the folder and the end of its output.
    """
    program = which(command[0], path=environment.get("PATH"))
    if program is None:
        raise ToolMissing(
            f"`{command[0]}` is not on PATH. Install it, or run `lab doctor` to see what is missing."
        )
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise CourseError(
            f"`{' '.join(command)}` failed with exit code {done.returncode} in {folder}. It said:\n{tail}"
        )
    return done.stdout


def course_environment(home: Path | None = None) -> dict[str, str]:
    """Variables for the course's own commands: its identity, fixed dates, no user settings, no telemetry.

    The folder of the running Python comes first on PATH, so that `python`, `dvc` and the commands of
    the course are those of this environment. They compute in one thread, as in a box: on small tables more
    threads only wait for each other. With `home`, nothing is read from or written to the user's home.
    """
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "DVC_", "MLFLOW_"))
    }
    kept |= IDENTITY | QUIET | ONE_THREAD
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    kept |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC"}
    if home is not None:
        kept |= {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_CACHE_HOME": str(home / ".cache"),
        }
        kept["DVC_SITE_CACHE_DIR"] = str(home / "dvc")
    return kept


def box_environment(home: Path, scratch: Path) -> dict[str, str]:
    """Variables for learner code in a box: this Python's programs first, one thread, one order of sets."""
    path = os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"))
    places = {
        "PATH": path,
        "HOME": str(home),
        "TMPDIR": str(scratch),
        "DVC_SITE_CACHE_DIR": str(scratch / "dvc"),
    }
    same = {"LANG": "C.UTF-8", "USER": "student", "LOGNAME": "student", "PYTHONHASHSEED": "0"}
    return {**places, **same, **QUIET, **ONE_THREAD}
