"""What each lab takes: `python -m tests.bench.lessons`; `02 09` after it names some, `--page` writes it down.

A newcomer types the lab's page in a published copy without a network. Then the master is judged, all checks.
Seconds are those of the processors, which others on the machine stretch less than those on the clock. They
are counted in the box local, where every process is waited for: the sandbox adds a few hundredths. The first
submission starts the templates as well. Memory is that of all processes at once, looked at twice a second;
pages that they share count once. Some minutes for each lab, on a quiet machine.
"""

import argparse
import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.answers import Kitchen, find_answer
from grader.controller import judge
from grader.manifest import Lab, find_lab, list_labs
from grader.publish import publish
from grader.warm import WarmJudge
from tests.bench.page import COURSE, machine
from tests.course.test_newcomer import Spent, learn, watched

PAGE = COURSE / "docs" / "measured" / "labs.txt"
HEAD = (
    f"{'':22} a newcomer's commands              judging, s of CPU\n"
    f"{'':22} typed    min   of CPU   most MB   first    more   most MB   load of the machine"
)


def measure(lab: Lab, folder: Path) -> str:
    """The lab's line; `folder` is empty."""
    copy = folder / "course"
    publish(COURSE, copy)
    (copy / ".venv").symlink_to(Path(sys.executable).parent.parent)
    with watched() as typed:
        commands = learn(lab, copy, folder)
    work = Kitchen(lab, folder / "kitchen").make(find_answer(lab, "master"))
    one, two = _judged(lab, work, 1), _judged(lab, work, 2)
    return (
        f"{lab.id:22} {commands:5} {typed.wall_s / 60:6.1f} {typed.cpu_s / 60:8.1f} {typed.peak_mb:9.0f}"
        f" {one.cpu_s:7.1f} {two.cpu_s - one.cpu_s:7.1f} {two.peak_mb:9.0f} {os.getloadavg()[1]:8.1f}"
    )


def _judged(lab: Lab, work: Path, times: int) -> Spent:
    """What a warm judge takes from its start to its end for so many submissions."""
    with watched() as spent, WarmJudge(lab, "local") as warm:
        for _ in range(times):
            judge(lab, work, hidden=True, box="local", warm=warm)
    return spent


def lines(text: str) -> dict[str, str]:
    """The lines of a page, by lab."""
    return {line.split()[0]: line for line in text.splitlines() if re.match(r"\d\d-[a-z]", line)}


def main() -> None:
    """Parse, measure, print; with `--page` keep what the page says of other labs."""
    asked = argparse.ArgumentParser(prog="python -m tests.bench.lessons", description=__doc__)
    asked.add_argument("labs", nargs="*", metavar="LAB", help="all when left out")
    asked.add_argument("--page", action="store_true", help="write docs/measured/labs.txt")
    words = asked.parse_args()
    head = f"{machine()}\n\n{HEAD}"
    print(head, flush=True)
    found = lines(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    for lab in [find_lab(COURSE, name) for name in words.labs] or list_labs(COURSE):
        with TemporaryDirectory(prefix="bench-") as folder:
            found[lab.id] = measure(lab, Path(folder))
        print(found[lab.id], flush=True)
        if words.page:
            rows = "\n".join(found[name] for name in sorted(found))
            PAGE.write_text(f"{head}\n{rows}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
