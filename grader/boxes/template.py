"""A process that waits with its imports done and forks when it is asked to: what makes judge and box warm.

It is asked by a message without a word in it, only descriptors: the first is the control of the new child,
the rest are the child's own affair. So nothing of one job is ever in the memory that the next is forked from.
On the control it says the child's pid, and at its end the exit code and the CPU seconds; a word or an end of
file from the other side kills the child. It ends when its standard input does.

Standard library only: it is used inside the box too.
"""

import ctypes
import gc
import importlib
import json
import os
import random
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
DESCRIPTORS, MAX_FDS = Path("/dev/fd"), 16


def serve(
    line: socket.socket,
    hello: int,
    modules: Sequence[str],
    *,
    known: Set[str] = frozenset(),
    fork: Callable[[], int] = os.fork,
    rehearse: Callable[[], None] = lambda: None,
    before: Callable[[], None] = lambda: None,
    at_end: Callable[[], None] = lambda: None,
) -> list[int]:
    """Import `modules`, say so on `hello`, then fork for each message; returns only in a child.

    Args:
        line: where the messages come from.
        hello: a pipe that gets one line: the names of what is imported now, or why it must not be. It stays
            open, so that its end says that this process has ended.
        modules: what to import; one that leaves more behind than itself is refused.
        known: the modules that the child would have without a template.
        fork: makes the child.
        rehearse: does once, with all imported, what each child will do; it leaves nothing behind either.
        before: called before each fork.
        at_end: called when all children have been ended, as the last thing.

    Returns:
        The descriptors that came for this child, its control left out.
    """
    data = data_bytes()
    problem = preload(modules, rehearse)
    facts = {"refused": problem, "names": sorted(top_level() - known), "data": data_bytes() - data}
    os.write(hello, json.dumps(facts).encode() + b"\n")
    if problem:
        os._exit(1)
    gc.collect()
    gc.freeze()
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    controls: dict[int, socket.socket] = {}
    doomed: set[int] = set()
    while True:
        asking = {control: pid for pid, control in controls.items() if pid not in doomed}
        asked: list[Any] = [0, line, ended, *asking]
        ready = select.select(asked, [], [])[0]
        if 0 in ready:
            for pid in controls:
                kill(pid)
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)
            at_end()
            os._exit(0)
        for control in asking.keys() & set(ready):
            kill(asking[control])
            doomed.add(asking[control])
        if ended in ready:
            os.read(ended, 4096)
            _reap(controls, doomed)
        if line in ready:
            before()
            if (mine := _fork(line, fork, controls)) is not None:
                return mine


def preload(modules: Sequence[str], rehearse: Callable[[], None] = lambda: None) -> str:
    """Import them, and rehearse; why one must not be imported before a fork, empty when all may be.

    A rehearsal that fails is left out: the child that does the same for itself says what fails.
    """
    steps: dict[str, Callable[[], object]] = {
        f"`{name}`": partial(importlib.import_module, name) for name in modules
    }
    for name, step in (steps | {"A notebook's shell": rehearse}).items():
        before, handlers, family = _open(), _handlers(), _has_children()
        try:
            step()
        except BaseException as error:  # a module may even end the process
            if step is not rehearse:
                return f"{name} cannot be imported ({type(error).__name__}: {error})"
        if left := _left(before, handlers, family):
            return f"{name} leaves {left} behind, which a fork does not survive"
    return ""


def settle(fds: list[int]) -> tuple[int, Path]:
    """Become a box without walls: a folder, variables and limits of its own; its channel and its work."""
    given, channel, out = fds
    die_with_parent()
    os.setsid()
    spec = json.loads(read_all(given))
    null = os.open(os.devnull, os.O_RDONLY)
    for number, target in ((null, 0), (out, 1), (out, 2)):
        os.dup2(number, target)
    keep_only([channel])
    os.environ.clear()
    os.environ.update(spec["environment"])
    for name, value in spec["limits"].items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        cap = sys.maxsize if hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(kind, (min(value, cap), min(value + (name == "RLIMIT_CPU"), cap)))
    return channel, Path(spec["work"])


def data_bytes() -> int:
    """What counts against RLIMIT_DATA of this process now; 0 where the system does not say."""
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
    return 0


def renew() -> None:
    """Give a forked process randomness of its own; Python's `random` does so by itself."""
    random.seed()
    if (numpy_random := sys.modules.get("numpy.random")) is not None:
        numpy_random.seed()


def die_with_parent() -> None:
    """Be killed when the parent ends; to be said again after every change of uid."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def keep_only(kept: Sequence[int]) -> None:
    """Close every descriptor above 2 that is not in `kept`."""
    low = 3
    for number in [*sorted(kept), os.sysconf("SC_OPEN_MAX")]:
        os.closerange(low, number)
        low = number + 1


def read_all(number: int) -> bytes:
    """What a descriptor has to say, to its end; closed then."""
    with open(number, "rb") as file:
        return file.read()


def kill(pid: int, *, left: bool = False) -> None:
    """Kill a child and, where it leads a group of processes, its group; only what is left of that."""
    for act in (os.killpg,) if left else (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            act(pid, signal.SIGKILL)


def top_level() -> set[str]:
    """Names of the imported modules, packages once."""
    return {name.partition(".")[0] for name in sys.modules}


def _fork(
    line: socket.socket, fork: Callable[[], int], controls: dict[int, socket.socket]
) -> list[int] | None:
    _, fds, _, _ = socket.recv_fds(line, 1, MAX_FDS)
    if not fds:
        return None
    control = socket.socket(fileno=fds[0])
    try:
        pid = fork()
    except OSError:
        pid = -1  # the control's end says it
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        renew()
        for other in (control, *controls.values()):
            other.close()
        return list(fds[1:])
    for number in fds[1:]:
        os.close(number)
    if pid < 0:
        control.close()
        return None
    controls[pid] = control
    with suppress(OSError):
        control.sendall(b"%d\n" % pid)
    return None


def _reap(controls: dict[int, socket.socket], doomed: set[int]) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            doomed.discard(pid)
            kill(pid, left=True)
            if (control := controls.pop(pid, None)) is not None:
                code = os.waitstatus_to_exitcode(status)
                with control, suppress(OSError):
                    control.sendall(b"%d %f\n" % (code, used.ru_utime + used.ru_stime))


def _left(before: set[int], handlers: list[object], family: bool) -> str:
    """What an import left in this process besides modules."""
    threads = Path("/proc/self/task")
    count = len(list(threads.iterdir())) if threads.is_dir() else _python_threads()
    if count > 1:
        return f"{count - 1} threads"
    if new := sorted(_open() - before):
        return f"{len(new)} open descriptors ({', '.join(_what(number) for number in new[:3])})"
    if _has_children() and not family:
        return "a process"
    return "a signal handler" if _handlers() != handlers else ""


def _has_children() -> bool:
    with suppress(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
        return True
    return False


def _open() -> set[int]:
    """The open descriptors, without the one that lists them."""
    found = set()
    for name in os.listdir(DESCRIPTORS):  # noqa: PTH208  # names are enough
        with suppress(OSError):
            os.fstat(int(name))
            found.add(int(name))
    return found


def _what(number: int) -> str:
    with suppress(OSError):
        text = os.readlink(DESCRIPTORS / str(number))  # noqa: PTH115  # often no path
        return "an event loop" if "eventpoll" in text else text.partition(":")[0]
    return "a descriptor"


def _handlers() -> list[object]:
    return [signal.getsignal(number) for number in sorted(signal.valid_signals())]


def _python_threads() -> int:
    import threading

    return threading.active_count()
