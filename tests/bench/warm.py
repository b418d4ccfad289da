"""What judging costs beyond the learner's own code, warm: in seconds of CPU time, and from save to answer."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.boxes.bubblewrap import strongest
from grader.controller import judge
from grader.manifest import Lab
from grader.starter import ONE_THREAD
from grader.warm import WarmJudge
from tests.bench.watching import answers
from tests.grader.courses import lab_of, repository, write_files

CALLS, MORE = 6, 4
# One fit on 5,000 rows, as in the notebook that the peers were measured on: 0.2 s on one thread.
LEARNER = """
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

def fit(seed):
    rng = np.random.default_rng(seed)
    km, rain = rng.gamma(3, 1, 5000), rng.gamma(1, 3, 5000)
    minutes = 10 + 4 * km + 0.3 * rain + rng.normal(0, 5, 5000)
    model = HistGradientBoostingRegressor(random_state=0).fit(np.c_[km, rain], minutes)
    return float(np.abs(model.predict(np.c_[km, rain]) - minutes).mean())
"""
TENTH = """
import time

def tenth():
    while time.process_time() < 0.1:
        pass
    return 1
"""
CHECK = """
def test_fits_{0}(student, expect):
    expect.that(student.call("model.fit", {0}) < 10, found="x", expected="y", looked_at="z", why="w")
"""
QUICK = """
def test_is_quick(student, expect):
    expect(student.call("model.tenth"), 1, looked_at="tenth()", why="It must.")
"""
PURE = """
import time, model
model.fit(0)
began = time.process_time()
for seed in range({0}):
    model.fit(seed)
print(time.process_time() - began)
"""


def measure() -> None:
    """Judge calls of 0.2 s each, and print our CPU time over theirs; then a save that costs 0.1 s."""
    with TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        lab = lab_of(home / "course", "".join(CHECK.format(number) for number in range(CALLS)))
        lab = lab.model_copy(update={"preload": ("numpy", "sklearn.ensemble")})
        work = write_files(home / "work", {"model.py": LEARNER})
        environment = os.environ | ONE_THREAD
        pure = _seconds([sys.executable, "-c", PURE.format(CALLS)], work, environment)
        ours, _ = _each(lab, work, "local")  # where every process is waited for, and so counted
        print(
            f"{CALLS} calls of {pure / CALLS:.2f} s       {ours:6.2f} s   {ours / pure:.2f} of their CPU time"
        )
        _, wall = _each(lab, work, strongest())
        print(f"  on the clock, walled   {wall:6.2f} s   {wall / pure:.2f} of their CPU time")
        print(f"a save that costs 0.1 s  {_save(home):6.2f} s   from save to `lab watch`'s answer")


def _each(lab: Lab, work: Path, box: str) -> tuple[float, float]:
    """CPU seconds and seconds on the clock of one more submission, its judge and boxes included."""
    used, walls = [], []
    for count in (1, 1 + MORE):
        began = _cpu_s()
        with WarmJudge(lab, box) as warm:
            for _ in range(count):
                start = time.perf_counter()
                result = judge(lab, work, box=box, warm=warm)
                walls.append(time.perf_counter() - start)
                if not all(check.passed for check in result.checks):
                    sys.exit(f"The bench's own work fails: {result.checks}")
        used.append(_cpu_s() - began)
    return (used[1] - used[0]) / MORE, statistics.median(walls[2:])


def _cpu_s() -> float:
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


def _seconds(command: list[str], folder: Path, environment: Mapping[str, str]) -> float:
    done = subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _save(home: Path) -> float:
    lab = lab_of(home / "small", QUICK)
    workspace = repository(home / "homes" / lab.id, {"model.py": TENTH})
    marker = {"lab": lab.id, "release": lab.release, "course": str(lab.course)}
    (workspace / ".lab-workspace.json").write_text(json.dumps(marker))
    return answers(workspace, "model.py", os.environ | {"LAB_HOME": str(home / "homes")})
