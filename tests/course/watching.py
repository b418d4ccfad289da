"""How often the master of lab 09 fails a statistical check by bad luck: python -m tests.course.watching 100

The hidden checks are run on it again and again, each time with another secret, in this process and without a
box. Cities are pooled: those of a check, quiet or in a monsoon, are drawn from all that were made,
100,000 times.
"""

import argparse
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from grader.checks import Expect, Failed, Hidden

COURSE = Path(__file__).parent.parent.parent
LAB = "09-monitor-drift"
CHECKS = (
    "alarm_rings_on_harm",
    "slow_harm_is_seen",
    "late_labels_are_waited_for",
    "silence_is_told",
    "kinds_are_told",
    "moved_inputs_are_named",
)
DRAWS = 100_000


class Here:
    """The master, called without a box; its own session."""

    def session(self) -> "Here":
        """Itself."""
        return self

    def call(self, target: str, *args: Any) -> Any:
        """What the master's function returns."""
        module, _, name = target.rpartition(".")
        return getattr(import_module(module), name)(*args)


def hidden_checks() -> ModuleType:
    """The module of the hidden checks."""
    path = COURSE / "solutions" / LAB / "checks" / "test_streams.py"
    spec = spec_from_file_location("hidden_streams", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def fails(module: Any, check: str, secrets: int) -> list[str]:
    """What the failures of a check found, over so many secrets."""
    found = []
    for number in range(secrets):
        hidden = Hidden(f"false fails {number}".encode(), LAB, check)
        try:
            getattr(module, f"test_{check}")(Here(), hidden, Expect())
        except Failed as failed:
            found.append(failed.found)
    return found


def quiet(module: Any, cities: int) -> list[pd.DataFrame]:
    """What the master says of so many quiet cities, as long as the check looks at one."""
    rng = Hidden(b"quiet streams", LAB, "alarm_stays_quiet").rng("quiet")
    days = module.QUIET_DAYS * module.STREAMS // module.CITIES
    drawn = (
        module.stream(module.city(rng), days=days, first=int(rng.integers(0, 270))) for _ in range(cities)
    )
    return [each.told(Here(), Expect(), "quiet") for each in drawn]


def wet(module: Any, cities: int) -> list[int]:
    """Days with an alarm in the monsoon of each of so many cities."""
    rng = Hidden(b"monsoons", LAB, "decoy_wakes_nobody").rng("decoy")
    days = 10 + module.RAINY_DAYS
    drawn = (module.stream(module.city(rng), *module.WET, days=days) for _ in range(cities))
    return [module.alarms(each.told(Here(), Expect(), "wet")) for each in drawn]


def over(each: list[int], many: int, limit: int) -> str:
    """How often the sum of `many` of these is over the limit, drawn again and again."""
    sums = np.random.default_rng(9).choice(each, (DRAWS, many)).sum(axis=1)
    return (
        f"{np.mean(each):.2f} each of {len(each)}; {many} together {sums.mean():.1f}, {limit} allowed,"
        f" over it in {(sums > limit).sum()} of {DRAWS:,} draws, the largest {sums.max()}"
    )


def beyond(each: list[int], limit: int) -> str:
    """How far the limit is from what was seen, in standard deviations of the log of one more."""
    logs = np.log1p(each)
    return (
        f"{np.mean(each):.2f} each of {len(each)}, the largest {max(each)}, {limit} allowed:"
        f" {(np.log1p(limit) - logs.mean()) / logs.std():.1f} standard deviations (of the log) away"
    )


def main() -> None:
    """Print a line per check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("secrets", type=int, help="how many times each check is run")
    parser.add_argument("--cities", type=int, default=200, help="how many quiet cities, and wet ones")
    asked = parser.parse_args()
    sys.path.insert(0, str(COURSE / "solutions" / LAB / "work"))
    module = hidden_checks()
    said = quiet(module, asked.cities)
    episodes = [module.told_of([table]) for table in said]
    print(f"alarm_stays_quiet, episodes: {over(episodes, module.CITIES, module.EPISODES)}", flush=True)
    forties = [int(table["alarm"].iloc[at : at + 40].sum()) for table in said for at in range(0, 160, 40)]
    print(f"late_labels_are_waited_for, silence_is_told, quiet days: {beyond(forties, 8)}", flush=True)
    days = over(wet(module, asked.cities), module.RAINS, module.ALARMS)
    print(f"decoy_wakes_nobody, days with an alarm: {days}", flush=True)
    for check in CHECKS:
        found = fails(module, check, asked.secrets)
        print(f"{check}: {len(found)} of {asked.secrets} {'; '.join(found[:3])}", flush=True)


if __name__ == "__main__":
    main()
