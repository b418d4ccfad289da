"""What the judge reads of MLflow stores: real ones, at another path, broken and hostile ones."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from grader.boxes.base import Stopped
from grader.evidence import Evidence
from grader.starter import course_environment
from tests.grader.courses import write_files

Look = Callable[[Path], Evidence]

TWO_RUNS = """
import mlflow
from mlflow.pyfunc import PythonModel
class Echo(PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("promise")
with mlflow.start_run(run_name="first"):
    mlflow.log_params({"leaves": 15, "seed": 1})
    mlflow.log_metric("valid_mae", 9.0)
    mlflow.log_metric("valid_mae", 3.5)
    mlflow.log_metric("odd", float("nan"))
    mlflow.set_tag("git_commit", "abc")
    mlflow.log_text("hello", "note.txt")
    mlflow.pyfunc.log_model(name="echo", python_model=Echo(), pip_requirements=[])
with mlflow.start_run(run_name="second") as second:
    pass
mlflow.delete_run(second.info.run_id)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as MLflow itself writes it; no test changes it."""
    folder = tmp_path_factory.mktemp("written") / "here"
    folder.mkdir()
    program = [sys.executable, "-W", "ignore", "-c", TWO_RUNS]
    home = course_environment(folder.parent / "home")
    done = subprocess.run(program, cwd=folder, env=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_runs_are_read_with_what_they_logged(store: Path, look: Look) -> None:
    evidence = look(store)
    assert evidence.mlflow.experiments() == ("Default", "promise")
    [run] = evidence.mlflow.runs("promise")
    assert (run.name, run.status, run.deleted) == ("first", "FINISHED", False)
    assert run.params == {"leaves": "15", "seed": "1"}
    assert run.metrics["valid_mae"] == 3.5
    assert run.metrics["odd"] != run.metrics["odd"]
    assert run.tags["git_commit"] == "abc"
    assert run.started is not None
    assert evidence.mlflow.run(run.id) == run
    assert evidence.mlflow.run("0" * 32) is None
    assert evidence.mlflow.runs("absent") == ()


def test_a_softly_deleted_run_is_there_for_who_asks(store: Path, look: Look) -> None:
    runs = look(store).mlflow.runs(deleted=True)
    assert [(run.name, run.deleted) for run in runs] == [("first", False), ("second", True)]
    assert [run.name for run in look(store).mlflow.runs()] == ["first"]


def test_a_moved_store_finds_its_artifacts(store: Path, tmp_path: Path, look: Look) -> None:
    moved = copytree(store, tmp_path / "some" / "where else")
    for folder in (store, moved):
        evidence = look(folder)
        [run] = evidence.mlflow.runs()
        assert evidence.read(f"{run.folder}/note.txt") == b"hello"
        [model] = run.models
        assert (model.name, model.run, model.deleted) == ("echo", run.id, False)
        assert "python_function" in (evidence.text(f"{model.folder}/MLmodel") or "")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("file:///home/you/mlruns/1/{run}/artifacts", True),
        ("C:\\\\Users\\\\you\\\\mlruns\\\\1\\\\{run}\\\\artifacts", True),
        ("mlflow-artifacts:/1/{run}/artifacts", True),
        ("mlruns/1/{run}/artifacts", True),
        ("/home/you/mlruns/1/artifacts", False),
        ("s3://bucket/1/{run}/elsewhere", False),
        ("", False),
    ],
)
def test_an_address_of_any_machine_is_looked_for_in_the_work(
    address: str, found: bool, store: Path, tmp_path: Path, look: Look
) -> None:
    work = copytree(store, tmp_path / "work")
    [run] = look(work).mlflow.runs()
    with sqlite3.connect(work / "mlflow.db") as database:
        database.execute("UPDATE runs SET artifact_uri = ?", (address.format(run=run.id),))
    [run] = look(work).mlflow.runs()
    assert run.folder == (f"mlruns/1/{run.id}/artifacts" if found else None)


def test_a_locked_store_is_read(store: Path, tmp_path: Path, look: Look) -> None:
    work = copytree(store, tmp_path / "work")
    database = sqlite3.connect(work / "mlflow.db")
    try:
        database.execute("BEGIN EXCLUSIVE")
        database.execute("UPDATE runs SET name = 'changed'")
        assert [run.name for run in look(work).mlflow.runs()] == ["first"]
    finally:
        database.close()


def _says(work: Path, look: Look) -> str:
    with pytest.raises(Stopped) as stopped:
        look(work).mlflow.runs()
    return stopped.value.found


def test_work_without_a_store_is_told_so(tmp_path: Path, look: Look) -> None:
    work = write_files(tmp_path / "work", {"a.txt": "a"})
    with pytest.raises(Stopped, match=r"There is no mlflow.db in the work: no run was ever logged there."):
        _ = look(work).mlflow


def test_an_empty_store_is_told_so(tmp_path: Path, look: Look) -> None:
    work = write_files(tmp_path / "work", {"mlflow.db": ""})
    assert _says(work, look) == (
        "mlflow.db cannot be read: it is empty. MLflow fills it when the first run is logged."
    )


def test_what_is_no_database_is_told_so(tmp_path: Path, look: Look) -> None:
    work = write_files(tmp_path / "work", {"mlflow.db": "not a database, for " + "long " * 300})
    assert _says(work, look) == "mlflow.db cannot be read: file is not a database"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE logged_models", "it has no table `logged_models`. Another version of MLflow wrote it"),
        ("ALTER TABLE runs RENAME COLUMN status TO state", "its table `runs` has no `status`. Another"),
        ("DROP TABLE tags; CREATE VIEW tags AS SELECT 1 AS key", "it has no table `tags`."),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) "
            "INSERT INTO params (key, value, run_uuid) "
            "SELECT 'k' || i, 'v', (SELECT run_uuid FROM runs) FROM n",
            "its table `params` has over 5,000 rows.",
        ),
    ],
)
def test_a_store_of_another_make_is_told_so(
    change: str, said: str, store: Path, tmp_path: Path, look: Look
) -> None:
    work = copytree(store, tmp_path / "work")
    with sqlite3.connect(work / "mlflow.db") as database:
        database.executescript(change)
    assert said in _says(work, look)


def test_a_store_of_a_newer_mlflow_is_read_when_what_is_read_is_there(
    store: Path, tmp_path: Path, look: Look
) -> None:
    work = copytree(store, tmp_path / "work")
    with sqlite3.connect(work / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffff00001111'")
        database.execute("ALTER TABLE runs ADD COLUMN mood TEXT")
    assert [run.name for run in look(work).mlflow.runs()] == ["first"]


def test_odd_values_of_a_store_are_read_as_what_they_can_be(store: Path, tmp_path: Path, look: Look) -> None:
    work = copytree(store, tmp_path / "work")
    with sqlite3.connect(work / "mlflow.db") as database:
        database.execute("UPDATE latest_metrics SET value = 'much' WHERE key = 'valid_mae'")
        database.execute("UPDATE params SET value = ? WHERE key = 'leaves'", ("x" * 9000,))
        database.execute("UPDATE params SET value = x'ff00' WHERE key = 'seed'")
        database.execute("UPDATE runs SET start_time = 'yesterday'")
    [run] = look(work).mlflow.runs()
    assert run.metrics["valid_mae"] != run.metrics["valid_mae"]
    assert (run.params["leaves"], run.params["seed"], run.started) == ("x" * 2000, "None", None)
