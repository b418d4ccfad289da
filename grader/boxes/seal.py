"""Makes a box of a process that a template forked: inside the sandbox, as root, before learner code runs.

The template waits in a sandbox like any other, with the capabilities that this takes. What is made here is
what bubblewrap makes for a cold box: own pid, mount, ipc, net, uts and control-group namespaces, one tmpfs,
its own /proc; then a uid of its own, no capability, the system-call filter. Standard library only.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

NEW_PIDS = 0x20000000
NEW_REST = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x40000000  # mounts, groups, uts, ipc, net
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, REMOUNT, BIND = 1, 2, 4, 8, 32, 4096
RECURSIVE, PRIVATE = 16384, 1 << 18
DUMPABLE, SECCOMP, BOUNDING_DROP, NO_NEW_PRIVILEGES, AMBIENT = 4, 22, 24, 38, 47
SET_FLAGS, UP_AND_RUNNING = 0x8914, 0x41
COVERED = ("sys", "sysrq-trigger", "irq", "bus")  # of /proc, as bubblewrap does
KEEPER = 199_999  # the uid of each box's first process: no box has it


def load(name: str) -> ModuleType:
    """A file of ours beside this one, as a module."""
    if (known := sys.modules.get(f"_box_{name}")) is not None:
        return known
    loader = SourceFileLoader(f"_box_{name}", str(Path(__file__).with_name(f"{name}.py")))
    module = ModuleType(loader.name)
    module.__file__ = loader.path
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


launch, template = load("launch"), load("template")
libc = launch.libc


def forker() -> Callable[[], int]:
    """A fork whose child is the first process of a new pid namespace; the parent stays in its own."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def fork() -> int:
        launch.succeed(libc.unshare(NEW_PIDS), "unshare")
        try:
            return os.fork()
        finally:
            libc.setns(own, NEW_PIDS)

    return fork


def seal(fds: list[int]) -> int:
    """Become a box; returns in its second process, which learner code will share.

    Args:
        fds: the specification, the channel, the output, a folder per source, and an entrance per group.

    Returns:
        The number of the channel.
    """
    given, channel, out, *rest = fds
    try:
        template.die_with_parent()
        spec = json.loads(template.read_all(given))
        folders, entrances = rest[: spec["folders"]], rest[spec["folders"] :]
        for entrance in entrances:
            os.write(entrance, b"0")
        _make(spec | {"sources": [f"/proc/self/fd/{folder}" for folder in folders]})
        if worker := os.fork():
            _keep(worker)
        _become_the_learner(spec, channel, out)
    except BaseException as error:
        os.write(out, f"box: {type(error).__name__}: {error}".encode())
        os._exit(125)
    return channel


def _make(spec: dict[str, Any]) -> None:
    """The namespaces and what is in them."""
    launch.succeed(libc.unshare(NEW_REST), "unshare")
    launch.mount("none", "/", None, RECURSIVE | PRIVATE)
    launch.mount("proc", "/proc", "proc", NO_SUID | NO_DEV | NO_EXEC)
    for name in COVERED:
        if Path("/proc", name).exists():
            launch.mount(f"/proc/{name}", f"/proc/{name}", None, BIND | RECURSIVE)
            kept = REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEV | NO_EXEC
            launch.mount("none", f"/proc/{name}", None, kept)
    place = launch.make_place(spec)
    launch.fill(place, spec)
    for name, target in spec["targets"].items():
        launch.mount(str(place / name), target, None, BIND)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP_AND_RUNNING))


def _keep(worker: int) -> None:
    """Be the box's first process: without rights, without descriptors, reaping, until the worker ends."""
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _drop(KEEPER)
    prctl(DUMPABLE, 0)
    template.die_with_parent()  # setresuid has cleared it
    while True:
        pid, status = os.wait()
        if pid == worker:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)  # as bubblewrap says it


def _become_the_learner(spec: dict[str, Any], channel: int, out: int) -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    for number, target in ((null, 0), (out, 1), (out, 2)):
        os.dup2(number, target)
    template.keep_only([channel])
    for name, value in spec["limits"].items():
        launch.limit(getattr(launch.resource, name), value)
    _drop(spec["uid"])
    if spec["seccomp"]:  # before anybody of this uid may look into this process
        code = ctypes.create_string_buffer(bytes.fromhex(spec["seccomp"]))
        program = struct.pack("HxxxxxxQ", (len(code) - 1) // 8, ctypes.addressof(code))
        filtered = ctypes.create_string_buffer(program)
        prctl(SECCOMP, 2, ctypes.addressof(filtered))
    prctl(DUMPABLE, 1)
    os.chdir(spec["targets"]["work"])


def _drop(uid: int) -> None:
    """Another uid, no group, no capability, and no way to any."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        libc.prctl(BOUNDING_DROP, ctypes.c_ulong(capability), *[ctypes.c_ulong(0)] * 3)
    libc.prctl(AMBIENT, ctypes.c_ulong(4), *[ctypes.c_ulong(0)] * 3)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    header, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
    launch.succeed(libc.capset(header, none), "capset")
    prctl(NO_NEW_PRIVILEGES, 1)


def prctl(option: int, first: int, second: int = 0) -> None:
    """prctl(2)."""
    zero = ctypes.c_ulong(0)
    words = (ctypes.c_ulong(first), ctypes.c_ulong(second), zero, zero)
    launch.succeed(libc.prctl(option, *words), f"prctl {option}")
