"""What a judged submission costs: seconds and memory, the sandbox's share, one worker against two."""

import resource
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from grader.boxes.base import Box, Budget, Session
from grader.boxes.bubblewrap import BubblewrapBox, bubblewrap_template
from grader.boxes.local import LocalBox
from grader.controller import judge
from grader.lab import Limits
from grader.manifest import Lab
from grader.warm import WarmJudge
from tests.bench.clock import median_s

BATCH = 4


def judged(lab: Lab, work: Path) -> float:
    """Judge the work, hidden checks included, print the medians, and return that of a warm judge."""
    local = median_s(lambda: judge(lab, work, hidden=True, box="local"))
    sealed = median_s(lambda: judge(lab, work, hidden=True, box="bubblewrap"))
    print(f"a submission of lab {lab.number}   {sealed:6.2f} s   {sealed / local:.2f} of the box local")
    with WarmJudge(lab, "bubblewrap") as warm:
        ready = median_s(lambda: judge(lab, work, hidden=True, box="bubblewrap", warm=warm))
    print(f"  by a warm judge        {ready:6.2f} s   {ready / sealed:.2f} of a cold one")
    return ready


def measure(lab: Lab, work: Path, plain_s: float) -> None:
    """Print what judging the work takes, beside its plain commands and by its parts.

    `plain_s` is what the plain commands of the lab take when they are typed in sequence.
    """
    ready = judged(lab, work)
    judge_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"  the plain commands     {plain_s:6.2f} s   {plain_s / ready:.2f} times as long as a warm judge")
    plain = median_s(lambda: _empty(LocalBox(), work))
    walled = median_s(lambda: _empty(BubblewrapBox(), work))
    print(f"starting a sandbox       {walled:6.2f} s   {walled / plain:.2f} of a plain process in a copy")
    with closing(bubblewrap_template(lab.preload)) as template:
        forked = median_s(lambda: _empty(BubblewrapBox(template), work))
    print(f"  forked from a template {forked:6.2f} s   {forked / walled:.2f} of a cold one")
    peak_mb = _empty(BubblewrapBox(), work, ["python", "measure.py"]) or 0.0
    print(f"memory, at most          {judge_mb:.0f} MB a judge, {peak_mb:.0f} MB a box with measure.py")
    with WarmJudge(lab, "bubblewrap") as warm:
        times = [_batch(lab, work, workers, warm) for workers in (1, 2)]
    print(f"{BATCH} submissions, 2 workers {times[1]:6.2f} s   {times[0] / times[1]:.2f} times as fast as 1")


def _batch(lab: Lab, work: Path, workers: int, warm: WarmJudge) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: judge(lab, work, hidden=True, box="bubblewrap", warm=warm), range(BATCH)))
    return time.perf_counter() - began


def _empty(box: Box, work: Path, argv: list[str] | None = None) -> float | None:
    """Start a box, perhaps run one program, end it; the most memory that it held, in MiB."""
    budget = Budget(Limits())
    with Session(box.start(work, {}, budget), budget) as session:
        if argv:
            session.run(argv)
        return session.close().peak_mb
