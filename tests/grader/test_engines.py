"""Engines as scripts on PATH that say what real ones say; tests/containers has the real ones."""

import json
import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import engines
from grader.engines import COMPLAINTS, Engine, EngineProblem, explain, find, look

PODMAN = json.dumps(
    {
        "host": {"arch": "arm64", "security": {"rootless": True}},
        "version": {"Version": "4.9.3"},
        "store": {"graphRoot": "/home/me/images"},
    }
)
SERVER = json.dumps({"Version": "27.1.1", "Arch": "amd64"})
INFO = json.dumps({"SecurityOptions": ["name=seccomp,profile=builtin"], "DockerRootDir": "/var/lib/docker"})

# What engines really said, and part of the line that mends it.
SAID = {
    "docker without rights": (
        "permission denied while trying to connect to the Docker daemon socket at unix:///run/docker.sock: "
        'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.24/version": dial unix /var/run/docker.sock: connect: '
        "permission denied",
        "usermod -aG docker",
    ),
    "podman without ids": (
        'cannot find UID/GID for user me: no subuid ranges found for user "me" in /etc/subuid',
        "--add-subuids",
    ),
    "podman without namespaces": ("Error: cannot set up namespace using newuidmap: exit status 1", "uidmap"),
    "podman without its machine": (
        "Cannot connect to Podman. Please verify your connection to the Linux system using `podman system "
        "connection list`, or try `podman machine init` and `podman machine start`",
        "podman.socket",
    ),
    "docker without its daemon": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "systemctl start docker",
    ),
    "a full disk": (
        "Error: committing container: writing blob: write /storage/1: no space left on device",
        "docker system prune",
    ),
    "a port taken, podman": (
        "Error: rootlessport listen tcp 127.0.0.1:8000: bind: address already in use",
        "lab up",
    ),
    "a port taken, docker": (
        "Error response from daemon: Bind for 127.0.0.1:8000 failed: port is already allocated",
        "lab up",
    ),
    "a folder that is not shared": (
        "docker: Error response from daemon: Mounts denied: The path /opt/labs is not shared from the host",
        "LAB_HOME=",
    ),
    "no image, podman": ("Error: localhost/course:1: image not known", "grader doctor --box container"),
    "no image, docker": (
        "docker: Error response from daemon: No such image: localhost/course:1.",
        "grader doctor --box container",
    ),
    "another processor": (
        "exec /usr/bin/tini: exec format error",
        "docker image rm --force course:1",
    ),
    "no network": (
        'Error: pinging container registry: Get "https://registry.example/v2/": dial tcp: '
        "lookup registry.example: no such host",
        "docker pull python:3.11-slim-bookworm",
    ),
}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a script on a PATH where nothing else is."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()

    def make(name: str, text: str) -> None:
        script = tmp_path / "bin" / name
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)

    return make


@pytest.mark.parametrize(("said", "mend"), SAID.values(), ids=SAID.keys())
def test_what_an_engine_says_is_told_with_the_line_that_mends_it(said: str, mend: str) -> None:
    problem = explain("docker", ("run", "course:1"), f"noise\n{said}\n", image="course:1")
    assert problem.problem.startswith("docker is here, but ")
    assert said[:60] in problem.problem
    if platform.system() == "Linux":
        assert mend in problem.mend
    assert str(problem) == f"{problem.problem} To mend it:\n    {problem.mend}"


def test_each_complaint_is_met_by_something_that_was_said() -> None:
    met = {explain("docker", (), said).problem.partition(". It said")[0] for said, _ in SAID.values()}
    assert met == {f"docker is here, but {meaning}" for _, meaning, _, _ in COMPLAINTS}


def test_what_nobody_knows_is_shown_as_it_is() -> None:
    problem = explain("podman", ("run", "--detach", "x"), "Error: the moon is full\n")
    assert problem.problem == '`podman run` failed. It said "Error: the moon is full".'
    assert "nothing at all" in explain("podman", ("info",), "").problem


def test_podman_is_taken_first_and_tells_of_itself(program: Callable[[str, str], None]) -> None:
    program("podman", f"echo '{PODMAN}'")
    program("docker", "exit 1")
    engine = find()
    assert engine == Engine("podman", "4.9.3", "arm64", True, "/home/me/images")
    assert str(engine) == "podman 4.9.3, without root"


def test_docker_is_taken_where_podman_cannot_be_used(program: Callable[[str, str], None]) -> None:
    program("podman", "echo 'cannot find UID/GID for user me' >&2; exit 125")
    program("docker", f"case $1 in version) echo '{SERVER}';; info) echo '{INFO}';; esac")
    engine = find()
    assert engine == Engine("docker", "27.1.1", "amd64", False, "/var/lib/docker")
    assert (str(engine), engine.is_podman) == ("docker 27.1.1", False)
    with pytest.raises(EngineProblem, match="no right to make containers without root"):
        find("podman")


def test_docker_without_root_is_known(program: Callable[[str, str], None]) -> None:
    info = INFO.replace("name=seccomp,profile=builtin", "name=rootless")
    program("docker", f"case $1 in version) echo '{SERVER}';; info) echo '{info}';; esac")
    assert look("docker").rootless


@pytest.mark.usefixtures("program")
def test_no_engine_is_said_with_how_to_get_one() -> None:
    with pytest.raises(EngineProblem, match="No container engine is here") as caught:
        find()
    assert "podman" in caught.value.mend
    with pytest.raises(EngineProblem, match=r"`docker` is not on PATH") as caught:
        find("docker")
    assert "docker.io" in caught.value.mend
    with pytest.raises(EngineProblem, match=r"`nerdctl` is no container engine that we know") as caught:
        find("nerdctl")
    assert caught.value.mend == "export LAB_ENGINE=podman"


def test_of_several_that_cannot_be_used_the_first_is_explained(program: Callable[[str, str], None]) -> None:
    program("docker", "echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1")
    with pytest.raises(EngineProblem, match="docker is here, but its daemon does not run"):
        find()


def test_an_old_engine_is_refused(program: Callable[[str, str], None]) -> None:
    program("podman", f"echo '{PODMAN.replace('4.9.3', '3.4.4')}'")
    with pytest.raises(
        EngineProblem, match=r"podman 3\.4\.4 is too old: the labs need 4\.0 or later"
    ) as caught:
        look("podman")
    assert "--only-upgrade podman" in caught.value.mend


def test_an_engine_that_is_no_program_is_said(program: Callable[[str, str], None], tmp_path: Path) -> None:
    program("podman", "")
    (tmp_path / "bin" / "podman").write_bytes(b"\x7fELF no program")
    with pytest.raises(EngineProblem, match="podman is on PATH but does not start"):
        look("podman")


@pytest.mark.parametrize("name", ["podman", "docker"])
def test_an_engine_that_hangs_is_said(name: str, program: Callable[[str, str], None]) -> None:
    program(name, "while :; do :; done")
    engine = Engine(name, "9.9", "amd64")
    with pytest.raises(EngineProblem, match=rf"{name} gave no answer to `{name} ps` within 0 s") as caught:
        engine.try_("ps", timeout_s=0.2)
    assert caught.value.mend


def test_an_engine_is_asked_shown_and_looked_into(
    program: Callable[[str, str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    program(
        "podman",
        'case $1 in image) echo \'[{"Size": 5}]\';; no) echo "moon" >&2; exit 3;; *) echo "$@";; esac',
    )
    engine = Engine("podman", "4.9", "amd64")
    assert engine.ask("version", "-q") == "version -q"
    assert engine.inspect("image", "course") == {"Size": 5}
    assert engine.inspect("no", "course") == {}
    assert engine.attach("no") == 3
    engine.show("build", ".")
    assert "build .\n" in capfd.readouterr().err
    for refused in (engine.ask, engine.show):
        with pytest.raises(EngineProblem, match='It said "moon"'):
            refused("no", "thing")


def test_there_is_one_door_to_the_engines() -> None:
    course = Path(engines.__file__).parents[1]
    for file in [*(course / "grader").rglob("*.py"), *(course / "lab_env").rglob("*.py")]:
        text = file.read_text(encoding="utf-8")
        starts = [f'["{name}"' for name in engines.NAMES] + [f'("{name}", "' for name in engines.NAMES]
        if file.name != "engines.py":
            assert not any(start in text for start in starts), file
