"""What a container of the labs may do, and what is said where it cannot be had: with the real engine."""

import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from grader.engines import Engine, EngineProblem, explain, look
from lab_env import container
from lab_env import image as images
from lab_env.errors import LabError
from lab_env.plans import USUAL_PORTS
from lab_env.workspace import Home
from tests.containers.conftest import LEARNER
from tests.containers.store import ROOT, engine_settings, on_stand_in, ready
from tests.lab_env.disks import small_disk

pytestmark = [pytest.mark.container, pytest.mark.slow]

# What somebody inside tries, and what must not come of it.
TRIED = {
    "be root": "test $(id -u) = 0",
    "write to the root": "touch /opt/course/x || touch /etc/x || touch /usr/bin/x || touch /opt/venv/x",
    "hold a capability": "grep -E '^Cap[A-Z][a-z]+:.*[1-9a-f]' /proc/self/status",
    "gain privileges": "grep -q 'NoNewPrivs:.*0' /proc/self/status",
    "mount": "mount -t tmpfs none /tmp",
    "see processes of the machine": "test $(ls -d /proc/[0-9]* | wc -l) -gt 8",
    "find an answer": "ls -d /opt/course/solutions /opt/course/tests /opt/course/labs/*/checks/hidden",
}


def test_nothing_that_was_tried_inside_came_off(engine: Engine, home: Home) -> None:
    ready = container.ensure(home)
    assert container.ensure(home) == ready, "the one that runs is used"
    for what, command in TRIED.items():
        done = engine.try_("exec", ready.name, "sh", "-c", command)
        assert done.returncode != 0, f"inside one could {what}: {done.stdout}"
    assert engine.ask("exec", ready.name, "id", "-u") == str(LEARNER)
    config = engine.inspect("container", ready.name)
    bound = config["HostConfig"]["PortBindings"].values()
    assert {each["HostIp"] for bindings in bound for each in bindings} == {"127.0.0.1"}
    seen = [mount["Destination"] for mount in config["Mounts"] if mount["Type"] == "bind"]
    assert seen == [str(home.folder)]


def test_the_image_says_what_it_is_and_what_is_in_it(podman: Engine, image: str) -> None:
    facts = podman.inspect("image", image)
    assert facts["User"] == "learner"
    assert facts["Size"] < images.LARGEST_MB * 10**6
    assert facts["Labels"]["org.opencontainers.image.title"] == "From DevOps to MLOps"
    assert facts["Labels"]["org.opencontainers.image.version"] == version("from-devops-to-mlops")
    assert facts["Healthcheck"]["Test"] == ["CMD", "python", "-m", "lab_env.health"]
    assert on_stand_in(image) in (True, False)
    inside = ["run", "--rm", "--network=none", image]
    parts = json.loads(podman.ask(*inside, "cat", "/opt/sbom.cdx.json"))["components"]
    named = {part["purl"].rpartition("@")[0] for part in parts}
    assert {
        "pkg:pypi/mlflow",
        "pkg:pypi/jupyterlab",
        "pkg:deb/debian/git",
        "pkg:deb/debian/prometheus",
    } <= named
    assert not named & {"pkg:pypi/mypy", "pkg:pypi/uv", "pkg:pypi/playwright"}
    assert "promtool, version" in podman.ask(*inside, "promtool", "--version")
    assert podman.ask(*inside, "sh", "-c", "find /opt/venv/lib -name tests -type d | wc -l") == "0"
    assert int(podman.ask(*inside, "sh", "-c", "find /opt/venv/lib -name '*.pyc' | wc -l")) > 10000


def test_a_port_that_is_taken_is_left_alone(podman: Engine, image: str, home: Home) -> None:
    with socket.create_server(("127.0.0.1", container.free_ports()["site"])) as other:
        taken = other.getsockname()[1]
        ports = container.free_ports()
        assert USUAL_PORTS["site"] <= taken < ports["site"]
        with pytest.raises(EngineProblem, match="a port that it wants was taken a moment ago") as caught:
            podman.ask("run", "--rm", f"--publish=127.0.0.1:{taken}:80", image, "true")
        assert caught.value.mend.startswith("lab up")
        container.ensure(home)


def test_an_image_for_another_processor_is_refused(podman: Engine, tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text("FROM scratch\nLABEL a=b\n")
    tag = f"{images.NAME}-other:trial"
    other = {"amd64": "arm64"}.get(podman.architecture, "amd64")
    podman.ask("build", f"--arch={other}", "--tag", tag, str(tmp_path))
    try:
        with pytest.raises(
            EngineProblem, match=f"is for {other}, and podman runs {podman.architecture}"
        ) as caught:
            images.ensure(podman, ROOT, {"LAB_IMAGE": tag})
        assert caught.value.mend.startswith(f"podman image rm --force {tag}")
    finally:
        podman.ask("image", "rm", "--force", tag)
    with pytest.raises(EngineProblem, match="podman has no such image") as caught:
        images.ensure(podman, ROOT, {"LAB_IMAGE": tag})
    assert "podman load" in caught.value.mend


@pytest.mark.usefixtures("podman")
def test_a_full_disk_is_said_before_and_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(tmp_path / "disk", kilobytes=2000) as disk:
        for name, value in engine_settings(disk).items():
            monkeypatch.setenv(name, value)
        full = look("podman")
        with pytest.raises(EngineProblem, match=r"[12] MB free, building takes 4,000") as caught:
            images.ensure(full, ROOT, {})
        assert "podman system prune" in caught.value.mend
        subprocess.run(["tar", "-cf", str(tmp_path / "large.tar"), "-C", "/usr/bin", "git"], check=True)
        with pytest.raises(EngineProblem, match="the disk with its images is full"):
            full.ask("import", str(tmp_path / "large.tar"))


WITHOUT_RIGHTS = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.mark.usefixtures("podman")
def test_an_engine_without_rights_is_said() -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming somebody without rights needs root")
    with tempfile.TemporaryDirectory() as place:
        Path(place, "etc").mkdir()
        os.chown(f"{place}/etc", 1000, 1000)
        subprocess.run(["tar", "-cf", f"{place}/image.tar", "-C", place, "etc"], check=True)
        os.chown(place, 65534, 65534)
        done = subprocess.run(
            [*WITHOUT_RIGHTS, "podman", "import", f"{place}/image.tar"],
            env={"PATH": os.environ["PATH"], "HOME": place, "XDG_RUNTIME_DIR": place},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        for noted in Path(place).rglob("pause.pid"):  # without root, podman leaves a process behind
            os.kill(int(noted.read_text()), signal.SIGKILL)
    assert done.returncode != 0
    problem = explain("podman", ("import",), done.stderr)
    assert "you have no right to make containers without root" in problem.problem
    assert "--add-subuids" in problem.mend


def test_work_that_belongs_to_root_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a folder of root's needs root")
    with pytest.raises(
        LabError, match=r"belongs to root, and nothing in the container runs as root[\s\S]*chown -R"
    ):
        container.owner(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match=r"file/labs cannot be made: Not a directory[\s\S]*export LAB_HOME="):
        container.owner(tmp_path / "file" / "labs")


def test_work_that_cannot_be_written_is_said_from_both_sides(home: Home, podman: Engine) -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        assert "cannot be written by you" in as_somebody(lambda: container.owner(Path(place)))
    home.folder.chmod(0o555)
    with pytest.raises(LabError, match=r"cannot be written from inside the container[\s\S]*lab doctor"):
        container.ensure(home)
    assert podman.inspect("container", container.name_of(home)) == {}


def as_somebody(act: Callable[[], object]) -> str:
    """What an error says that a user without any rights meets; empty when there is none."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            act()
        except LabError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as said:
        return said.read()


def test_the_grading_image_has_no_course_and_no_jupyter(podman: Engine) -> None:
    tag = ready("grading")
    inside = ["run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL", tag]
    assert podman.ask(
        *inside, "sh", "-c", "ls /opt/course; ls -d /opt/course/lab_env/world | wc -l"
    ).split() == ["grader", "lab_env", "requirements.lock", "0"]
    code = "import pandas, sklearn, dvc, IPython, grader.agent, lab_env"
    podman.ask(*inside, "python", "-c", code)
    for module in ("jupyterlab", "mkdocs", "nbgrader"):
        assert "No module named" in podman.try_(*inside, "python", "-c", f"import {module}").stderr
