"""What was collected: a folder for each accepted snapshot, and which of them counts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.classroom import Classroom
from grader.deadlines import attempts_of, lateness
from grader.errors import CourseError

FORMAT = 1
FILE = "receipt.json"


@dataclass(frozen=True)
class Receipt:
    """One accepted submission.

    `collected_at` is in UTC; `sequence` grows with every collect, and of a learner's submissions of a lab
    the highest counts. `late` is by the deadline as it stands now, and None without one; it is stored
    nowhere. `reported` is what the learner's own receipt said and is never believed; `notes` say where it
    differs from what was found. `folder` holds it all.
    """

    learner: str
    lab: str
    snapshot: str
    collected_at: datetime
    sequence: int
    late: bool | None
    source: str
    reported: Mapping[str, Any]
    notes: tuple[str, ...]
    folder: Path

    @property
    def work(self) -> Path:
        """The accepted files."""
        return self.folder / "work"

    def to_dict(self) -> dict[str, Any]:
        """The receipt as plain values: `receipt.json`."""
        return {
            "format": FORMAT,
            "learner": self.learner,
            "lab": self.lab,
            "snapshot": self.snapshot,
            "collected_at": utc(self.collected_at),
            "sequence": self.sequence,
            "source": self.source,
            "reported": dict(self.reported),
            "notes": list(self.notes),
        }


def newest(classroom: Classroom, lab_id: str) -> dict[str, Receipt]:
    """The submission of a lab that counts, for each learner on the roster who has one.

    Where only some attempts count, it is the last of those.

    Raises:
        CourseError: a receipt cannot be read.
    """
    found = {}
    for learner in classroom.roster:
        if receipts := collected(classroom, learner, lab_id):
            found[learner] = receipts[: attempts_of(classroom, learner, lab_id)][-1]
    return found


def collected(classroom: Classroom, learner: str, lab_id: str) -> list[Receipt]:
    """A learner's submissions of a lab, the newest last.

    Raises:
        CourseError: a receipt cannot be read.
    """
    folders = [file.parent for file in classroom.submissions(learner, lab_id).glob(f"*/{FILE}")]
    receipts = [read_receipt(folder) for folder in folders]
    receipts = [replace(one, late=is_late(classroom, learner, lab_id, one.collected_at)) for one in receipts]
    return sorted(receipts, key=lambda receipt: receipt.sequence)


def read_receipt(folder: Path) -> Receipt:
    """The receipt in a snapshot's folder.

    Raises:
        CourseError: it cannot be read.
    """
    file = folder / FILE
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r} instead of {FORMAT}")
        return Receipt(
            str(data["learner"]),
            str(data["lab"]),
            str(data["snapshot"]),
            datetime.fromisoformat(data["collected_at"]).astimezone(UTC),
            int(data["sequence"]),
            None,
            str(data["source"]),
            dict(data["reported"]),
            tuple(data.get("notes", ())),
            folder,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{file} cannot be read ({type(error).__name__}: {error}). Bring it back from a backup, or "
            "delete its folder and collect the submission again."
        ) from error


def last_sequence(classroom: Classroom) -> int:
    """The highest sequence in the class; 0 before the first collect. What cannot be read has none."""
    highest = 0
    for file in (classroom.folder / "submissions").glob(f"*/*/*/{FILE}"):
        try:
            highest = max(highest, read_receipt(file.parent).sequence)
        except CourseError:
            continue
    return highest


def is_late(classroom: Classroom, learner: str, lab_id: str, at: datetime) -> bool | None:
    """Whether a moment is after a learner's deadline of a lab; None without one."""
    found = lateness(classroom, learner, {lab_id: at}).get(lab_id)
    return found.late if found else None


def utc(at: datetime) -> str:
    """A moment as it stands in a receipt: `2026-12-01T22:59:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
