"""The first program of a container that is a box: lays out the work, starts the agent, keeps its line open.

    python -I -c KEEPER        what it needs to know comes on standard input

An engine hands on three streams and no other descriptor, so the keeper stands between them and the agent's
socket, and copies. As the first process it cannot be killed from inside, and the container ends with it: when
the agent ends, and when the other side of standard input goes away, however that came about.
Standard library only, and sent along: nothing of ours has to be in the image.
"""

import ctypes
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

WORK, AGENT = Path("/box/work"), Path("/tmp/agent")  # noqa: S108  # inside, its own
UP = b"+"  # said once it runs, before anything is sent to it
# Where the kernel counts what it refused, in the first and in the second version of control groups.
MEMORY = (("memory/memory.oom_control", "oom_kill"), ("memory.events", "oom_kill"))
PROCESSES = (("pids/pids.events", "max"), ("pids.events", "max"))
DUMPABLE, SECCOMP, FILTER = 4, 22, 2
LAST_WORDS_S = 0.3  # for what the agent said before it ended
CHUNK = 1 << 16

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Say that it runs, take the work, start the agent, copy until one side ends."""
    prctl(DUMPABLE, 0)  # nobody inside looks into this process, or at its variables
    os.write(1, UP)
    spec = json.loads(exactly(struct.unpack("!I", exactly(4))[0]))
    lay_out(spec["files"])
    ours, theirs = socket.socketpair()
    if not (agent := os.fork()):
        become_the_agent(spec, theirs)
    theirs.close()
    threading.Thread(target=end_with_the_judge, daemon=True).start()
    threading.Thread(target=copy_in, args=(ours,), daemon=True).start()
    answers = threading.Thread(target=copy_out, args=(ours,), daemon=True)
    answers.start()
    code = wait_for(agent)
    answers.join(LAST_WORDS_S)
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)  # the last word is ours
    refused = " ".join(str(int(any(map(happened, places)))) for places in (MEMORY, PROCESSES))
    os.write(2, f"{spec['word']} {code} {refused}".encode())
    os._exit(0)


def lay_out(files: list[dict[str, Any]]) -> None:
    """Write what comes: folders, links, and files with as many bytes as was said."""
    for each in files:
        path = Path(each["path"])
        if each["link"]:
            path.symlink_to(each["link"])
        elif each["size"] < 0:
            path.mkdir(exist_ok=True)
        else:
            with path.open("wb") as file:
                for at in range(0, each["size"], CHUNK):
                    file.write(exactly(min(CHUNK, each["size"] - at)))
    for each in reversed(files):  # a folder that may not be written is filled by now
        if not each["link"]:
            Path(each["path"]).chmod(each["mode"])
            os.utime(each["path"], ns=(each["time"], each["time"]))


def become_the_agent(spec: dict[str, Any], channel: socket.socket) -> None:
    """In the fork: come under the limits and the filter, and become the agent. What fails is said."""
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        os.set_inheritable(channel.fileno(), True)
        for name, value in spec["limits"].items():
            limit(getattr(resource, name), value)
        code = ctypes.create_string_buffer(bytes.fromhex(spec["seccomp"]))
        where = struct.pack("HxxxxxxQ", (len(code) - 1) // 8, ctypes.addressof(code))
        program = ctypes.create_string_buffer(where)
        prctl(SECCOMP, FILTER, ctypes.addressof(program))
        environment = spec["environment"] | {"PATH": os.environ["PATH"]}
        words = ["-P", "-s", str(AGENT / "agent.py"), str(channel.fileno()), str(WORK)]
        os.execve(sys.executable, [sys.executable, *words], environment)  # noqa: S606  # no shell is wanted
    except BaseException as error:
        os.write(2, f"box: {type(error).__name__}: {error}".encode())
        os._exit(125)


def limit(kind: int, value: int) -> None:
    """Set a resource limit, no higher than it already is."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def copy_in(line: socket.socket) -> None:
    """Standard input to the agent."""
    with suppress(OSError):
        while part := os.read(0, CHUNK):
            line.sendall(part)


def copy_out(line: socket.socket) -> None:
    """The agent to standard output. When it first speaks it has read its files, and they go."""
    with suppress(OSError):
        while part := line.recv(CHUNK):
            if AGENT.is_dir():
                rmtree(AGENT, ignore_errors=True)
            left = memoryview(part)
            while left:
                left = left[os.write(1, left) :]


def end_with_the_judge() -> None:
    """Wait until nobody writes to standard input any more, whatever the agent does."""
    line = select.poll()
    line.register(0, 0)  # an end is told unasked
    line.poll()
    os._exit(0)


def wait_for(agent: int) -> int:
    """The exit code of the agent, negative for a signal. Who comes loose from it is ours to wait for too."""
    while True:
        pid, status = os.wait()
        if pid == agent:
            return os.waitstatus_to_exitcode(status)


def happened(place: tuple[str, str]) -> bool:
    """Whether the container's control group counts an event."""
    with suppress(OSError):
        for line in Path("/sys/fs/cgroup", place[0]).read_text().splitlines():
            name, _, count = line.partition(" ")
            if name == place[1]:
                return int(count) > 0
    return False


def exactly(size: int) -> bytes:
    """So many bytes of standard input; it ends with the judge."""
    parts = bytearray()
    while len(parts) < size:
        part = os.read(0, min(size - len(parts), 1 << 20))
        if not part:
            os._exit(0)
        parts += part
    return bytes(parts)


def prctl(option: int, first: int, second: int = 0) -> None:
    """prctl(2)."""
    zero = ctypes.c_ulong(0)
    if libc.prctl(option, ctypes.c_ulong(first), ctypes.c_ulong(second), zero, zero):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
