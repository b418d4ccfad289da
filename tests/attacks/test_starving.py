"""ATTACKS C, starving the host: bombs, floods, loops, leftovers, and a sandbox tool that fails.

Every bomb is bounded, so that it does no harm where a wall fails; the processes that it starts die with it.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from grader.boxes.bubblewrap import program
from grader.boxes.limits import sweep
from grader.controller import judge
from grader.warm import WarmJudge
from tests.attacks.conftest import Noted, Run, hold, judged, timeless
from tests.attacks.ground import Ground
from tests.attacks.rows import (
    BROKEN,
    DISK,
    ERROR,
    MEMORY,
    OUTPUT,
    PASS,
    PROCESSES,
    TIMEOUT,
    Outcome,
    Row,
    build,
    leftovers,
    scratch,
    template_family,
    watched,
)
from tests.grader.courses import write_files

pytestmark = pytest.mark.slow

RIGHT = """
def minutes_all(trips): return [10 + 4 * km for km in trips]
def zones(): return ["east", "north"]
"""


def call(body: str, head: str = "") -> dict[str, str]:
    """Work whose `minutes` does that, then answers right."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return {"eta.py": f"import os, time\n{head}\n{RIGHT}\ndef minutes(km):\n{lines}    return 10 + 4 * km\n"}


FORKS = """
children = []
for _ in range(300):
    child = os.fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    children.append(child)
"""
TREE = """
for _ in range(8):
    os.fork()
time.sleep(10)
"""
BUSY = """
end = time.process_time() + 0.1
while time.process_time() < end:
    pass
time.sleep(1)
"""
THREADS = """
threading.stack_size(1 << 16)
for _ in range(400):
    threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
"""
HEAP = "held = [bytearray(b'x') * (1 << 25) for _ in range(14)]"
MAPPED = """
area = mmap.mmap(-1, 450 << 20)
for at in range(0, len(area), mmap.PAGESIZE):
    area[at] = 1
"""
MEMFD = """
for _ in range(60):
    os.write(os.memfd_create("bomb"), bytes(8 << 20))
"""
SYSTEM_V = """
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
for _ in range(14):
    place = libc.shmat(libc.shmget(0, 32 << 20, 0o1600), None, 0)
    if place in (None, 2 ** 64 - 1): raise MemoryError("no more segments")
    ctypes.memset(place, 1, 32 << 20)
"""
TMPFS = """
for number in range(40):
    with open(("/dev/shm/%d", "/tmp/%d")[number % 2] % number, "wb") as file:
        file.write(bytes(8 << 20))
"""
FILL = """
for number in range(40):
    with open("fill-%d" % number, "wb") as file:
        file.write(bytes(8 << 20))
"""
DELETED = """
held = []
for number in range(40):
    held.append(open("fill-%d" % number, "wb"))
    os.unlink("fill-%d" % number)
    held[-1].write(bytes(8 << 20))
    held[-1].flush()
"""
FILES = """
held = []
while True: held.append(os.open("/dev/null", os.O_RDONLY))
"""
PIPES = """
held = []
for _ in range(100_000):
    held.append(os.pipe())
    os.set_blocking(held[-1][1], False)
    os.write(held[-1][1], bytes(1 << 16))
"""
MANY = """
os.mkdir("many")
for number in range(30_000):
    os.close(os.open("many/%d" % number, os.O_CREAT | os.O_WRONLY))
"""
DESCENT = """
for _ in range(10_000):
    os.mkdir("d")
    os.chdir("d")
open("bottom", "w").write("x")
"""
DEAF = """
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True:
    try:
        while True: pass
    except BaseException: pass
"""
LOCKED = "lock = threading.Lock()\nlock.acquire()\nlock.acquire()"
HELD = """
if os.fork() == 0:  # the line to the judge stays open in the child
    time.sleep(30)
os._exit(0)
"""
HALF = """
import gc, socket, struct
line = next(one for one in gc.get_objects() if isinstance(one, socket.socket))
line.sendall(struct.pack("!II", 10, 0)[:3])
for _ in range(3): os.fork()
end = time.monotonic() + 20
while time.monotonic() < end: pass
"""
SPREAD = """
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        while time.process_time() < 0.9: pass
        os._exit(0)
    children.append(child)
for child in children: os.waitpid(child, 0)
"""
SLOW = "import time\nwhile time.process_time() < 0.8: pass\n"
SLEEPY = "import time\ntime.sleep(1.2)\n"
SHOUT = 'import os, sys\nwhile True: os.write(%d, b"x" * 4096 + %r)\n'
DAEMON = """
if os.fork() == 0:
    os.setsid()
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    if os.fork() == 0:
        os.closerange(0, 256)
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", "@MARK@"])
    os._exit(0)
time.sleep(0.3)
"""
LISTENS = """
global held
held = []
for family, address in ((socket.AF_INET, ("0.0.0.0", @PORT@)), (socket.AF_UNIX, "\\0@MARK@"),
                        (socket.AF_UNIX, "/tmp/@MARK@"), (socket.AF_INET6, ("::", @PORT@ + 1))):
    server = socket.socket(family)
    server.bind(address)
    server.listen()
    held.append(server)
socket.create_connection(("127.0.0.1", @PORT@))
"""
CORE = """
try: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
except (OSError, ValueError): pass
os.abort()
"""
ZOMBIES = """
for _ in range(300):
    if os.fork() == 0: os._exit(0)
"""

ROWS = [
    Row("fork bomb", {"calls": PROCESSES}, call(FORKS)),
    Row("fork bomb that doubles", {"calls": PROCESSES}, call(TREE)),
    Row("zombies", {"calls": PROCESSES}, call(ZOMBIES)),
    Row("thread bomb", {"calls": PROCESSES}, call(THREADS, "import threading")),
    Row("memory bomb", {"calls": MEMORY, "lists": PASS}, call(HEAP)),
    Row("mmap bomb", {"calls": MEMORY}, call(MAPPED, "import mmap")),
    Row("memfd bomb", {"calls": MEMORY}, call(MEMFD)),
    Row("System V shm bomb", {"calls": MEMORY}, call(SYSTEM_V, "import ctypes")),
    Row("tmpfs bomb", {"calls": DISK}, call(TMPFS)),
    Row("disk fill", {"calls": DISK, "lists": PASS}, call(FILL)),
    Row("disk fill by files without a name", {"calls": DISK}, call(DELETED)),
    Row("a file of a terabyte of holes", {"calls": DISK}, call('os.truncate(open("x", "wb").name, 1 << 40)')),
    Row("every descriptor there is", {"calls": ERROR, "lists": PASS}, call(FILES)),
    Row("pipes full to the brim", {"calls": ERROR, "lists": PASS}, call(PIPES)),
    Row("a million tiny files", {"calls": DISK}, call(MANY)),
    Row("a 10,000-deep directory", {"calls": PASS}, call(DESCENT)),
    Row("endless loop", {"calls": TIMEOUT}, call("while True: pass"), tight=True),
    Row("endless loop that swallows signals", {"calls": TIMEOUT}, call(DEAF, "import signal"), tight=True),
    Row(
        "a C-level block",
        {"calls": TIMEOUT},
        call('re.match("(a+)+$", "a" * 64 + "b")', "import re"),
        tight=True,
    ),
    Row("sleep, and what comes after", {"calls": TIMEOUT, "lists": PASS}, call("time.sleep(60)"), tight=True),
    Row("deadlock", {"calls": TIMEOUT}, call(LOCKED, "import threading"), tight=True),
    Row("input()", {"calls": ERROR}, call("input()"), tight=True),
    Row("the line held open by a child", {"calls": ERROR}, call(HELD), tight=True),
    Row("busy children behind a begun answer", {"calls": TIMEOUT}, call(HALF), tight=True),
    Row("CPU time spread over processes", {"calls": TIMEOUT}, call(SPREAD), tight=True),
    Row("many busy steps each under the limit", {"repeats": TIMEOUT}, {"report.py": SLOW}, tight=True),
    Row("many sleepy steps each under the limit", {"repeats": TIMEOUT}, {"report.py": SLEEPY}, tight=True),
    Row("a flood of stdout with newlines", {"runs": OUTPUT}, {"report.py": SHOUT % (1, b"\n")}),
    Row("a flood of stderr without newlines", {"runs": OUTPUT}, {"report.py": SHOUT % (2, b"")}),
    Row("a flood of stdout in a call", {"calls": OUTPUT}, call('while True: print("x" * 1000)')),
    Row("a flood by a service", {"serves": OUTPUT}, {"service.py": SHOUT % (1, b"")}),
    Row(
        "a daemon that outlives its parent",
        {"calls": PASS, "lists": PASS},
        call(DAEMON, "import signal, sys"),
    ),
    Row("listening ports", {"calls": PASS}, call(LISTENS, "import socket")),
    Row("core dumps", {"calls": ERROR}, call(CORE, "import resource")),
    Row("closing every descriptor", {"calls": ERROR}, call("os.closerange(0, 4096)")),
    Row("killing its own process", {"calls": BROKEN}, call("os.kill(os.getpid(), 9)")),
    Row("ending its own process by a signal it may send", {"calls": ERROR}, call("os.kill(os.getpid(), 15)")),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_bomb_leaves_its_box(run: Run, row: Row) -> None:
    run(row)


def test_a_neighbour_at_the_same_moment_keeps_its_grade(
    ground: Ground, honest: Mapping[str, Any], tmp_path: Path, warm: WarmJudge | None, noted: Noted
) -> None:
    noted("a loaded machine making correct work time out")
    busy = Row("busy", {"calls": PROCESSES}, call(TREE.replace("time.sleep(10)\n", BUSY)))
    work = build(busy, ground, tmp_path, {})
    with watched() as pids, scratch() as place, ThreadPoolExecutor(2) as pool:
        facts: dict[str, Any] = {
            "hidden": True, "box": "bubblewrap", "secret": ground.secret, "warm": warm
        }  # fmt: skip
        before = template_family()
        bad = pool.submit(judge, ground.roomy, work, only=set(busy.expect), **facts)
        good = pool.submit(judge, ground.roomy, ground.honest, **facts)
        results = bad.result(), good.result()
        left = leftovers(place, pids, "no mark", before)
    hold(Outcome(results[0], "", left), ground, "")
    assert json.dumps(timeless(results[1])) == json.dumps(honest)
    assert [check.verdict for check in results[0].checks] == [PROCESSES]


TOOLS = {
    "dies": ("echo no luck >&2; exit 3", "The box did not start (exit code 3): no luck"),
    "is killed": ("kill -9 $$", "The box did not start (exit code -9)"),
    "says something else": ('while :; do echo ready >&"$CHANNEL"; done', "The box did not start"),
}


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script in the place of bwrap."""

    def place(script: str) -> None:
        fake = write_files(tmp_path / "bin", {"bwrap": f"#!/bin/sh\n{script}\n"}) / "bwrap"
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")

    return place


@pytest.mark.parametrize("way", TOOLS)
def test_a_sandbox_tool_that_fails_is_no_fault_of_the_learner_s(
    run: Run, ground: Ground, tool: Callable[[str], None], warm: WarmJudge | None, way: str
) -> None:
    script, said = TOOLS[way]
    tool(script)
    with WarmJudge(ground.roomy, "bubblewrap") if warm else nullcontext() as own:  # its templates fail too
        outcome = run(Row(f"a sandbox tool that {way}", {"calls": BROKEN}), warm=own)
    assert said in outcome.result.checks[0].found
    assert outcome.result.points == 0


def test_a_slow_start_is_not_the_learner_s_time(
    run: Run, ground: Ground, tool: Callable[[str], None], warm: WarmJudge | None
) -> None:
    spin = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"  # a third of a second of CPU time
    tool(f'{spin}; sleep 1; exec {program()} "$@"')
    row = Row(
        "a cold start counted as learner time",
        {"calls": PASS, "lists": PASS, "hidden_minutes": PASS},
        tight=True,
    )
    with WarmJudge(ground.roomy, "bubblewrap") if warm else nullcontext() as own:
        timeless(judged(ground, own))  # all of it passes while a template comes up as slowly
        run(row, warm=own)


def test_a_sandbox_tool_that_hangs_does_not_outlive_its_judge(
    ground: Ground, tool: Callable[[str], None], record_property: Callable[[str, object], None]
) -> None:
    record_property("attack", "a sandbox tool that hangs")
    tool("exec sleep 300")
    grace_s = 5 - ground.roomy.limits.wall_s
    with watched(), scratch():
        [check] = judge(ground.roomy, ground.honest, only={"calls"}, box="bubblewrap", grace_s=grace_s).checks
        assert (check.verdict, check.points) == (BROKEN, 0)
        time.sleep(0.2)
        children = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
        sweep()
    assert [one.name() for one in children if one.name() == "sleep"] == []


def test_a_judge_that_is_ended_leaves_no_box(
    ground: Ground, tmp_path: Path, warm: WarmJudge | None, noted: Noted
) -> None:
    noted("a box that outlives its judge")
    mark = f"mark-{uuid4().hex}"
    row = Row("box", {}, call(DAEMON + "time.sleep(100)", "import signal, sys"))
    work = build(row, ground, tmp_path, {"MARK": mark})
    before = template_family()
    with watched() as pids, scratch() as place:
        facts: dict[str, Any] = {
            "only": {"calls"},
            "box": "bubblewrap",
            "grace_s": -ground.roomy.limits.wall_s + 5,
            "warm": warm,
        }
        [check] = judge(ground.roomy, work, **facts).checks
        assert (check.verdict, check.found) == (
            BROKEN,
            "The check did not report once: The judge did not end within 5 s.",
        )
        sweep()
        assert leftovers(place, pids, mark, before) == []


KILLED = {"judges": "--template", "boxes": "agent.py"}


@pytest.mark.parametrize("kind", KILLED)
def test_a_template_that_is_killed_costs_no_grade(
    ground: Ground, honest: Mapping[str, Any], kind: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("attack", f"a template of {kind} that is killed")
    others = {*psutil.Process().children(recursive=True)}  # a template of all attacks may be up as well
    with WarmJudge(ground.roomy, "bubblewrap") as own:
        judged(ground, own)
        ours = {*psutil.Process().children(recursive=True)} - others
        family = [one for one in ours if is_of(one, KILLED[kind])]
        assert family != []
        for one in family:
            with suppress(psutil.NoSuchProcess):  # it ended with the one that it belongs to
                one.kill()
        assert json.dumps(timeless(judged(ground, own))) == json.dumps(honest)
        assert json.dumps(timeless(judged(ground, own))) == json.dumps(honest)


def is_of(process: psutil.Process, word: str) -> bool:
    """Whether a process has the word on its command line."""
    try:
        return any(word in part for part in process.cmdline())
    except psutil.Error:
        return False
