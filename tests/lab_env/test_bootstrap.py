"""The setting up of `.venv`: what it refuses, and that a second time is nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COURSE = Path(__file__).parent.parent.parent
SCRIPT = "lab_env/bootstrap.py"


def _run(course: Path, python: str = sys.executable, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | variables
    return subprocess.run(
        [python, SCRIPT], cwd=course, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of what the script reads."""
    (tmp_path / "lab_env").mkdir()
    for name in (SCRIPT, "requirements.lock", "pyproject.toml"):
        shutil.copy(COURSE / name, tmp_path / name)
    return tmp_path


def _fake_python(folder: Path, version: str) -> str:
    """This Python, saying that it is another version."""
    script = folder / "python"
    major, minor = version.split(".")
    act = f"runpy.run_path({SCRIPT!r}, run_name='__main__')"
    code = f"import runpy, sys; sys.version_info = ({major}, {minor}, 0); {act}"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}"\n')
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(("version", "age"), [("3.10", "old"), ("3.14", "new")])
def test_another_python_is_refused(course: Path, version: str, age: str) -> None:
    done = _run(course, _fake_python(course, version))
    assert done.returncode == 2
    assert f"Python {version} is too {age}: the course needs 3.11, 3.12 or 3.13." in done.stderr
    assert "make start PYTHON=" in done.stderr


def test_a_machine_without_git_is_told_the_line(course: Path, tmp_path: Path) -> None:
    done = _run(course, PATH=str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert "Git is missing" in done.stderr
    assert "install" in done.stderr


def test_an_environment_in_step_is_left_alone(course: Path) -> None:
    code = "import runpy; print(runpy.run_path('lab_env/bootstrap.py')['fingerprint']())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=course, capture_output=True, text=True, check=True
    )
    (course / ".venv" / "bin").mkdir(parents=True)
    (course / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (course / ".venv" / ".ready").write_text(done.stdout.strip())
    again = _run(course)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_the_tools_that_install_are_locked(course: Path) -> None:
    code = "import runpy; print(runpy.run_path('lab_env/bootstrap.py')['first_of_the_lock']())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=course, capture_output=True, text=True, check=True
    )
    assert {line.split("==")[0] for line in done.stdout.splitlines() if "==" in line} == {"setuptools", "uv"}
    assert "--hash=sha256:" in done.stdout


def test_a_failed_install_says_what_to_do(course: Path) -> None:
    (course / "requirements.lock").write_text("uv==0.0.0 \\\n    --hash=sha256:00\n")
    done = _run(course, PIP_NO_INDEX="1")
    assert done.returncode == 2
    assert "Installing failed (see above). Nothing outside .venv was touched." in done.stderr
    assert "make setup" in done.stderr


def test_the_lock_names_no_address() -> None:
    assert "://" not in (COURSE / "requirements.lock").read_text()
