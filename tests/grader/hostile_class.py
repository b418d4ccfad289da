"""A class in which every text that a stranger may have a hand in is a hostile one, and what is made of it.

It is collected, graded, exported and told through the commands themselves, typed in this process: each of
them starts in seconds. One submission is judged in its box; the results of the others are written as the
judge writes them.
"""

import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from dataclasses import replace as with_
from pathlib import Path

from grader import cli, runs
from grader.classroom import Classroom, init_class, read_class
from grader.doctor import Strength
from grader.manifest import Lab, read_lab
from grader.receipts import newest
from grader.release import release
from grader.results import Result, Verdict
from grader.runs import load_results
from grader.snapshot import take
from tests.attacks.room import Room
from tests.grader.classes import RIGHT, judged, record
from tests.grader.courses import git, repository, tiny_course
from tests.grader.strings import HOSTILE
from tests.grader.zips import a_zip

IDS = tuple(f"p{at:02}" for at in range(len(HOSTILE)))
Say = Callable[..., None]
NO_TEXT = b"n\xff\xed\xa0\x80.zip"  # no UTF-8, so Python spells it with lone surrogates
GROUPS = [range(at, min(at + 3, 39)) for at in range(0, 39, 3)] + [range(39, 40)]  # a message holds so many
TASK = """
[[tasks]]
id = "say"
title = "Say"
minutes = 1
[[tasks.checks]]
id = "told"
says = "You say why"
points = 2
by_hand = "notes.md"
hints = ["a", "b", "c"]
"""
CHECK = '[[tasks.checks]]\nid = "says_{at}"\nsays = "It is plain"\npoints = 1\nhints = ["a", "b", "c"]\n'
FUNCTION = """

def test_says_{at}(student: Student, expect: Expect) -> None:
    expect(student.call("shows.says", {at}), "plain", looked_at="shows", why="Texts are shown.", link=LINK)
"""
SHOWS = f"""
SAID = {[[HOSTILE[at] for at in group] for group in GROUPS]!r}

def says(at):
    if at % 2:
        raise ValueError(", ".join(SAID[at]))
    return SAID[at]
"""
ALL = "\n".join(HOSTILE)
EVIL = "\n".join(f"evil.append({at})  # {' '.join(text.split())}" for at, text in enumerate(HOSTILE))
NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"title": ALL},
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ALL},
        {
            "cell_type": "code", "id": "b", "metadata": {}, "source": EVIL, "execution_count": None,
            "outputs": [
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": ALL}}
            ],
        },
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class World:
    """The class when everything was made; `out` is where what lies outside of it was written."""

    classroom: Classroom
    lab: Lab
    out: Path
    said: Mapping[str, Said]

    @property
    def folder(self) -> Path:
        """The class's folder."""
        return self.classroom.folder

    def files(self, pattern: str) -> dict[str, str]:
        """The texts of the class's files, by path; there are some."""
        found = {str(path): path.read_bytes().decode() for path in sorted(self.folder.glob(pattern))}
        assert found, pattern
        return found


def typed(folder: Path, *words: str) -> Said:
    """Type a command of `grader` in a folder."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    before, sys.argv = sys.argv, ["grader", *words]
    code: object = 0
    try:
        with chdir(folder), redirect_stdout(out), redirect_stderr(err):
            cli.main()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.argv = before
    out.flush()
    err.flush()
    assert isinstance(code, int)
    return Said(code, *(one.buffer.getvalue().decode() for one in (out, err)))


def hostile_course(folder: Path) -> Lab:
    """The tiny course, whose lab asks a function for the texts and a person to read an answer."""
    lab = tiny_course(folder)
    manifest, checks = lab.folder / "lab.toml", lab.folder / "checks" / "test_visible.py"
    manifest.write_text(
        manifest.read_text() + TASK + "".join(CHECK.format(at=at) for at in range(len(GROUPS)))
    )
    checks.write_text(checks.read_text() + "".join(FUNCTION.format(at=at) for at in range(len(GROUPS))))
    lab = read_lab(lab.folder)
    release(lab)
    return read_lab(lab.folder)


def hostile_class(folder: Path, lab: Lab) -> Classroom:
    """Forty learners whose names and addresses are hostile, all late, each for a reason of theirs."""
    init_class(folder, lab.course)
    with (folder / "roster.csv").open("w", encoding="utf-8", newline="") as roster:
        csv.writer(roster).writerows([("id", "name", "email"), *zip(IDS, HOSTILE, HOSTILE, strict=True)])
    settings = folder / "class.toml"
    settings.write_text(
        settings.read_text() + f'"{lab.id}" = 2026-11-10T00:00:00\n[extensions."{lab.id}"]\n' + "".join(
            f"{who} = {{ until = 2026-11-11T00:00:00, because = {json.dumps(text)} }}\n"
            for who, text in zip(IDS, HOSTILE, strict=True)
        )
    )  # fmt: skip
    return read_class(folder)


def handed_in(folder: Path) -> Path:
    """Work by everybody; the first four are repositories with hostile authors, messages and notebooks."""
    folder.mkdir()
    for at, (who, text) in enumerate(zip(IDS, HOSTILE, strict=True)):
        files: dict[str, str | bytes] = {f"work/{name}": content for name, content in RIGHT.items()}
        files |= {"work/.git/HEAD": "x\n", "work/own.py": f"own = {at}\n", "work/notes.md": ALL}
        if at < 4:
            files = {f"work/{name}": content for name, content in _repository(folder / who, at).items()}
        says = {"release": text, "started": text, "made": text, "hints": {text: 1, "adds": 2}}
        files["receipt.json"] = json.dumps(says)
        (folder / f"{who}.zip").write_bytes(a_zip(files))
    return folder


def _repository(folder: Path, at: int) -> dict[str, bytes]:
    made = folder.parent.parent / f"{folder.name}-made"
    repository(made, {**RIGHT, "shows.py": SHOWS})
    (made / "notes.md").write_bytes(ALL.encode())
    (made / "own.py").write_text(f"own = {at}\n")
    (made / "evil.py").write_bytes(EVIL.encode())
    (made / "evil.ipynb").write_text(json.dumps(NOTEBOOK))
    (made / "<img src=x onerror=alert('h01q')>.py").write_bytes(EVIL.encode())
    git(made, "add", "--all")
    author = re.sub("[<>]", "", HOSTILE[at])  # as Git leaves it
    message = ALL.replace("\x00", "")
    git(made, "commit", "--quiet", "--author", f"{author} <{HOSTILE[23]}>", "--message", message)
    assert git(made, "log", "-1", "--format=%an") == author
    return {file.path: (made / file.path).read_bytes() for file in take(made).files}


def refused(folder: Path) -> tuple[Path, Path]:
    """Two batches: zips whose one odd file has a hostile name, and receipts and zips that are called so."""
    inner, outer = folder / "inner", folder / "outer"
    inner.mkdir(parents=True)
    outer.mkdir()
    whole = {"work/add.py": RIGHT["add.py"], "work/.git/HEAD": "x\n"}
    for who, text in [*zip(IDS, HOSTILE, strict=True)][4:]:
        (inner / f"{who}.zip").write_bytes(a_zip({**whole, f"work/{text}": who}))
        (outer / f"{who}.zip").write_bytes(a_zip({**whole, "receipt.json": json.dumps({"lab": text})}))
    for text in HOSTILE:
        name = text.replace("/", "").replace("\x00", "")[:100] + " x.zip"
        (outer / name).write_bytes(a_zip(whole))
    Path(os.fsdecode(bytes(outer) + b"/" + NO_TEXT)).write_bytes(a_zip(whole))
    return inner, outer


def odd(lab: Lab, snapshot: str, text: str) -> Result:
    """A result in which all that a learner's code, or a check that quotes it, says is the text."""
    says = {"found": text, "misconception": text, "why": text, "exception": text}
    result = judged(lab, snapshot, adds="FAIL", adds_anything="BLOCKED", notes_are_there="FAIL")
    checks = tuple(one if one.passed else with_(one, **says) for one in result.checks)  # type: ignore[arg-type]
    return with_(result, checks=checks, tries=(text,), weak=(text,))


@contextmanager
def spoken(said: dict[str, Said], name: str) -> Iterator[list[str]]:
    """Lines that something told while it went on, kept as a command's."""
    lines: list[str] = []
    yield lines
    said[name] = Said(0, "\n".join(lines) + "\n", "")


def make_world(top: Path) -> World:
    """Make the class and everything that the grader can make of it."""
    lab = hostile_course(top / "course")
    classroom = hostile_class(top / "class", lab)
    folder, out, said = classroom.folder, top / "out", dict[str, Said]()
    out.mkdir()

    def say(name: str, *words: str, code: int = 0) -> None:
        said[name] = typed(folder, *words)
        assert said[name].code == code, said[name]

    say("collect", "collect", "01", str(handed_in(top / "in")))
    inner, outer = refused(top / "odd")
    say("collect names", "collect", "01", str(inner), code=1)
    say("collect again", "collect", "01", str(outer), code=1)
    say("collect as json", "collect", "01", str(outer), "--json", code=1)
    for at, (who, receipt) in enumerate(sorted(newest(classroom, lab.id).items())):
        if at:
            record(classroom, lab, who, odd(lab, receipt.snapshot, HOSTILE[at]))
    with spoken(said, "judged") as lines:
        runs.grade(
            classroom, lab, look=lambda box: Strength(box, ()),
            told=lambda event: lines.append(event.line) if isinstance(event, runs.Ended) else None,
        )  # fmt: skip
    say("grade", "grade", "01")
    room = Room(classroom, lab, top, top, {})
    for who, text in zip(IDS, HOSTILE, strict=True):
        room.comment(who, "adds", 1, text)
    room.comment("p00", "told", 2, HOSTILE[0])
    say("grade again", "grade", "01")
    _hand_out(say, classroom, out)
    _look_again(say, classroom, lab)
    return World(classroom, lab, out, said)


def _hand_out(say: Say, classroom: Classroom, out: Path) -> None:
    """Everything that is written or printed from the grades."""
    say("feedback", "feedback", "01")
    say("report", "report", "--site", "https://course.invalid")
    say("report of a lab", "report", "01")
    say("report without names", "report", "--anonymous")
    say("export", "export", "--checks")
    for form in ("canvas", "moodle", "gradescope"):
        words = [] if form == "gradescope" else ["--output", str(out / f"{form}.csv")]
        say(f"export for {form}", "export", "01", "--format", form, *words)
    for form, lines in (("canvas", _canvas()), ("moodle", _moodle())):
        given = out / f"{form}-given.csv"
        with given.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(lines)
        words = ["--into", str(given), "--output", str(out / f"{form}-into.csv")]
        say(f"export into {form}", "export", "01", "--format", form, *words)
    say("similar", "similar", "01")
    key = str(out / "key")
    say("key", "certificate", "key", "--signing-key", key)
    say("sign", "certificate", "sign", "--by", HOSTILE[0], "--at-least", "0", "--signing-key", key)
    for who in IDS:
        picture = str(classroom.folder / "certificates" / f"{who}.svg")
        say(f"verify {who}", "certificate", "verify", picture, "--key", f"{key}.pub")
    say("take out", "learner", "export", "p05", str(out / "p05.zip"), "--hidden")
    say("delete, dry", "learner", "delete", "p05", "--dry-run")
    say("backup", "backup", str(out / "class.tar.gz"))


def _canvas() -> list[Sequence[str]]:
    head = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Add two numbers (1)")
    return [head, *((text, text, who, "", text, "") for who, text in zip(IDS, HOSTILE, strict=True))]


def _moodle() -> list[Sequence[str]]:
    head = ("Identifier", "Full name", "ID number", "Grade", "Last modified (grade)", "Feedback comments")
    return [head, *((text, text, who, "", text, text) for who, text in zip(IDS, HOSTILE, strict=True))]


def _look_again(say: Say, classroom: Classroom, lab: Lab) -> None:
    """What a second look prints; the results change for it and the gradebook does not."""
    for who in ("p00", "p02"):
        say(f"appeal {who}", "appeal", who, "01")
    results = load_results(classroom, lab)
    for (who, result), text in zip(results.items(), HOSTILE, strict=True):
        checks = tuple(
            with_(one, verdict=Verdict.FAIL, points=0.0, found=text) if one.id == "is_committed" else one
            for one in result.checks
        )
        record(classroom, lab, who, with_(result, checks=checks))
    say("regrade", "regrade", "01", "--dry-run")
