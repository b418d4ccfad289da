"""Grade a crowd through the command line: with some workers, on Dask, and while processes are killed."""

import csv
import io
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from grader.boxes.limits import PREFIX, parents
from grader.classroom import read_class
from grader.manifest import Lab
from grader.runs import load_results
from tests.soak.crowd import Sent

GRADER = (sys.executable, "-m", "grader.cli")
SEED = 20261121
KINDS = ("judge", "box", "controller")
WORDS = {"judge": "grader.judge", "box": "bwrap", "worker": "spawn_main"}


@dataclass(frozen=True)
class Class:
    """A class folder, the temporary folder of its graders, the lab, and what was handed in."""

    folder: Path
    scratch: Path
    lab: Lab
    sent: tuple[Sent, ...]

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of `grader` in the class."""
        environment = os.environ | {"TMPDIR": str(self.scratch)}
        return subprocess.run(
            [*GRADER, *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def rows(self) -> str:
        """The gradebook as it is exported, each check a column."""
        done = self.run("export", self.lab.number, "--checks")
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        return done.stdout


def new_class(folder: Path, lab: Lab, sent: list[Sent]) -> Class:
    """A class with its roster, and everything that was sent collected."""
    scratch = folder / "tmp"
    scratch.mkdir(parents=True)
    made = Class(folder / "class", scratch, lab, tuple(sent))
    done = subprocess.run(
        [*GRADER, "init", str(made.folder)], cwd=lab.course, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    roster = "".join(f"{one.learner},,\n" for one in sent)
    (made.folder / "roster.csv").write_text(f"id,name,email\n{roster}")
    (made.folder / ".secret").write_text("5" * 64 + "\n")  # hidden data are the same in every class
    inbox = folder / "inbox"
    inbox.mkdir()
    for one in sent:
        (inbox / f"{one.learner}.zip").write_bytes(one.content)
    done = made.run("collect", lab.number, str(inbox))
    assert done.returncode in (0, 1), done.stderr
    return made


@dataclass(frozen=True)
class Graded:
    """How a run went: its seconds, and the controller's memory in MiB while it judged and all along."""

    seconds: float
    memory_mb: tuple[float, ...]
    peak_mb: float

    @property
    def growth_mb(self) -> float:
        """The median of the last quarter of the judging over that of its second."""
        quarter = len(self.memory_mb) // 4
        second, last = (self.memory_mb[quarter * n : quarter * (n + 1)] for n in (1, 3))
        return statistics.median(last) - statistics.median(second) if quarter else 0.0


def grade(room: Class, workers: int, *words: str, lose_a_worker: bool = False) -> Graded:
    """Grade to the end. With `lose_a_worker`, one of Dask's processes is killed when a third is judged."""
    began, peak, memory = time.monotonic(), 0.0, []
    due = sum(one.kind != "broken" for one in room.sent)
    with tempfile.TemporaryFile("w+") as said:
        controller = _grading(room, workers, *words, said=said)
        while controller.poll() is None:
            with suppress(psutil.Error):
                held = psutil.Process(controller.pid).memory_info().rss / 1024**2
                peak = max(peak, held)
                memory += [held] if 0 < _judged(room) < due else []
            if lose_a_worker and 3 * _judged(room) > due:
                lose_a_worker = not _kill(controller.pid, "worker", random.Random(SEED))
            time.sleep(0.25)
        said.seek(0)
        assert controller.returncode in (0, 1), said.read()
        assert not lose_a_worker, "no worker was there to be killed"
    return Graded(time.monotonic() - began, tuple(memory), peak)


def grade_under_fire(room: Class, kills: int, rng: random.Random) -> dict[str, int]:
    """Kill judge, box or controller at random moments and grade again, until nothing is left to do.

    A run that came to its end before all the kills is followed by one that judges everything again.
    """
    hit = dict.fromkeys(KINDS, 0)
    again: tuple[str, ...] = ()
    while sum(hit.values()) < kills:
        with _grading(room, 2, *again) as controller:
            while controller.poll() is None and sum(hit.values()) < kills:
                time.sleep(rng.uniform(0.1, 2.0))
                kind = KINDS[sum(hit.values()) % len(KINDS)]
                if _judged(room) and _kill(controller.pid, kind, rng):
                    hit[kind] += 1
        again = ("--again",) if controller.returncode in (0, 1) else again
    grade(room, 2)
    grade(room, 2, "--flagged")
    return hit


def _grading(
    room: Class, workers: int, *words: str, said: "IO[str] | int" = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    command = [*GRADER, "grade", room.lab.number, "--workers", str(workers), *words]
    environment = os.environ | {"TMPDIR": str(room.scratch)}
    return subprocess.Popen(command, cwd=room.folder, env=environment, stdout=said, stderr=subprocess.STDOUT)


def _judged(room: Class) -> int:
    """How many results are written."""
    return sum(1 for _ in room.folder.glob("results/*/*/*/result.json"))


def surprises(room: Class) -> Iterator[str]:
    """Every submission whose grade is not the expected one, and every one that was lost."""
    results = load_results(read_class(room.folder), room.lab)
    for one in room.sent:
        result = results.get(one.learner)
        if one.kind == "broken":
            if result is not None:
                yield f"{one.learner}: judged, but it cannot be taken"
        elif result is None:
            yield f"{one.learner}: lost"
        elif one.kind == "graded" and result.points != one.points:
            yield f"{one.learner}: {result.points} points, expected {one.points}"
        elif one.kind == "hostile" and result.check(one.asks).verdict not in one.verdicts:
            verdict = result.check(one.asks).verdict
            yield f"{one.learner}: {one.asks} is {verdict}, expected {sorted(one.verdicts)}"


def comparable(text: str) -> list[dict[str, str]]:
    """Exported rows without what depends on the time of collecting."""
    rows = csv.DictReader(io.StringIO(text))
    return [{key: value for key, value in row.items() if key != "late"} for row in rows]


def left_behind(room: Class) -> list[str]:
    """What graders left on the host: processes, control groups, mounts and temporary files."""
    found = [f"file {path.name}" for path in room.scratch.iterdir()]
    found += [f"group {path}" for path in _lost_groups()]
    mounts = Path("/proc/self/mounts").read_text()
    found += [f"mount {line}" for line in mounts.splitlines() if str(room.scratch) in line]
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = " ".join(process.info["cmdline"] or ())
        place = (process.info["environ"] or {}).get("TMPDIR", "")
        if process.pid != os.getpid() and str(room.folder.parent) in words + place:
            found.append(f"process {process.pid}: {words[:80]}")
    return found


def _lost_groups() -> list[Path]:
    """Control groups of judges that are gone. Another run beside this one takes its own away before long."""
    end = time.monotonic() + 60
    while True:
        groups = [path for parent in parents().values() for path in parent.glob(f"{PREFIX}*")]
        lost = [path for path in groups if not psutil.pid_exists(_owner(path))]
        if not lost or time.monotonic() > end:
            return lost
        time.sleep(1)


def _owner(group: Path) -> int:
    """The judge that made a control group; one that lives is somebody else's, at work beside us."""
    return int(group.name.removeprefix(PREFIX).partition("-")[0])


def temporary() -> "tempfile.TemporaryDirectory[str]":
    """A folder for the run."""
    return tempfile.TemporaryDirectory(prefix="soak-")


def _kill(controller: int, kind: str, rng: random.Random) -> bool:
    """kill -9 one process of a kind below the controller; False when there is none just now."""
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(controller).children(recursive=True)
        found = [controller] if kind == "controller" else [one.pid for one in family if _is(one, WORDS[kind])]
        if found:
            os.kill(rng.choice(found), signal.SIGKILL)
            return True
    return False


def _is(process: psutil.Process, word: str) -> bool:
    try:
        return any(word in part for part in process.cmdline())
    except psutil.Error:
        return False
