"""Limits of a box: resource limits everywhere, control groups where this host lets us make them."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from grader.boxes.base import Budget

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/ns/pid")
# A pid says who made a group only among processes that count alike.
PREFIX = f"grader-box-{OWN.stat().st_ino if OWN.exists() else 0}-"
FIRST = ("memory", "pids", "cpuacct")  # what we use of the first version, each a hierarchy of its own
PROCESSES = 128
SPARE_S = 2


def resource_limits(budget: Budget) -> dict[str, int]:
    """Name and value of each resource limit of one program; those it starts inherit them."""
    limits = budget.limits
    return {
        "RLIMIT_CPU": int(budget.cpu_left()) + SPARE_S,
        "RLIMIT_DATA": limits.memory_mb * 1024**2,
        "RLIMIT_FSIZE": limits.disk_mb * 1024**2,
        "RLIMIT_CORE": 0,
    }


@dataclass
class Group:
    """A control group of one box, in each hierarchy that it takes part in.

    On hosts with the first version of control groups there is a folder per controller, on the second one
    for all. `paths` is empty where no group can be made.
    """

    paths: dict[str, Path] = field(default_factory=dict)

    @property
    def entrances(self) -> list[Path]:
        """The files that a process writes its pid to, to come under the limits."""
        return sorted({path / "cgroup.procs" for path in self.paths.values()})

    @property
    def counts_cpu(self) -> bool:
        """Whether the CPU time of all processes together is counted."""
        return not {"cpuacct", "v2"}.isdisjoint(self.paths)

    def cpu_s(self) -> float | None:
        """CPU seconds of all processes that ever were in the group; None when nobody counts."""
        if (path := self.paths.get("cpuacct")) is not None:
            return int(_read(path / "cpuacct.usage") or 0) / 1e9
        if (path := self.paths.get("v2")) is not None:
            return _fields(path / "cpu.stat").get("usage_usec", 0) / 1e6
        return None

    def was_out_of_memory(self) -> bool:
        """Whether the kernel ended a process for lack of memory."""
        if (path := self.paths.get("memory")) is not None:
            return _fields(path / "memory.oom_control").get("oom_kill", 0) > 0
        if (path := self.paths.get("v2")) is not None:
            return _fields(path / "memory.events").get("oom_kill", 0) > 0
        return False

    def was_out_of_processes(self) -> bool:
        """Whether a fork was refused."""
        path = self.paths.get("pids") or self.paths.get("v2")
        return path is not None and _fields(path / "pids.events").get("max", 0) > 0

    def peak_memory_mb(self) -> float | None:
        """The most memory that the group held at once, in MiB; None when nobody counts."""
        for kind, name in (("memory", "memory.max_usage_in_bytes"), ("v2", "memory.peak")):
            if kind in self.paths and (text := _read(self.paths[kind] / name)):
                return int(text) / 1024**2
        return None

    def has_gone(self) -> bool:
        """Whether no trace of it is left."""
        return not any(path.exists() for path in self.paths.values())

    def end(self) -> None:
        """Kill what is still in the group, and remove it."""
        stop = time.monotonic() + 5
        for path in set(self.paths.values()):
            while time.monotonic() < stop:
                for pid in (_read(path / "cgroup.procs") or "").split():
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(int(pid), signal.SIGKILL)
                with suppress(OSError):
                    path.rmdir()
                if not path.exists():
                    break
                time.sleep(0.005)


def find_group(word: str) -> Group:
    """The group of a process whose group has `word` in its name, as an engine's has the container's id."""
    for file in Path("/proc").glob("[0-9]*/cgroup"):
        own = {kind: path for kind, path in _groups_of(file) if word in path and "conmon" not in path}
        places = {kind: ROOT / kind / own[kind].lstrip("/") for kind in FIRST if kind in own}
        places |= {} if places or "" not in own else {"v2": ROOT / own[""].lstrip("/")}
        if found := {kind: path for kind, path in places.items() if path.is_dir()}:
            return Group(found)
    return Group()


def make_group(name: str, budget: Budget) -> Group:
    """A group with the budget's limits; one without paths where this host allows none."""
    limits = budget.limits
    memory = str((limits.memory_mb + limits.disk_mb) * 1024**2)
    group = Group()
    try:
        for kind, parent in parents().items():
            path = parent / f"{PREFIX}{os.getpid()}-{name}"
            path.mkdir()
            group.paths[kind] = path
        for kind, file, value in (
            ("memory", "memory.limit_in_bytes", memory),
            ("memory", "memory.memsw.limit_in_bytes", memory),
            ("pids", "pids.max", str(PROCESSES)),
            ("v2", "memory.max", memory),
            ("v2", "memory.swap.max", "0"),
            ("v2", "pids.max", str(PROCESSES)),
        ):
            if kind in group.paths and (group.paths[kind] / file).exists():
                (group.paths[kind] / file).write_text(value)
    except OSError:
        group.end()
        return Group()
    return group


@cache
def parents() -> dict[str, Path]:
    """Where groups can be made: a folder per controller (first version), or one for all ("v2")."""
    own = dict(_groups_of(Path("/proc/self/cgroup")))
    first = {kind: ROOT / kind / own[kind].lstrip("/") for kind in FIRST if kind in own}
    usable = {kind: path for kind, path in first.items() if os.access(path, os.W_OK)}
    if usable:
        return usable
    path = ROOT / own.get("", "/").lstrip("/")
    return {"v2": path} if _delegated(path) else {}


def _delegated(path: Path) -> bool:
    """Whether a group of the second version is ours to divide. Its own processes move into a part of it."""
    if not {"memory", "pids"} <= set((_read(path / "cgroup.controllers") or "").split()):
        return False
    try:
        if path != ROOT:  # a group with parts holds no processes itself
            (path / "grader-main").mkdir(exist_ok=True)
            for pid in (_read(path / "cgroup.procs") or "").split():
                (path / "grader-main" / "cgroup.procs").write_text(pid)
        (path / "cgroup.subtree_control").write_text("+memory +pids")
    except OSError:
        return False
    return True


def sweep() -> int:
    """Remove groups that a killed controller left behind; how many."""
    removed = 0
    for parent in parents().values():
        for path in parent.glob(f"{PREFIX}*"):
            pid = path.name.removeprefix(PREFIX).partition("-")[0]
            if not Path("/proc", pid).exists():
                Group({"left": path}).end()
                removed += not path.exists()
    return removed


def _groups_of(file: Path) -> Iterator[tuple[str, str]]:
    for line in (_read(file) or "").splitlines():
        _, kinds, path = line.split(":", 2)
        for kind in kinds.split(","):
            yield kind, path


def _fields(file: Path) -> dict[str, int]:
    rows = [line.split() for line in (_read(file) or "").splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal()}


def _read(file: Path) -> str | None:
    try:
        return file.read_text().strip()
    except OSError:
        return None
