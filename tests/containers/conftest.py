"""What the tests with real containers share: the image, and a learner's home that is not root's."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.engines import Engine, look
from lab_env import container
from lab_env.workspace import Home
from tests.containers import dockers
from tests.containers.store import ROOT, engine_settings, ready, why_not

LEARNER = 1234  # no user of the image, and none of this machine


def give(folder: Path) -> None:
    """Make a folder the learner's; whoever is not root is the learner."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, LEARNER, LEARNER, follow_symlinks=False)


@pytest.fixture
def podman(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The real one, with an image store of the tests' own."""
    if reason := why_not():
        pytest.skip(f"Containers cannot be run here: {reason}.")
    for name, value in engine_settings().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LAB_ENGINE", "podman")
    for name in ("LAB_HOME", "LAB_IMAGE", "LAB_CONTAINER"):
        monkeypatch.delenv(name, raising=False)
    return look("podman")


@pytest.fixture
def image(podman: Engine) -> str:
    """The image of this course, which `lab` then finds by its name."""
    tag = ready()
    assert podman.inspect("image", tag)
    return tag


@pytest.fixture(params=["podman", "docker"])
def engine(
    request: pytest.FixtureRequest, podman: Engine, image: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """Each engine in turn, for a `lab` that uses this one."""
    if request.param == "podman":
        yield podman
        return
    if reason := dockers.why_not():
        pytest.skip(f"Docker cannot be run here: {reason}.")
    monkeypatch.setenv("LAB_ENGINE", "docker")
    monkeypatch.setenv("LAB_IMAGE", dockers.kept())
    monkeypatch.setenv("DOCKER_HOST", dockers.socket())
    with dockers.running(image) as docker:
        yield docker


@pytest.fixture
def home(image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Where a learner's workspaces go; their container ends with the test."""
    assert image
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\n\tname = Learner\n\temail = learner@example.invalid\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    folder = tmp_path / "labs"
    folder.mkdir()
    give(folder)
    monkeypatch.setenv("LAB_HOME", str(folder))
    home = Home(ROOT, folder)
    yield home
    container.remove(home)
