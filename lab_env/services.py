"""The services beside a lab: the site, JupyterLab and MLflow, on this machine and for it only."""

import contextlib
import fcntl
import importlib.util
import os
import secrets
import sqlite3
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from grader.results import write_json
from grader.snapshot import MARKER
from lab_env import site
from lab_env.doctor import is_free
from lab_env.errors import LabError
from lab_env.processes import Process, end, is_running, launch, listens
from lab_env.workspace import Home, read_json

NAMES = ("site", "jupyter", "mlflow")
TITLES = {"site": "Site", "jupyter": "JupyterLab", "mlflow": "MLflow"}
USUAL_PORTS = {"site": 8000, "jupyter": 8888, "mlflow": 5000}
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "DVC_NO_ANALYTICS": "1"}
SETTINGS = Path(__file__).parent / "jupyter"
"""What JupyterLab does not show a learner: an instructor's panels, and a question about news."""

PATIENCE_S = 90.0
PORTS = "LAB_PORTS"  # in a container: the ports that it publishes to its own machine, `site=8000,mlflow=5000`


@dataclass(frozen=True)
class Plan:
    """How to start one service on a port; `key` changes when a running one would have to start anew."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    health: str
    page: str
    key: str


@dataclass(frozen=True)
class Service:
    """One service as it was started, or why it was not.

    `url` opens it in a browser; `usual_port` is the port that was taken when another was chosen.
    """

    name: str
    url: str = ""
    port: int = 0
    usual_port: int = 0
    log: str = ""
    health: str = ""
    key: str = ""
    process: Process | None = None
    failure: str = ""
    fresh: bool = field(default=False, compare=False)

    @property
    def title(self) -> str:
        """Its name as people write it."""
        return TITLES[self.name]


def up(
    home: Home, *, ports: Mapping[str, int] | None = None, names: Sequence[str] = NAMES
) -> tuple[Service, ...]:
    """Start what does not run yet and wait until it answers; one that fails does not stop the others.

    Args:
        home: whose services; each home has its own.
        ports: where to look first for a free port, by service; by default those that a container publishes,
            else USUAL_PORTS.
        names: which services.
    """
    usual = ports or published(os.environ) or USUAL_PORTS
    with alone(home):
        services: dict[str, Service] = {}
        for name in names:
            taken = {service.port for service in services.values()}
            services[name] = _start(home, name, usual[name], taken)
        for name, service in services.items():
            waited = _wait(home, service)
            if waited.failure and service.port and not is_free(service.port):
                # Somebody else took the port between our look and our start: one more try elsewhere.
                taken = {other.port for other in services.values()}
                waited = _wait(home, _start(home, name, usual[name], taken))
            services[name] = waited
        return tuple(services.values())


def down(home: Home) -> tuple[Service, ...]:
    """End every service that `up` started for this home, with all that it started, and nothing else."""
    with alone(home):
        known = noted(home)
        ended = running(home)
        end(*(service.process for service in known if service.process))
        forget(home)
        return ended


def forget(home: Home) -> None:
    """Take back the notes on all services: whoever held them is gone."""
    for name in NAMES:
        _note_file(home, name).unlink(missing_ok=True)


def noted(home: Home) -> tuple[Service, ...]:
    """The services of this home that were started and not ended by `down`, alive or not."""
    return tuple(service for service in (_noted(home, name) for name in NAMES) if service)


def running(home: Home) -> tuple[Service, ...]:
    """The services of this home whose programs are alive."""
    return tuple(service for service in noted(home) if service.process and is_running(service.process))


def published(environment: Mapping[str, str]) -> dict[str, int]:
    """In a container, the ports that its machine sends on to it; else none."""
    pairs = (pair.split("=") for pair in environment.get(PORTS, "").split(",") if pair)
    return {name: int(port) for name, port in pairs}


def address() -> str:
    """Where services listen: on this machine only, in a container on whatever it is given to publish."""
    return "0.0.0.0" if published(os.environ) else "127.0.0.1"  # noqa: S104  # only published to 127.0.0.1


def site_address(home: Home) -> str | None:
    """Where the course's pages are served now; None when they are not."""
    return next((service.url for service in running(home) if service.name == "site"), None)


def shows_another_lab(home: Home) -> bool:
    """Whether MLflow runs on what is not the lab in hand any more; `up` starts it anew."""
    key = _mlflow_key(_mlflow_folder(home))
    return any(service.name == "mlflow" and service.key != key for service in running(home))


def plan(home: Home, name: str, port: int, *, token: str = "") -> Plan:
    """How one service is started.

    Raises:
        LabError: the site cannot be built, or MLflow's database cannot be read.
    """
    if name == "site":
        return _site(home, port)
    return _jupyter(home, port, token) if name == "jupyter" else _mlflow(home, port)


def _site(home: Home, port: int) -> Plan:
    folder = site.build(home)
    words = ["-m", "http.server", str(port), "--bind", address(), "--directory", str(folder)]
    return Plan("site", (sys.executable, *words), home.folder, {}, "/", "/", str(folder))


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
    page = f"/lab?token={token}"
    return Plan("jupyter", (sys.executable, *words), home.folder, environment, "/api", page, str(home.folder))


def _mlflow(home: Home, port: int) -> Plan:
    folder = _mlflow_folder(home)
    _require_database(folder / "mlflow.db")
    words = ["-m", "mlflow", "server", "--host", address(), "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    words += ["--artifacts-destination", str(folder / "mlartifacts")]
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    key = _mlflow_key(folder)
    return Plan("mlflow", (sys.executable, *words), home.notes, environment, "/health", "/", key)


def _mlflow_folder(home: Home) -> Path:
    current = home.current
    return home.workspace(current) if current and home.workspace(current).is_dir() else home.folder


def _mlflow_key(folder: Path) -> str:
    """Changes with the lab in hand and when it is laid out anew: the database is another one then."""
    marker = folder / MARKER
    return f"{folder} {marker.stat().st_mtime_ns}" if marker.is_file() else str(folder)


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


def _start(home: Home, name: str, usual: int, taken: Collection[int]) -> Service:
    """Keep a service that runs and answers; else start it and note it."""
    log = home.notes / "logs" / f"{name}.log"
    noted = _noted(home, name)
    token = secrets.token_hex(24)
    try:
        port = free_port(usual, taken)
        wanted = plan(home, name, port, token=token)
    except LabError as error:
        return Service(name, failure=str(error))
    if noted is not None and noted.process is not None:
        if noted.key == wanted.key and is_running(noted.process) and answers(noted.health):
            return noted
        end(noted.process)
        if noted.port != port and is_free(noted.port):
            port = noted.port
            wanted = plan(home, name, port, token=token)
    process = launch(wanted.command, wanted.folder, {**_clean(), **QUIET, **wanted.environment}, log)
    base = f"http://127.0.0.1:{port}"
    service = Service(
        name,
        url=base + wanted.page,
        port=port,
        usual_port=usual,
        log=str(log),
        health=base + wanted.health,
        key=wanted.key,
        process=process,
        fresh=True,
    )
    try:
        _note(home, service)
    except BaseException:  # a full disk, or Ctrl-C: what is not noted could never be ended
        end(process)
        raise
    return service


def _wait(home: Home, service: Service) -> Service:
    """Wait for the first answer; a service that ends or stays silent is taken away again."""
    process = service.process
    if process is None or not service.fresh:
        return service
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and is_running(process):
        if answers(service.health) and listens(process, service.port):
            return service
        time.sleep(0.1)
    how = f"did not answer within {PATIENCE_S:.0f} s" if is_running(process) else "ended at once"
    end(process)
    _note_file(home, service.name).unlink(missing_ok=True)
    failure = (
        f'{service.title} {how}. Its log is {service.log}; the last line says "{_last_line(service.log)}". '
        "Mend that and run `lab up` again."
    )
    return Service(service.name, log=service.log, failure=failure)


def answers(url: str) -> bool:
    """Whether a service answers there with something that is no error."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status < 400)
    except (OSError, ValueError, urllib.error.HTTPError):
        return False


def free_port(usual: int, taken: Collection[int]) -> int:
    """The first port from `usual` on that nobody listens on and that is not `taken`.

    Raises:
        LabError: fifty in a row are in use.
    """
    for port in range(usual, usual + 50):
        if port not in taken and is_free(port):
            return port
    raise LabError(f"Ports {usual} to {usual + 49} are all in use. End a program that holds one: `ss -ltnp`.")


def _clean() -> dict[str, str]:
    """The environment without what would point a service elsewhere; the course's own programs come first.

    JupyterLab's terminals inherit it, so `dvc` and `lab` are found there too.
    """
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "MLFLOW_", "GIT_"))
    }
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return kept


def _last_line(log: str) -> str:
    lines = [line for line in Path(log).read_text(errors="replace").splitlines() if line.strip()]
    return (lines or ["(nothing)"])[-1].strip()[:200]


def _note_file(home: Home, name: str) -> Path:
    return home.notes / "services" / f"{name}.json"


def _note(home: Home, service: Service) -> None:
    facts = {key: value for key, value in asdict(service).items() if key not in ("failure", "fresh")}
    write_json(_note_file(home, service.name), facts)


def _noted(home: Home, name: str) -> Service | None:
    facts: dict[str, Any] = read_json(_note_file(home, name))
    if not facts:
        return None
    return Service(**{**facts, "process": Process(**facts["process"])})


@contextlib.contextmanager
def alone(home: Home) -> Iterator[None]:
    """One `up` or `down` at a time in a home; a second one waits."""
    home.notes.mkdir(parents=True, exist_ok=True)
    with (home.notes / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
