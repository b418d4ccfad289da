"""The box `container` by each engine: images and stores of the tests' own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from grader.boxes import container
from tests.containers import dockers
from tests.containers.store import engine_settings, ready, why_not

ENGINES = ("podman", "docker")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--every-box`: what runs on few attacks, or on one engine only, in the gate."""
    parser.addoption(
        "--every-box", action="store_true", help="all attacks, and all that boxes keep to, by each engine"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `every_box`, unless it is asked for."""
    if config.getoption("--every-box"):
        return
    left_out = [item for item in items if item.get_closest_marker("every_box")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def grading() -> str:
    """The image that boxes are made of, in podman's store."""
    if reason := why_not():
        pytest.skip(f"Containers cannot be run here: {reason}.")
    return ready("grading")


@pytest.fixture
def boxes_by_podman(grading: str) -> Iterator[None]:
    """Boxes `container` are podman's."""
    with boxes_by("podman", grading):
        yield


@pytest.fixture(scope="module")
def daemon(grading: str) -> Iterator[str]:
    """A Docker daemon that has the image; the image's name there."""
    if reason := dockers.why_not():
        pytest.skip(f"Docker cannot be run here: {reason}.")
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = dockers.socket()
    try:
        with dockers.running(grading, "grading"):
            yield dockers.kept("grading")
    finally:
        del os.environ["DOCKER_HOST"]
        os.environ.update({"DOCKER_HOST": before} if before else {})


@pytest.fixture
def boxes_by_docker(daemon: str) -> Iterator[None]:
    """Boxes `container` are docker's."""
    with boxes_by("docker", daemon):
        yield


@contextmanager
def boxes_by(engine: str, image: str) -> Iterator[None]:
    """Boxes `container` are this engine's, of this image."""
    kept = (container.chosen_engine, container.chosen_image, container.why_not)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**engine_settings(), "LAB_ENGINE": engine, container.IMAGE: image}.items():
            patch.setenv(name, value)
        for known in kept:
            known.cache_clear()
        yield
    for known in kept:
        known.cache_clear()
