"""The box `local`: a plain subprocess on the learner's own machine. Never for someone else's work.

It has limits where the system offers them and no walls: the work it runs can read and write what the
person who runs it can.
"""

import os
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from shutil import copytree, rmtree

from grader.boxes.base import Box, Budget, Running, Stopped, lay_over, refuse_clash
from grader.boxes.limits import resource_limits
from grader.boxes.process import Child, Cold, Process
from grader.boxes.warm import Command, Template, TemplateGone, fits, warm_limits
from grader.errors import BoxError
from grader.starter import box_environment

AGENT = Path(__file__).parent.parent / "agent.py"
PYTHON = (sys.executable, "-P", "-s")  # the variables are ours; no folder but the work's is looked in


class LocalBox(Box):
    """A new process in a new copy of the work, as the same user; warm with a template."""

    name = "local"

    def __init__(self, template: Template | None = None) -> None:
        self.template = template

    def start(self, work: Path, files: Mapping[str, bytes], budget: Budget) -> Running:
        """Copy the work, start the agent in a session of its own."""
        home = Path(tempfile.mkdtemp(prefix=f"box-{os.getpid()}-"))
        try:
            refuse_clash(work, files)
            copytree(work, home / "work", symlinks=True)
            lay_over(home / "work", files)
            for name in ("home", "tmp"):
                (home / name).mkdir()
            with suppress(TemplateGone):
                if self.template is not None and fits(self.template, [home / "work"]):
                    return Child(partial(_warm, self.template, home, budget), home, budget)
            child = Child(partial(_cold, home), home, budget)
        except Stopped:
            rmtree(home, ignore_errors=True)
            raise
        except OSError as error:
            rmtree(home, ignore_errors=True)
            raise BoxError(f"The box could not be made in {home.parent}: {error}.") from error
        _limit(child.process.pid, budget)
        return child


def local_template(modules: Sequence[str], *, ours: bool = False) -> Template:
    """A template for boxes `local`, with these modules imported."""

    def command(line: int, hello: int) -> Command:
        words = [*PYTHON, str(AGENT), "--template", "local", str(line), str(hello), *modules]
        folder = Path(tempfile.gettempdir())
        return Command(words, box_environment(folder, folder))

    return Template(command, ours=ours)


def _environment(home: Path) -> dict[str, str]:
    return box_environment(home / "home", home / "tmp")


def _cold(home: Path, channel: int, out: int) -> Process:
    words = [*PYTHON, str(AGENT), str(channel), str(home / "work")]
    return Cold(words, home, _environment(home), channel, out)


def _warm(template: Template, home: Path, budget: Budget, channel: int, out: int) -> Process:
    limits = warm_limits(template, budget) if hasattr(resource, "prlimit") else {}
    spec = {"work": str(home / "work"), "environment": _environment(home), "limits": limits}
    return template.fork(spec, [channel, out])


def _limit(pid: int | None, budget: Budget) -> None:
    """Set what the system can limit of one process; those it starts inherit it."""
    if not hasattr(resource, "prlimit") or pid is None:  # macOS: `lab doctor` says so
        return
    for name, value in resource_limits(budget).items():
        kind = getattr(resource, name)
        with suppress(ProcessLookupError):
            hard = resource.prlimit(pid, kind)[1]  # nobody but root may raise it
            cap = sys.maxsize if hard == resource.RLIM_INFINITY else hard
            resource.prlimit(pid, kind, (min(value, cap), min(value + (name == "RLIMIT_CPU"), cap)))
