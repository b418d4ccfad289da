"""A program in a fork of a warm agent says and leaves what it would in an interpreter of its own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.boxes.base import Box, Budget, Session
from grader.boxes.local import LocalBox, local_template
from grader.boxes.warm import Template
from grader.lab import Limits
from tests.grader.courses import write_files

TELLS = "import os, sys\nprint(__name__, __file__, sys.argv, sys.path[:2], sys.orig_argv, sys.executable)\n"
TELLS += "print(os.getcwd(), sorted(globals()), sys.stdout.encoding, sys.stdout.errors, sys.stderr.errors)\n"
FILES = {
    "tells.py": TELLS,
    "sub/tells.py": TELLS,
    "echo.py": "import sys\nsys.stdout.write(sys.stdin.read()[::-1])\n",
    "wrong.py": "def f():\n    return {}['zone']\n\nf()\n",
    "no.py": "x = = 1\n",
    "says.py": "import sys\nprint('out')\nsys.exit('the reason')\n",
    "three.py": "raise SystemExit(3)\n",
    "late.py": "import atexit, threading, time\natexit.register(print, 'at the end')\n"
    "threading.Thread(target=lambda: (time.sleep(0.2), print('from a thread'))).start()\nprint('first')\n",
    "dies.py": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n",
    "sets.py": "print(list({'river', 'market', 'airport', 'old town'}), hash('zone'))\n",
    "kitchen/__init__.py": "print('the package')\n",
    "kitchen/__main__.py": "import os, sys\n"
    "print(__name__, __package__, __spec__.name, sys.argv, sys.path[:2], sys.orig_argv)\n"
    "print(os.getcwd(), sorted(globals()), sys.modules['__main__'].__file__)\n",
    "kitchen/oven.py": "from . import nothing\n",
    "near.py": "import pandas, random\nprint(pandas.__name__, random.__doc__)\n",
    "shadowed/near.py": "import selectors\nprint(selectors.__doc__)\n",
    "shadowed/selectors.py": "'''The learner's own.'''\nprint(1)\n",
    "chain.py": "try:\n    1 / 0\nexcept ArithmeticError as error:\n    raise ValueError('no') from error\n",
}
PROGRAMS = [
    ["python", "tells.py", "a", "b c"],
    ["python3", "sub/tells.py"],
    ["python", "-I", "tells.py"],
    ["python", "-c", "import sys; print(sys.argv, sys.path[:1], __name__)", "a"],
    ["python", "-I", "-c", "import sys; print(sys.argv, sys.path[:1])", "a"],
    ["python", "-c", "1/0"],
    ["python", "-m", "echo"],
    ["python", "-m", "tells", "a", "b c"],
    ["python3", "-m", "kitchen", "a"],
    ["python", "-m", "kitchen.oven"],
    ["python", "-m", "wrong"],
    ["python", "-m", "no"],
    ["python", "-m", "says"],
    ["python", "-m", "absent"],
    ["python", "-m"],
    ["python", "-m", "pandas"],
    ["python", "-I", "-m", "tells"],
    ["python", "-X", "utf8", "tells.py"],
    ["python", "absent.py"],
    ["python"],
    *(["python", name] for name in FILES),
]


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    made = local_template(["pandas"])
    yield made
    made.close()


def run(box: Box, work: Path, argv: list[str]) -> tuple[int, str, str]:
    """Exit code and output of a program in a new box, the box's folder called HOME."""
    budget = Budget(Limits())
    with Session(box.start(work, {}, budget), budget) as session:
        done = session.run(argv, stdin=b"print(1 + 1)\n")
    texts = (re.sub(r"/box-[^/]+/", "/HOME/", text) for text in (done.stdout, done.stderr))
    return done.code, *texts  # type: ignore[return-value]  # they are two


@pytest.mark.parametrize("argv", PROGRAMS, ids=" ".join)
def test_a_forked_program_is_a_program(template: Template, tmp_path: Path, argv: list[str]) -> None:
    work = write_files(tmp_path / "work", FILES)
    cold, warm = run(LocalBox(), work, argv), run(LocalBox(template), work, argv)
    assert warm == cold
    assert cold[0] or cold[1]


def test_a_fork_has_the_imports_already_and_no_more(template: Template, tmp_path: Path) -> None:
    files = {
        "ready.py": "import sys\nprint('pandas' in sys.modules)\n",
        "call.py": "def nothing():\n    pass\n",
    }
    work, budget = write_files(tmp_path / "work", files), Budget(Limits())
    with Session(LocalBox(template).start(work, {}, budget), budget) as session:
        assert session.run(["python", "ready.py"]).stdout == "True\n"
        session.call("call.nothing")  # from now on the agent's own state is the learner's
        assert session.run(["python", "ready.py"]).stdout == "False\n"


@pytest.mark.parametrize(
    ("beside", "is_ready"), [("pandas.db", True), ("pandas.csv", True), ("pandas/a.txt", False)]
)
def test_only_what_can_be_imported_keeps_a_program_from_being_a_fork(
    template: Template, tmp_path: Path, beside: str, is_ready: bool
) -> None:
    work = write_files(
        tmp_path / "work", {"ready.py": "import sys\nprint('pandas' in sys.modules)\n", beside: ""}
    )
    assert run(LocalBox(template), work, ["python", "ready.py"])[1] == f"{is_ready}\n"


def test_random_numbers_are_new_in_every_job(template: Template, tmp_path: Path) -> None:
    source = (
        "import random, numpy.random as np\nprint(random.random(), np.random(), np.default_rng().random())\n"
    )
    work = write_files(tmp_path / "work", {"draw.py": source})
    drawn = [run(LocalBox(template), work, ["python", "draw.py"])[1].split() for _ in range(3)]
    assert all(len(set(column)) == 3 for column in zip(*drawn, strict=True))


def test_work_that_would_be_hidden_by_an_import_gets_a_box_of_its_own(
    template: Template, tmp_path: Path
) -> None:
    files = {
        "eta.py": "import calendar\n\ndef name():\n    return calendar.__doc__\n",
        "csv.py": "'''Mine.'''\n",
    }
    work = write_files(
        tmp_path / "work", {**files, "look.py": "import csv\n\ndef name():\n    return csv.__doc__\n"}
    )
    budget = Budget(Limits())
    for box in (LocalBox(), LocalBox(template)):
        with Session(box.start(work, {}, budget), budget) as session:
            assert session.call("look.name") == "Mine."
