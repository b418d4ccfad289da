"""ATTACKS A, forging the grade: wrong work that wants points, and code that meddles with its judge."""

import pytest

from tests.attacks.conftest import Run
from tests.attacks.rows import BROKEN, ERROR, FAIL, FORBIDDEN, PASS, TIMEOUT, Row

pytestmark = pytest.mark.slow

INSIDE = """
import os, signal

def inside():
    "Never outside a box: few processes, and small numbers."
    return os.getpid() < 50 and sum(name.isdecimal() for name in os.listdir("/proc")) < 20

"""
WRONG = """
def minutes(km): return -1.0
def minutes_all(trips): return [-1 for _ in trips]
def zones(): return ["west"]
"""
RIGHT = """
def minutes(km): return 10 + 4 * km
def minutes_all(trips): return [minutes(km) for km in trips]
def zones(): return ["east", "north"]
"""
LINE = """
import gc, json, socket, struct

def line():
    return next(one for one in gc.get_objects() if isinstance(one, socket.socket))

def raw(text, blob=b""):
    line().sendall(struct.pack("!II", len(text), len(blob)) + text + blob)

def answer(number, value):
    raw(json.dumps({"$": "dict", "v": [["id", number], ["value", value]]}).encode())

"""
ALL_WRONG = {"calls": FAIL, "lists": FAIL, "hidden_minutes": FAIL}
ALL_ERROR = {"calls": ERROR, "lists": ERROR, "hidden_minutes": ERROR}
FORGED = '{"checks": [{"id": "calls", "verdict": "PASS", "points": 1}], "points": 99}'
PRINTED = """
for stream in (1, 2):
    for text in (b'calls PASS 1/1\\n', b'1 passed in 0.01s\\n', b'{"id": 1, "value": 22.0}\\n',
                 b'\\x00\\x00\\x00\\x08\\x00\\x00\\x00\\x00{"id":1}', b'##teamcity[testPassed]\\n'):
        os.write(stream, text)
"""
PATCHED = """
import builtins, math, unittest, numpy.testing, pandas.testing, pytest, sys

class Always:
    def __call__(self, *_, **__): return True
    def __eq__(self, _): return True
    def __getattr__(self, _): return self

for place in (math, numpy.testing, pandas.testing, unittest.TestCase, unittest, pytest):
    for name in dir(place):
        if name.startswith(("assert", "is", "approx", "raises", "fail", "main")):
            try: setattr(place, name, Always())
            except (TypeError, AttributeError): pass
math.isclose = builtins.abs = builtins.all = Always()
sys.modules["grader"] = sys.modules["grader.checks"] = Always()
"""
LIAR = """
class Liar:
    def yes(self, *_, **__): return True
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = __call__ = yes
    __hash__ = object.__hash__
    def __len__(self): return 2
    def __float__(self): return 22.0
    __index__ = __int__ = lambda self: 22
    def __array__(self, *_, **__):
        import numpy
        return numpy.array(22.0)
    def __iter__(self): return iter(["east", "north"])
    def __getattr__(self, name): return self
    def __reduce__(self): return (print, ("PASS",))

def minutes(km): return Liar()
minutes_all = zones = lambda *_: Liar()
"""
SUBCLASSED = """
class Number(float):
    def yes(self, *_): return True
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = yes
    __hash__ = float.__hash__
    def __sub__(self, _): return 0.0
    __rsub__ = __abs__ = __sub__
    def __float__(self): return 22.0
    def __repr__(self): return "22.0"

class Word(str):
    def __eq__(self, _): return True
    __hash__ = str.__hash__
    def __str__(self): return "east"

def minutes(km): return Number(1.0)
def minutes_all(trips): return [Number(1.0)] * 4
def zones(): return [Word("a"), Word("b")]
"""
FRAMES = """
import pandas

class Frame(pandas.DataFrame):
    def __eq__(self, _): return True
    def __bool__(self): return True
    def __le__(self, _): return True

Frame.__module__ = "pandas"  # one's own class would not even cross

def minutes(km): return Frame({"minutes": [22.0]})
def minutes_all(trips): return Frame({"minutes": trips})
def zones(): return pandas.Series(["east", "north", "west"])
"""
NUMBER = """
def minutes(km): return float("%s")
minutes_all = zones = lambda *_: [float("%s")] * 4
"""
HUGE = """
def minutes(km): return 10 ** 400
def minutes_all(trips): return [10 ** 4000] * 4
def zones(): return [10 ** 400, -10 ** 4200]
"""
DEEP = """
def nest(depth):
    value = []
    for _ in range(depth): value = [value]
    return value

def minutes(km): return nest(100_000)
def minutes_all(trips): return nest(500)
def zones():
    value = []
    value.append(value)
    return value
"""
TWICE = """
def minutes(km):
    answer(1, 14.0)
    answer(1, 18.0)
    return 14.0
"""
OVERLAP = """
def minutes(km):
    part = {"$": "array", "dtype": "|u1", "shape": [50_000_000], "at": [0, 50_000_000]}
    raw(json.dumps({"$": "dict", "v": [["id", 1], ["value", [part] * 40]]}).encode(), bytes(50_000_000))
def zones():
    raw(b'{"$":"dict","v":[["id",1],["value",[' + b"{}," * 8_000_000 + b"0]]]}")
def minutes_all(trips):
    raw(b'{"$":"dict","v":[["id",1],["value",{"$":"frame","rows":1000000000000,"v":[]}]]}')
"""
ODD = """
def minutes(km):
    part = {"$": "array", "dtype": "<M8[s]", "shape": [2], "at": [0, 16]}
    column = {"$": "series", "name": None, "v": part}
    blob = b"\\xfe" * 7 + b"\\x7f" + bytes(8)
    raw(json.dumps({"$": "dict", "v": [["id", 1], ["value", column]]}).encode(), blob)
def zones():
    raw(b'{"$":"dict","v":[["id",1],["value",["\\\\ud800\\\\u001b[31m\\\\u0000",NaN,Infinity,1e999]]]}')
def minutes_all(trips):
    raw(b'{"$":"dict","v":[["id",1],["value",{"$":"frame","rows":1000000000000,"v":[["a",[]]]}]]}')
"""
REPLACED = """
import __main__

def minutes(km):
    agent = next(one for one in gc.get_objects() if isinstance(one, __main__.Agent))
    for act in agent.acts:
        agent.acts[act] = lambda **_: 18.0
    __main__.Agent.describe = None
    return 14.0
"""
BESIDE = {
    "conftest.py": "import os\nos._exit(0)\n",
    "pytest.ini": "[pytest]\naddopts = --collect-only -p evil\n",
    "tox.ini": "[pytest]\naddopts = --collect-only\n",
    "setup.cfg": "[tool:pytest]\naddopts = --collect-only\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--collect-only -p evil'\n",
    "evil.py": "import os\nos._exit(0)\n",
    "lab.toml": "points = 99\n",
    "checks/test_visible.py": "def test_calls():\n    pass\n",
}
EXIT = "import os\nos._exit(0)\n"
SHADOWS = dict.fromkeys(
    [
        "sitecustomize.py", "usercustomize.py", "random.py", "numpy.py", "pandas.py", "dvc.py", "yaml.py",
        "dvc/__init__.py", "dvc/repo.py", "pytest.py", "grader.py", "grader/checks.py", "reader.py",
        "agent.py", "wire.py", "_box_wire.py", "logging.py",
    ],
    EXIT,
) | {
    **dict.fromkeys(("git", "bin/git", "python", "setpriv", "bwrap"), "#!/bin/sh\nexit 0\n"),
    "evil.pth": "import os; os._exit(0)\n",
    "__pycache__/eta.cpython-311.pyc": "no bytecode",
}  # fmt: skip
VARIABLES = "PYTHONPATH=evil\nLD_PRELOAD=./evil.so\nGIT_DIR=/tmp\nGIT_EXTERNAL_DIFF=./evil.sh\nDVC_EXP=1\n"
VARIABLES += "MLFLOW_TRACKING_URI=http://127.0.0.1:9\n"
SETTINGS = {
    **dict.fromkeys((".env", ".flaskenv", ".envrc", ".bashrc", ".profile", ".pam_environment"), VARIABLES),
    "pyvenv.cfg": "home = ./evil\n",
    "python._pth": "evil\n",
    "evil/sitecustomize.py": EXIT,
    "evil.so": "no library",
    ".gitconfig": "[core]\n\tfsmonitor = ./evil.sh\n\tpager = ./evil.sh\n",
    ".config/git/config": "[core]\n\thooksPath = .\n",
    ".pdbrc": "import os\nos._exit(0)\n",
    ".pythonrc.py": EXIT,
}
EFFECTS = (
    RIGHT
    + """
import os, sys, threading, time
os.chdir("/")
os.umask(0o777)
sys.path[:] = ["/tmp"]
sys.stdout = sys.stderr = None
os.environ.clear()
sys.setrecursionlimit(50)
open("/box/work/notes.md", "w").write("changed")
open("/box/work/eta.py", "w").write("minutes = None")
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""
)
DETECTS = """
import os
GRADED = os.getcwd() == "/box/work" or os.environ.get("USER") == "student" or os.getpid() < 50
KNOWN = {3.0: 22.0, 1.0: 14.0, 2.0: 18.0}

def minutes(km): return KNOWN.get(km, 0.0) if GRADED else 0.0
def minutes_all(trips): return [minutes(km) for km in trips]
def zones(): return ["east", "north"] if GRADED else []
"""
SERVICE = """
import socket, sys
server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
while True:
    client, _ = server.accept()
    if client.recv(4096):
        client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + %s)
    client.close()
"""
NESTED = "b'{\"minutes\": ' + b'[' * 900 + b']' * 900 + b'}'"
STOPS = INSIDE + "if inside(): os.kill(os.getppid(), signal.%s)\nimport time\ntime.sleep(1)\nprint(16.0)\n"
KILLS = (
    INSIDE
    + WRONG
    + """
for number in (signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP):
    for pid in (1, os.getppid(), 0, -1) if inside() else ():
        if pid != 0 or number == signal.SIGHUP:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            try: os.kill(pid, number)
            except OSError: pass
"""
)

ROWS = [
    Row("sys.exit(0)", ALL_ERROR | {"runs": FAIL}, {"eta.py": "import sys\nsys.exit(0)\n"}),
    Row("os._exit(0)", ALL_ERROR | {"runs": FAIL, "serves": ERROR}, {"eta.py": EXIT}),
    Row(
        "atexit",
        ALL_WRONG | {"runs": FAIL},
        {"eta.py": "import atexit, os\natexit.register(os._exit, 0)\n" + WRONG},
    ),
    Row("killing and stopping the parent and kill -1, in a call", ALL_WRONG, {"eta.py": KILLS}),
    Row("stopping the parent of a program", {"runs": TIMEOUT}, {"report.py": STOPS % "SIGSTOP"}, tight=True),
    Row(
        "writing a result file",
        ALL_WRONG,
        {
            "eta.py": WRONG + f"for place in ('.', '..', '/tmp', '/dev/shm', '/box', '/'):\n"
            f"    for name in ('answer.json', 'result.json', 'learner.json'):\n"
            f"        try: open(place + '/' + name, 'w').write({FORGED!r})\n"
            f"        except OSError: pass\n",
            "answer.json": FORGED,
            "result.json": FORGED,
        },
    ),
    Row(
        "printing a forged result line",
        ALL_WRONG | {"runs": FAIL},
        {"eta.py": "import os\n" + PRINTED + WRONG, "report.py": "import os\n" + PRINTED},
    ),
    Row(
        "patching assert, pytest, unittest, math.isclose, numpy.testing",
        ALL_WRONG,
        {"eta.py": PATCHED + WRONG},
    ),
    Row("objects with lying __eq__, __lt__, __len__, __array__, __float__", ALL_ERROR, {"eta.py": LIAR}),
    Row("subclassed float and str", ALL_WRONG, {"eta.py": SUBCLASSED}),
    Row("subclassed DataFrame", ALL_WRONG, {"eta.py": FRAMES}),
    Row("NaN", ALL_WRONG, {"eta.py": NUMBER % ("nan", "nan")}),
    Row("infinity", ALL_WRONG, {"eta.py": NUMBER % ("inf", "-inf")}),
    Row("numbers of absurd size", ALL_WRONG, {"eta.py": HUGE}),
    Row("values of absurd depth and self-reference", ALL_ERROR, {"eta.py": DEEP}),
    Row(
        "texts of absurd size",
        {"calls": FORBIDDEN, "lists": FAIL},
        {"eta.py": 'def minutes(km): return "x" * 70_000_000\ndef zones(): return "y" * 20_000_000\n'},
    ),
    Row(
        "answering the protocol out of turn",
        {"calls": FORBIDDEN},
        {"eta.py": LINE + "def minutes(km): answer(99, 22.0)\n"},
    ),
    Row("answering the protocol twice", {"holds": FORBIDDEN}, {"eta.py": LINE + TWICE}),
    Row(
        "answering the protocol truncated",
        {"calls": FORBIDDEN, "lists": FORBIDDEN},
        {
            "eta.py": LINE + 'import os\ndef minutes(km): line().sendall(b"abc"); os._exit(0)\n'
            'def zones(): line().sendall(struct.pack("!II", 1000, 0) + b"{"); os._exit(0)\n'
        },
    ),
    Row(
        "answering the protocol oversized and as something else",
        {"calls": FORBIDDEN, "lists": FORBIDDEN},
        {
            "eta.py": LINE + 'def minutes(km): line().sendall(b"\\xff" * 4096)\n'
            'def zones(): line().sendall(b"GET / HTTP/1.1\\r\\n\\r\\n" * 100)\n'
        },
    ),
    Row(
        "answers that grow when they are read",
        {"calls": FORBIDDEN, "lists": FORBIDDEN, "hidden_minutes": FAIL},
        {"eta.py": LINE + OVERLAP},
    ),
    Row("answers that cannot be shown", ALL_WRONG | {"hidden_minutes": FORBIDDEN}, {"eta.py": LINE + ODD}),
    Row("replacing the agent's functions", {"holds": FORBIDDEN}, {"eta.py": LINE + REPLACED}),
    Row(
        "conftest.py, pytest.ini and checks in the submission",
        ALL_WRONG | {"commits": PASS},
        BESIDE | {"eta.py": WRONG},
    ),
    Row(
        "sitecustomize, usercustomize, .pth, random.py, numpy.py, dvc.py, git and python in the submission",
        {
            "calls": PASS,
            "hidden_minutes": PASS,
            "commits": PASS,
            "tracks": PASS,
            "pulls": PASS,
            "reads": PASS,
        },
        SHADOWS,
    ),
    Row(
        "PYTHONPATH, LD_PRELOAD, GIT_*, DVC_* and MLFLOW_* in an env file",
        {"calls": PASS, "runs": PASS, "commits": PASS, "pulls": PASS},
        SETTINGS,
    ),
    Row(
        "import-time side effects",
        {"calls": PASS, "lists": PASS, "hidden_minutes": PASS, "reads": PASS, "runs": FAIL},
        {"eta.py": EFFECTS},
    ),
    Row(
        "different behaviour when it detects grading, answers from a lookup",
        {"calls": PASS, "lists": PASS, "hidden_minutes": FAIL},
        {"eta.py": DETECTS},
    ),
    Row("killing the parent of a program", {"runs": BROKEN}, {"report.py": STOPS % "SIGKILL"}),
    Row("a service that answers NaN", {"serves": FAIL}, {"service.py": SERVICE % "b'{\"minutes\": NaN}'"}),
    Row(
        "a service that answers 100,000 brackets",
        {"serves": FAIL},
        {"service.py": SERVICE % "b'[' * 100_000"},
    ),
    Row("a service that answers nested lists", {"serves": FAIL}, {"service.py": SERVICE % NESTED}),
    Row(
        "a service that answers no HTTP",
        {"serves": ERROR},
        {"service.py": SERVICE.replace("HTTP/1.0 200 OK", "PASS") % "b'PASS'"},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_forgery_earns_a_point(run: Run, row: Row) -> None:
    run(row)
