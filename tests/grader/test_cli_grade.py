"""`grader grade`, `feedback`, `report` and `export`, typed in a class."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.classroom import Classroom
from grader.manifest import Lab
from tests.grader.classes import MINUS, RIGHT, a_class, hand_in, judged, record

ROOT = Path(__file__).parent.parent.parent


def typed(classroom: Classroom, *words: str) -> subprocess.CompletedProcess[str]:
    """What a command said, typed in the class's folder."""
    return subprocess.run(
        [sys.executable, "-m", "grader.cli", *words],
        cwd=classroom.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def class_of(sound: Lab, tmp_path: Path) -> Classroom:
    """Anna passed, Ben did not and waits for a person; both have results already. Cleo handed nothing in."""
    classroom = a_class(tmp_path / "class", sound, "anna,Anna Lee,a@example.invalid", "ben,=1+1,", "cleo")
    record(classroom, sound, "anna", judged(sound, hand_in(classroom, sound, "anna", RIGHT)))
    snapshot = hand_in(classroom, sound, "ben", MINUS)
    record(classroom, sound, "ben", judged(sound, snapshot, adds="FAIL", is_committed="GRADER_ERROR"))
    return classroom


@pytest.mark.slow
def test_a_class_is_graded_reported_exported_and_told(class_of: Classroom) -> None:
    graded = typed(class_of, "grade", "01")
    assert (graded.returncode, graded.stderr) == (0, "")
    assert re.fullmatch(
        r"01-add: 0 judged in \d+\.\d s, 2 judged before, 0 not judged, 1 with something for a person\.\n"
        r"Who and why: `grader report 01`\.\n",
        graded.stdout,
    )
    report = typed(class_of, "report", "add")
    assert "2 judged, 0 to be judged, 1 missing, 0 late" in report.stdout
    assert "- ben: is_committed: GRADER_ERROR" in report.stdout
    told = typed(class_of, "feedback", "01-add")
    assert told.stdout == f"01-add: 4 files for 2 learners in {class_of.folder / 'feedback'}.\n"
    export = typed(class_of, "export", "--format", "csv", "--checks")
    assert export.stdout.splitlines()[1].startswith("anna,Anna Lee,a@example.invalid,01-add,graded,6,6,,")
    assert export.stdout.splitlines()[2].startswith("ben,'=1+1,,01-add,to be looked at,2,6,,")
    assert export.stdout.splitlines()[3] == "cleo,,,01-add,missing,,,,,,,,,,,"
    written = typed(class_of, "export", "01", "--output", "grades.csv")
    assert written.stdout == "3 rows in grades.csv.\n"
    assert (class_of.folder / "grades.csv").read_bytes().startswith(b"learner,name,email,lab,status,points,")
    sheet = typed(class_of, "export", "01", "--format", "canvas", "--output", "canvas.csv")
    assert sheet.stdout == "1 grades in canvas.csv.\n"
    assert sheet.stderr == "Left out: ben: to be looked at\nLeft out: cleo: missing\n"
    assert typed(class_of, "export", "01", "--format", "moodle").stdout.endswith("Anna Lee,6\n")
    files = typed(class_of, "export", "01", "--format", "gradescope")
    assert files.stdout == f"1 files below {class_of.folder / 'gradescope'}.\n"
    assert json.loads((class_of.folder / "gradescope/anna/01-add/results.json").read_text())["score"] == 6
    assert files.stderr == "Left out: ben: to be looked at\nLeft out: cleo: missing\n"
    roster = (class_of.folder / "roster.csv").read_text()
    (class_of.folder / "roster.csv").write_text("id,name,email\nben,,\n")
    gone = typed(class_of, "export", "01", "--format", "gradescope")
    assert (gone.returncode, gone.stdout.partition(" ")[0]) == (0, "0")
    assert "Left out: anna: no result of somebody on the roster\n" in gone.stderr
    (class_of.folder / "roster.csv").write_text(roster)
    vague = typed(class_of, "export", "--format", "moodle")
    assert (vague.returncode, "Name it: `grader export LAB --format moodle`." in vague.stderr) == (2, True)
    pages = typed(class_of, "report", "--anonymous")
    assert (
        pages.stdout == f"1 labs, 3 learners. Open {class_of.folder / 'report-anonymous' / 'index.html'}.\n"
    )
    refused = typed(class_of, "export", "--output", "feedback")
    assert refused.returncode == 2
    assert "feedback cannot be written" in refused.stderr


def test_commands_name_what_is_missing(class_of: Classroom) -> None:
    for words in (["report", "01"], ["feedback", "01"], ["export"]):
        done = typed(class_of, *words)
        assert done.returncode == 2
        assert "gradebook.db is not there yet. Run `grader grade LAB` first." in done.stderr
    for words, said in (
        (["export", "--output", "roster.csv"], "roster.csv is one of the class's own files. Name another"),
        (["appeal", "ben", "01", "--output", "./class.toml"], "class.toml is one of the class's own files."),
        (["export", "01", "--format", "canvas", "--into", "a.csv", "--output", "./a.csv"],
         "a.csv would be overwritten. Name another file with `--output`."),
    ):  # fmt: skip
        done = typed(class_of, *words)
        assert (done.returncode, said in done.stderr) == (2, True)
    unnamed = typed(class_of, "export", "01", "--into", "Grades.csv")
    assert unnamed.returncode == 2
    assert "`--into` goes with `--format canvas` or `--format moodle`, and Grades.csv" in unnamed.stderr
    named = typed(class_of, "report", "01", "--anonymous")
    assert (named.returncode, named.stdout) == (2, "")
    assert "what is printed of one lab has names in it. Leave the lab out." in named.stderr
    assert "has no lab `7`" in typed(class_of, "grade", "7").stderr
    assert typed(class_of, "grade").returncode == 2
    assert typed(class_of, "export", "--format", "ods").returncode == 2


@pytest.mark.slow
def test_a_polite_kill_keeps_what_was_judged_and_leaves_nothing(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", "ben")
    hand_in(classroom, sound, "anna", RIGHT)
    hand_in(
        classroom, sound, "ben", {**RIGHT, "add.py": "import time\n\n\ndef add(a, b):\n    time.sleep(90)\n"}
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "grader.cli", "grade", "01", "--accept-weak"],
        cwd=classroom.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert re.fullmatch(r"\[1/2\] anna: 6 of 6 points \(\d+\.\d s\)\n", line), line
    scratch = Path((classroom.folder / ".grading.lock").read_text().splitlines()[1])
    process.terminate()
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert error == "Stopped. What was judged is kept; `grader grade 01` goes on with the rest.\n"
    assert not scratch.exists()
    assert [path.parts[-4] for path in classroom.folder.glob("results/*/*/*/result.json")] == ["anna"]

    (changed,) = classroom.folder.glob("submissions/ben/*/*/work/notes.md")
    changed.write_text("Other notes.\n")
    again = typed(classroom, "grade", "01", "--accept-weak", "--workers", "2")
    assert again.returncode == 1
    assert again.stdout.startswith("[1/1] ben: not judged: ")
    assert "0 judged in" in again.stdout
    assert "1 judged before, 1 not judged" in again.stdout
    assert again.stdout.endswith("Not judged: ben. The lines above say why.\n")


SCREEN = """
from grader.cli_grade import screen
from grader.runs import Begun, Ended
with screen() as told:
    told(Begun(2, 0))
    told(Ended(1, 2, "anna", None, "[red]no[/red]"))
"""


def test_a_terminal_sees_the_lines_and_the_time_left() -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCREEN],
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "100"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:  # its end was closed
            break
    os.close(ours)
    assert process.wait(timeout=30) == 0
    assert b"[1/2] anna: not judged: [red]no[/red]" in said
    assert re.search(rb"1/2.*\d:\d\d:\d\d|-:--:--", said)


def test_a_box_without_walls_is_refused(class_of: Classroom, sound: Lab) -> None:
    settings = class_of.folder / "class.toml"
    settings.write_text(settings.read_text().replace("bubblewrap", "shed"))
    hand_in(class_of, sound, "cleo", RIGHT)
    done = typed(class_of, "grade", "01")
    assert done.returncode == 2
    assert "Nobody's work is run here: the box `shed` lacks sandbox on this host." in done.stderr
