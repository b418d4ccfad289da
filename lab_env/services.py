"""The services beside a lab: the site, JupyterLab and MLflow, on this machine and for it only."""

import contextlib
import fcntl
import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grader.results import write_json
from lab_env.doctor import is_free
from lab_env.errors import LabError
from lab_env.plans import HEALTH, TITLES, USUAL_PORTS, environment, installed, page, plan, published, shown
from lab_env.processes import Process, end, is_running, launch, listens
from lab_env.workspace import Home, read_json

PATIENCE_S = 90.0


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
    home: Home, *, ports: Mapping[str, int] | None = None, names: Sequence[str] = ()
) -> tuple[Service, ...]:
    """Start what does not run yet and wait until it answers; one that fails does not stop the others.

    Args:
        home: whose services; each home has its own.
        ports: where to look first for a free port, by service; by default those that a container publishes,
            else USUAL_PORTS.
        names: which services; by default all that are installed.
    """
    usual = USUAL_PORTS | dict(ports or published(os.environ))
    with alone(home):
        services: dict[str, Service] = {}
        for name in names or installed():
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
    for name in TITLES:
        _note_file(home, name).unlink(missing_ok=True)


def noted(home: Home) -> tuple[Service, ...]:
    """The services of this home that were started and not ended by `down`, alive or not."""
    return tuple(service for service in (_noted(home, name) for name in TITLES) if service)


def running(home: Home) -> tuple[Service, ...]:
    """The services of this home whose programs are alive."""
    return tuple(service for service in noted(home) if service.process and is_running(service.process))


def site_address(home: Home) -> str | None:
    """Where the course's pages are served now; None when they are not."""
    return next((service.url for service in running(home) if service.name == "site"), None)


def shows_another_lab(home: Home) -> bool:
    """Whether MLflow runs on what is not the lab in hand any more; `up` starts it anew."""
    return any(service.name == "mlflow" and service.key != shown(home) for service in running(home))


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
    process = launch(wanted.command, wanted.folder, environment(wanted), log)
    base = f"http://127.0.0.1:{port}"
    service = Service(
        name,
        url=base + page(name, token),
        port=port,
        usual_port=usual,
        log=str(log),
        health=base + HEALTH[name],
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
