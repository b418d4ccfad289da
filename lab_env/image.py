"""The images of labs and of grading: named after what they are made from, built when they are not there.

python -m lab_env.image grading        prints the name of the one that judged work runs in
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grader.engines import Engine, EngineProblem, find

NAME = "localhost/from-devops-to-mlops"
DOCKERFILE = Path("lab_env", "Dockerfile")
NEEDS_MB = 4000  # while it is built; the image itself is smaller
LARGEST_MB = 2000
BUILDING = (
    "Building the image {tag}: 450 MB to download, 2.0 GB on disk, three to eight minutes. Only once: after "
    "a change to the course it takes seconds."
)


def ensure(
    engine: Engine, course: Path, environment: Mapping[str, str] = os.environ, target: str = "lab"
) -> str:
    """The name of the image for this course, built now unless it is there already.

    LAB_IMAGE names another one, which is then used as it is.

    Raises:
        EngineProblem: it cannot be built or is for another processor; says what mends it.
    """
    named = environment.get("LAB_IMAGE", "")
    tag = named or tag_of(course, target)
    known = engine.inspect("image", tag)
    if not known and named:
        raise EngineProblem(
            f"LAB_IMAGE is {named}, and {engine.program} has no such image.",
            f"{engine.program} load --input IMAGE.tar    # or `unset LAB_IMAGE`: then it is built",
        )
    if not known:
        require_room(engine)
        print(BUILDING.format(tag=tag), file=sys.stderr, flush=True)
        build(engine, course, tag, target=target)
        known = engine.inspect("image", tag)
    require_architecture(engine, tag, str(known.get("Architecture", "")))
    return tag


def build(engine: Engine, course: Path, tag: str, words: Sequence[str] = (), target: str = "lab") -> None:
    """Build one target of the course's Dockerfile, showing what the engine prints.

    Raises:
        EngineProblem: the engine refused.
    """
    kept = ["--format", "docker"] if engine.is_podman else []
    file = str(course / DOCKERFILE)
    engine.show("build", *kept, *words, "--file", file, "--target", target, "--tag", tag, str(course))


def require_room(engine: Engine) -> None:
    """Refuse to begin what would not fit where the engine keeps its images.

    Raises:
        EngineProblem: less than NEEDS_MB is free there.
    """
    place = Path(engine.storage)
    free_mb = shutil.disk_usage(place).free // 10**6 if engine.storage and place.is_dir() else NEEDS_MB
    if free_mb < NEEDS_MB:
        raise EngineProblem(
            f"{engine.program} keeps images in {place}: {free_mb:,} MB free, building takes {NEEDS_MB:,}.",
            f"{engine.program} system prune    # or free some: df -h {place}",
        )


def require_architecture(engine: Engine, tag: str, architecture: str) -> None:
    """Refuse an image for another processor: it would start, and fail at the first program.

    Raises:
        EngineProblem: it is for another one.
    """
    if architecture and architecture != engine.architecture:
        raise EngineProblem(
            f"The image {tag} is for {architecture}, and {engine.program} runs {engine.architecture} here.",
            f"{engine.program} image rm --force {tag}    # then again: it is built for this machine",
        )


def tag_of(course: Path, target: str = "lab") -> str:
    """The image's name: it ends with a hash of every file that goes into it, and what it is for."""
    total = hashlib.sha256()
    for path in sources(course):
        total.update(f"{path.relative_to(course).as_posix()}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{NAME}:{total.hexdigest()[:12]}" + ("" if target == "lab" else f"-{target}")


def sources(course: Path) -> Iterator[Path]:
    """The files that the build gets to see: what `.dockerignore` lets through."""
    lines = (course / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in sorted(line[1:] for line in lines if line.startswith("!")):
        place = course / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
    yield course / ".dockerignore"


def main() -> None:
    """Print the name of the image for a target of the Dockerfile, `lab` when none is named; build it."""
    try:
        engine = find(os.environ.get("LAB_ENGINE", ""))
        print(ensure(engine, Path(__file__).parent.parent, {}, *sys.argv[1:2] or ["lab"]))
    except EngineProblem as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
