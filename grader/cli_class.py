"""`grader init` and `grader collect`: a class and what its learners hand in. Each parses, calls, prints."""

import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from grader import intake, receipts
from grader.classroom import Classroom, init_class
from grader.cli_here import at_work
from grader.clones import address
from grader.deadlines import attempts_of, deadline_of
from grader.errors import CourseError
from grader.intake import Collected, Outcome
from grader.manifest import find_course, find_lab
from grader.texts import json_text, line

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
out = Console(highlight=False, soft_wrap=True)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder for the class, outside the course.")],
    course: Annotated[
        Path | None, typer.Option(help="The full clone; the one you are in when left out.")
    ] = None,
    timezone: Annotated[
        str, typer.Option(help='The time zone of the deadlines, like "Europe/Berlin".')
    ] = "UTC",
) -> None:
    """Make a class: a folder for roster, deadlines, submissions and grades."""
    settings = init_class(folder, find_course(course or Path.cwd()), timezone=timezone)
    out.print(escape(f"A class is in {settings.parent}. Next, there:"))
    out.print("  1. roster.csv: a line for each learner, `id,name,email`")
    out.print(escape(f"  2. class.toml: a deadline for each lab, in {timezone} time"))
    out.print("  3. grader doctor: can this machine run strangers' work?")
    out.print("  4. grader collect LAB DOWNLOADS")
    out.print("Back up .secret with the rest and show it to nobody: hidden data comes from it.")


@app.command()
def collect(
    context: typer.Context,
    lab: Annotated[str, typer.Argument(help="A lab: `02`, `version-data` or its whole id.")],
    source: Annotated[
        str,
        typer.Argument(
            help="A folder of zips or folders, one zip of them, one submission, or where to clone from: "
            "`https://host/lab-02-{id}.git`."
        ),
    ],
    as_: Annotated[
        str, typer.Option("--as", metavar="ID", help="The source is one submission, by this learner.")
    ] = "",
    collected_at: Annotated[
        str, typer.Option(metavar="TIME", help="When the export was made, like 2026-12-01T23:59.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
) -> None:
    """Take in what learners handed in for a lab; what cannot be taken is set aside with the reason.

    Collecting the same again changes nothing. Exit code 1 when something was set aside.
    """
    classroom = at_work(context)
    one = find_lab(classroom.course, lab)
    now = _moment(collected_at, classroom) if collected_at else datetime.now(UTC)
    told = (lambda _: None) if as_json else partial(_print_line, classroom)
    place = address(source) or Path(source)
    done = intake.collect(classroom, one, place, as_=as_, now=now, told=told)
    if as_json:
        sys.stdout.write(json_text(_record(one.id, done)))
    else:
        _print_totals(one.id, classroom, done)
    if done.aside:
        raise typer.Exit(1)


def _moment(text: str, classroom: Classroom) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        at = (at if at.tzinfo else at.replace(tzinfo=classroom.timezone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CourseError(
            f"--collected-at {line(text)} is no time. Write it like 2026-12-01T23:59, "
            f"in {classroom.timezone} time, or with an offset at its end."
        ) from error
    if at > datetime.now(UTC) + timedelta(minutes=1):
        raise CourseError(f"--collected-at {line(text)} is in the future. Name when the export was made.")
    return at


def _print_line(classroom: Classroom, outcome: Outcome) -> None:
    out.print(_line(outcome, classroom))


def _line(outcome: Outcome, classroom: Classroom) -> str:
    name = escape(line(outcome.name))
    if outcome.aside:
        return f"[red]✗[/] {name}: set aside. {escape(line(outcome.aside.reason, longest=1000))}"
    receipt = outcome.receipt
    if receipt is None:
        return f"· {name}: holds other labs only"
    at = f"{receipt.collected_at.astimezone(classroom.timezone):%Y-%m-%d %H:%M %Z}"
    if outcome.already:
        return f"↷ {escape(receipt.learner)}: already there, collected {at} ({name})"
    parts = [f"{outcome.files:,} files", f"{outcome.bytes / 1024**2:.1f} MB"]
    parts += [_lateness(receipt, classroom)] if receipt.late else []
    parts += receipt.notes
    counted = attempts_of(classroom, receipt.learner, receipt.lab)
    if counted and len(receipts.collected(classroom, receipt.learner, receipt.lab)) > counted:
        parts.append(f"does not count: only the first {counted} do")
    return f"[green]✓[/] {escape(receipt.learner)}: {escape(', '.join(parts))} ({name})"


def _due(classroom: Classroom, receipt: receipts.Receipt) -> datetime:
    return deadline_of(classroom, receipt.learner, receipt.lab) or receipt.collected_at


def _lateness(receipt: receipts.Receipt, classroom: Classroom) -> str:
    minutes = -(-(receipt.collected_at - _due(classroom, receipt)) // timedelta(minutes=1))
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"late by {days} d {hours % 24} h"
    return f"late by {hours} h {minutes % 60} min" if hours else f"late by {minutes} min"


def _print_totals(lab: str, classroom: Classroom, done: Collected) -> None:
    counts = [
        f"{len(done.receipts)} collected",
        f"{len(done.already)} already there",
        f"{len(done.aside)} set aside",
    ]
    counts += [f"{len(done.without)} with other labs only"] if done.without else []
    out.print(escape(f"{lab}: {', '.join(counts)}."))
    if done.aside:
        out.print(escape(f"The reasons and files are in {classroom.folder / 'aside'}."))


def _record(lab: str, done: Collected) -> dict[str, object]:
    return {
        "format": receipts.FORMAT,
        "lab": lab,
        "collected": [receipt.to_dict() | {"late": receipt.late} for receipt in done.receipts],
        "already": [receipt.to_dict() | {"late": receipt.late} for receipt in done.already],
        "aside": [
            {"name": line(one.name), "reason": one.reason, "folder": str(one.folder)} for one in done.aside
        ],
        "without": [line(name) for name in done.without],
    }
