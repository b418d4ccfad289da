"""The first program of a bubblewrap box: makes the place, comes under the limits, becomes bwrap.

    python -I launch.py SPEC.json

Standard library only. It gets an empty environment, so that nothing of the judge's can be read from
/proc/1/environ inside. As root it makes the one tmpfs in a mount namespace of its own and the work is
given to the box's uid; as a user it does the same in a user namespace.
"""

import ctypes
import json
import os
import resource
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG; it holds through exec
NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000
NO_SUID, NO_DEV, RECURSIVE, PRIVATE = 2, 4, 16384, 1 << 18

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Do as the specification says; ends as bwrap."""
    libc.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    spec = json.loads(Path(sys.argv[1]).read_text())
    for entrance in spec["groups"]:
        Path(entrance).write_text(str(os.getpid()))
    unshare(spec["root"])
    place = make_place(spec)
    fill(place, spec)
    for name, value in spec["limits"].items():
        limit(getattr(resource, name), value)
    arguments = descriptor(b"\0".join(word.encode() for word in spec["bwrap"]) + b"\0")
    command = [spec["program"], "--args", str(arguments), *spec["command"]]
    if spec["seccomp"]:
        command[3:3] = ["--seccomp", str(descriptor(bytes.fromhex(spec["seccomp"])))]
    os.execve(command[0], command, {})  # noqa: S606  # no shell is wanted


def unshare(root: bool) -> None:
    """A mount namespace of our own, and as a user the user namespace that makes it possible."""
    uid, gid = os.getuid(), os.getgid()
    succeed(libc.unshare(NEW_MOUNTS if root else NEW_MOUNTS | NEW_USER), "unshare")
    if not root:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    mount("none", "/", None, RECURSIVE | PRIVATE)


def make_place(spec: dict[str, Any]) -> Path:
    """One tmpfs for work, /tmp and /dev/shm: capped in bytes and in files."""
    place = Path(spec["place"])
    options = f"size={spec['disk_bytes']},nr_inodes={spec['inodes']},mode=755"
    mount("tmpfs", str(place), "tmpfs", NO_SUID | NO_DEV, options)
    for name in ("work", "tmp", "shm"):
        (place / name).mkdir()
        (place / name).chmod(0o700 if name == "work" else 0o1777)
    return place


def fill(place: Path, spec: dict[str, Any]) -> None:
    """Copy the work and what is laid over it, and give it to the box's uid."""
    work = place / "work"
    for source in spec["sources"]:
        shutil.copytree(source, work, dirs_exist_ok=True, symlinks=True)
    work.chmod(0o700)
    if spec["root"]:
        for folder, _, names in os.walk(place):
            for path in (folder, *(f"{folder}/{name}" for name in names)):
                os.chown(path, spec["uid"], spec["uid"], follow_symlinks=False)


def limit(kind: int, value: int) -> None:
    """Set a resource limit, no higher than it already is."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def descriptor(content: bytes) -> int:
    """An open file with that content, for a program that is exec'ed."""
    number = os.memfd_create("spec", 0)
    os.write(number, content)
    os.lseek(number, 0, os.SEEK_SET)
    return number


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """mount(2)."""
    words = [word.encode() if word is not None else None for word in (source, target, kind)]
    succeed(libc.mount(*words, ctypes.c_ulong(flags), options.encode()), f"mount on {target}")


def succeed(result: int, what: str) -> None:
    """Raise the system's reason when a call failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"box: {error}")
