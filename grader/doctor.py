"""Proves what a box holds on this host, by attacking it: `grader doctor`.

A wall is required for strangers' work or it is not; where one that is not required fails, the host is weak.
"""

import os
import socket
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from shutil import copyfile
from typing import Any
from uuid import uuid4

from grader.boxes import container
from grader.boxes.base import Box, Budget, Session, Stopped
from grader.boxes.bubblewrap import INODES, BubblewrapBox, bubblewrap_template, why_cold, why_not
from grader.boxes.container import ContainerBox
from grader.boxes.limits import parents
from grader.errors import BoxError
from grader.manifest import Limits
from grader.results import Verdict

LIMITS = Limits(cpu_s=2, wall_s=4, memory_mb=256, disk_mb=32, output_kb=64)
REFUSED = (Verdict.STUDENT_ERROR, Verdict.DISK, Verdict.MEMORY)
GROUPS = (
    "This host lets us make no control groups. Run as root, or as "
    "`systemd-run --user --scope --property=Delegate=yes grader grade …`."
)
NAMESPACES = (
    "Let users make namespaces: `sudo sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu also "
    "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`; or run as root."
)
ENGINE = (
    "Limits are the engine's: let root run it, or use control groups of the second version. Or grade with "
    '`box = "bubblewrap"`.'
)
OWN_KEEPER = "limits set on the first process of its own container"
# What no wall stops, and why. It is no reason for a host to be weak: no other host can do better.
BY_NATURE = {
    "answers from a lookup, or a model file that returns labels": (
        "What a learner knows is an answer like any other. Visible inputs can be looked up, so they prove "
        "little; hidden ones are drawn from the class's secret."
    ),
    "a few bits of a hidden check, through its verdict": (
        "A learner sees whether a hidden check passed, and which of Python's own exceptions it raised. "
        "Code can choose both by what it was asked: some seven bits a check and grading, never a value. "
        "Say how often a lab may be handed in."
    ),
    "timing": (
        "Whoever waits sees how long grading took. A hidden check's seconds are not shown, and other "
        "submissions run in boxes of their own, but one machine has one clock and one cache."
    ),
    "a slow neighbour": (
        "Processors, caches and disks are shared. CPU time decides and wall time is generous, so a verdict "
        "stays what it is; the class is graded later."
    ),
    "asking for a person": (
        "Code can kill its own process in a way that looks like a fault of the host. That is a GRADER_ERROR: "
        "no points, judged once more, then looked at by a person, whose minutes it costs."
    ),
    OWN_KEEPER: (
        "An engine's container has one user number, so code there may slow the first process of its own "
        "container, or end it by a limit. That ends its own box, and nothing else."
    ),
    "a hole in the kernel": (
        "All boxes of a host share its kernel. The system-call filter makes what can be reached small; keep "
        "the kernel up to date, and grade on a machine that holds nothing else."
    ),
}


@dataclass(frozen=True)
class Wall:
    """One wall, attacked: whether it held, what got through, and the line that mends it."""

    name: str
    required: bool
    holds: bool
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Strength:
    """What a box is worth on this host."""

    box: str
    walls: tuple[Wall, ...]
    cold: str = ""  # why boxes start cold here; empty when warm ones were attacked as well

    @property
    def missing(self) -> tuple[str, ...]:
        """The required walls that do not hold: no stranger's work here."""
        return tuple(wall.name for wall in self.walls if wall.required and not wall.holds)

    @property
    def weak(self) -> tuple[str, ...]:
        """The other walls that do not hold: with `--accept-weak`, and on the record."""
        return tuple(wall.name for wall in self.walls if not wall.required and not wall.holds)


class Attack:
    """Runs probes in new boxes and says what they got through with."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.box = box
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        copyfile(Path(__file__).with_name("probes.py"), self.work / "probes.py")
        self.canary = folder / "canary.txt"
        self.canary.write_text("a file of the host")
        self.canary.chmod(0o644)

    def session(self, wall_s: int = LIMITS.wall_s) -> Session:
        """A new box with the probes in it."""
        budget = Budget(LIMITS.model_copy(update={"wall_s": wall_s}))
        return Session(self.box.start(self.work, {}, budget), budget)

    def call(self, name: str, *arguments: Any, wall_s: int = LIMITS.wall_s) -> Any:
        """What a probe returned; the verdict that ended it instead."""
        with self.session(wall_s) as session:
            try:
                return session.call(f"probes.{name}", *arguments)
            except Stopped as stopped:
                return stopped.verdict

    def ends(self, name: str, *arguments: Any, by: tuple[Verdict, ...] = REFUSED) -> str:
        """Empty when a probe was refused what it asked for; else what it got, or what stopped it instead."""
        got = self.call(name, *arguments, wall_s=60)
        return "" if got in by else f"{name}: {got}"

    def processes(self) -> str:
        """A fork bomb."""
        got = self.call("forks", 400)
        return f"{got} processes at once" if not isinstance(got, Verdict) and got > 0 else ""

    def writing(self) -> str:
        """Files of 128 MB wherever a program may write."""
        places = [str(place) for place in ("/box/work", "/tmp", "/dev/shm", "/", "/usr", "/box")]  # noqa: S108
        got = [place for place in places if self.ends("disk", place, 128)]
        return f"128 MB in {', '.join(got)}" if got else ""

    def many_files(self) -> str:
        """More empty files than the box may hold."""
        return self.ends("files", ".", INODES + 5_000)

    def output(self) -> str:
        """A flood on standard output."""
        got = self.call("flood", 16)
        return "" if got is Verdict.OUTPUT else f"16 MB printed ({got})"

    def cpu(self) -> str:
        """Two busy processes, each under the limit of one."""
        got = self.call("burn", 3.0, wall_s=60)
        return "" if got is Verdict.TIMEOUT else f"6 s of CPU time against a limit of 2 ({got})"

    def wall(self) -> str:
        """A sleep that ignores every signal."""
        got = self.call("sleep", 30)
        return "" if got is Verdict.TIMEOUT else f"a sleep of 30 s against a limit of 4 ({got})"

    def signals(self) -> str:
        """A kill of all that can be seen."""
        return str(self.call("kill_all"))

    def proc(self) -> str:
        """Other processes, and what process 1 shows."""
        seen = self.call("processes")
        return (
            "the host's processes"
            if os.getpid() in seen
            else str(self.call("first_process", str(self.canary)))
        )

    def network(self) -> str:
        """The host's loopback and other interfaces."""
        with socket.socket() as host:
            host.bind(("127.0.0.1", 0))
            host.listen()
            return str(self.call("reach", host.getsockname()[1]))

    def loopback(self) -> str:
        """A service on the box's own loopback, which must work."""
        got = self.call("own_loopback")
        return "" if got == "up" else f"own loopback: {got}"

    def descriptors(self) -> str:
        """Files that were left open for it."""
        return ", ".join(self.call("descriptors"))

    def reading(self) -> str:
        """Files of the host."""
        for path in (self.canary, Path(__file__), Path("/etc/shadow")):
            if self.ends("read", str(path)):
                return f"{path.name} of the host"
        return ""

    def leftovers(self) -> str:
        """A process that outlives its box."""
        mark = f"left-{uuid4().hex}"
        self.call("daemon", mark)
        lines = [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark in _text(path)]
        return f"a process lives on ({lines[0].parent.name})" if lines else ""

    def kernel(self) -> str:
        """A call that leaks from one box to the next."""
        return str(self.call("keyring"))


WALLS: tuple[tuple[str, bool, Callable[[Attack], str], str], ...] = (
    ("reading", True, Attack.reading, NAMESPACES),
    ("network", True, Attack.network, NAMESPACES),
    ("own loopback", True, Attack.loopback, NAMESPACES),
    ("/proc", True, Attack.proc, NAMESPACES),
    ("descriptors", True, Attack.descriptors, NAMESPACES),
    ("signals", True, Attack.signals, NAMESPACES),
    ("leftovers", True, Attack.leftovers, NAMESPACES),
    ("CPU time", True, Attack.cpu, GROUPS),
    ("wall time", True, Attack.wall, NAMESPACES),
    ("output", True, Attack.output, NAMESPACES),
    ("disk", True, Attack.writing, NAMESPACES),
    ("files", True, Attack.many_files, NAMESPACES),
    ("memory", True, lambda attack: attack.ends("memory", 512), GROUPS),
    ("shared memory", False, lambda attack: attack.ends("shared_memory", 512), GROUPS),
    ("processes", False, Attack.processes, GROUPS),
    ("system calls", False, Attack.kernel, "There is a filter for x86_64 and aarch64. Grade on one of them."),
)


@cache
def look(box: str = BubblewrapBox.name) -> Strength:
    """Attack every wall of a box, once per process: about 10 seconds, of a container 30."""
    if box not in (BubblewrapBox.name, ContainerBox.name):
        found = "this box has no walls: it is for one's own work"
        return Strength(
            box, (Wall("sandbox", True, False, found, 'Write `box = "bubblewrap"` in class.toml.'),)
        )
    is_container = box == ContainerBox.name
    if problem := container.why_not() if is_container else why_not():
        return Strength(box, (Wall("sandbox", True, False, problem, "" if is_container else NAMESPACES),))
    cold = container.COLD if is_container else why_cold()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doctor-")))
        folder.chmod(0o755)
        boxes: list[Box] = [ContainerBox() if is_container else BubblewrapBox()]
        if not cold:
            boxes.append(BubblewrapBox(stack.enter_context(closing(bubblewrap_template([])))))
        attacks = [Attack(each, folder / str(number)) for number, each in enumerate(boxes)]
        with ThreadPoolExecutor(4) as pool:
            walls = pool.map(lambda wall: _attacked(attacks, *wall), WALLS)
            return Strength(
                box, tuple(replace(w, mend=ENGINE) if w.mend and is_container else w for w in walls), cold
            )


def groups(box: str = BubblewrapBox.name) -> str:
    """How this host limits a box as a whole."""
    if box == ContainerBox.name and not container.why_not():
        return str(container.chosen_engine())
    kinds = sorted(parents())
    return f"control groups ({', '.join(kinds)})" if kinds else "resource limits only"


def _attacked(
    attacks: Sequence[Attack], name: str, required: bool, act: Callable[[Attack], str], mend: str
) -> Wall:
    """The wall as it stands in a cold box and, where there are any, in a warm one."""
    for attack in attacks:
        try:
            found = act(attack)
        except BoxError as error:
            found = str(error)
        if found:
            return Wall(name, required, False, found, mend)
    return Wall(name, required, True, "")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
