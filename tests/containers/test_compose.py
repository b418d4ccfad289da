"""The whole lab environment by Compose: it comes up, is used, mends itself, and goes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from grader.engines import Engine, EngineProblem
from lab_env import compose
from lab_env.container import is_chosen, name_of
from lab_env.services import answers
from lab_env.workspace import Home
from tests.containers.store import ROOT
from tests.containers.test_lab import lab

END_ALL = """
import os, signal
for name in filter(str.isdecimal, os.listdir("/proc")):
    if int(name) not in (1, os.getpid()):
        os.kill(int(name), signal.SIGKILL)
"""


@pytest.mark.container
@pytest.mark.browser
@pytest.mark.slow
def test_the_environment_comes_up_is_used_mends_itself_and_goes(podman: Engine, home: Home) -> None:
    networks = podman.ask("network", "ls", "--format={{.Name}}")
    name = name_of(home)
    try:
        urls = _up()
        parts = [name, *(f"{name}_{each}_1" for each in urls)]
        for part in parts:
            known = podman.inspect("container", part)
            assert known["HostConfig"]["ReadonlyRootfs"], part
            assert (known["BoundingCaps"], known["EffectiveCaps"]) == ([], []) or known[
                "BoundingCaps"
            ] is None
            assert known["HostConfig"]["SecurityOpt"] == ["no-new-privileges"]
            assert known["Config"]["User"] == f"{home.folder.stat().st_uid}:{home.folder.stat().st_gid}"
        _look(urls)

        with suppress(EngineProblem):  # its own end may be lost with the container's
            podman.ask("exec", f"{name}_mlflow_1", "python", "-c", END_ALL)
        _wait(lambda: not answers(urls["mlflow"] + "health"))
        _wait(lambda: answers(urls["mlflow"] + "health"))
        assert _up() == urls, "what runs is left alone, under the same token"

        assert lab("start", "02").returncode == 0
        folder = home.workspace("02-version-data")
        assert lab("check", "1", cwd=folder).returncode == 0
        # boxes of others may run beside
        ours = ("ps", "--all", f"--filter=name={name}", "--format={{.Names}}")
        assert sorted(podman.ask(*ours).split()) == sorted(parts), "it ran in the one that was there"
        assert is_chosen(home)
        assert "The containers have ended" in lab("down").stdout
        assert not compose.is_up(home)
        assert podman.ask(*ours) == ""
        assert podman.ask("network", "ls", "--format={{.Name}}") == networks
        assert (folder / "zones.csv").exists() or any(folder.iterdir()), "the work stays"
    finally:
        compose.down(home)


def test_an_engine_without_compose_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho \"docker: 'compose' is not a docker command.\" >&2\nexit 1\n")
    program.chmod(0o755)
    docker = Engine("docker", "27.1", "amd64")
    with pytest.raises(EngineProblem, match=r"docker has no Compose here.*\n.*apt install docker-compose"):
        compose.program(docker)
    (tmp_path / "docker-compose").symlink_to(program)
    assert compose.program(docker) == ("docker-compose",)
    program.write_text("#!/bin/sh\necho v2.40\n")
    assert compose.program(docker) == ("docker", "compose")
    assert compose.program(Engine("podman", "5.0", "amd64"))[0].endswith("/podman-compose")


def test_a_compose_that_refuses_is_explained(tmp_path: Path) -> None:
    program = tmp_path / "docker-compose"
    program.write_text(
        "#!/bin/sh\necho 'Bind for 127.0.0.1:8000 failed: port is already allocated'; exit 1\n"
    )
    program.chmod(0o755)
    with pytest.raises(EngineProblem, match=r"a port that it wants was taken.*\n.*lab up"):
        compose.Stack((str(program),), {}).run("up")


def _up() -> dict[str, str]:
    done = lab("up", "--container", "--json")
    found = json.loads(done.stdout)
    assert [each["failure"] for each in found] == [""] * 4, done.stdout
    return {each["name"]: each["url"] for each in found}


def _look(urls: dict[str, str]) -> None:
    """Open each of them in a browser, in a process of its own: another test's browser may be open in this."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.containers.looking", json.dumps(urls)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _wait(holds: Callable[[], bool], patience_s: float = 90) -> None:
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, "nothing changed in time"
        time.sleep(0.2)
