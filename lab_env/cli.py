"""The `lab` command: parse, call, print. What a command does is in the module of its name.

Imports stay inside the commands, so that `lab --help` and what `prepare` runs start at once.
"""

import errno
import os
import platform
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from grader.errors import CourseError
from lab_env import cli_world
from lab_env.errors import LabError
from lab_env.inside import Commands
from lab_env.screen import FAILED, PASSED, Screen, readable, wants_colour

if TYPE_CHECKING:
    from lab_env.checking import Checked
    from lab_env.workspace import Home, Workspace

app = typer.Typer(
    cls=Commands,
    help="Do the labs: lay one out, check it, get a hint, hand it in.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if wants_colour(sys.stdout, os.environ) else None,
)
app.add_typer(cli_world.app, name="world")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for tools.")]
Which = Annotated[
    str | None, typer.Option("--lab", metavar="LAB", help="Which lab, when you are not in its folder.")
]


def main() -> None:
    """Run `lab`; what a person can mend is one message on standard error and exit code 2."""
    sys.exit(guarded(app))


def guarded(command: Callable[[], object], *, system: str | None = None) -> int:
    """Run a command line and return its exit code; `system` is this one unless a test says otherwise."""
    try:
        _refuse_windows(system or platform.system())
        command()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except CourseError as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(_explain(error))
    return 0


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look at this machine: what is wrong, why it matters, and the line that mends it."""
    from dataclasses import asdict

    from lab_env.container import held
    from lab_env.doctor import examine, look
    from lab_env.services import running, site_address

    home = _home()
    ours = {each.name: each.port for each in running(home)} | held(home)
    found = examine(look(home.folder, home.course, ours=ours))
    screen = Screen()
    if as_json:
        screen.json([asdict(each) for each in found])
    else:
        from lab_env import report

        report.findings(screen, home, found, site_address(home))
    raise typer.Exit(int(any(each.required and not each.ok for each in found)))


@app.command("list")
def list_labs(as_json: Json = False) -> None:
    """List the labs and where you are with each."""
    _standings(as_json, "labs")


@app.command()
def progress(as_json: Json = False) -> None:
    """Show your points, lab by lab."""
    _standings(as_json, "progress")


@app.command()
def start(
    lab: Annotated[str, typer.Argument(help="Number or name: 02, version-data.")],
    given: Annotated[
        bool, typer.Option("--given", help="Build on the course's result of earlier labs, not on yours.")
    ] = False,
    in_container: Annotated[
        bool | None,
        typer.Option(
            "--container/--no-container", help="Do the labs in a container from now on, or no more."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Lay a lab out in a folder of its own, or go back to it."""
    from grader.manifest import find_lab
    from lab_env import container, report
    from lab_env.layout import start as lay_out
    from lab_env.progress import now
    from lab_env.workspace import here

    home = _home()
    if not container.is_inside() and in_container is not None:
        container.choose(home, in_container)
    if container.is_chosen(home):
        words = [word for word, said in (("--given", given), ("--json", as_json)) if said]
        raise typer.Exit(container.run(home, ["lab", "start", lab, *words], here()))
    started = lay_out(home, find_lab(home.course, lab), given=given, now=now())
    workspace, screen = started.workspace, Screen()
    if as_json:
        screen.json({"lab": workspace.lab.id, "folder": str(workspace.folder), "fresh": started.fresh})
        return
    report.started(screen, started)


@app.command()
def check(
    task: Annotated[str | None, typer.Argument(help="Only this task: its id or its number.")] = None,
    lab: Which = None,
    as_json: Json = False,
) -> None:
    """Say for every task whether it works, and if not, why. Exit code 1 when a core check fails."""
    from lab_env import report
    from lab_env.checking import check as run_checks

    found = run_checks(_workspace(lab), task)
    screen = Screen()
    if as_json:
        screen.json(found.to_dict())
    else:
        report.checked(screen, found)
    _note(found)
    raise typer.Exit(int(bool(found.failed)))


@app.command()
def watch(lab: Which = None, as_json: Json = False) -> None:
    """Check again on every save and commit, until Ctrl-C."""
    from lab_env.watch import follow

    follow(_workspace(lab), Screen(), as_json=as_json)


@app.command()
def hint(
    check: Annotated[str | None, typer.Argument(help="Which check; by default the first that fails.")] = None,
    lab: Which = None,
    as_json: Json = False,
) -> None:
    """Give the next of three hints: where to look, what to use, nearly the line."""
    from lab_env import report
    from lab_env.checking import find_check, verdicts_now
    from lab_env.hints import next_hint
    from lab_env.progress import first_failing

    workspace, screen = _workspace(lab), Screen()
    wanted = find_check(workspace.lab, check) if check else None
    if wanted is None:
        wanted = first_failing(workspace.lab, verdicts_now(workspace))
    if wanted is None:
        if as_json:
            screen.json({"check": None})
        else:
            screen.say(
                "All that can be checked here passes: no hint is needed. `lab submit` packs it.", "green"
            )
        return
    given = next_hint(workspace, wanted)
    if as_json:
        screen.json({"check": wanted.id, "step": given.step, "of": len(wanted.hints), "hints": given.shown})
    else:
        report.hint(screen, given)


@app.command()
def reset(
    task: Annotated[str | None, typer.Argument(help="Only the starter's files of this task.")] = None,
    lab: Which = None,
    as_json: Json = False,
) -> None:
    """Start the lab over, or one task's files; a full copy is kept, and you are told where."""
    from lab_env import report
    from lab_env.checking import find_task
    from lab_env.layout import reset as reset_all
    from lab_env.layout import reset_task
    from lab_env.progress import now

    workspace, screen = _workspace(lab), Screen()
    if task is None:
        done = reset_all(workspace, now=now())
    else:
        done = reset_task(workspace, find_task(workspace.lab, task).id, now=now())
    if as_json:
        screen.json({"lab": workspace.lab.id, "files": done.files, "backup": str(done.backup or "")})
    else:
        report.reset(screen, done, task)


@app.command()
def submit(lab: Which = None, as_json: Json = False) -> None:
    """Check, then pack the work with a receipt into one zip to hand in."""
    from lab_env import report
    from lab_env.checking import check as run_checks
    from lab_env.progress import now
    from lab_env.submit import submit as pack

    workspace, screen = _workspace(lab), Screen()
    found = run_checks(workspace)
    _note(found)
    made = pack(workspace, found.result, now=now())
    if as_json:
        screen.json(
            {"zip": str(made.path), "receipt": made.receipt, "files": [file.path for file in made.files]}
        )
        return
    report.heading(screen, workspace)
    screen.say(report.sums(workspace.lab, found.tally), "bold")
    for failed in found.failed:
        screen.say(report.sentence(failed.id), "red", mark=FAILED, indent=2)
    report.packed(screen, made)


@app.command()
def update(lab: Which = None, as_json: Json = False) -> None:
    """Bring what the course changed into your work; a full copy is kept. Exit code 1 on a conflict."""
    from lab_env import report
    from lab_env.merge import update as merge
    from lab_env.progress import now

    workspace, screen = _workspace(lab), Screen()
    done = merge(workspace, now=now())
    if as_json:
        files = {change.path: change.what for change in done.changes}
        screen.json(
            {"before": done.before, "after": done.after, "files": files, "backup": str(done.backup or "")}
        )
    else:
        report.updated(screen, workspace, done)
    raise typer.Exit(int(bool(done.conflicts)))


@app.command()
def up(
    in_containers: Annotated[
        bool, typer.Option("--container", help="Each in a container of its own, by Compose.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Start the site, JupyterLab, MLflow, and Prometheus where it is; what runs already is left alone."""
    from lab_env import compose, report, services

    home, screen = _home(), Screen()
    started = compose.up(home) if in_containers or compose.is_up(home) else services.up(home)
    if as_json:
        screen.json([{"name": each.name, "url": each.url, "failure": each.failure} for each in started])
    else:
        report.services(screen, home, started)
    raise typer.Exit(2 if any(each.failure for each in started) else 0)


@app.command()
def down(as_json: Json = False) -> None:
    """End what `lab up` started, and nothing else; a container of the labs ends with it."""
    from lab_env import compose, container, services

    home, screen = _home(), Screen()
    if compose.is_up(home):
        ended = {"containers": "The containers"} if compose.down(home) else {}
    elif container.is_chosen(home):
        ended = {"container": "The container"} if container.remove(home) else {}
    else:
        ended = {each.name: each.title for each in services.down(home)}
    if as_json:
        screen.json(list(ended))
    elif ended:
        for name, title in ended.items():
            screen.say(f"{title} {'have' if name == 'containers' else 'has'} ended.", mark=PASSED)
    else:
        screen.say("Nothing was running.")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def shell(context: typer.Context, lab: Which = None) -> None:
    """Open a shell with the course's programs in the lab's folder, or run one command there."""
    from lab_env.shell import shell as open_shell

    raise typer.Exit(open_shell(_home(), _workspace(lab).folder, context.args))


def _standings(as_json: bool, page: str) -> None:
    from grader.manifest import list_labs
    from lab_env import overview
    from lab_env.progress import standing

    home, screen = _home(), Screen()
    all_standings = [standing(home, lab) for lab in list_labs(home.course)]
    if as_json:
        facts = [
            each.to_dict() | {"minutes": each.lab.minutes, "needs": each.lab.needs} for each in all_standings
        ]
        screen.json(facts)
    else:
        getattr(overview, page)(screen, all_standings, home.current)


def _home() -> "Home":
    from lab_env.workspace import find_home, here

    return find_home(here())


def _workspace(lab: str | None) -> "Workspace":
    from lab_env.workspace import Workspace, find_home, find_workspace, here

    if lab is None:
        return find_workspace(here())
    from grader.manifest import find_lab

    home = find_home(here())
    return Workspace(home, find_lab(home.course, lab))


def _note(found: "Checked") -> None:
    from lab_env.progress import note_result, now

    note_result(found.workspace, found.result, now=now())


def _refuse_windows(system: str) -> None:
    if system == "Windows":
        raise LabError(
            "The labs do not run on native Windows. In PowerShell: `wsl --install -d Ubuntu`; then clone the "
            "course inside Ubuntu and start there."
        )


def _explain(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{where}. Nothing was lost: free some space (`df -h`) and run this again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.ETXTBSY):
        return (
            f"{error.strerror}{where}. If another program has the file open, close it; if the folder cannot "
            "be written, set LAB_HOME to one that can. Then run this again."
        )
    return (
        f"{error.strerror or error}{where}. Mend that and run this again; `lab doctor` looks at the machine."
    )


def _complain(message: str) -> int:
    print(readable(f"lab: {message}", sys.stderr.encoding), file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
