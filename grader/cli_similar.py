"""`grader similar`: parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import typer

from grader import similar_report
from grader.cli_here import at_work
from grader.errors import CourseError
from grader.manifest import find_lab
from grader.receipts import newest
from grader.similar import compare, given, read
from grader.snapshot import take

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command()
def similar(
    context: typer.Context,
    lab: Annotated[str, typer.Argument(help="A lab: `02`, `version-data` or its whole id.")],
    least: Annotated[
        int, typer.Option(min=1, max=100, metavar="PERCENT", help="Name pairs from this share on.")
    ] = 50,
    output: Annotated[
        Path | None, typer.Option(help="The folder of the pages; `similar/LAB` in the class when left out.")
    ] = None,
) -> None:
    """Show which submissions of a lab are alike beyond the starter, side by side.

    Says what is alike and where, and nothing about why.
    """
    classroom = at_work(context)
    one = find_lab(classroom.course, lab)
    receipts = newest(classroom, one.id)
    if len(receipts) < 2:
        raise CourseError(
            f"{len(receipts)} submissions of {one.id} are here, and two are needed. "
            f"Run `grader collect {one.number} DOWNLOADS` first."
        )
    works = [read(take(receipt.work), learner) for learner, receipt in receipts.items()]
    found = compare(works, given(one), least=least / 100)
    page = similar_report.write(classroom, one, found, output or classroom.folder / "similar" / one.id)
    typer.echo(f"{one.id}: {found.compared} compared, {len(found.pairs)} pairs to look at. Open {page}.")
