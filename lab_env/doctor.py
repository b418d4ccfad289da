"""What a machine needs for the labs: what is wrong, why it matters, and the line that mends it."""

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from grader.engines import EngineProblem, find
from lab_env.promtool import install_line
from lab_env.workspace import git

PORTS = {"the site": 8000, "JupyterLab": 8888, "MLflow": 5000}
PACKAGES = ("dvc", "jupyterlab", "mkdocs", "mlflow", "pandas", "pyarrow", "sklearn", "watchfiles")
_VIRTUAL = "/sys/fs/cgroup"


@dataclass(frozen=True)
class Finding:
    """What one check of the machine says.

    `why`, `mend` and `read` are for when it is not ok: what goes wrong without it, a line to type, and
    the part of the setup page about it.
    """

    name: str
    ok: bool
    found: str
    required: bool
    why: str = ""
    mend: str = ""
    read: str = ""


@dataclass(frozen=True)
class Machine:
    """The facts that the checks judge; `look` gathers them."""

    system: str = "Linux"
    release: str = ""
    python: tuple[int, int, int] = (3, 11, 0)
    missing: tuple[str, ...] = ()
    dvc_on_path: bool = True
    folder: Path = Path()
    writable: bool = True
    free_mb: int = 0
    memory_mb: int = 0
    cores: int = 1
    git: str = ""
    identity: tuple[str, str] = ("", "")
    taken: Mapping[str, int] = field(default_factory=dict)
    clock: float = 0.0
    newest: float = 0.0
    skew_s: float = 0.0
    promtool: str = ""
    sandbox: str = ""
    engine: str = ""
    engine_mend: str = ""  # when set, `engine` is what is wrong with it


def examine(machine: Machine) -> tuple[Finding, ...]:
    """Every finding about a machine, required ones first."""
    checks = (
        check_system,
        check_python,
        check_packages,
        check_git,
        check_identity,
        check_disk,
        check_clock,
        check_memory,
        check_cores,
        check_place,
        check_ports,
        check_promtool,
        check_sandbox,
        check_engine,
    )
    return tuple(sorted((check(machine) for check in checks), key=lambda finding: not finding.required))


def check_system(machine: Machine) -> Finding:
    """Linux, macOS or WSL2; native Windows is refused."""
    return Finding(
        "system",
        machine.system in ("Linux", "Darwin"),
        {"Darwin": "macOS"}.get(machine.system, machine.system) + f" {machine.release}".rstrip(),
        required=True,
        why="The labs run Linux tools with Linux paths, signals and file modes; native Windows has none.",
        mend="wsl --install -d Ubuntu    # in PowerShell; then clone the course again inside Ubuntu",
        read="setup.md#windows",
    )


def check_python(machine: Machine) -> Finding:
    """Python 3.11 to 3.13."""
    return Finding(
        "Python",
        (3, 11) <= machine.python[:2] <= (3, 13),
        ".".join(str(part) for part in machine.python),
        required=True,
        why="The locked packages are for Python 3.11 to 3.13.",
        mend="make start PYTHON=python3.12",
        read="setup.md#python",
    )


def check_packages(machine: Machine) -> Finding:
    """The course's packages, and `dvc` on PATH as the labs type it."""
    lacks = ", ".join(machine.missing)
    if lacks:
        found, mend = f"missing: {lacks}", "make setup"
    elif not machine.dvc_on_path:
        found, mend = "installed, but `dvc` is not on PATH", "source .venv/bin/activate"
    else:
        found, mend = "installed, and `dvc` is on PATH", ""
    return Finding(
        "packages",
        not lacks and machine.dvc_on_path,
        found,
        required=True,
        why="The labs call these tools by name, in the versions of requirements.lock.",
        mend=mend,
        read="setup.md#packages",
    )


def check_git(machine: Machine) -> Finding:
    """Git 2.28 or later: the first that can name the first branch."""
    version = re.search(r"(\d+)\.(\d+)", machine.git)
    return Finding(
        "git",
        version is not None and (int(version[1]), int(version[2])) >= (2, 28),
        machine.git or "not on PATH",
        required=True,
        why="Every workspace is a Git repository of its own, started on a branch called main (Git 2.28 on).",
        mend="xcode-select --install" if machine.system == "Darwin" else "sudo apt install git",
        read="setup.md#git",
    )


def check_identity(machine: Machine) -> Finding:
    """A name and an address to commit with."""
    name, email = machine.identity
    return Finding(
        "git identity",
        bool(name and email),
        f"{name} <{email}>" if name and email else "no name or no address is set",
        required=True,
        why="The labs ask for commits, and Git makes none without a name and an address.",
        mend='git config --global user.name "Your Name" && git config --global user.email you@example.com',
        read="setup.md#git-identity",
    )


def check_disk(machine: Machine) -> Finding:
    """Room for the data, the backups and MLflow's artifacts."""
    return Finding(
        "disk",
        machine.writable and machine.free_mb >= 2048,
        f"{machine.free_mb / 1024:.1f} GB free at {machine.folder}"
        + ("" if machine.writable else ", which cannot be written"),
        required=True,
        why="Workspaces, their backups and models are kept there; below 2 GB a lab can stop half-way.",
        mend="LAB_HOME=/a/folder/with/space lab start 01    # or free some: df -h",
        read="setup.md#disk",
    )


def check_clock(machine: Machine) -> Finding:
    """A clock that is not behind the course and agrees with the file system."""
    behind = machine.clock < machine.newest - 86400
    skewed = abs(machine.skew_s) > 5
    if behind:
        found = f"{_day(machine.clock)}, before the course's own files ({_day(machine.newest)})"
    elif skewed:
        found = f"new files are dated {machine.skew_s:+.0f} s away from the clock"
    else:
        found = _day(machine.clock)
    return Finding(
        "clock",
        not (behind or skewed),
        found,
        required=True,
        why="Commits, receipts and what has changed on save are all told by time.",
        mend="sudo hwclock -s" if "microsoft" in machine.release.lower() else "sudo timedatectl set-ntp true",
        read="setup.md#clock",
    )


def check_memory(machine: Machine) -> Finding:
    """Memory for the services beside the learner's own programs."""
    return Finding(
        "memory",
        machine.memory_mb >= 3800,
        f"{machine.memory_mb / 1024:.1f} GB",
        required=False,
        why="MLflow takes 0.5 GB, JupyterLab with a notebook as much; below 4 GB training may be killed.",
        mend="lab down    # between the labs, or give the virtual machine 4 GB",
        read="setup.md#memory",
    )


def check_cores(machine: Machine) -> Finding:
    """Two cores, so that a check does not wait for a service."""
    return Finding(
        "cores",
        machine.cores >= 2,
        str(machine.cores),
        required=False,
        why="With one core the services and `lab watch` wait for each other.",
        mend="lab down    # while you work without the services",
        read="setup.md#cores",
    )


def check_place(machine: Machine) -> Finding:
    """In WSL2: the clone lies in Linux's file system, not in Windows's."""
    foreign = "microsoft" in machine.release.lower() and str(machine.folder).startswith("/mnt/")
    return Finding(
        "place",
        not foreign,
        str(machine.folder),
        required=False,
        why="Files under /mnt are Windows's: slow from WSL2, without modes, and locked while open there.",
        mend="cd ~ && git clone <the course's address>    # work there instead",
        read="setup.md#place",
    )


def check_ports(machine: Machine) -> Finding:
    """The usual ports of the services; another is taken where one is in use."""
    taken = ", ".join(f"{port} ({name})" for name, port in machine.taken.items())
    return Finding(
        "ports",
        not taken,
        f"in use: {taken}" if taken else f"{', '.join(map(str, PORTS.values()))} are free or ours",
        required=False,
        why="`lab up` then takes the next free port and prints it; your bookmarks will differ.",
        mend="lab up    # says which port it took",
        read="setup.md#ports",
    )


def check_promtool(machine: Machine) -> Finding:
    """The rule tester of Prometheus, for the lab that watches."""
    here, found = bool(machine.promtool), machine.promtool or "not on PATH"
    why = "Lab 09 tests its alert rules with it; without it two checks are not run."
    mend, page = install_line(machine.system), "setup.md#promtool"
    return Finding("promtool", here, found, required=False, why=why, mend=mend, read=page)


def check_sandbox(machine: Machine) -> Finding:
    """A sandbox to run other people's work in."""
    return Finding(
        "sandbox",
        bool(machine.sandbox),
        machine.sandbox or "none that starts",
        required=False,
        why="Only who grades other people's work needs one; your own checks run without.",
        mend="" if machine.system == "Darwin" else "sudo apt install bubblewrap",
        read="setup.md#sandbox",
    )


def check_engine(machine: Machine) -> Finding:
    """A container engine that can be used, or what is wrong with the one that is here."""
    return Finding(
        "container engine",
        not machine.engine_mend,
        machine.engine,
        required=False,
        why="`lab start 02 --container` needs one; without it, do the labs on this machine as it is.",
        mend=machine.engine_mend,
        read="setup.md#container-engine",
    )


def look(folder: Path, course: Path, *, ours: Mapping[str, int] | None = None) -> Machine:
    """Gather the facts about this machine.

    `folder` is where workspaces go; `ours` are the ports that this home's own services hold.
    """
    place = _nearest_folder(folder)
    version, identity = _git()
    engine, engine_mend = _engine()
    return Machine(
        system=platform.system(),
        release=platform.release(),
        python=sys.version_info[:3],
        missing=tuple(name for name in PACKAGES if find_spec(name) is None),
        dvc_on_path=shutil.which("dvc") is not None,
        folder=place,
        writable=os.access(place, os.W_OK),
        free_mb=shutil.disk_usage(place).free // 1024**2,
        memory_mb=_memory_mb(),
        cores=_cores(),
        git=version,
        identity=identity,
        taken={
            name: port
            for name, port in PORTS.items()
            if not is_free(port) and port not in (ours or {}).values()
        },
        clock=time.time(),
        newest=max((path.stat().st_mtime for path in course.glob("labs/*/release.txt")), default=0.0),
        skew_s=_skew_s(place),
        promtool=shutil.which("promtool") or "",
        sandbox=_answer("bwrap", "--ro-bind", "/", "/", "--unshare-all", "true", says="bwrap"),
        engine=engine,
        engine_mend=engine_mend,
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as listener:
        if listener.connect_ex(("127.0.0.1", port)) == 0:  # macOS lets two listen on one port
            return False
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _git() -> tuple[str, tuple[str, str]]:
    """Version and identity as they hold in any new repository, whatever the course's own says."""
    if shutil.which("git") is None:
        return "", ("", "")
    name, email = (git(Path("/"), "config", key).stdout.strip() for key in ("user.name", "user.email"))
    version = git(Path("/"), "version").stdout.strip().removeprefix("git version ")
    return version, (os.environ.get("GIT_AUTHOR_NAME", name), os.environ.get("GIT_AUTHOR_EMAIL", email))


def _engine() -> tuple[str, str]:
    """The container engine, and what mends it when it cannot be used; inside a container none is needed."""
    if os.environ.get("LAB_CONTAINER") == "1":
        return "not needed: this is the container", ""
    try:
        return str(find(os.environ.get("LAB_ENGINE", ""))), ""
    except EngineProblem as problem:
        return problem.problem, problem.mend


def _memory_mb() -> int:
    """What a program here can use: the machine's memory, or the container's smaller limit."""
    import psutil

    total = int(psutil.virtual_memory().total)
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(_VIRTUAL, name).read_text()))
        except (OSError, ValueError):
            continue
    return total // 1024**2


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _skew_s(folder: Path) -> float:
    """How far the file system's clock is from the machine's; 0 where no file can be written."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            return Path(file.name).stat().st_mtime - time.time()
    except OSError:
        return 0.0


def _answer(program: str, *words: str, says: str) -> str:
    """`says` when the program runs and succeeds, else nothing."""
    if shutil.which(program) is None:
        return ""
    try:
        done = subprocess.run([program, *words], capture_output=True, timeout=8, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return says if done.returncode == 0 else ""


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment))
