"""The workflow in the docs runs here as far as it can without GitHub, and says what failed and the points."""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest
import yaml

from grader.answers import Kitchen, find_answer
from grader.manifest import Lab
from lab_env.annotations import command, run, summary
from lab_env.errors import LabError
from tests.grader.classes import MINUS, judged
from tests.grader.courses import tiny_course
from tests.grader.strings import HOSTILE
from tests.grader.zips import a_zip

COURSE = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((COURSE / "docs" / "examples" / "github-actions.yml").read_text())
STEPS = WORKFLOW["jobs"]["checks"]["steps"]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return tiny_course(tmp_path_factory.mktemp("annotated"))


@pytest.fixture
def runner(made: Lab, tmp_path: Path) -> Path:
    """What the first three steps leave on a runner: the course as published, and a repository."""
    copytree(made.course, tmp_path / "course", ignore=ignore_patterns("solutions", ".cache"))
    (tmp_path / "course" / ".venv").symlink_to(sys.prefix)
    (tmp_path / "handed-in").mkdir()
    return tmp_path


def step(runner: Path, name: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run a step of the workflow as a runner does."""
    [one] = [one for one in STEPS if one.get("name") == name]
    environment = {"GITHUB_STEP_SUMMARY": str(runner / "summary.md"), "PYTHONPATH": str(COURSE)}
    environment |= WORKFLOW["jobs"]["checks"]["env"] | given
    return subprocess.run(
        ["bash", "-e", "-c", one["run"]],
        cwd=runner / one["working-directory"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_workflow_may_read_and_no_more() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW[True] == ["push", "workflow_dispatch"]  # YAML reads `on` as a truth
    text = (COURSE / "docs" / "examples" / "github-actions.yml").read_text()
    assert "secrets." not in text
    assert "pull_request_target" not in text
    for one in STEPS:
        assert ("uses" in one) != ("run" in one)
        assert "${{" not in one.get("run", "")
        if one.get("uses", "").startswith("actions/checkout@"):
            assert one["with"]["persist-credentials"] is False
    assert {one["uses"].partition("@")[0] for one in STEPS if "uses" in one} == {
        "actions/checkout",
        "actions/setup-python",
    }
    python = next(one["with"]["python-version"] for one in STEPS if "python-version" in one.get("with", {}))
    assert python in ("3.11", "3.12", "3.13")


def test_the_set_up_is_what_a_published_course_can_do() -> None:
    [one] = [one for one in STEPS if one.get("name") == "Set up the course"]
    words = [*one["run"].split(), "--dry-run"]
    done = subprocess.run(words, cwd=COURSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "lab_env/bootstrap.py" in done.stdout


def test_a_wrong_answer_gets_its_lesson_and_its_points(runner: Path) -> None:
    packed = {"receipt.json": "{}", "work/add.py": MINUS["add.py"], "work/.git/HEAD": ""}
    (runner / "handed-in" / "01-add-0123456789ab.zip").write_bytes(a_zip(packed))
    done = step(runner, "Run the visible checks", LAB="01")
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert all(line.startswith(("::error title=", "::notice title=")) for line in lines)
    told = next(line for line in lines if "is 5" in line)
    assert told.startswith("::error title=add(2%2C 3) is 5::Looked at: add(2, 3)%0A")
    assert lines[-1] == (
        "::notice title=Add two numbers::0 of 4 points by what can be checked here. At grading: 1 more."
    )
    page = (runner / "summary.md").read_text()
    assert "| Write add | add(2, 3) is 5 | 0 of 3 |" in page
    assert "| Write add | add works for any two numbers | at grading |" in page


def test_the_work_itself_may_stand_in_the_repository(runner: Path, made: Lab) -> None:
    work = Kitchen(made, runner / "kitchen").make(find_answer(made, "master"))
    (runner / "handed-in").rmdir()
    copytree(work, runner / "handed-in")
    done = step(runner, "Run the visible checks", LAB="01", GITHUB_STEP_SUMMARY="")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert "4 of 4 points" in done.stdout
    assert not (runner / "summary.md").exists()


def test_what_cannot_be_checked_is_said_as_an_annotation(runner: Path) -> None:
    for name in ("a", "b"):
        (runner / "handed-in" / f"01-add-{name}.zip").write_bytes(b"PK")
    done = step(runner, "Run the visible checks", LAB="01")
    assert done.returncode == 2
    assert "holds 2 zips for 01-add. Leave the one that counts." in done.stdout
    (runner / "handed-in" / "01-add-b.zip").unlink()
    done = step(runner, "Run the visible checks", LAB="01")
    assert done.stdout.startswith("::error title=This cannot be checked::It is no zip")
    (runner / "handed-in" / "01-add-a.zip").unlink()
    (runner / "handed-in" / "01-add").mkdir()
    (runner / "course" / "labs" / "02-x").mkdir()
    (runner / "handed-in" / "01-add").rename(runner / "handed-in" / "02-x")
    done = step(runner, "Run the visible checks", LAB="01")
    assert "holds other labs only. Put the zip of `lab submit` for 01-add there." in done.stdout
    done = step(runner, "Run the visible checks", LAB='01" "x')
    assert done.returncode == 2
    with pytest.raises(LabError, match=r"Name the lab and the folder: `python -m lab_env\.annotations 02"):
        run(["01"])


def test_no_text_of_a_learner_is_a_command_or_markup(made: Lab) -> None:
    for text in (*HOSTILE, "\n::error::x", "\r\n::add-mask::x", "</pre>\n\n<script>"):
        assert command("error", text, text).count("\n") == 1
        page = summary(made, judged(made, "f" * 64, found=text, adds="FAIL"))
        assert set(re.findall(r"<(\w+)", page)) == {"details", "summary", "pre"}
        assert page.count("</pre>") == 1
