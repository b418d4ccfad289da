"""The course that a class gets: everything but what tells the answers."""

import subprocess
from pathlib import Path
from shutil import copy2, which

from grader.errors import CourseError, ReleaseError, ToolMissing
from grader.manifest import list_labs
from grader.release import check_release

WITHHELD = ("solutions", "tests", ".ci")


def publish(course: Path, target: Path) -> int:
    """Copy the course without solutions, tests and CI to `target`; the number of files.

    Raises:
        CourseError: `target` is not empty or lies inside the course, or the course is no Git clone.
        ToolMissing: there is no Git.
        ReleaseError: a lab's starter is not what its master gives.
    """
    target = target.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CourseError(f"{target} is not an empty folder. Name one that is, or that does not exist yet.")
    if target.is_relative_to(course):
        raise CourseError(f"{target} lies inside the course. Name a folder outside {course}.")
    for lab in list_labs(course):
        if check_release(lab):
            raise ReleaseError(
                f"labs/{lab.id} is not in step with its master. Run `grader release {lab.number}` first."
            )
    files = _files(course)
    for name in files:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        copy2(course / name, place, follow_symlinks=False)
    return len(files)


def _files(course: Path) -> list[str]:
    """What Git tracks or would track, but for what is withheld."""
    if which("git") is None:
        raise ToolMissing("`git` is not on PATH. Install it, or run `lab doctor` to see what is missing.")
    done = subprocess.run(
        ["git", "-C", str(course), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CourseError(
            f"{course} is no Git clone, so its files cannot be told from what is left over there."
        )
    names = sorted(set(done.stdout.split("\0")) - {""})
    kept = [name for name in names if name.partition("/")[0] not in WITHHELD]
    return [name for name in kept if (course / name).is_file()]
