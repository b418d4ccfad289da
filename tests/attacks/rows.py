"""One attack as a row of a table, its run, and what must hold after every one of them."""

import ctypes
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import uuid4

import psutil

from grader.boxes.bubblewrap import FIRST_UID
from grader.boxes.limits import PREFIX, parents
from grader.controller import judge
from grader.results import Result, Verdict, learner_view
from grader.warm import WarmJudge
from tests.attacks.ground import Ground
from tests.grader.courses import write_files

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.STUDENT_ERROR
TIMEOUT, MEMORY, PROCESSES = Verdict.TIMEOUT, Verdict.MEMORY, Verdict.PROCESSES
DISK, OUTPUT, FORBIDDEN = Verdict.DISK, Verdict.OUTPUT, Verdict.FORBIDDEN
INVALID, BROKEN = Verdict.INVALID_SUBMISSION, Verdict.GRADER_ERROR
PORT = 45_873
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


@dataclass(frozen=True)
class Row:
    """Files laid over the honest work (or what `make` does to it), and the verdict of each check judged."""

    name: str
    expect: Mapping[str, Verdict]
    files: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[Path], None] | None = None
    tight: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a row: the record, the learner's view of it, and what was left on the host."""

    result: Result
    view: str
    left: list[str]

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict of each check."""
        return {check.id: check.verdict for check in self.result.checks}


def build(row: Row, ground: Ground, folder: Path, words: Mapping[str, str]) -> Path:
    """The hostile work below `folder`, @WORDS@ filled in."""
    work = folder / "work"
    copytree(ground.honest, work, symlinks=True)
    for name, text in row.files.items():
        (work / name).unlink(missing_ok=True)
        for word, value in {**ground.words, **words}.items():
            text = text.replace(f"@{word}@", value)
        write_files(work, {name: text})
    if row.make is not None:
        row.make(work)
    return work


def attack(
    row: Row,
    ground: Ground,
    folder: Path,
    *,
    words: Mapping[str, str] | None = None,
    box: str = "bubblewrap",
    only: Collection[str] = (),
    warm: WarmJudge | None = None,
) -> Outcome:
    """Judge the row as a class would, and look for what it left."""
    mark = f"mark-{uuid4().hex}"
    work = build(row, ground, folder, {"MARK": mark, "PORT": str(PORT), **(words or {})})
    lab = ground.tight if row.tight else ground.roomy
    facts: dict[str, Any] = {"hidden": True, "box": box, "secret": ground.secret, "warm": warm}
    before = template_family()
    with watched() as pids, scratch() as place:
        result = judge(lab, work, only=set(only or row.expect), **facts)
        left = leftovers(place, pids, mark, before)
    return Outcome(result, json.dumps(learner_view(result), ensure_ascii=False), left)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of the run's own for all that is made by `tempfile`, here and in the judge."""
    with tempfile.TemporaryDirectory(prefix="attack-") as name:
        place = Path(name)
        place.chmod(0o711)
        before, tempfile.tempdir = tempfile.tempdir, name
        try:
            yield place
        finally:
            tempfile.tempdir = before


@contextmanager
def watched() -> Iterator[set[int]]:
    """Whatever comes loose from the judge becomes our child; the pids of all that was started."""
    libc, before = ctypes.CDLL(None), _children()
    libc.prctl(SUBREAPER, 1, 0, 0, 0)
    seen: set[int] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            seen.update(_children(), *map(_children, _templates()))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        libc.prctl(SUBREAPER, 0, 0, 0, 0)
        for pid in _children() - before:
            if _state(pid) == "Z":
                os.waitpid(pid, os.WNOHANG)


def template_family() -> set[tuple[int, float]]:
    """The judges' template with all below it, which is templates only while no submission is judged."""
    found = set()
    for pid in _templates():
        with suppress(psutil.Error):
            found |= {(one.pid, one.create_time()) for one in psutil.Process(pid).children(recursive=True)}
    return found


def leftovers(
    place: Path, pids: set[int], mark: str, before: Collection[tuple[int, float]] = ()
) -> list[str]:
    """What a judged submission left on this host; a dying process is given a moment.

    `before` is the templates' family as it was: it neither grew nor was any of it ended.
    """
    found: list[str] = []
    for _ in range(50):
        changed = template_family() ^ set(before)
        found = [*_processes(mark), *_groups(pids), *(f"below a template: {pid}" for pid, _ in changed)]
        if not found:
            break
        time.sleep(0.1)
    found += [f"file {path}" for path in place.rglob("*")]
    found += [f"mount {line}" for line in _lines("/proc/self/mounts") if str(place) in line]
    found += [f"socket {line}" for line in _lines("/proc/net/unix") if mark in line]
    for kind in ("shm", "sem", "msg"):
        rows = [line.split() for line in _lines(f"/proc/sysvipc/{kind}")[1:]]
        found += [f"{kind} {row[1]}" for row in rows if any(_is_box(word) for word in row[4:11])]
    found += [f"keys {line}" for line in _lines("/proc/key-users") if _is_box(line.partition(":")[0].strip())]
    found += [f"key {line}" for line in _lines("/proc/keys") if mark in line]
    with suppress(OSError), socket.create_connection(("127.0.0.1", PORT), 0.2):
        found.append(f"port {PORT}")
    return found


def _processes(mark: str) -> list[str]:
    """Descendants of ours that still run, and any process that carries the mark."""
    living = [pid for pid in _children() if _is_lost(pid)]
    marked = [
        one.pid for one in psutil.process_iter(["cmdline"]) if mark in " ".join(one.info["cmdline"] or ())
    ]
    return [f"process {pid}" for pid in {*living, *marked}]


def _children(parent: int | str = "self") -> set[int]:
    found: set[int] = set()
    with suppress(OSError):
        for task in Path(f"/proc/{parent}/task").iterdir():
            with suppress(OSError):
                found.update(int(pid) for pid in (task / "children").read_text().split())
    return found


def _templates() -> list[int]:
    """Children of ours that wait to fork judges."""
    return [
        pid for pid in _children() if any("--template" in line for line in _lines(f"/proc/{pid}/cmdline"))
    ]


def _is_lost(pid: int) -> bool:
    """Whether a child of ours came from a box or a judge: a launcher, bwrap or an agent."""
    words = " ".join(_lines(f"/proc/{pid}/cmdline"))
    return any(name in words for name in ("bwrap", "agent.py", "launch.py", "mark-"))


def _state(pid: int) -> str:
    lines = _lines(f"/proc/{pid}/stat")
    return lines[0].rpartition(")")[2].split()[0] if lines else ""


def _groups(pids: set[int]) -> list[str]:
    """Control groups of judges that we started."""
    names = {path.name for parent in parents().values() for path in parent.glob(f"{PREFIX}*")}
    return [f"group {name}" for name in names if int(name.removeprefix(PREFIX).partition("-")[0]) in pids]


def _is_box(word: str) -> bool:
    return word.isdecimal() and FIRST_UID <= int(word) < FIRST_UID + 100_000


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(errors="replace").splitlines()
    except OSError:
        return []
