"""ATTACKS B, rights: what code in a box may do to the system, to its start, and to what comes next."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from grader.boxes.seccomp import DENIED
from grader.doctor import OWN_KEEPER
from tests.attacks.conftest import Noted, Run
from tests.attacks.ground import HONEST, Ground
from tests.attacks.rows import ERROR, FAIL, PASS, Row, build
from tests.grader.courses import write_files

pytestmark = pytest.mark.slow

NUMBERS = {name: numbers[platform.machine() != "x86_64"] for name, numbers in DENIED.items()}
UNSHARE = 272 if platform.machine() == "x86_64" else 97
HEAD = """
import contextlib, ctypes, errno, fcntl, os, resource, socket, stat, subprocess, sys

libc = ctypes.CDLL(None, use_errno=True)
gained = []

def works(name, act):
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        if act() is not False:
            gained.append(name)
"""
TAIL = """
if gained:
    raise RuntimeError(", ".join(map(str, gained))[:1500])
"""
CALLS = f"""
for name, number in {NUMBERS!r}.items():
    ctypes.set_errno(0)
    if libc.syscall(number, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
        gained.append(name)
for flag in range(6, 32):
    if 1 << flag & 0x7E020080 and libc.syscall({UNSHARE}, 1 << flag) == 0:
        gained.append("namespace %x" % (1 << flag))
"""
SETUID = """
def copied():
    with open("/usr/bin/id", "rb") as file, open("/tmp/id", "wb") as copy:
        copy.write(file.read())
    os.chmod("/tmp/id", 0o4755)
    return subprocess.run(["/tmp/id", "-u"], capture_output=True).stdout.strip() == b"0"

works("a program with a setuid bit", copied)
for words in (["su", "-c", "id -u"], ["unshare", "-r", "id", "-u"], ["newgrp", "-c", "id -u"],
              ["setpriv", "--reuid=0", "id", "-u"], ["nsenter", "-t", "1", "-a", "id", "-u"]):
    works(words[0], lambda: b"0" in subprocess.run(words, capture_output=True, timeout=5).stdout.split())
works("setuid", lambda: os.setuid(0))
works("setgroups", lambda: os.setgroups([0]))
"""
RIGHTS = """
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
gained += [name for name in status if name.startswith("Cap") and int(status[name], 16)]
for name in ("Uid", "Gid"):
    gained += [name] * (len(set(status[name].split())) > 1 or "0" in status[name].split())
gained += ["Groups"] * ("0" in status["Groups"].split())
gained += ["privileges"] * (int(status["NoNewPrivs"]) != 1) + ["filter"] * (int(status["Seccomp"]) != 2)
open_now = [number for number in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + number)]
gained += ["descriptors " + " ".join(open_now)] * (len(open_now) > 4)  # three streams and the line
threads = os.listdir("/proc/self/task")
gained += ["threads"] * (len(threads) > 1)
"""
FIRST = """
for name in ("mem", "environ", "maps", "auxv", "stack", "syscall"):
    works("/proc/1/" + name, lambda: bool(open("/proc/1/" + name, "rb").read(1)))
for name in ("fd", "cwd", "map_files", "ns"):
    works("/proc/1/" + name, lambda: bool(os.listdir("/proc/1/" + name)))
works("/proc/1/root", lambda: os.path.exists("/proc/1/root@CLASS@"))
"""
OF_FIRST = """
works("its limits", lambda: resource.prlimit(1, resource.RLIMIT_CPU, (1, 1)))
works("its priority", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
works("its processors", lambda: os.sched_setaffinity(1, {0}))
"""
LIMITS = """
for name in dir(resource):
    if name.startswith("RLIMIT_"):
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            works(name, lambda: resource.setrlimit(kind, (hard + 1, hard + 1)))
for place in ("/sys/fs/cgroup", "/proc/self/cgroup", "/proc/self/oom_score_adj", "/proc/sys/kernel/hostname",
              "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"):
    score = b"-900" if "oom" in place else b"1"
    works(place, lambda: os.write(os.open(place, os.O_WRONLY), score))
works("priority", lambda: os.nice(-5))
"""
TOOLS = """
import importlib.util
site = os.path.dirname(os.path.dirname(importlib.util.find_spec("numpy").origin))
library = os.path.dirname(os.__file__)
for place in (site, sys.prefix, sys.base_prefix, library, "/", "/usr", "/usr/bin", "/etc", "/box"):
    works("a file in " + place, lambda: os.close(os.open(place + "/x.py", os.O_CREAT | os.O_WRONLY)))
    works("the mode of " + place, lambda: os.chmod(place, 0o777))
for file in ("/box/agent.py", "/box/wire.py", os.__file__, sys.executable, "/etc/ld.so.cache"):
    works(file, lambda: os.close(os.open(file, os.O_WRONLY)))
    works("away with " + file, lambda: os.unlink(file))
"""
LINKED = """
import os
os.symlink("%s", "metrics.json")
print(16.0)
"""
ALL_PASS = {"calls": PASS, "hidden_minutes": PASS}


def row(name: str, code: str) -> Row:
    """The honest answer, after trying for rights that it must not have."""
    head = HEAD + code + TAIL
    return Row(f"{name}", ALL_PASS, {"eta.py": head, "honest.py": HONEST["eta.py"]}, make=_join)


def _join(work: Path) -> None:
    (work / "eta.py").write_text((work / "eta.py").read_text() + (work / "honest.py").read_text())


ROWS = [
    row("system calls that leak or make namespaces, mounts and modules", CALLS),
    row("setuid programs and other users", SETUID),
    row("capabilities, descriptors and threads of the start", RIGHTS),
    row("the first process of the box", FIRST),
    row(OWN_KEEPER, OF_FIRST),
    row("raising one's own limits", LIMITS),
    row("changing Python, its packages and the agent for whoever comes next", TOOLS),
    Row(
        "a link in the box that the judge reads", {"runs": FAIL}, {"report.py": LINKED % "@CLASS@/class.toml"}
    ),
    Row("a link in the box to /proc", {"runs": ERROR}, {"report.py": LINKED % "/proc/1/environ"}),
]


@pytest.mark.parametrize("one", ROWS, ids=lambda row: row.name)
def test_a_box_gives_no_rights(run: Run, one: Row) -> None:
    run(one)


TYPES = """
import fcntl, os, termios
typed = []
for number in range(64):
    for command in (termios.TIOCSTI, 0x541C):
        for sign in b"exit\\n":
            try:
                fcntl.ioctl(number, command, bytes([sign]))
                typed.append(number)
            except OSError: pass
for name in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/ptmx"):
    try:
        with open(name, "r+b", buffering=0) as terminal:
            if name != "/dev/ptmx":  # a new one of the box's own
                typed.append(name)
    except OSError: pass
if typed: raise RuntimeError(repr(typed))

def minutes(km): return 10 + 4 * km
def minutes_all(trips): return [minutes(km) for km in trips]
"""
JUDGE = """
import json, sys
from contextlib import nullcontext
from pathlib import Path
from grader.controller import judge
from grader.manifest import read_lab
from grader.warm import WarmJudge
lab = read_lab(Path(sys.argv[1]))
with WarmJudge(lab, "bubblewrap") if sys.argv[3] == "warm" else nullcontext() as warm:
    open("/dev/tty").close()  # there is one, of the grader's
    found = judge(lab, Path(sys.argv[2]), hidden=True, box="bubblewrap", only={"calls"}, warm=warm)
Path(sys.argv[4]).write_text(json.dumps([check.found or check.verdict for check in found.checks]))
"""


def test_nobody_types_into_the_grader_s_terminal(
    ground: Ground, tmp_path: Path, noted: Noted, request: pytest.FixtureRequest
) -> None:
    noted("typing into the grader's terminal")
    way = "warm" if request.getfixturevalue("warm") else "cold"
    work = build(Row("types", {}, {"eta.py": TYPES}), ground, tmp_path, {})
    script = write_files(tmp_path, {"judge.py": JUDGE}) / "judge.py"
    words = [str(script), str(ground.roomy.folder), str(work), way, str(tmp_path / "found.json")]
    ours, theirs = os.openpty()
    done = subprocess.run(
        ["setsid", "--ctty", "--wait", sys.executable, *words],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    try:
        said = os.read(ours, 65536)
    except (BlockingIOError, OSError):
        said = b""
    os.close(ours)
    assert (done.returncode, said) == (0, b"")
    assert json.loads((tmp_path / "found.json").read_text()) == ["PASS"]
