"""`grader backup` and `grader restore`: a class in one file. Each parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import typer

from grader import backup as backups
from grader.classroom import find_class, read_class

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


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
) -> None:
    """Put a class back from a backup."""
    count = backups.restore(file, folder)
    typer.echo(f"{count} files in {folder}.")
    read_class(folder)  # on another machine `course` may have to be changed, and this says so
