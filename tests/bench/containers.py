"""Labs and boxes in containers beside the same without: to the first green check, and an empty box."""

import os
import sys
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from grader.boxes.base import Box, Budget, Session
from grader.boxes.bubblewrap import BubblewrapBox
from grader.boxes.container import IMAGE, ContainerBox
from grader.engines import look
from grader.manifest import Limits
from grader.starter import run
from lab_env import container
from lab_env.workspace import Home
from tests.bench.clock import median_s
from tests.containers.conftest import give
from tests.containers.store import ROOT, on_stand_in, ready, why_not

LAB = which("lab", path=str(Path(sys.executable).parent)) or "lab"
GREEN = "look-inside"  # lab 02's first task, shown done


def measure() -> None:
    """Print the image's size and the seconds on podman."""
    if reason := why_not():
        print(f"not measured: {reason}")
        return
    tag = ready()
    size_mb = look("podman").inspect("image", tag)["Size"] / 10**6
    base = "stand-in base" if on_stand_in(tag) else "real base"
    plain = median_s(lambda: _first_green("--no-container"))
    inside = median_s(lambda: _first_green("--container"))
    print(f"image                 {size_mb:8,.0f} MB   on a {base}, nothing left to fetch")
    print(f"lab start to green    {inside:8.2f} s    {inside / plain:.2f} of the same without a container")
    os.environ.update({"LAB_ENGINE": "podman", IMAGE: ready("grading")})
    boxed = median_s(lambda: empty(ContainerBox()))
    walled = median_s(lambda: empty(BubblewrapBox()))
    print(f"an empty box          {boxed:8.2f} s    {boxed / walled:.1f} of a cold sandbox")


def empty(box: Box) -> None:
    """Start a box, ask it for nothing, end it."""
    with TemporaryDirectory(prefix="bench-") as work:
        budget = Budget(Limits())
        Session(box.start(Path(work), {}, budget), budget).close()


def _first_green(how: str) -> None:
    """Start lab 02 in a new home and check what is shown done; nothing of it stays."""
    with TemporaryDirectory(prefix="bench-") as folder:
        if how == "--container":
            give(Path(folder))
        environment = os.environ | {"LAB_HOME": folder, "LAB_ENGINE": "podman"}
        try:
            run([LAB, "start", "02", how], ROOT, environment)
            run([LAB, "check", GREEN], ROOT, environment)
        finally:
            container.remove(Home(ROOT, Path(folder)))
