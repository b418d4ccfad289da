"""A lab's visible checks where work is pushed: `python -m lab_env.annotations LAB FOLDER`.

FOLDER is a repository that holds the zip of `lab submit`, or the work itself. Each check that fails becomes
an annotation in the form that GitHub reads, and the points become a page of the run. On a machine that is
thrown away afterwards: the work runs there as it would on the learner's own.
"""

import os
import sys
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.controller import judge
from grader.errors import CourseError
from grader.manifest import Lab, find_course, find_lab
from grader.opening import open_work
from grader.results import CheckResult, Result, learner_view
from grader.texts import lesson, plain
from grader.unpack import CAPS
from lab_env.errors import LabError


def main() -> None:
    """Print the annotations, write the summary; exit with 1 when a core check fails, 2 when none can run."""
    try:
        sys.exit(run(sys.argv[1:]))
    except CourseError as error:
        sys.stdout.write(command("error", "This cannot be checked", str(error)))
        sys.exit(2)


def run(words: list[str]) -> int:
    """What `main` does with these words.

    Raises:
        CourseError: the words, or what is in the folder, cannot be checked.
    """
    if len(words) != 2:
        raise LabError("Name the lab and the folder: `python -m lab_env.annotations 02 ../handed-in`.")
    lab = find_lab(find_course(Path.cwd()), words[0])
    folder = Path(words[1])
    zips = sorted(folder.glob(f"{lab.id}-*.zip"))
    if len(zips) > 1:
        raise LabError(f"{folder} holds {len(zips)} zips for {lab.id}. Leave the one that counts.")
    with TemporaryDirectory(prefix="annotations-") as place:
        opened = open_work(zips[0] if zips else folder, lab, Path(place) / "in", CAPS)
        if opened is None:
            raise LabError(f"{folder} holds other labs only. Put the zip of `lab submit` for {lab.id} there.")
        result = judge(lab, opened.work, hidden=False)
    sys.stdout.write(annotations(lab, result))
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(summary(lab, result))
    core = {check.id for task in lab.tasks if task.core for check in task.checks}
    return int(any(one.id in core and not one.passed and not one.hidden for one in result.checks))


def command(kind: str, title: str, text: str) -> str:
    """One line that GitHub makes an annotation of: `error` or `notice`.

    >>> command("error", "a, b", "one\\ntwo")
    '::error title=a%2C b::one%0Atwo\\n'
    """
    safe = plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    head = plain(title).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{kind} title={head.replace(':', '%3A').replace(',', '%2C')}::{safe}\n"


def annotations(lab: Lab, result: Result) -> str:
    """A line for each check that failed, and one with the points."""
    failed = [check for check in result.checks if not check.passed and not check.hidden]
    lines = [command("error", lab.check(one.id).says, "\n".join(_lesson(result, one))) for one in failed]
    return "".join([*lines, command("notice", lab.title, points(lab, result))])


def points(lab: Lab, result: Result) -> str:
    """What the visible checks give, and how many come at grading."""
    shown = [check for check in result.checks if not check.hidden]
    later = sum(check.hidden for check in lab.checks)
    earned, possible = (sum(getattr(one, name) for one in shown) for name in ("points", "possible"))
    more = f" At grading: {later} more." if later else ""
    return f"{earned:g} of {possible:g} points by what can be checked here.{more}"


def summary(lab: Lab, result: Result) -> str:
    """The page of the run, as Markdown; every text of the learner's is text in it."""
    rows = []
    for task in lab.tasks:
        for check in task.checks:
            found = next((one for one in result.checks if one.id == check.id and not check.hidden), None)
            told = f"{found.points:g} of {found.possible:g}" if found else "at grading"
            says = escape(check.says).replace("|", "&#124;")
            rows.append(f"| {escape(task.title).replace('|', '&#124;')} | {says} | {told} |")
    head = f"### {escape(lab.title)}\n\n{points(lab, result)}\n\n| Task | Check | Points |\n|---|---|---|\n"
    failed = [check for check in result.checks if not check.passed and not check.hidden]
    told = "".join(
        f"\n<details><summary>{escape(lab.check(one.id).says)}</summary>\n"
        f"<pre>{escape(chr(10).join(_lesson(result, one)))}</pre></details>\n"
        for one in failed
    )
    return head + "\n".join(rows) + "\n" + told


def _lesson(result: Result, check: CheckResult) -> list[str]:
    view = next(one for one in learner_view(result)["checks"] if one["id"] == check.id)
    return lesson(view) or [check.verdict.value]


if __name__ == "__main__":
    main()
