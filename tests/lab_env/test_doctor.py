import socket
from dataclasses import replace
from pathlib import Path

import pytest

from lab_env.doctor import Machine, examine, is_free, look
from tests.lab_env.tiny import Tiny

NOON = 1_795_262_400.0
GOOD = Machine(
    system="Linux",
    release="6.1.0",
    python=(3, 12, 4),
    folder=Path("/home/me/course/workspace"),
    free_mb=9000,
    memory_mb=8000,
    cores=4,
    git="2.39.5",
    identity=("Me", "me@example.com"),
    clock=NOON,
    newest=NOON - 86400,
    promtool="/usr/local/bin/promtool",
    sandbox="bwrap",
    engine="podman 4.9.3",
)

# what is wrong, which finding says so, whether it is needed, part of what it says, part of the line to type
BAD: dict[str, tuple[Machine, str, bool, str, str]] = {
    "native Windows": (replace(GOOD, system="Windows"), "system", True, "Windows", "wsl --install"),
    "an old Python": (replace(GOOD, python=(3, 10, 1)), "Python", True, "3.10.1", "make start PYTHON="),
    "a new Python": (replace(GOOD, python=(3, 14, 0)), "Python", True, "3.14.0", "make start PYTHON="),
    "packages missing": (
        replace(GOOD, missing=("dvc", "mlflow")),
        "packages",
        True,
        "missing: dvc, mlflow",
        "make setup",
    ),
    "not activated": (
        replace(GOOD, dvc_on_path=False),
        "packages",
        True,
        "not on PATH",
        "source .venv/bin/activate",
    ),
    "no git": (replace(GOOD, git=""), "git", True, "not on PATH", "sudo apt install git"),
    "no git, macOS": (
        replace(GOOD, git="", system="Darwin"),
        "git",
        True,
        "not on PATH",
        "xcode-select --install",
    ),
    "an old git": (replace(GOOD, git="2.25.1"), "git", True, "2.25.1", "sudo apt install git"),
    "nobody": (
        replace(GOOD, identity=("Me", "")),
        "git identity",
        True,
        "no address is set",
        "git config --global",
    ),
    "a full disk": (replace(GOOD, free_mb=512), "disk", True, "0.5 GB free", "LAB_HOME="),
    "a read-only disk": (replace(GOOD, writable=False), "disk", True, "cannot be written", "LAB_HOME="),
    "a clock years behind": (
        replace(GOOD, clock=1e9),
        "clock",
        True,
        "before the course's own files",
        "set-ntp true",
    ),
    "a skewed clock": (
        replace(GOOD, skew_s=-42, release="5.15 microsoft"),
        "clock",
        True,
        "-42 s",
        "hwclock -s",
    ),
    "little memory": (replace(GOOD, memory_mb=2000), "memory", False, "2.0 GB", "lab down"),
    "one core": (replace(GOOD, cores=1), "cores", False, "1", "lab down"),
    "the clone under /mnt": (
        replace(GOOD, folder=Path("/mnt/c/course"), release="5.15 microsoft"),
        "place",
        False,
        "/mnt/c",
        "cd ~",
    ),
    "a port taken": (replace(GOOD, taken={"MLflow": 5000}), "ports", False, "5000 (MLflow)", "lab up"),
    "no sandbox": (replace(GOOD, sandbox=""), "sandbox", False, "none", "sudo apt install bubblewrap"),
    "no promtool": (
        replace(GOOD, promtool=""),
        "promtool",
        False,
        "not on PATH",
        "apt-get download prometheus && dpkg-deb",
    ),
    "no promtool, macOS": (
        replace(GOOD, promtool="", system="Darwin"),
        "promtool",
        False,
        "not on PATH",
        "brew install prometheus",
    ),
    "an engine without rights": (
        replace(GOOD, engine="docker is here, but you have no right to use it.", engine_mend="newgrp docker"),
        "container engine",
        False,
        "no right",
        "newgrp docker",
    ),
}


@pytest.mark.parametrize(("machine", "name", "required", "found", "mend"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_with_why_and_a_line(
    machine: Machine, name: str, required: bool, found: str, mend: str
) -> None:
    bad = [finding for finding in examine(machine) if not finding.ok]
    assert [finding.name for finding in bad] == [name]
    assert bad[0].required == required
    assert found in bad[0].found
    assert mend in bad[0].mend
    assert len(bad[0].why) > 20
    assert bad[0].read.startswith("setup.md#")


def test_a_good_machine_has_nothing_wrong_and_needs_come_first() -> None:
    found = examine(GOOD)
    assert all(finding.ok for finding in found)
    needed = [finding.required for finding in found]
    assert needed == sorted(needed, reverse=True)


def test_this_machine_is_looked_at(tiny: Tiny) -> None:
    machine = look(tiny.home.folder, tiny.course)
    assert machine.folder == tiny.course, "the nearest folder that exists"
    assert machine.writable
    assert machine.identity == ("Learner", "learner@example.invalid")
    assert min(machine.free_mb, machine.memory_mb, machine.cores) > 0
    assert abs(machine.skew_s) < 5
    assert machine.missing == ()
    assert machine.newest > 0
    assert machine.git.startswith("2.")


@pytest.mark.usefixtures("no_programs")
def test_a_machine_without_programs_is_looked_at_too(tiny: Tiny) -> None:
    machine = look(tiny.home.folder, tiny.course)
    assert (machine.git, machine.identity, machine.sandbox) == ("", ("", ""), "")
    assert "neither `podman` nor `docker` is on PATH" in machine.engine
    assert "podman" in machine.engine_mend
    assert not machine.dvc_on_path


def test_an_engine_that_fails_is_said_with_what_it_said(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("podman", "echo moon >&2; exit 1"), ("docker", ""), ("bwrap", "exit 0")):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n" if text else "no program\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    machine = look(tiny.home.folder, tiny.course)
    assert (machine.sandbox, machine.engine) == ("bwrap", '`podman info` failed. It said "moon".')
    monkeypatch.setenv("LAB_CONTAINER", "1")
    inside = look(tiny.home.folder, tiny.course)
    assert (inside.engine, inside.engine_mend) == ("not needed: this is the container", "")


def test_an_identity_from_the_environment_counts(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Other")
    assert look(tiny.home.folder, tiny.course).identity[0] == "Other"


def test_a_folder_that_cannot_be_written_has_no_skew() -> None:
    machine = look(Path("/proc/self"), Path("/proc/self"))
    assert (machine.skew_s, machine.newest) == (0.0, 0.0)


def test_a_port_is_free_when_nobody_listens(tiny: Tiny) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not is_free(port)
        machine = look(tiny.home.folder, tiny.course, ours={"site": port})
        assert port not in machine.taken.values()
    assert is_free(port)


def test_a_port_held_on_every_address_is_not_free() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        assert not is_free(listener.getsockname()[1])
