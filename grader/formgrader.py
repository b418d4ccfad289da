"""What nbgrader's formgrader opens in a class: its settings, and a notebook of evidence for each learner.

The notebooks are shown, never run. formgrader escapes no HTML, so whatever a learner had a hand in stands in
a text output, where its pages cannot take it for anything but text.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.bookfile import CONFIG, COURSE_ID, FILE, HIDDEN, OTHER, url
from grader.classroom import Classroom
from grader.errors import CourseError
from grader.gradebook import says
from grader.manifest import Check, Lab
from grader.receipts import Receipt, newest
from grader.results import CheckResult, Result, Verdict
from grader.texts import line, plain, write_whole

LONGEST_ANSWER = 20_000  # characters of an answer in words, all that the judge keeps of one
DESK = f"{HIDDEN}/desk"
TEMPLATES = f"{HIDDEN}/templates"
MATHJAX_FILE = f"{TEMPLATES}/formgrade/mathjax.html.j2"
CLASS = "here = Path(__file__).resolve().parent"
IN_FILE = f"""f"sqlite:///{{here / '{FILE}'}}\""""
SETTINGS = f'''"""Written by `grader`: what nbgrader's formgrader needs to open this class.

Points and comments that you give there stay. Its buttons that generate, collect, autograde or make feedback
find nothing to work on: `grader` does that.
"""

from pathlib import Path

import nbgrader

{CLASS}
c = get_config()
c.CourseDirectory.root = str(here)
c.CourseDirectory.course_id = "{COURSE_ID}"
c.CourseDirectory.db_url = {IN_FILE}
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.submitted_directory = ".formgrader/submitted"
c.CourseDirectory.release_directory = ".formgrader/release"
c.CourseDirectory.feedback_directory = ".formgrader/feedback"
c.CourseDirectory.solution_directory = ".formgrader/solution"
c.Exchange.root = str(here / ".formgrader" / "exchange")
c.Execute.enabled = False  # no notebook is ever run here
theirs = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
c.HTMLExporter.extra_template_basedirs = [str(here / "{TEMPLATES}"), str(theirs)]  # no MathJax from elsewhere
'''
MATHJAX = """{%- macro mathjax(url="") -%}{%- endmacro %}
"""


def write(classroom: Classroom, lab: Lab, results: Mapping[str, Result]) -> list[Path]:
    """Write the settings, the lab's notebook and that of each learner in `results`; the learners' paths.

    Raises:
        CourseError: one of them cannot be written. The results are safe.
    """
    name = f"{lab.id}.ipynb"
    receipts = newest(classroom, lab.id)
    shown = {
        classroom.folder / "autograded" / learner / lab.id / name: _cells(
            lab, result, _head(result, receipts.get(learner))
        )
        for learner, result in results.items()
    }
    try:
        _write_settings(classroom)
        write_whole(classroom.folder / "source" / lab.id / name, _notebook(_cells(lab, None, ())))
        for path, cells in shown.items():
            write_whole(path, _notebook(cells))
    except OSError as error:
        raise CourseError(
            f"{error.filename or classroom.folder} cannot be written ({error.strerror or error}). The "
            f"results are safe. Mend that, then run `grader grade {lab.number}` again."
        ) from error
    return list(shown)


def lay_out_desk(classroom: Classroom) -> Path:
    """Write what formgrader runs anew, its settings and templates, and the folder that it is started in.

    nbgrader imports modules from where it is started, so that is a folder of its own: the class's may have
    been put back from an archive.

    Raises:
        CourseError: it cannot be written, or other settings lie in the class.
    """
    hidden, folder = classroom.folder / HIDDEN, classroom.folder / DESK
    if (other := classroom.folder / OTHER).exists():
        raise CourseError(f"formgrader would follow the settings in {other} too. Move it out of the class.")
    try:
        _write_settings(classroom)
        write_whole(folder / CONFIG, _settings(classroom).replace(CLASS, f"{CLASS}s[2]"))
        ours = (folder / CONFIG, classroom.folder / MATHJAX_FILE)
        for path in hidden.rglob("*"):
            if path not in ours and (path.is_symlink() or not path.is_dir()):
                path.unlink()  # file by file: another desk may be open and stands in that folder
    except OSError as error:
        raise CourseError(
            f"{error.filename or folder} cannot be written ({error.strerror or error}). Mend that, then run "
            "`grader desk` again."
        ) from error
    return folder


def _write_settings(classroom: Classroom) -> None:
    write_whole(classroom.folder / CONFIG, _settings(classroom))
    write_whole(classroom.folder / MATHJAX_FILE, MATHJAX)


def _settings(classroom: Classroom) -> str:
    """The settings, with where the gradebook is."""
    there = str(url(classroom)) if classroom.db_url else ""
    return SETTINGS.replace(IN_FILE, repr(there)) if there else SETTINGS


def _head(result: Result, receipt: Receipt | None) -> Sequence[str]:
    late = {True: "late", False: "in time", None: "without a deadline"}[receipt.late if receipt else None]
    at = f", collected {receipt.collected_at}" if receipt else ""
    return (
        f"Submission {result.snapshot[:16]}{at}, {late}.",
        f"Judged with release {result.release[:16]} in box {result.box} in {result.seconds:.1f} s.",
        *(f"Note: {line(note)}." for note in (receipt.notes if receipt else ())),
        *(f"Judged again: {line(why)}." for why in result.tries),
        *(f"Weak: {line(wall)} does not hold on the host." for wall in result.weak),
        "Full points and comments that you type here stay when it is judged again.",
    )


def _cells(lab: Lab, result: Result | None, head: Sequence[str]) -> list[dict[str, Any]]:
    cells = [_text("head", f"# {lab.title}")]
    cells += (
        [_code("facts", {}, "# what was handed in, and how it was judged", "\n".join(head))] if head else []
    )
    for number, task in enumerate(lab.tasks, start=1):
        cells.append(_text(f"task-{number}", f"## {number} · {task.title}"))
        cells += [_graded(lab, check, result, f"check-{number}-{at}") for at, check in enumerate(task.checks)]
    return cells


def _graded(lab: Lab, check: Check, result: Result | None, cell_id: str) -> dict[str, Any]:
    """A check's cell: its promise as the source, what the judge found as a text output."""
    found = [one for one in result.checks if one.id == check.id] if result else []
    where = " (hidden from the learner)" if check.hidden else ""
    where = " (graded by hand)" if check.by_hand else where
    graded = {
        "schema_version": 3,
        "grade_id": check.id,
        "grade": True,
        "solution": True,
        "locked": False,
        "task": False,
        "points": 0 if lab.task(check.task).worked else check.points,
    }
    says = [f"{one.points:g} of {one.possible:g}\n{_evidence(check, one)}" for one in found]
    return _code(cell_id, {"nbgrader": graded}, f"# {check.id}{where}\n# {line(check.says)}", *says)


def _evidence(check: Check, found: CheckResult) -> str:
    """What the judge says of a check; of what a person grades, the whole answer."""
    if check.by_hand and found.verdict is Verdict.NOT_RUN:
        return f"Yours to grade, from {line(check.by_hand)}:\n\n{plain(found.found, longest=LONGEST_ANSWER)}"
    return says(found)


def _code(cell_id: str, metadata: Mapping[str, Any], source: str, *says: str) -> dict[str, Any]:
    """A cell of code; what it says is a text output, the one place where formgrader shows no HTML."""
    return {
        "cell_type": "code",
        "id": cell_id,
        "execution_count": None,
        "metadata": metadata,
        "source": source,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": f"{one}\n"} for one in says],
    }


def _text(cell_id: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": source}


def _notebook(cells: list[dict[str, Any]]) -> str:
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
