"""Many at once: what a second worker brings, and what is lost on the way over Dask."""

import time
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from grader.boxes.bubblewrap import why_not
from grader.classroom import Classroom
from grader.doctor import Strength
from grader.doctor import look as prove
from grader.manifest import Lab
from grader.runs import Begun, Ended, grade
from tests.bench.courses import fitting
from tests.bench.notebooks import handed_in

COUNT, FIRST = 40, 8  # the first are left out: templates do their imports meanwhile


def measure() -> None:
    """Print submissions a second once under way: one worker, two, and two processes of Dask's."""
    if problem := why_not():
        print(f"many: no sandbox on this host: {problem}")
        return
    with TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        lab = fitting(home)
        classroom, strength = handed_in(lab, home / "room", COUNT), prove("bubblewrap")
        one, two = (_rate(classroom, lab, strength, workers) for workers in (1, 2))
        there = _rate(classroom, lab, strength, 2, "local")
        print(f"1 worker                 {one:6.2f} submissions a second, each a notebook with one fit")
        print(f"2 workers                {two:6.2f} submissions a second   efficiency {two / one / 2:.2f}")
        print(f"2 processes of Dask's    {there:6.2f} submissions a second   {there / two:.2f} of 2 workers")


def _rate(classroom: Classroom, lab: Lab, strength: Strength, workers: int, dask: str = "") -> float:
    """Submissions a second from the `FIRST` on, in a class without results."""
    rmtree(classroom.folder / "results", ignore_errors=True)
    ends: list[float] = []

    def told(event: Begun | Ended) -> None:
        if isinstance(event, Ended):
            ends.append(time.perf_counter())

    grade(classroom, lab, workers=workers, told=told, dask=dask, look=lambda _: strength)
    return (COUNT - FIRST) / (ends[-1] - ends[FIRST - 1])
