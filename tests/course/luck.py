"""How near the master of lab 10 comes to failing by luck: python -m tests.course.luck [JUDGINGS] [FIRST]

Lives the hidden worlds of so many judgings, each with numbers of its own, and prints for each check the
largest share of doing nothing's regret, and how many standard deviations of its logarithm lie between
the mean and the limit. A judging takes about five seconds.
"""

import importlib.util
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np

from lab_env.lives import oracles
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


def marks(judging: int) -> dict[str, float]:
    """What the master has in each pool of worlds of one judging; in quiet worlds, euros."""
    worlds, respond = (
        loaded(LAB / "checks" / "test_unseen_worlds.py"),
        loaded(LAB / "work" / "respond.py").respond,
    )
    rng, found = np.random.default_rng(10**6 + judging), {}
    for group in GROUPS:
        lives = [live(*world, respond) for world in oracles(rng, *getattr(worlds, group)(rng))]
        for pool in (tuple(range(len(lives))), *worlds.ALONE.get(group, ())):
            pooled = Marks([lives[at] for at in pool])
            found[f"{group} {pool}"] = pooled.mean_eur if group == "quiet" else pooled.share
    return found


def main(judgings: int, first: int) -> None:
    """Live and print."""
    seen = defaultdict(list)
    for judging in range(first, first + judgings):
        for name, value in marks(judging).items():
            seen[name].append(value)
    for name, values in seen.items():
        limit = QUIET_EUR if name.startswith("quiet") else FULL_MARKS
        logs = np.log(np.maximum(values, limit / 1000))
        apart = (np.log(limit) - logs.mean()) / max(float(logs.std(ddof=1)), 1e-9)
        failed = sum(value > limit for value in values)
        print(
            f"{name}: {failed} of {judgings} fail; the largest is {max(values):.3g} of {limit:g}, "
            f"{apart:.1f} sd"
        )


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    main(*(asked + [20, 0][len(asked) :]))
