"""A course of two tiny labs, for tests of what `lab` does around them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.manifest import Lab, read_lab
from lab_env.layout import start
from lab_env.workspace import Home, Workspace

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)

FIRST = """
format = 1
title = "Say hello"
minutes = 10
objectives = ["Write one word into a file"]
prepare = [["python", "-c", "open('data.txt', 'w').write('3 4')"]]

[[tasks]]
id = "look"
title = "Look at the notes"
minutes = 1
worked = true
[[tasks.checks]]
id = "notes_are_there"
says = "notes.md is there"

[[tasks]]
id = "say-hello"
title = "Write the word"
minutes = 5
[[tasks.checks]]
id = "says_hello"
says = "answer.txt says hello"
points = 3
hints = ["Which word?", "Use an editor.", "echo hello > answer.txt"]
[[tasks.checks]]
id = "says_it_twice"
says = "answer.txt says it twice"
points = 2
hints = ["How often?", "Use two lines.", "echo hello >> answer.txt"]
after = ["says_hello"]
[[tasks.checks]]
id = "says_it_well"
says = "The word is well said"
points = 5
hints = ["How?", "Well.", "Say it well."]
hidden = true

[[tasks]]
id = "tag-it"
title = "Tag it"
minutes = 2
core = false
[[tasks.checks]]
id = "is_tagged"
says = "There is a tag"
points = 4
hints = ["git tag", "git tag NAME", "git tag done"]
"""

SECOND = """
format = 1
title = "Build on it"
minutes = 20
needs = ["01-first", "09-elsewhere"]
objectives = ["Use an earlier result"]
prepare = [["python", "take_over.py"]]

[[tasks]]
id = "use"
title = "Use it"
minutes = 5
[[tasks.checks]]
id = "is_used"
says = "earlier.txt is there"
points = 1
hints = ["a", "b", "c"]
"""

TAKE_OVER = """
import os
from pathlib import Path

own = os.environ.get("LAB_EARLIER", "")
text = Path(own, "answer.txt").read_text() if own else "given"
Path("earlier.txt").write_text(text)
"""

CHECKS = """
from grader.checks import Evidence, Expect


def test_notes_are_there(evidence: Evidence, expect: Expect) -> None:
    expect(evidence.text("notes.md") is not None, True, looked_at="notes.md", why="Notes help.")


def test_says_hello(evidence: Evidence, expect: Expect) -> None:
    words = (evidence.text("answer.txt") or "").split()
    expect(
        words[:1], ["hello"], looked_at="the first word of answer.txt",
        why="Nobody is greeted by an empty file.", link="modules/01-first.md#hello",
    )


def test_says_it_twice(evidence: Evidence, expect: Expect) -> None:
    words = (evidence.text("answer.txt") or "").split()
    expect(words, ["hello", "hello"], looked_at="answer.txt", why="Twice is clearer.")


def test_is_tagged(evidence: Evidence, expect: Expect) -> None:
    expect(bool(evidence.git.tags()), True, looked_at="the tags", why="Tags last.")
"""

CHECKS_SECOND = """
from grader.checks import Evidence, Expect


def test_is_used(evidence: Evidence, expect: Expect) -> None:
    expect(evidence.text("earlier.txt") is not None, True, looked_at="earlier.txt", why="It builds on it.")
"""

WORD = "# Write the word on the next line.   task: say-hello\nword =\n"


@dataclass(frozen=True)
class Tiny:
    """The course, the home of its workspaces, and its two labs."""

    course: Path
    home: Home
    first: Lab
    second: Lab

    def started(self) -> Workspace:
        """The first lab, laid out."""
        return start(self.home, self.first, given=False, now=NOW).workspace

    def release_again(self, release: str = "r2", **files: str | None) -> Workspace:
        """The course's maker changes starter files (None: drops one); dots in names are written `_dot_`."""
        for name, text in files.items():
            path = self.first.folder / "work" / name.replace("_dot_", ".")
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        (self.first.folder / "release.txt").write_text(f"{release}\n")
        return Workspace(self.home, read_lab(self.first.folder))


def tiny_course(folder: Path) -> Tiny:
    """Write the course below `folder`."""
    files = {
        "mkdocs.yml": "site_name: Tiny\ntheme: mkdocs\n",
        "docs/index.md": "# Tiny\n\nHello.\n",
        "labs/01-first/lab.toml": FIRST,
        "labs/01-first/release.txt": "r1\n",
        "labs/01-first/checks/test_first.py": CHECKS,
        "labs/01-first/work/notes.md": "one\ntwo\nthree\nfour\nfive\n",
        "labs/01-first/work/answer.txt": "",
        "labs/01-first/work/word.cfg": WORD,
        "labs/02-second/lab.toml": SECOND,
        "labs/02-second/release.txt": "r1\n",
        "labs/02-second/checks/test_second.py": CHECKS_SECOND,
        "labs/02-second/work/take_over.py": TAKE_OVER,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    home = Home(folder, folder / "workspace")
    return Tiny(folder, home, read_lab(folder / "labs/01-first"), read_lab(folder / "labs/02-second"))


def prepared_by(tiny: Tiny, command: tuple[str, ...]) -> Lab:
    """The first lab with another `prepare`."""
    return tiny.first.model_copy(update={"prepare": (command,)})
