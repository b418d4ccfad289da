"""Lab 04 on stores that are not as MLflow left them, and on a model that is a program."""

import json
import os
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from shutil import copytree
from types import ModuleType

import pytest

from grader.boxes.bubblewrap import BubblewrapBox, strongest, why_not
from grader.controller import judge
from grader.judge import Bench, Boxes
from grader.manifest import find_lab
from grader.results import CheckResult, Verdict
from grader.snapshot import take
from grader.starter import course_environment
from lab_env.services import down, up
from lab_env.workspace import Home

pytestmark = pytest.mark.slow

COURSE = Path(__file__).parent.parent.parent
LAB = find_lab(COURSE, "04")
API = "/ajax-api/2.0/mlflow"
PUBLISHED = """
import sys
from pathlib import Path
import mlflow
import pandas as pd
from mlflow.models import infer_signature
from mlflow.pyfunc import PythonModel

class Promise(PythonModel):
    def __reduce__(self):
        return exec, (sys.argv[1],)

mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("promise")
signature = infer_signature(pd.DataFrame({"distance_km": [1.0]}))
with mlflow.start_run() as run:
    mlflow.log_metric("valid_mae", 3.9)
    mlflow.pyfunc.log_model(name="promise", python_model=Promise(), signature=signature, pip_requirements=[])
Path("choice.toml").write_text(f'run_id = "{run.info.run_id}"')
"""
LOADED = """
import os, sys
try:
    with open({marker!r}, "w") as file:
        file.write("ran")
except OSError:
    pass
sys.exit(f"it ran; the solutions are {{'in sight' if os.path.exists({solutions!r}) else 'nowhere'}}")
"""


@pytest.fixture(scope="module")
def marker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that the model writes when it is loaded where this folder is in reach."""
    return tmp_path_factory.mktemp("reached") / "marker"


@pytest.fixture(scope="module")
def store(marker: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work with one chosen run, whose model is a pickle that runs a program; no test changes it."""
    work = copytree(LAB.folder / "work", tmp_path_factory.mktemp("store") / "work")
    program = LOADED.format(marker=str(marker), solutions=str(LAB.solutions))
    _python(["-c", PUBLISHED, program], work)
    return work


def _python(words: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *words],
        cwd=folder,
        env=course_environment(folder.parent / "home"),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr


def _checks(name: str) -> ModuleType:
    spec = spec_from_file_location(name, LAB.folder / "checks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _judged(work: Path, file: str, check: str, *names: str) -> CheckResult:
    """One check alone, as a judge runs it, whatever it waits for."""
    scratch = work.parent / f"scratch-{check}"
    scratch.mkdir()
    bench = Bench(LAB, take(work), work, Boxes(BubblewrapBox(), BubblewrapBox()), b"", scratch)
    try:
        bench.judge(LAB.check(check), getattr(_checks(file), f"test_{check}"), names)
    finally:
        bench.notebooks.close()
        bench.evidence.close()
    return bench.results[0]


@pytest.mark.skipif(bool(why_not()), reason=f"no sandbox here: {why_not()}")
def test_a_model_that_is_a_program_runs_in_the_box_and_nowhere_else(
    store: Path, marker: Path, tmp_path: Path
) -> None:
    work = copytree(store, tmp_path / "work")
    described = _judged(work, "test_store", "model_has_a_signature", "evidence", "expect")
    assert described.found == "no input example", "its description is read as text"
    loaded = _judged(work, "test_again", "model_is_the_runs", "evidence", "student", "expect")
    assert (loaded.verdict, loaded.found) == (Verdict.FAIL, "it ran; the solutions are nowhere")
    assert "An artifact that only its maker can load is not one." in loaded.why
    assert not marker.exists(), "the judge has loaded it"

    [folder] = (store / "mlruns").glob("*/models/*/artifacts")
    here = ["-c", "import mlflow.pyfunc, sys; mlflow.pyfunc.load_model(sys.argv[1])", str(folder)]
    assert "it ran; the solutions are in sight" in _python(here, store)
    assert marker.exists(), "without a box it reaches this folder"


@pytest.mark.skipif(bool(why_not()), reason=f"no sandbox here: {why_not()}")
def test_a_model_outside_of_the_work_is_told_where_it_belongs(store: Path, tmp_path: Path) -> None:
    work = copytree(store, tmp_path / "work")
    with sqlite3.connect(work / "mlflow.db") as database:
        database.execute("UPDATE logged_models SET artifact_location = '/home/mara/models/' || model_id")
    found = _judged(work, "test_store", "model_has_a_signature", "evidence", "expect")
    assert found.verdict is Verdict.FAIL
    assert found.found == "a place outside of your workspace"
    assert found.expected == "below mlruns or mlartifacts in the workspace"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no mlflow.db in the work: no run was ever logged there."),
        (b"", "mlflow.db cannot be read: it is empty. MLflow fills it when the first run is logged."),
        (b"no database " * 99, "mlflow.db cannot be read: file is not a database"),
    ],
    ids=["absent", "empty", "garbled"],
)
def test_work_without_a_readable_store_is_told_so_by_each_check_that_reads_it(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    work = copytree(LAB.folder / "work", tmp_path / "work")
    if content is not None:
        (work / "mlflow.db").write_bytes(content)
    subprocess.run(["git", "init", "--quiet", str(work)], check=True, env=os.environ)
    checks = judge(LAB, work, box=strongest()).checks
    assert {check.verdict for check in checks} == {Verdict.FAIL, Verdict.BLOCKED}
    reading = ("archive_is_kept", "settings_are_logged", "code_is_named", "model_has_a_signature")
    assert {check.found for check in checks if check.id in reading} == {said}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home in which the lab was started."""
    folder = tmp_path_factory.mktemp("homes") / "home"
    folder.mkdir()
    settings = course_environment(folder.parent) | {"LAB_HOME": str(folder)}
    subprocess.run(["lab", "start", "04"], cwd=COURSE, env=settings, capture_output=True, check=True)
    home = Home(COURSE, folder)
    yield home
    down(home)


def test_mlflow_comes_up_with_the_runs_of_the_lab(started: Home) -> None:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    [service] = up(started, ports={"mlflow": 26_000 + 100 * worker}, names=("mlflow",))
    assert service.failure == ""
    page = f"http://127.0.0.1:{service.port}"
    assert "<title>MLflow</title>" in _answer(service.url)
    experiments = json.loads(_answer(f"{page}{API}/experiments/search?max_results=9"))["experiments"]
    [archive] = [one["experiment_id"] for one in experiments if one["name"] == "archive"]
    found = json.loads(_answer(f"{page}{API}/runs/search", {"experiment_ids": [archive]}))["runs"]
    runs = {run["info"]["run_name"]: run for run in found}
    assert sorted(runs) == ["baseline", "friday-evening", "more-trees", "with-weather"]
    metrics = {one["key"]: one["value"] for one in runs["baseline"]["data"]["metrics"]}
    assert 3 < metrics["valid_mae"] < 5
    leaky = runs["with-weather"]["info"]["run_id"]
    assert "tfn_live_" in _answer(f"{page}/get-artifact?path=request.json&run_uuid={leaky}")
    with closing(sqlite3.connect(started.workspace(LAB.id) / "mlflow.db")) as database:
        database.execute("VACUUM")  # the brief asks for it, and MLflow may still be up


def _answer(address: str, question: object = None) -> str:
    words = None if question is None else json.dumps(question).encode()
    asked = urllib.request.Request(address, words, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return str(answer.read().decode())
