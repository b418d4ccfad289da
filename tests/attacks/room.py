"""A class under attack: real collects and runs in the box bubblewrap, and canaries that must not leave it."""

import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader import exports, feedback, formgrader, gradebook, runs
from grader.classroom import Classroom, init_class, read_class
from grader.doctor import Strength
from grader.intake import collect
from grader.manifest import Lab, read_lab
from grader.marks import Row
from grader.release import release
from grader.runs import Summary
from grader.snapshot import take
from tests.attacks.ground import canary
from tests.grader.classes import RIGHT
from tests.grader.courses import replace as edit
from tests.grader.courses import repository, tiny_course
from tests.grader.zips import a_zip

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 11, 16, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Room:
    """The class, the lab, a folder for what arrives, and what must never leave."""

    classroom: Classroom
    lab: Lab
    inbox: Path
    tmp: Path
    canaries: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """The class's folder."""
        return self.classroom.folder

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Type a command of `grader` in the class."""
        return subprocess.run(
            [sys.executable, "-m", "grader.cli", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def typed(self, *words: str) -> str:
        """What a command printed that must go well."""
        done = self.run(*words)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """What a command of ours is started with."""
        ours = {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.tmp), "COLUMNS": "2000"}
        return os.environ | ours | {"GRADER_CANARY": self.canaries["env"]}

    def take_in(self, files: Mapping[str, bytes], now: datetime = NOW) -> None:
        """Collect zips by the names that they arrive under."""
        batch = self.inbox / secrets.token_hex(4)
        batch.mkdir(parents=True)
        for name, content in files.items():
            (batch / name).write_bytes(content)
        collect(self.classroom, self.lab, batch, now=now)

    def grade(self, *, again: bool = False) -> Summary:
        """What `grader grade` does, on a host that is known to be strong."""
        found = self.judge(again=again)
        gradebook.project(self.classroom, self.lab, found.results)
        self.show()
        return found

    def judge(self, *, again: bool = False) -> Summary:
        """The first part of it: results."""
        before, tempfile.tempdir = tempfile.tempdir, str(self.tmp)
        try:
            return runs.grade(self.classroom, self.lab, again=again, look=lambda box: Strength(box, ()))
        finally:
            tempfile.tempdir = before

    def show(self) -> None:
        """The last part of it: what formgrader opens."""
        formgrader.write(self.classroom, self.lab, runs.load_results(self.classroom, self.lab))

    def tell(self, rows: Sequence[Row] | None = None) -> None:
        """What `grader feedback` does; with the gradebook's rows when none are given."""
        shown = gradebook.rows(self.classroom) if rows is None else rows
        feedback.write(self.classroom, self.lab, runs.load_results(self.classroom, self.lab), shown)

    def export(self, rows: Sequence[Row] | None = None) -> str:
        """What `grader export --checks` prints."""
        shown = gradebook.rows(self.classroom) if rows is None else rows
        return exports.csv_text(self.classroom, shown, checks=True)

    def report(self, rows: Sequence[Row] | None = None) -> str:
        """What `grader report` prints."""
        shown = gradebook.rows(self.classroom) if rows is None else rows
        return exports.report(self.lab, runs.load_results(self.classroom, self.lab), shown)

    def row(self, learner: str) -> str:
        """A learner's line of the export; the one line of it that is theirs."""
        (found,) = [line for line in self.export().splitlines() if line.startswith(f"{learner},")]
        return found

    def comment(self, learner: str, check: str, points: float, text: str) -> None:
        """What a person types in formgrader, as it stands in the gradebook then."""
        page = (
            "(SELECT n.id FROM submitted_notebook n JOIN submitted_assignment a ON n.assignment_id = a.id "
            "WHERE a.student_id = ?)"
        )
        cell = f"cell_id = (SELECT id FROM base_cell WHERE name = ? AND type = ?) AND notebook_id IN {page}"
        with closing(sqlite3.connect(self.folder / "gradebook.db")) as book, book:
            book.execute(
                f"UPDATE grade SET manual_score = ?, needs_manual_grade = 0 WHERE {cell}",
                (points, check, "GradeCell", learner),
            )
            book.execute(
                f"UPDATE comment SET manual_comment = ? WHERE {cell}", (text, check, "SolutionCell", learner)
            )

    def leaks(self, *texts: str) -> list[str]:
        """Canaries in texts, and in every file of the class that is not meant to hold them."""
        found = [
            f"{place} in a text" for place, word in self.canaries.items() for text in texts if word in text
        ]
        for path in self.folder.rglob("*"):
            name = path.relative_to(self.folder).as_posix()
            if path.is_symlink() or not path.is_file() or name == ".secret":
                continue
            content = path.read_bytes()
            for place, word in self.canaries.items():
                owned = (place == "neighbour" and name.startswith("submissions/nora/")) or (
                    place == "typed"
                    and (name in ("gradebook.db", "audit.jsonl") or name.startswith("feedback/nora/"))
                )
                if word.encode() in content and not owned:
                    found.append(f"{place} in {name}")
        return found

    def left(self) -> list[str]:
        """What collects and runs left outside of what they are for."""
        halves = [path for path in self.folder.rglob(".*") if ".collecting" in path.name and path.is_dir()]
        halves += [*self.folder.glob("feedback/*/.*"), *self.folder.glob("autograded/*/*/.*")]
        halves += [*self.folder.glob("results/*/*/*/.*"), *self.folder.glob(".gradebook.db.new")]
        return [str(path) for path in [*halves, *self.tmp.iterdir()]]


def make_room(folder: Path, *learners: str, change: Callable[[Lab], None] = lambda _: None) -> Room:
    """A class of `learners` and Nora, whose work, marks and comments are nobody else's business.

    `change` edits the lab before it is released.
    """
    words = {place: canary(place) for place in ("hidden", "env", "neighbour", "typed")}
    course, tmp = folder / "course", folder / "tmp"
    tmp.mkdir(parents=True)
    lab = planted(tiny_course(course), words["hidden"], change)
    init_class(folder / "class", lab.course)
    lines = [one if "," in one else f"{one},," for one in (*learners, "nora,Nora Roe,nora@example.invalid")]
    (folder / "class" / "roster.csv").write_text("\n".join(["id,name,email", *lines]) + "\n")
    classroom = read_class(folder / "class")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whatever is not read is not for want of permission
    words["secret"] = classroom.secret.hex()
    return Room(classroom, lab, folder / "inbox", tmp, words)


def planted(lab: Lab, word: str, change: Callable[[Lab], None]) -> Lab:
    """The lab with a canary in its hidden checks and its solution."""
    edit(lab.solutions / "checks" / "test_hidden.py", "# CANARY-5f0c2a9e", f'WORD = "{word}"')
    edit(lab.solutions / "work" / "add.py", "    total_of_both", f"    # {word}\n    total_of_both")
    change(lab)
    lab = read_lab(lab.folder)
    release(lab)
    return read_lab(lab.folder)


def packed(folder: Path, files: Mapping[str, str] | None = None) -> bytes:
    """The zip that `lab submit` makes of a committed work of `files` (the honest answer when None)."""
    made = repository(folder / secrets.token_hex(4), {**RIGHT, **(files or {})})
    return a_zip({f"work/{file.path}": (made / file.path).read_bytes() for file in take(made).files})


def with_nora(room: Room, folder: Path) -> None:
    """Nora handed in, was graded, and a person wrote to her."""
    add = f"# {room.canaries['neighbour']}\n{RIGHT['add.py']}"
    room.take_in({"nora.zip": packed(folder, {"add.py": add})})
    room.grade()
    room.comment("nora", "adds", 2.5, f"Well said. {room.canaries['typed']}")
