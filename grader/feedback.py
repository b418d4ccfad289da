"""What each learner gets back: a page and a text, made from what a learner may see and nothing else.

The page is static: no script, nothing that loads or is sent, a policy that would forbid it, every text
escaped. Both are read from `learner_view`, so no hidden value can be in them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.classroom import Classroom, Learner
from grader.errors import CourseError
from grader.exports import number
from grader.manifest import Lab
from grader.marks import Mark, Row
from grader.pages import page, safe
from grader.regrade import counted
from grader.results import Result, learner_view
from grader.runs import UNDECIDED
from grader.texts import lesson, line, plain, write_whole

OUTCOMES = {
    "PASS": "passed",
    "FAIL": "failed",
    "STUDENT_ERROR": "your code raised an error",
    "TIMEOUT": "took too long",
    "MEMORY": "took too much memory",
    "PROCESSES": "started too many processes",
    "DISK": "wrote too much",
    "OUTPUT": "printed too much",
    "BLOCKED": "waits for another check",
    "FORBIDDEN": "did what is not allowed",
    "INVALID_SUBMISSION": "the work could not be taken",
}
OPEN = "not decided yet; a person looks at it"


def write(classroom: Classroom, lab: Lab, results: Mapping[str, Result], rows: Iterable[Row]) -> list[Path]:
    """Write `feedback/<learner>/<lab>.html` and `.txt` for every learner in `results`; their paths.

    Raises:
        CourseError: a file cannot be written; the others are whole.
    """
    by_learner = {row.learner: row for row in rows if row.lab == lab.id}
    written = []
    for name, result in results.items():
        learner = classroom.roster.get(name, Learner(name))
        row = by_learner.get(name, Row(name, lab.id, "to be judged"))
        if row.snapshot != result.snapshot:
            row = Row(
                name, lab.id, "to be judged", late=row.late, lateness=row.lateness
            )  # marks of another submission
        sheet = _Page(lab, learner, learner_view(result), row)
        folder = classroom.folder / "feedback" / name
        for path, text in (
            (folder / f"{lab.id}.html", sheet.html()),
            (folder / f"{lab.id}.txt", sheet.text()),
        ):
            try:
                write_whole(path, text)
            except OSError as error:
                raise CourseError(
                    f"{path} cannot be written ({error.strerror or error}). The files before it are whole. "
                    f"Mend that, then run `grader feedback {lab.number}` again."
                ) from error
            written.append(path)
    return written


class _Page:
    """One learner's feedback on one lab, as HTML and as text."""

    def __init__(self, lab: Lab, learner: Learner, view: Mapping[str, Any], row: Row) -> None:
        self.lab = lab
        self.learner = learner
        self.view = view
        self.row = row

    def text(self) -> str:
        lines = [line(self.title), *self.head, ""]
        for title, checks in self.tasks():
            lines += [line(title), ""]
            for heading, paragraphs, comment in checks:
                shown = [*paragraphs, *([f"A person says: {comment}"] if comment else ())]
                lines.append(f"- {heading}")
                lines += [f"    {part}" for text in shown for part in text.split("\n")]
                lines.append("")
        return "\n".join(lines)

    def html(self) -> str:
        parts = [f"<h1>{safe(self.title)}</h1>", *(f"<p>{safe(one)}</p>" for one in self.head)]
        for title, checks in self.tasks():
            parts.append(f"<section>\n<h2>{safe(title)}</h2>")
            for heading, paragraphs, comment in checks:
                parts.append(f"<h3>{safe(heading)}</h3>")
                parts += [f"<p>{safe(one)}</p>" for one in paragraphs]
                parts += [f'<p class="by-hand">A person says: {safe(comment)}</p>'] if comment else []
            parts.append("</section>")
        return page(self.title, "\n".join(parts))

    @property
    def title(self) -> str:
        return f"{self.lab.id} · {self.lab.title}"

    @property
    def head(self) -> list[str]:
        name = f"{self.learner.name} ({self.learner.id})" if self.learner.name else self.learner.id
        points = self.view["points"] if self.row.points is None else self.row.points
        lines = [
            f"For {line(name)}",
            f"{points:g} of {self.view['possible']:g} points",
            f"Submission {self.view['snapshot'][:16]}, release {self.view['release'][:16]}",
        ]
        lines += self._lateness()
        waiting = sum(self._is_open(check) for check in self.view["checks"])
        lines += (
            [f"{waiting} not decided yet: a person looks at it, and the points may rise."] if waiting else []
        )
        return lines

    def _lateness(self) -> list[str]:
        """What lateness costs and why; nothing when it was in time by the class's deadline."""
        late = self.row.lateness
        if late is None or not late.late:
            return []
        counts = (
            f" {number(self.row.grade)} points count."
            if late.factor < 1 and self.row.grade is not None
            else ""
        )
        return [f"Late. {line(late.because, longest=400)}{counts}"]

    def tasks(self) -> Iterable[tuple[str, list[tuple[str, list[str], str]]]]:
        """Each task's title with its checks: heading, paragraphs, a person's comment."""
        for at, task in enumerate(self.lab.tasks, start=1):
            found = [check for check in self.view["checks"] if check["task"] == task.id]
            yield f"{at} · {task.title}", [self._check(check) for check in found]

    def _check(self, check: Mapping[str, Any]) -> tuple[str, list[str], str]:
        mark = self.row.marks.get(check["id"])
        verdict = counted(check, mark)
        outcome = OPEN if self._is_open(check) else OUTCOMES.get(verdict, "decided by a person")
        says = [plain(check["says"])]
        if verdict == check["verdict"] and verdict not in ("PASS", *UNDECIDED):  # our faults are no lesson
            says += lesson(check)
        if any(one.by_hand for one in self.lab.checks if one.id == check["id"]):
            says += ["A person reads what you wrote and grades it."]
        elif check["hidden"]:
            says += ["Checked on data that you do not see."]
        heading = f"{check['id']}: {outcome}{_points(check, mark)}"
        return heading, says, plain(mark.comment) if mark else ""

    def _is_open(self, check: Mapping[str, Any]) -> bool:
        mark = self.row.marks.get(check["id"])
        return mark.to_look_at if mark else check["verdict"] in UNDECIDED


def _points(check: Mapping[str, Any], mark: Mark | None) -> str:
    if not check["possible"] and not (mark and mark.points):
        return ""
    points = mark.points if mark else check["points"]
    by_hand = ", by hand" if mark and (mark.by_hand is not None or mark.extra) else ""
    return f" ({points:g} of {check['possible']:g} points{by_hand})"
