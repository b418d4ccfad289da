"""A lab done in the container: by the same commands, with the same verdicts, on the learner's own files."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from grader.answers import Kitchen, find_answer
from grader.controller import judge
from grader.engines import Engine
from grader.manifest import Lab, find_lab, list_labs
from lab_env.container import choose, held, is_chosen, name_of
from lab_env.workspace import Home, Workspace
from tests.containers.conftest import give
from tests.containers.store import ROOT

pytestmark = [pytest.mark.container, pytest.mark.slow]
LAB = str(Path(sys.executable).with_name("lab"))


def lab(*words: str, cwd: Path = ROOT, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [LAB, *words], cwd=cwd, input=stdin, capture_output=True, text=True, check=False, timeout=300
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("one", list_labs(ROOT), ids=lambda one: one.id)
def test_the_master_earns_inside_what_it_earns_outside(one: Lab, home: Home, tmp_path: Path) -> None:
    """Outside it passes every check: tests/course/test_labs.py holds that."""
    master = Kitchen(one, tmp_path / "kitchen").make(find_answer(one, "master"))
    master.rename(home.workspace(one.id))
    Workspace(home, one).write_marker()
    give(home.workspace(one.id))
    choose(home, True)
    checked = lab("check", "--json", cwd=home.workspace(one.id))
    assert checked.returncode == 0, checked.stderr
    rows = [(row["id"], row["verdict"], row["points"]) for row in json.loads(checked.stdout)["checks"]]
    assert rows == [(check.id, "PASS", check.points or 0) for check in one.visible]


def test_a_lab_is_done_in_the_container_by_the_same_commands(podman: Engine, home: Home) -> None:
    started = lab("start", "02", "--container", "--json")
    assert started.returncode == 0, started.stderr
    folder = home.workspace("02-version-data")
    assert json.loads(started.stdout)["folder"] == str(folder), "the same path inside as outside"
    assert is_chosen(home)
    assert folder.stat().st_uid == home.folder.stat().st_uid, "what is made inside is the learner's"
    inside = json.loads(lab("check", "--json", cwd=folder).stdout)["checks"]
    outside = judge(find_lab(ROOT, "02"), folder)
    assert [(row["id"], row["verdict"], row["found"]) for row in inside] == [
        (row.id, row.verdict, row.found) for row in outside.checks
    ]
    checked = lab("check", "1", cwd=folder)
    assert (checked.returncode, "✓ zones are tracked" in checked.stdout) == (0, True), checked.stderr
    checked = lab("check", "2", cwd=folder)
    assert checked.returncode == 1
    assert f"{ROOT}/docs/modules/02-version-data.md" in checked.stdout, "the page is named as it is outside"
    assert lab("check", "no-task", cwd=folder).returncode == 2
    said = lab("shell", "sh", "-c", "pwd; git config user.email; echo $LAB_CONTAINER; exit 7", cwd=folder)
    assert (said.returncode, said.stdout.splitlines()) == (7, [str(folder), "learner@example.invalid", "1"])
    assert lab("shell", cwd=folder, stdin="git log --oneline | wc -l; exit").stdout.strip().isdecimal()

    assert "The container has ended" in lab("down").stdout
    assert podman.inspect("container", name_of(home)) == {}
    assert lab("hint", cwd=folder).returncode == 0, "the next command starts it again"
    assert podman.inspect("container", name_of(home))["State"]["Running"]
    assert lab("start", "02", "--no-container", cwd=folder).returncode in (0, 2)  # to root, Git may refuse it
    assert podman.inspect("container", name_of(home)) == {}
    assert not is_chosen(home)


def test_the_services_of_a_container_answer_outside(podman: Engine, home: Home) -> None:
    choose(home, True)
    up = lab("up", "--json")
    assert up.returncode == 0, up.stdout + up.stderr
    urls = {each["name"]: each["url"] for each in json.loads(up.stdout)}
    assert urls.keys() == {"site", "jupyter", "mlflow", "prometheus"}
    assert {name: urlsplit(url).port for name, url in urls.items()} == held(home), "`lab doctor` knows them"
    for url in urls.values():
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.status == 200
    assert podman.ask("exec", name_of(home), "python", "-m", "lab_env.health") == "well"
    podman.ask("exec", name_of(home), "python", "-c", END_MLFLOW)
    ill = podman.try_("exec", name_of(home), "python", "-m", "lab_env.health")
    assert (ill.returncode, "MLflow has ended" in ill.stdout) == (1, True)
    assert json.loads(lab("down", "--json").stdout) == ["container"]


END_MLFLOW = """
from pathlib import Path
from lab_env.processes import end
from lab_env.services import noted
from lab_env.workspace import find_home

[mlflow] = [each for each in noted(find_home(Path.cwd())) if each.name == "mlflow"]
end(mlflow.process)
"""
