"""`grader regrade` and `grader appeal`: a grade that is looked at again. Each parses, calls, prints."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from grader import runs
from grader.cli_grade import screen, stoppable
from grader.cli_here import at_work
from grader.errors import CourseError
from grader.manifest import find_lab
from grader.regrade import compare, losing
from grader.texts import line, write_whole

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command()
def regrade(
    context: typer.Context,
    lab: Annotated[str, typer.Argument(help="A lab: `02`, `version-data` or its whole id.")],
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Judge, say what would change, and leave the gradebook as it is."),
    ] = False,
    lower: Annotated[
        bool, typer.Option("--lower", help="Let a grade fall that was given for the same work.")
    ] = False,
    because: Annotated[str, typer.Option(help="The reason; it stands in the audit log.")] = "",
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="How many submissions are judged at once.")
    ] = 1,
    accept_weak: Annotated[
        bool, typer.Option("--accept-weak", help="Judge on a host that `grader doctor` calls weak.")
    ] = False,
) -> None:
    """Judge everybody by the lab's release as it is now, and say whose grade changes, by how much and why.

    Grades that would fall stay as they are unless `--lower` lets them. The exit code is 1 when one would, and
    when somebody could not be judged.
    """
    from grader import formgrader, gradebook  # nbgrader takes seconds to import

    classroom = at_work(context)
    one = find_lab(classroom.course, lab)
    rows = gradebook.rows(classroom)
    again = f"grader regrade {one.number}{' --dry-run' if dry_run else ''}"
    with screen() as told, stoppable(again):
        found = runs.grade(classroom, one, workers=workers, accept_weak=accept_weak, told=told)
    changed = compare(one, found.results, rows)
    stay = len(found.results) - len(changed)
    changed += losing(one, found.results, rows)
    for change in changed:
        typer.echo("\n".join(change.lines))
    falling = [change.learner for change in changed if change.falls]
    rising = sum(change.rises for change in changed)
    typer.echo(f"{one.id}: {rising} rise, {len(falling)} fall, {stay} stay.")
    if found.failed:
        names = ", ".join(sorted(found.failed))
        typer.echo(f"Not judged by this release: {names}. The lines above say why.")
    if dry_run:
        typer.echo("The gradebook is as it was.")
        raise typer.Exit(1 if found.failed else 0)
    kept = {one.learner for one in gradebook.project(classroom, one, found.results, lower=lower, why=because)}
    formgrader.write(
        classroom, one, {name: result for name, result in found.results.items() if name not in kept}
    )
    if kept:
        typer.echo(f"Not lowered: {', '.join(sorted(kept))}. With `--lower` they are.")
    if kept or found.failed:
        raise typer.Exit(1)


@app.command()
def appeal(
    context: typer.Context,
    learner: Annotated[str, typer.Argument(help="The learner's id.")],
    lab: Annotated[str, typer.Argument(help="A lab: `02`, `version-data` or its whole id.")],
    output: Annotated[Path | None, typer.Option(help="The file to write; printed when left out.")] = None,
) -> None:
    """Print all evidence for one learner and lab: what came in when, every result, every grade and by whom.

    It holds hidden checks with their values: for you, not for the learner.
    """
    from grader import appeals, gradebook  # nbgrader takes seconds to import

    classroom = at_work(context)
    one = find_lab(classroom.course, lab)
    if output:
        classroom.refuse_own(output)
    rows = {row.learner: row for row in gradebook.rows(classroom) if row.lab == one.id}
    if learner not in rows:
        raise CourseError(
            f"`{line(learner)}` is in no line of roster.csv and in no row of the gradebook for {one.id}. "
            "Name somebody who is."
        )
    text = appeals.evidence(classroom, one, rows[learner])
    if output is None:
        sys.stdout.write(text)
        return
    try:
        write_whole(output, text, mode=0o600)
    except OSError as error:
        raise CourseError(
            f"{output} cannot be written ({error.strerror or error}). Name another file."
        ) from error
    typer.echo(f"The evidence is in {output}.")
