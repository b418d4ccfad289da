"""How near a right answer to lab 10 comes to failing: python -m tests.course.luck [JUDGINGS] [FIRST] [NAME]

Lives the hidden worlds of so many judgings, each with numbers of its own, and prints for each check the
largest share of doing nothing's regret, and how many of 10,000 judgings would fail if the largest tenth
is the beginning of an exponential tail. NAME is one of `solutions/10-respond/right`; without one it is the
master. A judging takes about five seconds.
"""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from lab_env.lives import ALONE_MARKS, oracles
from lab_env.living import Marks, live
from lab_env.world.policies import FULL_MARKS

LAB = Path(__file__).parent.parent.parent / "solutions" / "10-respond"
GROUPS = ("broken", "system", "city", "quiet", "two")


def loaded(path: Path) -> ModuleType:
    """A file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


QUIET_EUR = float(loaded(LAB / "checks" / "test_unseen_worlds.py").QUIET_EUR)


def answer(name: str) -> Any:
    """The policy of a right answer; the master's for an empty name."""
    with tempfile.TemporaryDirectory() as folder:
        work = shutil.copytree(LAB / "work", Path(folder) / "work")
        if name:
            subprocess.run(["bash", LAB / "right" / name / "then.sh"], cwd=work, check=True)
        return loaded(work / "respond.py").respond


def marks(respond: Any, judging: int) -> dict[str, float]:
    """What a policy has in each pool of worlds of one judging; in quiet worlds, euros."""
    worlds = loaded(LAB / "checks" / "test_unseen_worlds.py")
    rng, found = np.random.default_rng(10**6 + judging), {}
    for group in GROUPS:
        lives = [live(*world, respond) for world in oracles(rng, *getattr(worlds, group)(rng))]
        for pool in (tuple(range(len(lives))), *worlds.ALONE.get(group, ())):
            pooled = Marks([lives[at] for at in pool])
            found[f"{group} {pool}"] = pooled.mean_eur if group == "quiet" else pooled.share
    return found


def main(judgings: int, first: int, name: str) -> None:
    """Live and print."""
    respond, seen = answer(name), defaultdict(list)
    for judging in range(first, first + judgings):
        for name, value in marks(respond, judging).items():
            seen[name].append(value)
    for pool, values in seen.items():
        is_whole = pool.partition("(")[2].startswith("0, ")
        limit = QUIET_EUR if pool.startswith("quiet") else FULL_MARKS if is_whole else ALONE_MARKS
        failed = sum(value > limit for value in values)
        print(
            f"{pool}: {failed} of {judgings} fail; the largest is {max(values):.3g} of {limit:g}; "
            f"{1e4 * beyond(np.array(values), limit):.2g} of 10,000 expected"
        )


def beyond(values: np.ndarray, limit: float) -> float:
    """How many lie beyond a limit, by an exponential tail through the largest tenth of `values`."""
    start = float(np.quantile(values, 0.9))
    over = values[values > start] - start
    if limit <= start or not len(over):
        return float((values > limit).mean())
    return float(len(over) / len(values) * np.exp(-(limit - start) / over.mean()))


if __name__ == "__main__":
    asked = sys.argv[1:] + ["20", "0", ""][len(sys.argv) - 1 :]
    main(int(asked[0]), int(asked[1]), asked[2])
