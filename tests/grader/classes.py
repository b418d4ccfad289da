"""A class of the tiny course: submissions as `collect` leaves them, results as `grade` does."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree

from grader.classroom import Classroom, init_class, read_class
from grader.judge import blank
from grader.manifest import Lab
from grader.receipts import Receipt, last_sequence, read_receipt
from grader.results import Result, Verdict, learner_view, write_json
from grader.snapshot import take
from tests.grader.courses import repository

RIGHT = {"add.py": "def add(a, b):\n    return a + b\n", "notes.md": "Add.\n"}
MINUS = {"add.py": "def add(a, b):\n    return a - b\n", "notes.md": "Add.\n"}
CANARY = "canary-71d3"
MONDAY = datetime(2026, 11, 16, 10, tzinfo=UTC)


def a_class(folder: Path, lab: Lab, *learners: str, box: str = "local") -> Classroom:
    """A class of `learners` (`id` or `id,name,email`) in a new folder."""
    init_class(folder, lab.course)
    lines = [one if "," in one else f"{one},," for one in learners]
    (folder / "roster.csv").write_text("\n".join(["id,name,email", *lines]) + "\n", encoding="utf-8")
    return replace(read_class(folder), box=box)


def hand_in(
    classroom: Classroom,
    lab: Lab,
    learner: str,
    files: Mapping[str, str],
    *,
    at: datetime = MONDAY,
) -> str:
    """Put a committed repository of `files` where `collect` would; the snapshot's hash."""
    kept = classroom.submissions(learner, lab.id)
    sequence = last_sequence(classroom) + 1
    made = repository(classroom.folder / "made" / f"{learner}-{sequence}", files)
    snapshot = take(made).hash
    copytree(made, kept / snapshot[:16] / "work")
    receipt = Receipt(
        learner, lab.id, snapshot, at, sequence, None, f"{learner}.zip", {}, (), kept / snapshot[:16]
    )
    (receipt.folder / "receipt.json").write_text(json.dumps(receipt.to_dict()))
    return snapshot


def hand_in_again(classroom: Classroom, lab: Lab, learner: str, snapshot: str) -> None:
    """Collect a learner's earlier snapshot once more: now it counts."""
    receipt = read_receipt(classroom.submissions(learner, lab.id) / snapshot[:16])
    later = replace(receipt, sequence=last_sequence(classroom) + 1)
    (receipt.folder / "receipt.json").write_text(json.dumps(later.to_dict()))


def judged(lab: Lab, snapshot: str, *, found: str = "", **verdicts: str) -> Result:
    """A result with the verdict named for a check, PASS for the rest; `found` is what was found by all."""
    lesson = {
        "found": found,
        "looked_at": "add(2, 3)",
        "expected": "5",
        "why": "Sums are sums.",
        "link": "modules/01-add.md#sums",
        "misconception": "wrong-sum",
    }
    checks = []
    for check in lab.checks:
        verdict = Verdict(verdicts.get(check.id, "PASS"))
        texts = lesson if verdict is Verdict.FAIL else {"found": found}
        checks.append(blank(lab, check, verdict, "local", **(texts if verdict is not Verdict.PASS else {})))
    return Result(lab.id, lab.release, snapshot, "local", tuple(checks), seconds=2.5)


def record(classroom: Classroom, lab: Lab, learner: str, result: Result) -> Result:
    """Write a result where `grade` would."""
    folder = classroom.results(learner, lab.id) / f"{result.snapshot[:16]}-{result.release[:16]}"
    write_json(folder / "learner.json", learner_view(result))
    write_json(folder / "result.json", result.to_dict())
    return result
