"""Everything that is kept of one learner as one zip, for them or for you."""

import os
import zipfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader import audit
from grader.bookfile import WAIT_S, is_there, open_book, sql
from grader.classroom import Classroom, read_class
from grader.errors import CourseError
from grader.gradebook import rows
from grader.kept import Kept, kept, roster_row
from grader.leaving import quiet
from grader.receipts import utc
from grader.results import FORMAT
from grader.texts import json_text, sweep

SHOWN = "learner.json"  # of a folder in `results`, all that a learner may see
TEXT = """Everything that the class keeps of {name}, as of {at}.

kept.json        the line of the roster, extensions, grades with points and comments, the log of each grade
submissions/     the work that was handed in, and when
aside/           what was handed in and could not be taken, with the reason
results/         what the judge found
feedback/        what was handed back
certificates/, gradescope/, .formgrader/    the same, where there is any

{left_out}Backups that were made of the class hold the same as the class held when they were made.
"""
LEFT_OUT = """Left out is what would give hidden checks away to the class: the data that they draw, and what
they found on it. Their verdicts and points are in. Whoever may see it all gets it with `--hidden`.

"""


def export(
    classroom: Classroom, learner: str, file: Path, *, hidden: bool = False, dry_run: bool = False
) -> Kept:
    """Write what is kept of a learner into `file`, a zip that only its owner may read; what that is.

    Without `hidden` it may be given to the learner. It is whole or not there; with `dry_run` it is not there.

    Raises:
        CourseError: nothing is kept of such a learner, the class is being worked on, or `file` lies in it or
            cannot be written.
    """
    target = file.resolve()
    if target.is_relative_to(classroom.folder.resolve()):
        raise CourseError(f"{file} lies in the class itself. Name a place elsewhere.")
    with quiet(classroom, f"grader learner export {learner}"):
        classroom = read_class(classroom.folder)  # as whoever was here before has left it
        found = kept(classroom, learner)
        if not dry_run:
            sweep(target)
            half = target.parent / f".{target.name}.{os.getpid()}.half"
            try:
                _pack(classroom, found, half, hidden)
                half.replace(target)
            except OSError as error:
                raise CourseError(
                    f"{file} cannot be written ({error.strerror or error}). Mend that, or name another place."
                ) from error
            finally:
                half.unlink(missing_ok=True)
    return found


def _pack(classroom: Classroom, found: Kept, half: Path, hidden: bool) -> None:
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with zipfile.ZipFile(
            file, "w", zipfile.ZIP_DEFLATED, compresslevel=3, strict_timestamps=False
        ) as packed:
            left_out = "" if hidden else LEFT_OUT
            name = f"{found.learner.name} ({found.learner.id})" if found.learner.name else found.learner.id
            packed.writestr(
                "README.txt", TEXT.format(name=name, at=utc(datetime.now(UTC)), left_out=left_out)
            )
            packed.writestr("kept.json", json_text(_facts(classroom, found, hidden)))
            for place in found.paths:
                for path in [place] if place.is_file() else sorted(place.rglob("*")):
                    inside = path.relative_to(classroom.folder)
                    if path.is_file() and not path.is_symlink() and (hidden or not _tells(inside)):
                        packed.write(path, inside.as_posix())
        file.flush()
        os.fsync(file.fileno())


def _tells(inside: Path) -> bool:
    """Whether a file would tell hidden data: the judge's records, and formgrader's page of it."""
    return inside.parts[0] == "autograded" or (inside.parts[0] == "results" and inside.name != SHOWN)


def _facts(classroom: Classroom, found: Kept, hidden: bool) -> dict[str, Any]:
    """What stands in files that are about others too."""
    learner = found.learner.id
    return {
        "format": FORMAT,
        "learner": asdict(found.learner),
        "roster": roster_row(classroom, learner),
        "extensions": {
            lab: {
                "until": utc(one.until) if one.until else None,
                "attempts": one.attempts,
                "because": one.because,
            }
            for (lab, name), one in classroom.extensions.items()
            if name == learner
        },
        "grades": _grades(classroom, learner, hidden),
        "typed_for_other_submissions": _put_aside(classroom, learner),
        "log": [
            {key: value for key, value in entry.items() if key != "code"}
            for entry in audit.entries(classroom)
            if entry["learner"] == learner
        ],
    }


def _grades(classroom: Classroom, learner: str, hidden: bool) -> list[dict[str, Any]]:
    """The gradebook's rows; what the judge says of each check only with `hidden`."""
    found = []
    for row in rows(classroom) if is_there(classroom) else ():
        if row.learner == learner and row.status != "missing":
            marks = {name: asdict(mark) for name, mark in row.marks.items()}
            if not hidden:
                marks = {
                    name: {key: value for key, value in mark.items() if key != "says"}
                    for name, mark in marks.items()
                }
            facts = {
                key: getattr(row, key) for key in ("lab", "status", "points", "possible", "grade", "late")
            }
            because = row.lateness.because if row.lateness else ""
            found.append({**facts, "because": because, "snapshot": row.snapshot, "marks": marks})
    return found


def _put_aside(classroom: Classroom, learner: str) -> list[dict[str, Any]]:
    """What a person typed for an earlier submission, and a newer one came."""
    if not is_there(classroom):
        return []
    keys = ("lab", "snapshot", "check_id", "points", "extra", "comment")
    with open_book(classroom, WAIT_S) as book:
        query = f"SELECT {', '.join(keys)} FROM grader_by_hand WHERE learner = :learner"  # noqa: S608  # ours
        return [dict(zip(keys, row, strict=True)) for row in sql(book, query, learner=learner)]
