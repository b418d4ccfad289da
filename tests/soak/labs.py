"""The labs of the soak: small ones for code, a service and a notebook, and the course's lab 02.

Each says where the body of one function stands, so that a hostile one can be put there, and which check
asks it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.manifest import Lab, find_course, find_lab, read_lab
from grader.release import release
from tests.grader import notebook_lab
from tests.grader.courses import replace, tiny_course, write_files

TIGHT = "cpu_s = 2\nwall_s = 4\nmemory_mb = 256\ndisk_mb = 32"
SERVICE = """
format = 1
title = "Serve a promise"
minutes = 10
objectives = ["Serve a promise"]

[limits]
cpu_s = 3
wall_s = 8
memory_mb = 256
disk_mb = 32

[[tasks]]
id = "serve"
title = "Serve it"
minutes = 5
[[tasks.checks]]
id = "is_healthy"
says = "The service says that it is up"
points = 1
hints = ["Look at /healthz.", "Answer 200.", "self.send_response(200)"]
[[tasks.checks]]
id = "promises"
says = "A promise is ten minutes and four a kilometre"
points = 3
hints = ["Look at minutes.", "Use both numbers.", "10 + 4 * km"]
hidden = true
"""
SERVER = """
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from promise import minutes


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        promised = minutes(float(self.path.partition("km=")[2])) if "km=" in self.path else "up"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(promised).encode())


HTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
"""
PROMISE = """
def minutes(km):
    # BEGIN SOLUTION
    ten_and_four = 10 + 4 * km
    return ten_and_four
    # INSTEAD: raise NotImplementedError
    # END SOLUTION
"""
SERVED = """
from grader.checks import Expect, Student


def test_is_healthy(student: Student, expect: Expect) -> None:
    session = student.session(["python", "service.py", "{port}"])
    expect(session.get("/healthz").json(), "up", looked_at="/healthz", why="A load balancer asks.",
           misconception="down")
"""
PROMISED = """
from grader.checks import Expect, Hidden, Student


def test_promises(student: Student, hidden: Hidden, expect: Expect) -> None:
    km = float(hidden.rng("km").integers(100, 1000))
    session = student.session(["python", "service.py", "{port}"])
    found = [session.get(f"/minutes?km={far}").json() for far in (km, km + 1)]
    expect(found, [10 + 4 * km, 14 + 4 * km], looked_at="/minutes", why="It is promised.",
           misconception="wrong-promise")
"""


@dataclass(frozen=True)
class Place:
    """A lab of the soak: `write(work, body)` puts a body of a function into work, `asks` is who calls it.

    `kinds` are the hostile bodies that are tried there, all when empty.
    """

    lab: Lab
    asks: str
    write: Callable[[Path, str], None]
    kinds: tuple[str, ...] = ()


def code(folder: Path) -> Place:
    """The tiny course, with tight limits, so that a loop costs a second or two."""
    lab = tiny_course(folder)
    return Place(_limited(lab, "cpu_s = 5\nwall_s = 20", TIGHT), "adds", _function("add.py", "add(a, b)"))


def service(folder: Path) -> Place:
    """A service that learners write, asked over HTTP."""
    place = "solutions/01-serve"
    files: Mapping[str, str] = {
        "mkdocs.yml": "site_name: Serve\n",
        "labs/01-serve/lab.toml": SERVICE,
        "labs/01-serve/checks/test_visible.py": SERVED,
        f"{place}/work/service.py": SERVER,
        f"{place}/work/promise.py": PROMISE,
        f"{place}/checks/test_hidden.py": PROMISED,
        f"{place}/wrong/ten/promise.py": "def minutes(km):\n    return 10.0\n",
        f"{place}/wrong/ten/expect.toml": '[fails]\npromises = "wrong-promise"\n',
        f"{place}/wrong/down/service.py": SERVER.replace('else "up"', 'else "down"'),
        f"{place}/wrong/down/expect.toml": '[fails]\nis_healthy = "down"\n',
        f"{place}/right/swapped/promise.py": "def minutes(km):\n    return km * 4 + 10\n",
    }
    write_files(folder, files)
    lab = read_lab(folder / "labs" / "01-serve")
    release(lab)
    return Place(lab, "promises", _function("promise.py", "minutes(km)"))


def notebook(folder: Path) -> Place:
    """The notebook of late deliveries."""
    lab = notebook_lab.notebook_course(folder)
    limits = "cpu_s = 6\nwall_s = 12\nmemory_mb = 512\ndisk_mb = 32"
    return Place(_limited(lab, "cpu_s = 30\nwall_s = 60", limits), "predicts_any_distance", _in_cell)


def versions(_: Path) -> Place:
    """Lab 02 of the course, where it lies. Its limits are wide: of the hostile only what ends at once."""
    lab = find_lab(find_course(Path(__file__)), "02")
    kinds = ("exit", "forge", "memory", "flood")
    return Place(lab, "measure_holds_on_other_orders", _script, kinds)


def _limited(lab: Lab, old: str, new: str) -> Lab:
    replace(lab.folder / "lab.toml", old, new)
    release(lab)
    return read_lab(lab.folder)


def _function(file: str, head: str) -> Callable[[Path, str], None]:
    def write(work: Path, body: str) -> None:
        (work / file).write_text(f"def {head}:\n    {body}\n")

    return write


def _in_cell(work: Path, body: str) -> None:
    file = work / notebook_lab.NAME
    data = notebook_lab.read(file)
    (cell,) = [cell for cell in data["cells"] if "def predict(km)" in "".join(cell["source"])]
    cell["source"] = f"def predict(km):\n    {body}\n"
    file.write_text(json.dumps(data))


def _script(work: Path, body: str) -> None:
    (work / "measure.py").write_text(f"def measure():\n    {body}\n\n\nmeasure()\n")
