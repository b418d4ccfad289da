"""Grade a crowd through the command line: with one worker, with two, and while processes are killed."""

import csv
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from grader.boxes.limits import PREFIX, parents
from grader.classroom import read_class
from grader.manifest import Lab
from grader.runs import load_results
from tests.soak.crowd import Sent

GRADER = (sys.executable, "-m", "grader.cli")
KINDS = ("controller", "judge", "box")


@dataclass(frozen=True)
class Class:
    """A class folder, the temporary folder of its graders, and the lab."""

    folder: Path
    scratch: Path
    lab: Lab

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
    made = Class(folder / "class", scratch, lab)
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


def grade(room: Class, workers: int) -> float:
    """Grade to the end; the seconds it took."""
    began = time.monotonic()
    done = room.run("grade", room.lab.number, "--workers", str(workers))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return time.monotonic() - began


def grade_under_fire(room: Class, kills: int, rng: random.Random) -> dict[str, int]:
    """Kill controller, judge or box at random moments and grade again, until nothing is left to do."""
    hit = dict.fromkeys(KINDS, 0)
    while sum(hit.values()) < kills:
        environment = os.environ | {"TMPDIR": str(room.scratch)}
        command = [*GRADER, "grade", room.lab.number, "--workers", "2", "--again"]
        with subprocess.Popen(
            command, cwd=room.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        ) as controller:
            while controller.poll() is None and sum(hit.values()) < kills:
                time.sleep(rng.uniform(0.5, 4.0))
                kind = KINDS[sum(hit.values()) % len(KINDS)]
                if _kill(controller.pid, kind, rng):
                    hit[kind] += 1
    grade(room, 2)
    done = room.run("grade", room.lab.number, "--flagged")
    assert done.returncode in (0, 1), done.stderr
    return hit


def surprises(room: Class, sent: list[Sent]) -> Iterator[str]:
    """Every submission whose grade is not the expected one, and every one that was lost."""
    results = load_results(read_class(room.folder), room.lab)
    for one in sent:
        result = results.get(one.learner)
        if not one.points and not one.adds:
            if result is not None:
                yield f"{one.learner}: judged, but it cannot be taken"
        elif result is None:
            yield f"{one.learner}: lost"
        elif one.points is not None and result.points != one.points:
            yield f"{one.learner}: {result.points} points, expected {one.points}"
        elif one.adds and result.check("adds").verdict not in one.adds:
            yield f"{one.learner}: adds is {result.check('adds').verdict}, expected {sorted(one.adds)}"


def comparable(text: str) -> list[dict[str, str]]:
    """Exported rows without what depends on the time of collecting."""
    rows = csv.DictReader(io.StringIO(text))
    return [{key: value for key, value in row.items() if key != "late"} for row in rows]


def left_behind(room: Class) -> list[str]:
    """What graders left on the host: processes, control groups, mounts and temporary files."""
    found = [f"file {path.name}" for path in room.scratch.iterdir()]
    groups = [path for parent in parents().values() for path in parent.glob(f"{PREFIX}*")]
    found += [f"group {path}" for path in groups if not psutil.pid_exists(_owner(path))]
    mounts = Path("/proc/self/mounts").read_text()
    found += [f"mount {line}" for line in mounts.splitlines() if str(room.scratch) in line]
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        if str(room.scratch) in words or str(room.folder) in words:
            found.append(f"process {process.pid}: {words[:80]}")
    return found


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
        words = {"judge": "grader.judge", "box": "agent.py"}
        found = [controller] if kind == "controller" else [one.pid for one in family if _is(one, words[kind])]
        if found:
            os.kill(rng.choice(found), signal.SIGKILL)
            return True
    return False


def _is(process: psutil.Process, word: str) -> bool:
    try:
        return any(word in part for part in process.cmdline())
    except psutil.Error:
        return False
