"""`grader certificate`: what a learner has shown, signed and verified. Each parses, calls, prints."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from grader import certificates, signing
from grader.classroom import Classroom, Learner
from grader.cli_here import at_work
from grader.errors import CourseError
from grader.lab import nearest
from grader.texts import line, write_whole

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Sign what a learner has shown, and verify what somebody signed.",
)

KeyFile = Annotated[
    Path | None,
    typer.Option("--signing-key", metavar="FILE", help="Your key, when it is not at the usual place."),
]


@app.command()
def key(signing_key: KeyFile = None) -> None:
    """Make the key that you sign with, unless there is one, and say where its public half is."""
    file = signing_key or signing.key_file()
    public = signing.make_key(file)
    typer.echo(f"Your key is {file}. Only you may read it; no backup of a class holds it, so keep a copy.")
    typer.echo(f"Give out its public half, {public}, where people know that it is yours.")
    typer.echo(f"Fingerprint: {signing.fingerprint(signing.read_public(public))}")


@app.command()
def sign(
    context: typer.Context,
    learner: Annotated[
        str, typer.Argument(help="The learner's id; everybody on the roster when left out.")
    ] = "",
    by: Annotated[str, typer.Option(help="Your name and school, as they stand on it.")] = "",
    at_least: Annotated[
        float, typer.Option(min=0, max=100, help="Leave out labs with less, in percent of the points.")
    ] = 50,
    output: Annotated[
        Path | None, typer.Option(help="The folder to write to; `certificates` in the class when left out.")
    ] = None,
    signing_key: KeyFile = None,
) -> None:
    """Write a signed certificate for each learner, as JSON and as a picture, of the grades that stand."""
    from grader import gradebook  # nbgrader takes seconds to import

    if not line(by):
        raise CourseError(
            'Say who signs: `--by "Ada Byron, School of Lace"`. It stands on every certificate.'
        )
    classroom = at_work(context)
    private = signing.read_key(signing_key or signing.key_file())
    people = _people(classroom, learner)
    rows, now = gradebook.rows(classroom), datetime.now(UTC)
    folder, count = output or classroom.folder / "certificates", 0
    for who in people:
        labs, left_out = certificates.standing(classroom, rows, who, at_least)
        if labs:
            one = certificates.certificate(classroom, who, labs, by=by, key=private, now=now)
            _put(folder / f"{who.id}.json", certificates.signed_json(one, private))
            _put(folder / f"{who.id}.svg", certificates.signed_svg(one, private))
            count += 1
        for text in left_out or ([] if labs else [f"{who.id}: handed in nothing"]):
            typer.echo(f"Left out: {line(text)}", err=True)
    if learner and not count:
        raise CourseError(f"{learner} has no grade that stands, so there is nothing to sign.")
    typer.echo(f"{count} certificates in {folder}, each as JSON and as SVG.")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A certificate, JSON or SVG.")],
    key: Annotated[Path, typer.Option(help="The signer's public key, from the signer.")],
) -> None:
    """Say whether a certificate is what the owner of a public key signed. It needs no class and no network.

    Exit code 1 when it is not.
    """
    public = signing.read_public(key)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CourseError(f"{file} cannot be read ({error.strerror}). Name a certificate.") from error
    try:
        one = certificates.verify(content, public)
    except certificates.NotGenuine as error:
        typer.echo(f"✗ {file}: {error}")
        raise typer.Exit(1) from error
    typer.echo(f"✓ {file} is as it was signed by the key {one.key}.")
    typer.echo(f"{line(one.name or one.learner)} ({line(one.learner)}), {line(one.course)}")
    for lab in one.labs:
        typer.echo(
            f"- {line(lab.lab)} · {line(lab.title)}: {lab.points:g} of {lab.possible:g} points, handed in "
            f"{line(lab.handed_in)}, release {line(lab.release)}"
        )
    typer.echo(f"Signed by {line(one.signed_by)}, {line(one.issued)}.")


def _people(classroom: Classroom, learner: str) -> list[Learner]:
    if not learner:
        return list(classroom.roster.values())
    if learner not in classroom.roster:
        raise CourseError(
            f"`{line(learner)}` is on no line of roster.csv.{nearest(learner, classroom.roster)} "
            "Name somebody who is."
        )
    return [classroom.roster[learner]]


def _put(file: Path, text: str) -> None:
    try:
        write_whole(file, text)
    except OSError as error:
        raise CourseError(
            f"{file} cannot be written ({error.strerror or error}). Those before it are whole. Mend that, "
            "or name another folder with `--output`."
        ) from error
