"""Run the bench's parts, and with `--page` write what they print where a page of the docs quotes it."""

import argparse
import io
import os
import platform
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

from grader.starter import run

COURSE = Path(__file__).parent.parent.parent
MEASURED = COURSE / "docs" / "measured" / "bench.txt"
PACKAGES = ("nbgrader", "nbclient", "ipython", "pandas", "scikit-learn", "pytest", "dvc", "distributed")


class _Both(io.StringIO):
    """Keeps what is printed, and prints it."""

    def __init__(self, screen: TextIO) -> None:
        super().__init__()
        self._screen = screen

    def write(self, text: str) -> int:
        self._screen.write(text)
        self._screen.flush()
        return super().write(text)


def main(parts: Mapping[str, Callable[[], None]]) -> None:
    """Parse, measure, print; write the page's figures when asked to."""
    asked = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Seconds, and ratios to a peer."
    )
    asked.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; all when left out")
    asked.add_argument("--page", action="store_true", help="write the figures into docs/measured")
    words = asked.parse_args()
    unknown = {*words.parts} - {*parts}
    if unknown:
        asked.error(f"there is no part `{min(unknown)}`. There are: {', '.join(parts)}.")
    held = _Both(sys.stdout)
    with redirect_stdout(held):
        print(machine())
        for name in words.parts or parts:
            print(f"\n{name}")
            parts[name]()
    if words.page:
        MEASURED.parent.mkdir(exist_ok=True)
        MEASURED.write_text(held.getvalue(), encoding="utf-8")


def machine() -> str:
    """What the figures depend on: when, of which commit, where, with what."""
    cpus, load = os.cpu_count() or 1, os.getloadavg()[0]
    commit = run(["git", "rev-parse", "--short", "HEAD"], COURSE, dict(os.environ)).strip()
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}",
        f"{cpus} cores, {memory_gb:.0f} GB, {platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}",
        ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    ]
    if load > cpus / 4:
        lines.append(f"Others were at work on it (load {load:.1f}): seconds are too long, ratios uncertain.")
    return "\n".join(lines)
