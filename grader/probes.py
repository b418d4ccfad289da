"""What `grader doctor` does inside a box to see whether it holds. Standard library only, all bounded.

Each function returns what it got through with; an exception, a killed process or a limit is what should
happen.
"""

import contextlib
import ctypes
import mmap
import os
import platform
import signal
import socket
import sys
import time
from pathlib import Path

KEYCTL = {"x86_64": 250, "aarch64": 219}
MEGABYTE = 1 << 20


def forks(count: int) -> int:
    """Start `count` processes at once; how many there were when one was refused."""
    children = []
    try:
        for _ in range(count):
            child = os.fork()
            if child == 0:
                time.sleep(5)
                os._exit(0)
            children.append(child)
    except OSError:
        return -len(children)
    finally:
        for child in children:
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
    return len(children)


def memory(megabytes: int) -> int:
    """Hold and touch private memory."""
    return len(bytearray(b"x") * (megabytes * MEGABYTE)) // MEGABYTE


def shared_memory(megabytes: int) -> int:
    """Hold and touch memory that no resource limit counts."""
    area = mmap.mmap(-1, megabytes * MEGABYTE)
    for at in range(0, len(area), mmap.PAGESIZE):
        area[at] = 1
    return megabytes


def disk(folder: str, megabytes: int) -> int:
    """Fill a folder with files of 8 MB, each under the limit of one; they are removed again."""
    written = [Path(folder, f"fill-{number}") for number in range(megabytes // 8)]
    try:
        for path in written:
            path.write_bytes(bytes(8 * MEGABYTE))
    finally:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return megabytes


def files(folder: str, count: int) -> int:
    """Make that many empty files."""
    place = Path(folder, "many")
    place.mkdir()
    for number in range(count):
        (place / str(number)).touch()
    return count


def flood(megabytes: int) -> int:
    """Print that much."""
    for _ in range(megabytes):
        sys.stdout.write("x" * MEGABYTE)
        sys.stdout.flush()
    return megabytes


def burn(seconds: float) -> float:
    """Use CPU time in two processes, so that no limit of one process sees it all."""
    child = os.fork()
    while time.process_time() < seconds:
        pass
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return seconds


def sleep(seconds: float) -> float:
    """Do nothing, deaf to every signal that can be ignored."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    time.sleep(seconds)
    return seconds


def kill_all() -> str:
    """Kill every process that can be seen; refuses where that would reach outside a box."""
    if os.getpid() > 50 or len(processes()) > 20:
        return "the processes of the host are in sight"
    with contextlib.suppress(OSError):
        os.kill(-1, signal.SIGKILL)
    return ""


def processes() -> list[int]:
    """The processes that /proc shows."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208  # names are enough


def first_process(path: str) -> str:
    """What process 1 shows of the host: variables, or a file of the host below its root or folder."""
    with contextlib.suppress(OSError):
        if Path("/proc/1/environ").read_bytes():
            return "/proc/1/environ has variables"
    for place in ("root", "cwd"):
        with contextlib.suppress(OSError):
            Path(f"/proc/1/{place}{path}").read_bytes()
            return f"the host is open below /proc/1/{place}"
    return ""


def reach(port: int) -> str:
    """Reach the host by TCP, or anything by another interface than the box's own loopback."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return "the host's loopback answers"
    others = [name for _, name in socket.if_nameindex() if name != "lo"] if _has_names() else []
    return f"there are other interfaces: {', '.join(others)}" if others else ""


def own_loopback() -> str:
    """Listen on one's own loopback and connect to it; a service in a box needs that."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.create_connection(server.getsockname(), 1):
            return "up"


def descriptors() -> list[str]:
    """Open files besides standard input, output, error and the channel to the judge."""
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            target = str(Path("/proc/self/fd", name).readlink())
            if int(name) > 2 and not target.startswith(("socket:", "/proc/")):
                found.append(target)
    return found


def read(path: str) -> str:
    """The beginning of a file of the host."""
    return Path(path).read_text(errors="replace")[:40]


def daemon(mark: str) -> int:
    """Leave a process behind that has cut all ties, known by its command line."""
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            command = [sys.executable, "-c", "import time; time.sleep(60)", mark]
            os.execv(command[0], command)  # noqa: S606  # no shell is wanted
        os._exit(0)
    os.waitpid(child, 0)
    time.sleep(0.2)
    return 1


def keyring() -> str:
    """Make a keyring; it would outlive the box and be open to the next one."""
    number = KEYCTL.get(platform.machine())
    if number is None:
        return "no filter for this machine"
    return "keyctl answers" if ctypes.CDLL(None).syscall(number, 0, -4, 1) >= 0 else ""


def _has_names() -> bool:
    try:
        return bool(socket.if_nameindex())
    except OSError:
        return False
