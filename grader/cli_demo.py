"""`grader demo`: a whole class in one command. It parses, calls, prints."""

import random
import sys
import webbrowser
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from grader import class_report, demo, runs
from grader.classroom import Classroom
from grader.cli_grade import screen, stoppable
from grader.manifest import Lab, find_course, find_lab, list_labs
from grader.survey import survey
from grader.texts import line

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command("demo")
def demo_(
    folder: Annotated[Path, typer.Argument(help="A new folder for the class, outside the course.")],
    learners: Annotated[int, typer.Option(min=1, max=1000, help="How many learners.")] = 40,
    labs: Annotated[
        list[str] | None, typer.Option("--lab", help="A lab; say it again for more. All when left out.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="How many submissions are judged at once.")
    ] = 2,
    accept_weak: Annotated[
        bool, typer.Option("--accept-weak", help="Grade on a host that `grader doctor` calls weak.")
    ] = False,
    seed: Annotated[int, typer.Option(help="What chance is drawn from: the same seed, the same class.")] = 1,
    open_: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the report in a browser.")
    ] = sys.stdout.isatty(),
) -> None:
    """Make a class of invented learners who hand in every lab, grade it, and write its report.

    Right and wrong answers, late, copied, half done and hostile ones, from the course's own. Interrupted, it
    is an ordinary class: `grader grade` goes on with it.
    """
    course = find_course(Path.cwd())
    chosen = [find_lab(course, name) for name in labs] if labs else list(list_labs(course))
    now = datetime.now().astimezone()
    classroom = demo.make_class(folder.resolve(), course, chosen, count=learners, now=now)
    rng = random.Random(seed)  # noqa: S311  # invented people, nothing secret
    failed: list[str] = []
    for at, lab in enumerate(chosen):
        plans = demo.plan(lab, list(classroom.roster), rng, every_kind=at == 0)
        with stoppable(f"grader grade {lab.number}` in `{classroom.folder}"):
            aside = demo.hand_in(classroom, lab, plans, workers=workers, told=_tell)
            _tell(f"{lab.id}: {aside} set aside. Judging the others.")
            failed += _grade(classroom, lab, workers, accept_weak)
    conclude(classroom, failed, open_=open_)


def _grade(classroom: Classroom, lab: Lab, workers: int, accept_weak: bool) -> list[str]:
    """What `grader grade` and `grader feedback` do; who could not be judged, and why."""
    from grader import feedback, formgrader, gradebook  # nbgrader takes seconds to import

    with screen() as told:
        found = runs.grade(classroom, lab, workers=workers, accept_weak=accept_weak, told=told)
    gradebook.project(classroom, lab, found.results)
    formgrader.write(classroom, lab, found.results)
    feedback.write(classroom, lab, found.results, gradebook.rows(classroom))
    _tell(f"{lab.id}: {found.judged} judged in {found.seconds:.0f} s.")
    return [f"{lab.id}, {name}: {line(why, longest=400)}" for name, why in found.failed.items()]


def conclude(classroom: Classroom, failed: Sequence[str], *, open_: bool) -> None:
    """Write the report and say where it is; exit code 1 when somebody could not be judged, who and why."""
    from grader import gradebook  # nbgrader takes seconds to import

    seen = survey(classroom, gradebook.rows(classroom), now=datetime.now(classroom.timezone))
    page = class_report.write(seen, classroom.folder / "report")[0]
    _tell(f"A class of {len(classroom.roster)} is in {classroom.folder}. Its report: {page}")
    if open_:
        webbrowser.open(page.as_uri())
    if failed:
        _tell("\n".join(("Not judged; `grader grade` in the class tries them again:", *failed)))
        raise typer.Exit(1)


def _tell(text: str) -> None:
    typer.echo(text)
    sys.stdout.flush()
