"""Notebooks graded by `nbgrader autograde` and by us in sandboxes, in one run."""

import subprocess
import sys
import time
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from grader.answers import Kitchen, find_answer
from grader.boxes.bubblewrap import why_not
from grader.classroom import Classroom
from grader.doctor import Strength
from grader.doctor import look as prove
from grader.manifest import Lab
from grader.runs import grade
from grader.snapshot import take
from tests.bench.courses import NBGRADER, fitting, quickstart
from tests.grader.classes import a_class, hand_in

THEIRS, OURS, WORKERS = 10, 200, 2


def measure() -> None:
    """Print submissions a minute of both, and how many times ours is theirs."""
    if problem := why_not():
        print(f"notebooks: no sandbox on this host: {problem}")
        return
    with TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        strength = prove("bubblewrap")
        quick, theirs = quickstart(home)
        _beside("nbgrader's quickstart", quick, theirs, home / "one", strength)
        fit = fitting(home)
        theirs = home / "fitting"
        copytree(_master(fit, home / "fitted"), theirs / "source" / "ps1")
        (theirs / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "fit"\n')
        _beside("pandas and one fit", fit, theirs, home / "two", strength)


def _beside(name: str, lab: Lab, theirs: Path, folder: Path, strength: Strength) -> None:
    peer = autograde_s(theirs) / THEIRS
    ours = grade_s(lab, folder, strength) / OURS
    print(f"{name:24} {ours:6.3f} s   a submission, {WORKERS} workers, sandboxed; {OURS} of them")
    print(f"  nbgrader autograde     {peer:6.3f} s   a submission, no sandbox; {THEIRS} of them")
    print(f"  throughput             {peer / ours:6.1f}     times nbgrader's")


def autograde_s(course: Path) -> float:
    """Seconds that nbgrader takes for the solved notebooks in its source folder, handed in several times."""
    for number in range(THEIRS):
        copytree(course / "source" / "ps1", course / "submitted" / f"learner{number}" / "ps1")
    _nbgrader(course, "generate_assignment", "ps1")
    began = time.perf_counter()
    _nbgrader(course, "autograde", "ps1")
    seconds = time.perf_counter() - began
    graded = len(list((course / "autograded").glob("*/ps1")))
    if graded != THEIRS:
        sys.exit(f"nbgrader graded {graded} of {THEIRS}.")
    return seconds


def grade_s(lab: Lab, folder: Path, strength: Strength) -> float:
    """Seconds that we take for the master, handed in several times; the look at the host is apart."""
    classroom = handed_in(lab, folder, OURS)
    began = time.perf_counter()
    summary = grade(classroom, lab, workers=WORKERS, look=lambda _: strength)
    seconds = time.perf_counter() - began
    full = [one for one in summary.results.values() if not any(c.verdict == "FAIL" for c in one.checks)]
    if len(full) != OURS:
        sys.exit(f"{len(full)} of {OURS} pass: {summary.failed or next(iter(summary.results.values()))}")
    return seconds


def handed_in(lab: Lab, folder: Path, count: int) -> Classroom:
    """A class whose every learner has handed in the master."""
    names = [f"learner{number:03}" for number in range(count)]
    classroom = a_class(folder / "class", lab, *names, box="bubblewrap")
    work = _master(lab, folder / "made")
    files = {
        file.path: (work / file.path).read_text() for file in take(work).files if ".git/" not in file.path
    }
    for name in names:
        hand_in(classroom, lab, name, files | {"who.txt": f"{name}\n"})
    return classroom


def _master(lab: Lab, folder: Path) -> Path:
    return Kitchen(lab, folder).make(find_answer(lab, "master"))


def _nbgrader(course: Path, *words: str) -> None:
    done = subprocess.run([*NBGRADER, *words], cwd=course, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"nbgrader {words[0]} failed:\n{done.stderr[-3000:]}")
