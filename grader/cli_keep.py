"""`grader desk`, `backup` and `restore`: each parses, calls, prints."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from grader import backup as backups
from grader import desk as desks
from grader.classroom import find_class, read_class

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command()
def desk(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port on this machine; any free one when left out.")
    ] = 0,
    open_: Annotated[
        bool, typer.Option("--open/--no-open", help="Open it in a browser.")
    ] = sys.stdout.isatty(),
) -> None:
    """Open nbgrader's formgrader on the class, to read answers and give points and comments by hand.

    On this machine only, behind a token; the address with it is printed. Ctrl-C ends it.
    """
    from grader import formgrader  # nbgrader takes seconds to import

    classroom = find_class(Path.cwd())
    words = desks.command(classroom, port=port, open_=open_)
    os.chdir(formgrader.lay_out_desk(classroom))
    os.execve(words[0], words, desks.environment(os.environ))  # noqa: S606  # our own words, no shell


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, like class.tar.gz, outside the class.")],
) -> None:
    """Write all of the class into one file: submissions, results, gradebook, what was typed, the secret."""
    count = backups.backup(find_class(Path.cwd()), file)
    typer.echo(
        f"{count} files in {file}. It holds the secret and everybody's work: keep it as you keep the class."
    )


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `grader backup` wrote.")],
    folder: Annotated[Path, typer.Argument(help="A new folder for the class.")],
    db_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The gradebook goes into this empty database of PostgreSQL; with '' into a file. Where it "
            "was, when left out.",
        ),
    ] = None,
) -> None:
    """Put a class back from a backup."""
    count = backups.restore(file, folder, db_url=db_url)
    typer.echo(f"{count} files in {folder}.")
    read_class(folder)  # on another machine `course` may have to be changed, and this says so
