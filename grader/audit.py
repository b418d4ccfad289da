"""Every grade that was written: when, by whom, under which release, from which box. Lines are only added.

`audit.jsonl` has a line for each change of what counts for a learner in a lab. What a person typed in
formgrader is noticed by the next `grader grade`. Each line carries a code over itself and the line before,
keyed with the class's secret, so an edit by anybody without it shows.
"""

import getpass
import hmac
import json
import os
import platform
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from grader.classroom import Classroom
from grader.marks import Mark, Row
from grader.receipts import utc
from grader.results import Result
from grader.texts import line, write_whole

FILE = "audit.jsonl"
GRADED, BY_HAND, FOUND = "graded", "changed by hand", "found in the gradebook"
LOST = "lost a check"  # that the lab no longer has, and was not judged again
DELETED, FORGOTTEN = "deleted", "a learner was deleted"
NOBODY: dict[str, Any] = {"learner": "", "lab": "", "points": None, "typed": {}}


class Audit:
    """The log of a class, open for the one writer of the gradebook."""

    def __init__(self, classroom: Classroom) -> None:
        self.file = classroom.folder / FILE
        self.secret = classroom.secret
        self.last: dict[tuple[str, str], dict[str, Any]] = {}
        self.code = ""
        for entry in entries(classroom):
            self.last[entry["learner"], entry["lab"]] = entry
            self.code = entry["code"]

    def note(self, event: str, row: Row, result: Result | None = None, *, why: str = "") -> None:
        """Add a line when what counts for this learner and lab is not what the last line says.

        Raises:
            OSError: it cannot be written.
        """
        state = state_of(row)
        before = self.last.get((row.learner, row.lab))
        if before is not None and {key: before.get(key) for key in state} == state:
            return
        entry = {
            "at": utc(datetime.now(UTC)),
            "by": _by(),
            "event": FOUND if event == BY_HAND and not _is_typed_anew(before, state) else event,
            "learner": row.learner,
            "lab": row.lab,
            "points_before": before["points"] if before else None,
            **state,
            "box": result.box if result else "",
            "weak": list(result.weak) if result else [],
            "why": line(why, longest=1000),
        }
        entry["code"] = _code(self.secret, self.code, entry)
        _append(self.file, json.dumps(entry, ensure_ascii=True) + "\n")
        self.last[row.learner, row.lab], self.code = entry, entry["code"]

    def rows(self, lab: str, learners: Collection[str]) -> list[Row]:
        """What the last line of each of them says, as the gradebook would, with the marks of a person."""
        lines = [self.last[name, lab] for name in sorted(learners) if (name, lab) in self.last]
        return [
            Row(
                one["learner"],
                lab,
                "graded",
                one["points"],
                snapshot=str(one.get("snapshot")),
                marks=_marks(one),
            )
            for one in lines
            if isinstance(one["points"], int | float)
        ]


def entries(classroom: Classroom) -> Iterator[dict[str, Any]]:
    """The lines of the log, oldest first; one that a kill cut off is left out."""
    file = classroom.folder / FILE
    for text in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else ():
        entry = _entry(text)
        if entry is not None:
            yield entry


def _entry(text: str) -> dict[str, Any] | None:
    """A line of the log; None of one that cannot be read."""
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and _is_line(entry) else None


def first_broken(classroom: Classroom) -> dict[str, Any] | None:
    """The first line that does not follow from the one before it: it, or one before it, was changed."""
    code = ""
    for entry in entries(classroom):
        told = {key: value for key, value in entry.items() if key != "code"}
        if entry.get("event") == DELETED:
            said, right = str(entry.get("seal")), _seal(classroom.secret, entry["code"])
        else:
            said, right = entry["code"], _code(classroom.secret, code, told)
        if not hmac.compare_digest(said.encode(errors="replace"), right.encode()):
            return entry
        code = entry["code"]
    return None


def _is_line(entry: dict[str, Any]) -> bool:
    """Whether a line is of the kind that we write; what somebody else put there stops no command."""
    texts = all(isinstance(entry.get(key), str) for key in ("learner", "lab", "code"))
    return texts and "points" in entry and isinstance(entry.get("typed"), dict)


def forget(classroom: Classroom, learner: str) -> None:
    """Put a stone in place of each line of a learner, without name, lab, points or time; a last line says so.

    A stone keeps the code of its line and is sealed with the secret, so every other line still follows from
    the one before it, byte for byte as it was. Lines that cannot be read and name the learner go too.

    Raises:
        OSError: the log cannot be written.
    """
    file = classroom.folder / FILE
    texts = file.read_text(encoding="utf-8", errors="replace").split("\n") if file.is_file() else []
    left, gone, code = [], 0, ""
    for text in texts:
        entry = _entry(text)
        if entry is None:
            left += [] if not text or learner in text else [text]
            continue
        code = str(entry["code"])
        if entry["learner"] == learner:
            gone += 1
            text = json.dumps(_stone(classroom.secret, code))
        left.append(text)
    if gone:
        told = {"at": utc(datetime.now(UTC)), "by": _by(), "lines": gone, **NOBODY, "event": FORGOTTEN}
        left.append(json.dumps({**told, "code": _code(classroom.secret, code, told)}))
    if texts:
        write_whole(file, "".join(f"{text}\n" for text in left))


def _stone(secret: bytes, code: str) -> dict[str, Any]:
    """What stands where a line of somebody stood who was deleted: nothing of them."""
    return {**NOBODY, "event": DELETED, "code": code, "seal": _seal(secret, code)}


def _seal(secret: bytes, code: str) -> str:
    return hmac.new(secret, f"deleted {code}".encode(), sha256).hexdigest()[:32]


def state_of(row: Row) -> dict[str, Any]:
    """What counts, as a line has it: the points, what they are for, and what of them a person typed."""
    typed = {
        name: [mark.by_hand, mark.extra, mark.comment]
        for name, mark in row.marks.items()
        if mark.by_hand is not None or mark.extra or mark.comment
    }
    return {
        "points": row.points,
        "possible": row.possible,
        "snapshot": row.snapshot,
        "release": row.release,
        "typed": typed,
    }


def _marks(entry: dict[str, Any]) -> dict[str, Mark]:
    found = {}
    for name, typed in entry["typed"].items():
        match typed:
            case [None | int() | float() as by_hand, int() | float() as extra, str() as comment]:
                found[name] = Mark((by_hand or 0.0) + extra, None, by_hand, extra, False, "", comment)
    return found


def _is_typed_anew(before: dict[str, Any] | None, state: dict[str, Any]) -> bool:
    """Whether it is a person's doing that a grade differs; a run killed before its line is nobody's."""
    return (
        before is not None
        and before.get("snapshot") == state["snapshot"]
        and before.get("typed") != state["typed"]
    )


def _code(secret: bytes, before: str, entry: dict[str, Any]) -> str:
    text = f"audit {before} {json.dumps(entry, sort_keys=True)}"
    return hmac.new(secret, text.encode(), sha256).hexdigest()[:32]


def _append(file: Path, text: str) -> None:
    """Add a line, on the disk before this returns; one that was cut off before it stays a line of its own."""
    with file.open("ab+") as log:
        if log.tell() and not _ends_whole(log.fileno()):
            text = "\n" + text
        log.write(text.encode())
        log.flush()
        os.fsync(log.fileno())


def _ends_whole(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, 1, size - 1) == b"\n"


def _by() -> str:
    return f"{_user()}@{platform.node()}"


def _user() -> str:
    try:
        return line(getpass.getuser())
    except (KeyError, OSError):  # a number without a name, as in some containers
        return str(os.getuid())
