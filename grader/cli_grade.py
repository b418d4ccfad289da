"""`grader grade`, `feedback`, `report` and `export`: each parses, calls, prints."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grader import class_report, exports, handover, runs
from grader.classroom import Classroom
from grader.cli_here import at_work
from grader.errors import CourseError
from grader.manifest import Lab, find_lab
from grader.marks import Row
from grader.survey import survey
from grader.texts import line, write_whole

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

LabName = Annotated[str, typer.Argument(help="A lab: `02`, `version-data` or its whole id.")]


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"


@app.command()
def grade(
    context: typer.Context,
    lab: LabName,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="How many submissions are judged at once.")
    ] = 1,
    accept_weak: Annotated[
        bool, typer.Option("--accept-weak", help="Grade on a host that `grader doctor` calls weak.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Judge what has a result too.")] = False,
    flagged: Annotated[bool, typer.Option("--flagged", help="Judge again what waits for a person.")] = False,
    dask: Annotated[
        str, typer.Option(metavar="WHERE", help="Judge on a Dask cluster: `tcp://…`, or `local` to try it.")
    ] = "",
    lower: Annotated[
        bool, typer.Option("--lower", help="Let a grade fall that was given for the same work.")
    ] = False,
) -> None:
    """Judge what was collected and has no result yet, and bring the gradebook up to date.

    Goes on where an earlier run was stopped. Exit code 1 when a submission could not be judged.
    """
    from grader import formgrader, gradebook  # nbgrader takes seconds to import

    classroom, one = _here(context, lab)
    with screen() as told, stoppable(f"grader grade {one.number}"):
        summary = runs.grade(
            classroom,
            one,
            workers=workers,
            accept_weak=accept_weak,
            told=told,
            again=again,
            flagged=flagged,
            dask=dask,
        )
    kept = gradebook.project(classroom, one, summary.results, lower=lower)
    falling = {change.learner for change in kept}
    shown = {name: result for name, result in summary.results.items() if name not in falling}
    formgrader.write(classroom, one, shown)
    typer.echo(
        f"{one.id}: {summary.judged} judged in {summary.seconds:.1f} s, {summary.kept} judged before, "
        f"{len(summary.failed)} not judged, {len(summary.flagged)} with something for a person."
    )
    if kept:
        typer.echo(
            f"{len(kept)} grades would fall for the same work, and stay as they are: "
            f"{', '.join(sorted(falling))}. Who and why: `grader regrade {one.number} --dry-run`."
        )
    if summary.flagged:
        typer.echo(f"Who and why: `grader report {one.number}`.")
    if summary.failed:
        typer.echo(f"Not judged: {', '.join(sorted(summary.failed))}. The lines above say why.")
        raise typer.Exit(1)


@app.command()
def feedback(context: typer.Context, lab: LabName) -> None:
    """Write a page and a text for each learner: what passed, what did not and why, and your comments."""
    from grader import feedback as pages

    classroom, one = _here(context, lab)
    rows = _rows(classroom)
    results = runs.load_told(classroom, one, rows)
    written = pages.write(classroom, one, results, rows)
    typer.echo(
        f"{one.id}: {len(written)} files for {len(results)} learners in {classroom.folder / 'feedback'}."
    )


@app.command()
def report(
    context: typer.Context,
    lab: Annotated[
        str, typer.Argument(help="A lab, to be printed; left out, pages on the whole class are written.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option(help="The folder of the pages; `report` in the class when left out.")
    ] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Leave out names, and what learners wrote.")
    ] = False,
    site: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where learners read the course: pages to read are links.")
    ] = "",
) -> None:
    """Say how the class did: in one lab, printed; in all of them, as pages and tables."""
    if lab and (output or anonymous or site):
        raise CourseError(
            "`--output`, `--anonymous` and `--site` are for the pages on the whole class; what is printed of "
            "one lab has names in it. Leave the lab out."
        )
    if lab:
        classroom, one = _here(context, lab)
        rows = _rows(classroom)
        typer.echo(exports.report(one, runs.load_told(classroom, one, rows), rows), nl=False)
        return
    classroom = at_work(context)
    now = datetime.now(classroom.timezone)
    found = survey(classroom, _rows(classroom), now=now, anonymous=anonymous)
    folder = output or classroom.folder / ("report-anonymous" if anonymous else "report")
    written = class_report.write(found, folder, site=site)
    typer.echo(f"{len(found.labs)} labs, {len(found.learners)} learners. Open {written[0]}.")


@app.command()
def export(
    context: typer.Context,
    lab: Annotated[
        str, typer.Argument(help="A lab: `02`, `version-data` or its whole id; all when left out.")
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.CSV,
    checks: Annotated[bool, typer.Option("--checks", help="A column of points for each check too.")] = False,
    into: Annotated[
        Path | None, typer.Option(help="A file that Canvas or Moodle exported: grades are put into it.")
    ] = None,
    column: Annotated[
        str, typer.Option(help="Canvas: the assignment's column, when it is not called as the lab is.")
    ] = "",
    output: Annotated[Path | None, typer.Option(help="The file to write; printed when left out.")] = None,
) -> None:
    """Write the gradebook for another program: for a spreadsheet, Canvas, Moodle or Gradescope."""
    classroom = at_work(context)
    one = find_lab(classroom.course, lab) if lab else None
    if output:
        classroom.refuse_own(output)
    if into and output and into.resolve() == output.resolve():
        raise CourseError(f"{into} would be overwritten. Name another file with `--output`.")
    if into and form not in (Format.CANVAS, Format.MOODLE):
        raise CourseError(
            f"`--into` goes with `--format canvas` or `--format moodle`, and {into} would be passed over. "
            "Name the system that it comes from."
        )
    if form is not Format.CSV:
        _hand_over(classroom, one, form, into, column, output)
        return
    rows = [row for row in _rows(classroom) if one is None or row.lab == one.id]
    _put(exports.csv_text(classroom, rows, checks=checks), output, f"{len(rows)} rows")


def _hand_over(
    classroom: Classroom, lab: Lab | None, form: Format, into: Path | None, column: str, output: Path | None
) -> None:
    """Write one lab's grades for a school's system, and say who is not in it."""
    if lab is None:
        raise CourseError(
            f"`--format {form}` writes one lab at a time. Name it: `grader export LAB --format {form}`."
        )
    rows = _rows(classroom)
    if form is Format.GRADESCOPE:
        folder = output or classroom.folder / "gradescope"
        results = runs.load_results(classroom, lab)
        given = {row.learner: row for row in handover.graded(rows, lab) if row.learner in results}
        for name, row in given.items():
            _put(handover.gradescope(results[name], row), folder / name / lab.id / "results.json", "")
        typer.echo(f"{len(given)} files below {folder}.")
        for row in rows:
            if row.lab == lab.id and row.learner not in given:
                why = "no result of somebody on the roster" if row.status == "graded" else row.status
                typer.echo(f"Left out: {line(row.learner)}: {why}", err=True)
        return
    sheet = (
        handover.canvas(classroom, lab, rows, into, column)
        if form is Format.CANVAS
        else handover.moodle(classroom, lab, rows, into)
    )
    _put(sheet.text, output, f"{sheet.count} grades")
    for name in sheet.left_out:
        typer.echo(f"Left out: {line(name)}", err=True)


def _put(text: str, output: Path | None, what: str) -> None:
    """Print a text, or write it whole and say so."""
    if output is None:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
        return
    try:
        write_whole(output, text)
    except OSError as error:
        raise CourseError(
            f"{output} cannot be written ({error.strerror or error}). Name another file."
        ) from error
    if what:
        typer.echo(f"{what} in {output}.")


def _here(context: typer.Context, lab: str) -> tuple[Classroom, Lab]:
    classroom = at_work(context)
    return classroom, find_lab(classroom.course, lab)


def _rows(classroom: Classroom) -> list[Row]:
    from grader import gradebook  # nbgrader takes seconds to import

    return gradebook.rows(classroom)


@contextmanager
def screen() -> Iterator[runs.Told]:
    """A line for each submission; on a terminal a bar below them with the time that is left."""
    console = Console(highlight=False, soft_wrap=True)
    columns = (TextColumn("judged"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("judged", total=None)

        def told(event: runs.Begun | runs.Ended) -> None:
            if isinstance(event, runs.Begun):
                progress.update(bar, total=event.total)
                return
            if console.is_terminal:
                progress.console.print(event.line, markup=False)
            else:
                typer.echo(event.line)
                sys.stdout.flush()
            progress.update(bar, completed=event.done)

        yield told


@contextmanager
def stoppable(command: str) -> Iterator[None]:
    """Let Ctrl-C and a polite kill end a run cleanly: what was judged is kept, and `command` goes on."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"Stopped. What was judged is kept; `{command}` goes on with the rest.", err=True)
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)
