"""A tiny sound course in a folder of the test's own: one lab, four checks, wrong and right answers."""

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from grader.manifest import Lab, read_lab
from grader.release import release
from grader.starter import course_environment, run

MANIFEST = """
format = 1
title = "Add two numbers"
minutes = 10
objectives = ["Add two numbers"]
prepare = [["python", "-c", "open('data.txt', 'w').write('3 4')"]]

[limits]
cpu_s = 5
wall_s = 20

[[tasks]]
id = "look"
title = "Look at the file"
minutes = 1
worked = true
[[tasks.checks]]
id = "notes_are_there"
says = "notes.md is there"

[[tasks]]
id = "add"
title = "Write add"
minutes = 5
[[tasks.checks]]
id = "adds"
says = "add(2, 3) is 5"
points = 3
hints = ["Look at add.", "Use +.", "return a + b"]
[[tasks.checks]]
id = "adds_anything"
says = "add works for any two numbers"
points = 2
hints = ["Try others.", "Use the arguments.", "return a + b"]
after = ["adds"]
hidden = true

[[tasks]]
id = "commit"
title = "Commit it"
minutes = 2
[[tasks.checks]]
id = "is_committed"
says = "The work is committed"
points = 1
hints = ["git status", "git commit", "git commit -am done"]
"""

ADD = """
def add(a, b):
    # BEGIN SOLUTION
    total_of_both = a + b
    return total_of_both
    # INSTEAD: raise NotImplementedError
    # END SOLUTION
"""

CHECKS = """
from grader.checks import Evidence, Expect, Student

LINK = "modules/01-add.md"


def test_notes_are_there(evidence: Evidence, expect: Expect) -> None:
    expect.that(
        evidence.text("notes.md") is not None, found="no notes.md", expected="notes.md",
        looked_at="the files", why="Notes help.", misconception="no-notes",
    )


def test_adds(student: Student, expect: Expect) -> None:
    expect(
        student.call("add.add", 2, 3), 5, looked_at="add(2, 3)", why="Sums are sums.", link=LINK,
        misconception="wrong-sum",
    )


def test_is_committed(evidence: Evidence, expect: Expect) -> None:
    expect(
        b"return" in (evidence.git.read("add.py") or b""), True, looked_at="add.py in HEAD",
        why="Only commits travel.", misconception="dirty-tree",
    )
"""

HIDDEN = """
from grader.checks import Expect, Hidden, Student

# CANARY-5f0c2a9e


def test_adds_anything(student: Student, hidden: Hidden, expect: Expect) -> None:
    a, b = hidden.rng("pair").integers(100, 1000, 2).tolist()
    expect(
        student.call("add.add", a, b), a + b, looked_at="add on hidden numbers",
        why="One example proves little.", misconception="hard-coded",
    )
"""


def tiny_course(folder: Path) -> Lab:
    """Write the course below `folder`, release its lab and read it."""
    files = {
        "mkdocs.yml": "site_name: Tiny\n",
        "pyproject.toml": "[tool.grader]\ntables = ['world']\n",
        "labs/01-add/lab.toml": MANIFEST,
        "labs/01-add/checks/test_visible.py": CHECKS,
        "solutions/01-add/work/add.py": ADD,
        "solutions/01-add/work/notes.md": "Add.\n",
        "solutions/01-add/work/only_in_the_master.py": "# BEGIN SOLUTION\nkept_back = True\n# END SOLUTION\n",
        "solutions/01-add/checks/test_hidden.py": HIDDEN,
        "solutions/01-add/solve.sh": "git add -A && git commit -qm done\n",
        "solutions/01-add/wrong/minus/add.py": "def add(a, b):\n    return a - b\n",
        "solutions/01-add/wrong/minus/expect.toml": '[fails]\nadds = "wrong-sum"\n',
        "solutions/01-add/wrong/typed/add.py": "def add(a, b):\n    return 5\n",
        "solutions/01-add/wrong/typed/expect.toml": '[fails]\nadds_anything = "hard-coded"\n',
        "solutions/01-add/wrong/dirty/solve.sh": "echo 'not committed'\n",
        "solutions/01-add/wrong/dirty/expect.toml": '[fails]\nis_committed = "dirty-tree"\n',
        "solutions/01-add/wrong/no-notes/then.sh": "git rm -q notes.md && git commit -qm away\n",
        "solutions/01-add/wrong/no-notes/expect.toml": '[fails]\nnotes_are_there = "no-notes"\n',
        "solutions/01-add/right/sum/add.py": "def add(*numbers):\n    return sum(numbers)\n",
    }
    write_files(folder, files)
    lab = read_lab(folder / "labs" / "01-add")
    release(lab)
    return lab


def replace(file: Path, old: str, new: str) -> None:
    """Change one place of a file; the text must be there."""
    text = file.read_text()
    assert old in text, f"{old!r} is not in {file}"
    file.write_text(text.replace(old, new))


def lab_of(
    folder: Path,
    checks: str,
    *,
    hidden: str = "",
    limits: str = "",
    after: dict[str, list[str]] | None = None,
) -> Lab:
    """A lab `01-trial` below `folder` with one check of one point for each test function; nothing else."""
    parts = [f'format = 1\ntitle = "Trial"\nminutes = 1\nobjectives = ["Try"]\n[limits]\n{limits}\n']
    parts.append('[[tasks]]\nid = "only"\ntitle = "Only"\nminutes = 1\n')
    for source, is_hidden in ((dedent(checks), "false"), (dedent(hidden), "true")):
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                name = node.name.removeprefix("test_")
                waits = json.dumps((after or {}).get(name, []))
                parts.append(
                    f'[[tasks.checks]]\nid = "{name}"\nsays = "{name}"\npoints = 1\nafter = {waits}\n'
                    f'hints = ["a", "b", "c"]\nhidden = {is_hidden}\n'
                )
    write_files(
        folder,
        {
            "mkdocs.yml": "",
            "labs/01-trial/lab.toml": "".join(parts),
            "labs/01-trial/release.txt": "0" * 64,
            "labs/01-trial/checks/test_visible.py": checks,
            "solutions/01-trial/checks/test_hidden.py": hidden,
        },
    )
    return read_lab(folder / "labs" / "01-trial")


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write texts below `folder`, indentation taken off; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text).lstrip("\n"))
    return folder


def git(folder: Path, *words: str) -> str:
    """Run Git in `folder` as the course would, and return what it printed."""
    return run(["git", *words], folder, course_environment()).strip()


def repository(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """A Git repository on `main` with one commit of `files`."""
    write_files(folder, files or {"notes.md": "One.\n"})
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "one")
    return folder


def commit(folder: Path, message: str) -> str:
    """Commit everything; the commit's id."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")
