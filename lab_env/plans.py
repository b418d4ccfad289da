"""How each service beside a lab is started: site, JupyterLab, MLflow, Prometheus where it is installed."""

import contextlib
import importlib.util
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from grader.snapshot import MARKER
from lab_env import site
from lab_env.errors import LabError
from lab_env.workspace import Home

TITLES = {"site": "Site", "jupyter": "JupyterLab", "mlflow": "MLflow", "prometheus": "Prometheus"}
USUAL_PORTS = {"site": 8000, "jupyter": 8888, "mlflow": 5000, "prometheus": 9090}
HEALTH = {"site": "/", "jupyter": "/api", "mlflow": "/health", "prometheus": "/-/ready"}
SCRAPED = "127.0.0.1:8080"
"""Where Prometheus looks for the service that a learner runs."""
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "DVC_NO_ANALYTICS": "1"}
SETTINGS = Path(__file__).parent / "jupyter"
"""What JupyterLab does not show a learner: an instructor's panels, and a question about news."""

PORTS = "LAB_PORTS"  # in a container: the ports that it publishes to its own machine, `site=8000,mlflow=5000`


@dataclass(frozen=True)
class Plan:
    """How to start one service on a port; `key` changes when a running one would have to start anew."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    key: str


def page(name: str, token: str = "") -> str:
    """What a browser opens; Debian's Prometheus comes without pages of its own, so its answers are shown."""
    return {"jupyter": f"/lab?token={token}", "prometheus": "/api/v1/targets"}.get(name, "/")


def published(environment: Mapping[str, str]) -> dict[str, int]:
    """In a container, the ports that its machine sends on to it; else none."""
    pairs = (pair.split("=") for pair in environment.get(PORTS, "").split(",") if pair)
    return {name: int(port) for name, port in pairs}


def address() -> str:
    """Where services listen: on this machine only, in a container on whatever it is given to publish."""
    return "0.0.0.0" if published(os.environ) else "127.0.0.1"  # noqa: S104  # only published to 127.0.0.1


def plan(home: Home, name: str, port: int, *, token: str = "") -> Plan:
    """How one service is started.

    Raises:
        LabError: the site cannot be built, or MLflow's database cannot be read.
    """
    if name == "jupyter":
        return _jupyter(home, port, token)
    return {"site": _site, "mlflow": _mlflow, "prometheus": _prometheus}[name](home, port)


def installed() -> tuple[str, ...]:
    """The services that can be started here: all, without Prometheus where nobody installed it."""
    return tuple(name for name in TITLES if name != "prometheus" or shutil.which(name))


def shown(home: Home) -> str:
    """What MLflow shows: changes with the lab in hand and when it is laid out anew."""
    folder = _mlflow_folder(home)
    marker = folder / MARKER
    return f"{folder} {marker.stat().st_mtime_ns}" if marker.is_file() else str(folder)


def _site(home: Home, port: int) -> Plan:
    folder = site.build(home)
    words = ["-m", "http.server", str(port), "--bind", address(), "--directory", str(folder)]
    return Plan("site", (sys.executable, *words), home.folder, {}, str(folder))


def _jupyter(home: Home, port: int, token: str) -> Plan:
    notes = home.notes / "jupyter"
    words = [
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--ServerApp.ip={address()}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.allow_root=True",
        f"--ServerApp.root_dir={home.folder}",
        "--LabApp.news_url=None",
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    ]
    # The token goes by environment: a command line can be read by everybody on the machine.
    environment = {
        "JUPYTER_TOKEN": token,
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_CONFIG_DIR": str(notes / "config"),
        "JUPYTER_RUNTIME_DIR": str(notes / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(notes / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(notes / "workspaces"),
        # As a box has it: on busy cores, threads that wait for each other take eight times as long as one.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }
    return Plan("jupyter", (sys.executable, *words), home.folder, environment, str(home.folder))


def _mlflow(home: Home, port: int) -> Plan:
    folder = _mlflow_folder(home)
    _require_database(folder / "mlflow.db")
    words = ["-m", "mlflow", "server", "--host", address(), "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    words += ["--artifacts-destination", str(folder / "mlartifacts")]
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return Plan("mlflow", (sys.executable, *words), home.notes, environment, shown(home))


def _prometheus(home: Home, port: int) -> Plan:
    """It scrapes a learner's service and evaluates the rules of the lab in hand."""
    settings, folder = home.notes / "prometheus.yml", _mlflow_folder(home)
    facts = {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": [f"{folder}/rules/*.yml"],
        "scrape_configs": [{"job_name": "service", "static_configs": [{"targets": [SCRAPED]}]}],
    }
    text = json.dumps(facts, indent=2)  # JSON is YAML
    home.notes.mkdir(parents=True, exist_ok=True)
    settings.write_text(text)
    words = [f"--config.file={settings}", f"--storage.tsdb.path={home.notes / 'prometheus'}"]
    words += [f"--web.listen-address={address()}:{port}", "--storage.tsdb.retention.size=200MB"]
    return Plan("prometheus", ("prometheus", *words), home.notes, {}, text)


def _mlflow_folder(home: Home) -> Path:
    current = home.current
    return home.workspace(current) if current and home.workspace(current).is_dir() else home.folder


def _require_database(path: Path) -> None:
    """Say at once what MLflow would only find out after retrying for minutes."""
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=1)) as database:
            unknown = _unknown_revisions(database)
    except sqlite3.Error as error:
        raise LabError(
            f"MLflow cannot read its database {path}: {error}. If another program has it open, close that; "
            f"else move the file away (`mv {path} {path}.old`). Then run `lab up` again."
        ) from error
    if unknown:
        raise LabError(
            f"MLflow cannot read its database {path}: a newer MLflow than the course's {version('mlflow')} "
            f"wrote to it (revision {unknown[0]}). Work in the course's environment, "
            "`source .venv/bin/activate`, and lay the lab out anew: `lab reset` keeps a copy of your work."
        )


def _unknown_revisions(database: sqlite3.Connection) -> list[str]:
    """The revisions that a database is on and the MLflow that is installed does not know; not imported."""
    if ("alembic_version",) not in database.execute("SELECT name FROM sqlite_master").fetchall():
        return []
    found = importlib.util.find_spec("mlflow")
    steps = Path(str(found and found.origin)).parent / "store" / "db_migrations" / "versions"
    known = {step.name.partition("_")[0] for step in steps.glob("*.py")}
    named = [str(row[0]) for row in database.execute("SELECT version_num FROM alembic_version")]
    return [name for name in named if known and name not in known]


def environment(plan: Plan) -> dict[str, str]:
    """Its variables: this environment without what would point it elsewhere, the course's programs first.

    JupyterLab's terminals inherit it, so `dvc` and `lab` are found there too.
    """
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "MLFLOW_", "GIT_"))
    }
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, **QUIET, **plan.environment}
