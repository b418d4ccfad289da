"""`grader demo` is a whole class in one command, the same one each time."""

import os
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer import Exit

from grader import demo
from grader.classroom import read_class
from grader.cli_demo import conclude
from grader.gradebook import project, rows
from grader.manifest import Lab
from grader.receipts import newest
from tests.grader.classes import a_class
from tests.grader.test_cli_grade import ROOT

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_same_seed_gives_the_same_class_and_everybody_has_a_name(sound: Lab) -> None:
    people = demo.people(200)
    assert len({one.id for one in people}) == len({one.email for one in people}) == 200
    names = [one.id for one in people[:40]]
    first, again, other = (demo.plan(sound, names, random.Random(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert [one.kind for one in first[:8]] == list(demo.WEIGHTS)
    assert (first[8].kind, first[8].late) == (demo.RIGHT, True)
    assert {one.kind for one in first} == set(demo.WEIGHTS)
    assert {one.late for one in first} == {True, False}
    made = [one.answer.name for one in first if one.kind == demo.WRONG and one.answer]
    assert len(set(made)) > 1
    copied = [one.answer for one in first if one.kind == demo.COPIED]
    assert copied
    assert None not in copied


def test_a_demo_that_could_not_judge_somebody_says_so(
    sound: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    project(classroom, sound, {})
    conclude(classroom, [], open_=False)
    with pytest.raises(Exit) as ended:
        conclude(classroom, ["01-add, anna: OSError: broken"], open_=False)
    assert ended.value.exit_code == 1
    assert capsys.readouterr().out.endswith(
        "Not judged; `grader grade` in the class tries them again:\n01-add, anna: OSError: broken\n"
    )


@pytest.mark.slow
def test_a_demo_class_is_graded_and_reported(tiny: Lab, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli", "demo", os.path.relpath(tmp_path / "class", tiny.course),
         "--learners", "9", "--open", "--accept-weak"],
        cwd=tiny.course,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "BROWSER": f"{browser} %s"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    room = read_class(tmp_path / "class")
    plans = demo.plan(tiny, list(room.roster), random.Random(1))
    came = {one.learner for one in plans if one.kind not in (demo.MISSING, demo.BROKEN, demo.HOSTILE)}
    assert newest(room, tiny.id).keys() == came
    found = {row.learner: row for row in rows(room)}
    for one in plans:
        row = found[one.learner]
        if one.learner not in came:
            assert row.status == "missing"
            continue
        assert row.status == "graded"
        is_right = one.answer is not None and one.answer.kind in ("master", "right")
        assert (row.points == 6) == (is_right and one.kind != demo.FORGED), one
        assert row.late is one.late
    lost = sum(one.kind in (demo.BROKEN, demo.HOSTILE) for one in plans)
    assert f"01-add: {lost} set aside. Judging the others.\n[1/" in done.stdout
    assert len(list((room.folder / "aside").iterdir())) == lost
    assert (
        f"A class of 9 is in {room.folder}. Its report: {room.folder / 'report' / 'index.html'}\n"
        in done.stdout
    )
    report = room.folder / "report" / "index.html"
    assert (tmp_path / "opened").read_text().strip() == report.as_uri()
    page = report.read_text()
    assert "`work/notes.txt` is a link; only plain files are taken." in page
    assert "2 days late, 20 % of the points taken off." in page
    assert "adds FORBIDDEN" in page
    assert len(list((room.folder / "feedback").iterdir())) == len(came)


@pytest.mark.slow
def test_a_demo_that_is_stopped_says_what_goes_on(tiny: Lab, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "grader.cli", "demo", str(tmp_path / "class"), "--learners", "9", "--no-open"],
        cwd=tiny.course,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo_:
        assert demo_.stdout
        assert "solved as" in demo_.stdout.readline()
        demo_.terminate()
        told = demo_.communicate(timeout=60)[1]
    assert demo_.returncode == 130
    assert told == (
        f"Stopped. What was judged is kept; `grader grade 01` in `{tmp_path}/class` goes on with the rest.\n"
    )
