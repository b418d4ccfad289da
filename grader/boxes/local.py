"""The box `local`: a plain subprocess on the learner's own machine. Never for someone else's work.

It has limits where the system offers them and no walls: the work it runs can read and write what the
person who runs it can.
"""

import os
import resource
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shutil import copytree, rmtree

from grader.boxes.base import Box, Budget, Running, Stopped, lay_over, refuse_clash
from grader.boxes.limits import resource_limits
from grader.boxes.process import Child
from grader.errors import BoxError
from grader.starter import box_environment

AGENT = Path(__file__).parent.parent / "agent.py"


class LocalBox(Box):
    """A new process in a new copy of the work, as the same user."""

    name = "local"

    def start(self, work: Path, files: Mapping[str, bytes], budget: Budget) -> Running:
        """Copy the work, start the agent in a session of its own."""
        home = Path(tempfile.mkdtemp(prefix=f"box-{os.getpid()}-"))
        try:
            refuse_clash(work, files)
            copytree(work, home / "work", symlinks=True)
            lay_over(home / "work", files)
            for name in ("home", "tmp"):
                (home / name).mkdir()
            child = Child(
                lambda channel: [sys.executable, "-I", str(AGENT), str(channel), str(home / "work")],
                home,
                box_environment(home / "home", home / "tmp"),
                budget,
            )
        except Stopped:
            rmtree(home, ignore_errors=True)
            raise
        except OSError as error:
            rmtree(home, ignore_errors=True)
            raise BoxError(f"The box could not be made in {home.parent}: {error}.") from error
        _limit(child.process.pid, budget)
        return child


def _limit(pid: int, budget: Budget) -> None:
    """Set what the system can limit of one process; those it starts inherit it."""
    if not hasattr(resource, "prlimit"):  # macOS: `lab doctor` says so
        return
    for name, value in resource_limits(budget).items():
        kind = getattr(resource, name)
        with suppress(ProcessLookupError):
            hard = resource.prlimit(pid, kind)[1]  # nobody but root may raise it
            cap = sys.maxsize if hard == resource.RLIM_INFINITY else hard
            resource.prlimit(pid, kind, (min(value, cap), min(value + (name == "RLIMIT_CPU"), cap)))
