"""`grader learner`: what a class keeps of one learner, handed out or deleted. Each parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import typer

from grader.classroom import find_class
from grader.texts import line

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Hand out or delete what is kept of one learner.",
)
LISTED = 20

LearnerId = Annotated[str, typer.Argument(help="The learner's id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would be, and change nothing.")]


@app.command()
def export(
    learner: LearnerId,
    file: Annotated[Path, typer.Argument(help="The zip to write, outside the class.")],
    hidden: Annotated[
        bool, typer.Option("--hidden", help="With the data of hidden checks; then it is not for the learner.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Write everything that is kept of one learner into one zip."""
    from grader import leaving, takeout  # nbgrader takes seconds to import

    found = takeout.export(find_class(Path.cwd()), learner, file, hidden=hidden, dry_run=dry_run)
    typer.echo("\n".join(leaving.summary(found)))
    typer.echo(f"Nothing was written to {file}." if dry_run else f"In {file}, which only you may read.")


@app.command()
def delete(learner: LearnerId, dry_run: DryRun = False) -> None:
    """Delete everything that is kept of one learner. Exit code 1 when files of your own still name them."""
    from grader import leaving  # nbgrader takes seconds to import
    from grader.kept import mentions

    classroom = find_class(Path.cwd(), leaving=True)
    plan = leaving.delete(classroom, learner, dry_run=dry_run)
    typer.echo("\n".join(plan.told))
    if dry_run:
        typer.echo("Nothing was deleted. To hand it out first: `grader learner export`.")
        return
    typer.echo(
        f"Deleted. {plan.found.logged} lines of audit.jsonl stay, without name, lab, points and time: the "
        "log still shows if somebody changes it. Reports are gone: `grader report` makes them anew.\n"
        "Backups from before still hold all of it: delete those too, and after a restore run this again."
    )
    if still := mentions(classroom, plan.found.learner):
        typer.echo("Still named here, which is yours to judge (others' work, files of your own):")
        for path in still[:LISTED]:
            typer.echo(f"- {line(str(path.relative_to(classroom.folder)), longest=400)}")
        if len(still) > LISTED:
            typer.echo(f"- and {len(still) - LISTED} more")
        raise typer.Exit(1)
