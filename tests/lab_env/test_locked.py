import subprocess
import sys
from pathlib import Path

import pytest

from lab_env import locked
from lab_env.locked import closure, read, roots

COURSE = Path(__file__).parents[2]
LOCK = """\
# made by a tool
anna==1.0 \\
    --hash=sha256:aa
    # via from-devops-to-mlops (pyproject.toml)
ben==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:b1
    # via anna
ben==2.1 ; python_full_version >= '3.12' \\
    --hash=sha256:b2
    # via
    #   anna
    #   chen
chen==3.0 \\
    --hash=sha256:cc
    # via from-devops-to-mlops (pyproject.toml)
dora==4.0 \\
    --hash=sha256:dd
    # via
    #   chen
    #   from-devops-to-mlops (pyproject.toml:dev)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "small.lock"
    path.write_text(LOCK)
    return path


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, locked.__file__, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_of_the_course_is_what_it_asks_for_and_what_that_needs(lock: Path) -> None:
    assert roots(read(lock)) == {"anna", "chen"}
    assert run(lock).stdout == LOCK.partition("\n")[2]


def test_a_part_takes_what_it_needs_along_for_every_python_and_keeps_hashes(lock: Path) -> None:
    assert [entry.name for entry in closure(read(lock), {"anna"})] == ["anna", "ben"]
    assert run(lock, "--only", "dora").stdout == LOCK[LOCK.index("dora==") :]
    without = run(lock, "--without", "chen").stdout
    assert without.count("ben==2") == 2
    assert "--hash=sha256:b2" in without
    assert "chen==" not in without


def test_a_package_that_is_not_locked_is_named(lock: Path) -> None:
    done = run(lock, "--without", "finn")
    assert (done.returncode, "no package `finn`" in done.stderr) == (1, True)


def test_the_course_s_own_lock_is_cut_without_its_makers_tools() -> None:
    whole = read(COURSE / "requirements.lock")
    learner = {entry.name for entry in closure(whole, roots(whole))}
    assert {"dvc", "mlflow", "jupyterlab", "mkdocs-material", "numpy"} <= learner
    assert not learner & {"mypy", "ruff", "playwright", "river", "uv"}
    assert all(entry.via for entry in whole.values())
