"""The `grader` command. Each command parses, calls, prints."""

import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from grader.answers import Answer, Kitchen, find_answer
from grader.boxes.bubblewrap import strongest
from grader.cli_certificate import app as certificate_commands
from grader.cli_class import app as class_commands
from grader.cli_demo import app as demo_commands
from grader.cli_grade import app as grade_commands
from grader.cli_keep import app as keep_commands
from grader.cli_learner import app as learner_commands
from grader.cli_regrade import app as regrade_commands
from grader.cli_similar import app as similar_commands
from grader.controller import judge
from grader.doctor import BY_NATURE, Strength, groups, look
from grader.errors import CourseError
from grader.manifest import Lab, find_course, find_lab, list_labs
from grader.publish import publish as publish_course
from grader.release import check_release
from grader.release import release as release_lab
from grader.results import Result
from grader.skeleton import new_lab
from grader.texts import json_text, plain
from grader.verify import Judged, wrong_not_as_named
from grader.verify import verify as verify_lab
from grader.warm import WarmJudge

app = typer.Typer(
    help="Make labs sound, and grade a class.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
out = Console(highlight=False, soft_wrap=True)

app.add_typer(class_commands)
app.add_typer(grade_commands)
app.add_typer(regrade_commands)
app.add_typer(demo_commands)
app.add_typer(keep_commands)
app.add_typer(certificate_commands, name="certificate")
app.add_typer(similar_commands)
app.add_typer(learner_commands, name="learner")

LabName = Annotated[
    str, typer.Argument(help="A lab: `02`, `version-data` or its whole id; all when left out.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the record as JSON.")]


def main() -> None:
    """Run the command; a person's mistake is one message and exit code 2."""
    try:
        app()
    except CourseError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(escape(plain(str(error))))
        sys.exit(2)


@app.command()
def release(
    lab: LabName = "",
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; print what is out of step.")
    ] = False,
) -> None:
    """Cut the starter of a lab from its master, and name the release."""
    stale = False
    for one in _labs(lab):
        if check:
            diff = check_release(one)
            stale = stale or bool(diff)
            out.print(escape(diff) if diff else f"{one.id}: in step")
        else:
            changed = release_lab(one)
            out.print(escape(f"{one.id}: {', '.join(changed) if changed else 'nothing changed'}"))
    if stale:
        out.print("Run `grader release` and commit what it writes.")
        raise typer.Exit(1)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The whole id of the lab, like `15-feature-store`.")],
) -> None:
    """Write the skeleton of a new lab: every part of one, with FILL where you have to say something."""
    files = new_lab(find_course(Path.cwd()), name)
    out.print(escape(f"{name}: {len(files)} files, in labs/{name} and solutions/{name}. Next:"))
    out.print(escape(f"  1. Fill what `grep -rn FILL labs/{name} solutions/{name}` shows."))
    out.print(f"  2. grader release {name[:2]}")
    out.print(f"  3. grader verify {name[:2]}")


@app.command()
def publish(target: Annotated[Path, typer.Argument(help="An empty or new folder.")]) -> None:
    """Write the course that a class gets: no solutions, no hidden checks, no tests."""
    count = publish_course(find_course(Path.cwd()), target)
    out.print(escape(f"{count} files in {target}. Solutions, hidden checks and tests stayed behind."))


@app.command()
def verify(
    lab: LabName = "",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Judge every answer again.")] = False,
    workers: Annotated[int, typer.Option(help="How many answers are judged at once.", min=1)] = 2,
) -> None:
    """Refuse a bad lab: judge the starter, the master and every wrong and right answer."""
    bad = 0
    for one in _labs(lab):
        began = time.monotonic()
        problems = verify_lab(one, cache=not no_cache, workers=workers, told=_tell)
        for problem in problems:
            out.print(f"[red]✗[/] {escape(problem)}")
        bad += len(problems)
        sound = "sound" if not problems else f"{len(problems)} problems"
        out.print(f"{one.id}: {sound} ({time.monotonic() - began:.1f} s)")
    if bad:
        raise typer.Exit(1)


@app.command("try")
def try_(
    lab: Annotated[str, typer.Argument(help="A lab: `02`, `version-data` or its whole id.")],
    mine: Annotated[bool, typer.Option("--mine", help="Your own workspace of this lab.")] = False,
    master: Annotated[bool, typer.Option("--master", help="The master.")] = False,
    wrong: Annotated[str, typer.Option(help="A wrong answer, by name.")] = "",
    right: Annotated[str, typer.Option(help="Another right answer, by name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Judge one answer with visible and hidden checks and show everything."""
    if [mine, master, bool(wrong), bool(right)].count(True) != 1:
        raise CourseError("Name one of --mine, --master, --wrong NAME and --right NAME.")
    one = find_lab(find_course(Path.cwd()), lab)
    if not one.solutions.is_dir():
        raise CourseError(
            f"{one.solutions} is missing: this is a published copy, without hidden checks. "
            "Use `lab check`, or run this in the full clone."
        )
    kind = "wrong" if wrong else "right" if right else "master"
    answer = None if mine else find_answer(one, kind, wrong or right)
    with TemporaryDirectory(prefix="try-") as folder, WarmJudge(one, strongest()) as warm:
        work = Kitchen(one, Path(folder)).make(answer) if answer else _workspace(one)
        result = judge(one, work, hidden=True, box=strongest(), warm=warm)
    if as_json:
        sys.stdout.write(json_text(result.to_dict()))
    else:
        _print_result(result)
    raise typer.Exit(_worth(one, result, answer))


@app.command()
def doctor(
    box: Annotated[
        str, typer.Option(help="`bubblewrap`, or `container` by podman or docker.")
    ] = "bubblewrap",
    as_json: AsJson = False,
) -> None:
    """Attack every wall of the sandbox on this host, and say which hold."""
    strength = look(box)
    if as_json:
        sys.stdout.write(json_text(asdict(strength) | {"by_nature": BY_NATURE}))
    else:
        _print_strength(strength)
    raise typer.Exit(1 if strength.missing else 0)


def _worth(lab: Lab, result: Result, answer: Answer | None) -> int:
    """0 when the answer got what it should: full marks, or for a wrong one just the failures it names.

    What a person grades does not count.
    """
    if answer is None or answer.kind != "wrong":
        return 0 if all(check.passed or lab.check(check.id).by_hand for check in result.checks) else 1
    surprises = list(wrong_not_as_named(Judged(answer, result)))
    for surprise in surprises:
        out.print(f"[red]✗[/] {escape(surprise)}")
    return 1 if surprises else 0


def _labs(name: str) -> tuple[Lab, ...]:
    course = find_course(Path.cwd())
    return (find_lab(course, name),) if name else list_labs(course)


def _workspace(lab: Lab) -> Path:
    home = os.environ.get("LAB_HOME")
    folder = (Path(home).expanduser() if home else lab.course / "workspace") / lab.id
    if not folder.is_dir():
        raise CourseError(
            f"{folder} is not there. Start the lab with `lab start {lab.number}`, or set LAB_HOME."
        )
    return folder


def _tell(judged: Judged) -> None:
    result = judged.result
    note = "cached" if judged.cached else f"{result.seconds:.1f} s"
    out.print(f"  {judged.answer.title}: {result.points:g} of {result.possible:g} points ({note})")


def _print_strength(strength: Strength) -> None:
    how = strength.cold or "forked from a template, cold where that fails"
    out.print(f"Box {strength.box}: {groups(strength.box)}; {how}")
    for wall in strength.walls:
        sign = "[green]✓[/]" if wall.holds else "[red]✗[/]" if wall.required else "[yellow]![/]"
        kind = "required" if wall.required else "better to have"
        out.print(f"{sign} {wall.name:<14} {kind:<14} {escape(wall.found)}")
    out.print("What no box can stop, here or elsewhere:")
    for name, reason in BY_NATURE.items():
        out.print(f"- {name}: {escape(reason)}")
    for line in dict.fromkeys(wall.mend for wall in strength.walls if wall.mend):
        out.print(f"To mend it: {escape(line)}")
    if strength.missing:
        out.print("Not for strangers' work on this host: a required wall does not hold.")
    elif strength.weak:
        out.print("Weak: `grader grade` needs --accept-weak here, and every result records it.")
    else:
        out.print("Every wall holds: strangers' work can be graded here.")


def _print_result(result: Result) -> None:
    for check in result.checks:
        sign = "[green]✓[/]" if check.passed else "[red]✗[/]"
        where = " · hidden" if check.hidden else ""
        score = f"{check.points:g} of {check.possible:g}"
        out.print(f"{sign} [bold]{check.id}[/] {check.verdict} ({score}{where}, {check.seconds:.1f} s)")
        if not check.passed:
            rows = {
                "Looked at": check.looked_at,
                "Found": check.found,
                "Expected": check.expected,
                "Why": check.why,
                "Read": check.link,
                "Misconception": check.misconception,
            }
            for name, text in rows.items():
                if text:
                    out.print(f"    {name}: {escape(plain(text))}")
    out.print(f"{result.lab}: {result.points:g} of {result.possible:g} points in {result.seconds:.1f} s")


if __name__ == "__main__":
    main()
