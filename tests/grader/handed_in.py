"""A class of four, and what its learners hand in."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from grader.classroom import Classroom, init_class, read_class
from grader.intake import Collected, Receipt
from grader.manifest import Lab
from tests.grader.zips import a_zip

NOW = datetime(2026, 11, 21, 10, 30, 0, 250, tzinfo=UTC)
ADD = "def add(a, b):\n    return a + b\n"


def class_of_four(folder: Path, lab: Lab) -> Classroom:
    """A class in Berlin: Ana Doe, Ben Roe, and two of whom only the id is known."""
    init_class(folder, lab.course, timezone="Europe/Berlin")
    (folder / "roster.csv").write_text("id,name,email\nana,Ana Doe,\nben,Ben Roe,\ncleo,,\ndan,,\n")
    return read_class(folder)


def packed(lab: Lab, text: str = ADD, /, **receipt: object) -> bytes:
    """What `lab submit` makes."""
    told = {"format": 1, "lab": lab.id, "release": lab.release, "made": "2026-11-21T09:00:00Z"} | receipt
    return a_zip(
        {"receipt.json": json.dumps(told), "work/add.py": text, "work/.git/HEAD": "ref: refs/heads/main"}
    )


def batch(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder; the folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def reasons(done: Collected) -> dict[str, str]:
    """Why each one was set aside, by its name in the batch."""
    return {one.name: one.reason for one in done.aside}


def learners(found: tuple[Receipt, ...]) -> list[str]:
    """Whose they are."""
    return [one.learner for one in found]


def left(room: Classroom) -> dict[str, bytes]:
    """Every file of a class that a collect may write."""
    kept = [path for path in room.folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path.relative_to(room.folder).as_posix(): path.read_bytes() for path in kept}
