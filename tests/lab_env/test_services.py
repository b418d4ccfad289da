import os
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from lab_env import services
from lab_env.doctor import is_free
from lab_env.errors import LabError
from lab_env.layout import reset
from lab_env.plans import QUIET, TITLES, installed, page, plan
from lab_env.processes import MARK, is_running
from lab_env.services import Service, down, running, shows_another_lab, site_address, up
from lab_env.workspace import Home
from tests.lab_env.conftest import RunLab
from tests.lab_env.disks import fill, small_disk
from tests.lab_env.tiny import NOW, Tiny

BASE = 20000


@pytest.fixture
def ports() -> dict[str, int]:
    """Where nobody else looks, another place for each worker of a parallel run."""
    base = BASE + 300 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    return {"site": base, "jupyter": base + 100, "mlflow": base + 200, "prometheus": base + 250}


@pytest.fixture
def home(tiny: Tiny) -> Iterator[Home]:
    tiny.home.folder.mkdir()
    yield tiny.home
    down(tiny.home)


def marked(up: tuple[Service, ...]) -> list[int]:
    """Every process that carries the mark of one of these services."""
    marks = {service.process.mark for service in up if service.process}
    found = []
    for member in psutil.process_iter():
        try:
            if member.environ().get(MARK) in marks and member.status() != psutil.STATUS_ZOMBIE:
                found.append(member.pid)
        except (psutil.Error, OSError):
            continue
    return found


def body(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def test_up_starts_all_that_is_installed_once_and_down_ends_them(
    home: Home, ports: dict[str, int], tiny: Tiny
) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with socket.create_server(("127.0.0.1", ports["site"])):
        first = up(home, ports=ports)
        assert {service.name: service.failure for service in first} == dict.fromkeys(installed(), "")
        by_name = {service.name: service for service in first}
        assert by_name["site"].port > by_name["site"].usual_port == ports["site"]
        assert "Hello." in body(by_name["site"].url)
        assert '"@jupyter/nbgrader:create-assignment"' in body(by_name["jupyter"].url), "it is not shown"
        assert "MLflow" in body(by_name["mlflow"].url)
        if "prometheus" in by_name:
            assert "activeTargets" in body(by_name["prometheus"].url)
        assert site_address(home) == by_name["site"].url
        assert up(home, ports=ports) == first
        assert not shows_another_lab(home)
        tiny.started()
        assert shows_another_lab(home)
        assert len(running(home)) == len(first) >= 3
        assert {service.name for service in down(home)} == set(installed())
    assert marked(first) == []
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    assert down(home) == ()
    assert site_address(home) is None


def test_one_that_fails_says_so_and_the_others_come_up(home: Home, ports: dict[str, int]) -> None:
    (home.folder / "mlflow.db").write_text("no database " * 100)
    (home.notes / "jupyter").mkdir(parents=True)
    (home.notes / "jupyter" / "runtime").touch()
    site, jupyter, mlflow = up(home, ports=ports, names=("site", "jupyter", "mlflow"))
    assert site.failure == ""
    assert "JupyterLab ended at once. Its log is" in jupyter.failure
    assert "exists but is not a directory" in jupyter.failure
    assert "`lab up` again" in jupyter.failure
    assert Path(jupyter.log).is_file()
    assert (
        f"MLflow cannot read its database {home.folder}/mlflow.db: file is not a database" in mlflow.failure
    )
    assert [service.name for service in running(home)] == ["site"]


def test_a_site_that_cannot_be_built_is_a_failure_of_its_own(
    home: Home, ports: dict[str, int], tiny: Tiny
) -> None:
    (tiny.course / "mkdocs.yml").write_text("site_name: Tiny\ntheme: no-such-theme\n")
    (site,) = up(home, ports=ports, names=("site",))
    assert "The site could not be built" in site.failure
    assert running(home) == ()


def test_a_service_that_answers_no_more_is_started_again(home: Home, ports: dict[str, int]) -> None:
    (site,) = up(home, ports=ports, names=("site",))
    assert site.process is not None
    psutil.Process(site.process.pid).kill()
    while is_running(site.process):
        pass
    (again,) = up(home, ports=ports, names=("site",))
    assert again.process != site.process
    assert again.port == site.port
    assert "Hello." in body(again.url)


def test_a_service_that_cannot_be_noted_does_not_stay(home: Home, ports: dict[str, int]) -> None:
    with small_disk(home.notes / "services", kilobytes=64) as disk:
        fill(disk)
        with pytest.raises(OSError, match="No space left"):
            up(home, ports=ports, names=("site",))
        assert is_free(ports["site"])


def test_mlflow_is_on_the_lab_in_hand(tiny: Tiny) -> None:
    assert plan(tiny.home, "mlflow", 1).key == str(tiny.home.folder)
    workspace = tiny.started()
    wanted = plan(tiny.home, "mlflow", 1)
    assert f"sqlite:///{workspace.folder}/mlflow.db" in wanted.command
    assert wanted.key != str(tiny.home.folder), "so that one on another lab is started anew"
    reset(workspace, now=NOW)
    assert plan(tiny.home, "mlflow", 1).key != wanted.key, "laid out anew, the database is another one"


@pytest.mark.parametrize(("revision", "is_newer"), [("dc11669786a5", False), ("ffff00001111", True)])
def test_a_database_of_a_newer_mlflow_is_told_from_one_of_ours(
    tiny: Tiny, revision: str, is_newer: bool
) -> None:
    folder = tiny.started().folder
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        database.commit()
    if not is_newer:
        assert plan(tiny.home, "mlflow", 1).name == "mlflow"
        return
    with pytest.raises(LabError) as refused:
        plan(tiny.home, "mlflow", 1)
    said = str(refused.value)
    assert said.startswith(f"MLflow cannot read its database {folder}/mlflow.db: a newer MLflow than ")
    assert "(revision ffff00001111)" in said
    assert "`lab reset`" in said


def test_nothing_listens_beyond_this_machine_or_reports_home(tiny: Tiny) -> None:
    jupyter, mlflow, site = (
        plan(tiny.home, name, 7, token="secret") for name in ("jupyter", "mlflow", "site")
    )
    assert "--ServerApp.ip=127.0.0.1" in jupyter.command
    assert mlflow.command[mlflow.command.index("--host") + 1] == "127.0.0.1"
    assert site.command[site.command.index("--bind") + 1] == "127.0.0.1"
    assert not any("secret" in word for word in jupyter.command), "a command line is public"
    assert page("jupyter", "secret") == "/lab?token=secret"
    assert QUIET.keys() == {"MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "DVC_NO_ANALYTICS"}


def test_no_free_port_is_an_error() -> None:
    taken = range(30000, 30050)
    with pytest.raises(LabError, match=r"Ports 30000 to 30049 are all in use. End a program that holds one"):
        services.free_port(30000, taken)


def test_a_second_up_waits_for_the_first(home: Home) -> None:
    with services.alone(home):
        code = f"""
from pathlib import Path
from lab_env.services import down
from lab_env.workspace import Home
down(Home(Path({str(home.course)!r}), Path({str(home.folder)!r})))
"""
        other = subprocess.Popen([sys.executable, "-c", code])
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=1.5)
    assert other.wait(timeout=20) == 0


def test_up_and_down_by_command(run_lab: RunLab, tiny: Tiny) -> None:
    tiny.home.folder.mkdir()
    (tiny.home.folder / "mlflow.db").mkdir()
    answer = run_lab("up")
    try:
        assert "What to do: http://127.0.0.1:" in run_lab("start", "01").out
        assert answer.code == 2
        assert "✗ MLflow cannot read its database" in answer.out
        assert "Ready:\n  Site       http://127.0.0.1:" in answer.out
        assert "/lab?token=" in answer.out
        assert "`lab start 01`" in answer.out
        doctor = run_lab("doctor")
        assert "ports" in doctor.out
    finally:
        ended = run_lab("down")
    came_up = [TITLES[name] for name in installed() if name != "mlflow"]
    assert (ended.code, ended.out) == (0, "".join(f"✓ {title} has ended.\n" for title in came_up))
    assert run_lab("down").out == "Nothing was running.\n"
    assert run_lab("down", "--json").out == "[]\n"


TAKE_THE_PORT = """
import subprocess, sys, time, urllib.request

def on_pre_build(config):
    command = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
    other = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    open("other.pid", "w").write(str(other.pid))
    for _ in range(100):
        try:
            urllib.request.urlopen("http://127.0.0.1:{port}/").close()
            return
        except OSError:
            time.sleep(0.1)
"""


def test_a_port_lost_at_the_last_moment_is_not_mistaken_for_ours(
    home: Home, ports: dict[str, int], tiny: Tiny
) -> None:
    """Somebody else answers there, and well: only whose process listens tells."""
    (tiny.course / "take.py").write_text(TAKE_THE_PORT.format(port=ports["site"]))
    (tiny.course / "mkdocs.yml").write_text("site_name: Tiny\ntheme: mkdocs\nhooks: [take.py]\n")
    (site,) = up(home, ports=ports, names=("site",))
    other = psutil.Process(int((tiny.course / "other.pid").read_text()))
    assert (site.failure, site.port > ports["site"]) == ("", True)
    assert "Hello." in body(site.url)
    down(home)
    assert other.is_running()
    other.kill()
