"""Programs that run on after the command: started in a session of their own, ended whole."""

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "LAB_SERVICE"  # in the environment of a service and of all that it starts
PATIENCE_S = 8.0


@dataclass(frozen=True)
class Process:
    """A program that we started: its pid, when it started, and the mark in its environment.

    A pid alone proves nothing, as the system gives it out again. The mark is 128 random bits.
    """

    pid: int
    started: float
    mark: str


def launch(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Process:
    """Start a program detached, its output in `log`, and return at once."""
    mark = secrets.token_hex(16)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        started = psutil.Process(child.pid).create_time()
    except psutil.NoSuchProcess:
        started = 0.0
    child.returncode = 0  # it outlives this command on purpose: no warning that nobody waited
    return Process(child.pid, started, mark)


def is_running(process: Process) -> bool:
    """Whether this very program still runs; another one under its pid does not count."""
    try:
        found = psutil.Process(process.pid)
        return found.status() != psutil.STATUS_ZOMBIE and _is_ours(found, process)
    except psutil.Error:
        return False


def end(*processes: Process, patience_s: float = PATIENCE_S) -> None:
    """End programs and everything that they started, politely and then not.

    Each one's group gets SIGTERM, so that it can end its children well; then whatever carries its mark or
    descended from it; SIGKILL follows for what is still there after `patience_s` each time. This command
    and the shells that it runs in are spared.
    """
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    leaders = [psutil.Process(process.pid) for process in processes if is_running(process)]
    family = [member for process in processes for member in _family(process, spared)]
    for leader in leaders:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader.pid, signal.SIGTERM)
    _wait(leaders, patience_s)
    for number in (signal.SIGTERM, signal.SIGKILL):
        family += [member for process in processes for member in _family(process, spared)]
        _signal(family, number)
        _wait(family, patience_s)


def listens(process: Process, port: int) -> bool:
    """Whether the program, or one that it started, holds this TCP port; True where nobody may look."""
    try:
        for member in _family(process, set()):
            for connection in member.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return True
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False
    return False


def _family(process: Process, spared: set[int]) -> list[psutil.Process]:
    """The program, its descendants, and whatever carries its mark."""
    found: dict[int, psutil.Process] = {}
    if is_running(process):
        with contextlib.suppress(psutil.Error):
            leader = psutil.Process(process.pid)
            found |= {member.pid: member for member in (leader, *leader.children(recursive=True))}
    for member in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if member.pid not in found and member.environ().get(MARK) == process.mark:
                found[member.pid] = member
    return [member for pid, member in found.items() if pid not in spared]


def _is_ours(found: psutil.Process, process: Process) -> bool:
    """By its mark where its environment can be read; else by the second in which it started."""
    try:
        environment = found.environ()
    except (psutil.AccessDenied, OSError):
        environment = {}
    if environment:
        return environment.get(MARK) == process.mark
    return abs(found.create_time() - process.started) < 1


def _signal(members: Iterable[psutil.Process], number: signal.Signals) -> None:
    for member in members:
        if not _is_gone(member):
            with contextlib.suppress(psutil.Error):
                member.send_signal(number)


def _wait(members: Sequence[psutil.Process], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and not all(_is_gone(member) for member in members):
        time.sleep(0.05)


def _is_gone(member: psutil.Process) -> bool:
    """Whether it ended; a zombie has, however long its parent takes to notice."""
    try:
        return not member.is_running() or member.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
