"""What a class without internet needs beside the course: the packages, the pages, the image.

    python -m lab_env.bundle FOLDER

writes them into a copy of the course that `grader publish` made: `wheelhouse/`, from which `make start`
installs there, `site/`, whose `index.html` any browser opens, and `image.tar`, where an engine is here.
"""

import os
import subprocess
import sys
from pathlib import Path
from shutil import disk_usage

from grader.engines import EngineProblem, find
from lab_env import image
from lab_env.errors import LabError
from lab_env.workspace import find_home

WHEELHOUSE = "wheelhouse"  # lab_env/bootstrap.py and .dockerignore know it too
NEEDS_MB = 3_000


def main() -> None:
    """Fill the folder and say what it holds."""
    [target] = [Path(word).resolve() for word in sys.argv[1:]] or sys.exit(
        "usage: python -m lab_env.bundle FOLDER"
    )
    course = find_home(Path.cwd()).course
    try:
        fill(course, target)
    except LabError as error:
        sys.exit(f"{error}")


def fill(course: Path, target: Path) -> None:
    """Write packages, pages and image into `target`, a published copy of `course`.

    Raises:
        LabError: it is no copy, the disk is too small, or a package cannot be fetched.
    """
    if not (target / "requirements.lock").is_file():
        raise LabError(f"{target} is no copy of the course. Make one first: `grader publish {target}`.")
    if (free_mb := disk_usage(target).free // 10**6) < NEEDS_MB:
        raise LabError(f"{target} has {free_mb:,} MB free, a bundle needs {NEEDS_MB:,}. Name another folder.")
    tell(f"{WHEELHOUSE}/", fetch(course, target / WHEELHOUSE))
    tell("site/", build(course, target / "site"))
    try:
        tell("image.tar", save(course, target / "image.tar"))
    except EngineProblem as problem:
        print(f"No image.tar: {problem.problem} The labs do without a container.")
    system, python = os.uname(), ".".join(map(str, sys.version_info[:2]))
    print(f"For {system.sysname} on {system.machine} with Python {python}. There: `make start`.")


def fetch(course: Path, wheelhouse: Path) -> int:
    """Every package of the lock, its hash checked; how many MB."""
    words = ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    words += [
        "--no-build-isolation",
        "--dest",
        str(wheelhouse),
        "--requirement",
        str(course / "requirements.lock"),
    ]
    _run([sys.executable, "-m", "pip", *words], course)
    return sum(file.stat().st_size for file in wheelhouse.iterdir()) // 10**6


def build(course: Path, site: Path) -> int:
    """The pages; how many MB."""
    _run([sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)], course)
    return sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) // 10**6


def save(course: Path, file: Path) -> int:
    """The image of the labs, built first where it is not there yet; how many MB.

    Raises:
        EngineProblem: no engine, or it refused.
    """
    engine = find(os.environ.get("LAB_ENGINE", ""))
    tag = image.ensure(engine, course)
    engine.ask("save", "--output", str(file), tag, image=tag, timeout_s=600)
    return file.stat().st_size // 10**6


def tell(name: str, size_mb: int) -> None:
    """One line for each part."""
    print(f"{name:12} {size_mb:6,} MB", flush=True)


def _run(command: list[str], course: Path) -> None:
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    if subprocess.run(command, cwd=course, env=environment, check=False).returncode:
        raise LabError(
            f"`{' '.join(command[1:4])}` failed (see above). Mend that and run `make bundle` again."
        )


if __name__ == "__main__":
    main()
