"""A box `container` that cannot be had: each reason with the line that mends it. Engines here are scripts."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.boxes import container
from grader.boxes.base import Budget
from grader.boxes.container import IMAGE, ContainerBox, image_of, run_words, why_not
from grader.doctor import look
from grader.engines import Engine
from grader.errors import BoxError
from grader.manifest import Limits

FACTS = {"host": {"arch": "amd64"}, "version": {"Version": "4.9.3"}, "store": {"graphRoot": ""}}
KNOWN = (container.chosen_engine, container.chosen_image, container.why_not, look)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A podman that does this when it is to run a container."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", str(place))
    monkeypatch.setenv("LAB_ENGINE", "podman")
    monkeypatch.setenv(IMAGE, "course:1")

    def make(runs: str) -> None:
        script = place / "podman"
        script.write_text(f"#!/bin/sh\ncase $1 in info) echo '{json.dumps(FACTS)}';; run) {runs};; esac\n")
        script.chmod(0o755)

    for known in KNOWN:
        known.cache_clear()
    yield make
    for known in KNOWN:
        known.cache_clear()


def start(tmp_path: Path, start_s: float = 20) -> str:
    """What is said when a box is to be started; nothing of it is left."""
    (tmp_path / "work").mkdir()
    with pytest.raises(BoxError) as caught:
        ContainerBox(start_s=start_s).start(tmp_path / "work", {}, Budget(Limits()))
    return str(caught.value)


def test_an_engine_that_refuses_is_said_with_what_mends_it(
    engine: Callable[[str], None], tmp_path: Path
) -> None:
    engine("echo 'Error: course:1: image not known' >&2; exit 125")
    said = start(tmp_path)
    assert said.startswith("No container was started. podman is here, but it does not have the image.")
    assert said.endswith("grader doctor --box container    # builds it")


def test_a_full_disk_is_said(engine: Callable[[str], None], tmp_path: Path) -> None:
    engine("echo 'Error: mkdir /var/lib/containers/x: no space left on device' >&2; exit 125")
    assert "the disk with its images is full" in start(tmp_path)


def test_an_engine_that_hangs_is_said(engine: Callable[[str], None], tmp_path: Path) -> None:
    engine("exec /bin/sleep 60")
    said = start(tmp_path, start_s=0.5)
    assert "No container was started. podman gave no answer to `podman run` within 0 s." in said
    assert "podman" in said.rpartition("To mend it:")[2]


def test_an_engine_that_answers_wrong_is_said(engine: Callable[[str], None], tmp_path: Path) -> None:
    engine("echo hello")
    assert '`podman run` failed. It said "nothing at all".' in start(tmp_path)


@pytest.mark.usefixtures("engine")
def test_without_an_engine_nobody_is_graded_and_it_is_said_why(tmp_path: Path) -> None:
    assert "No container was started. `podman` is not on PATH." in start(tmp_path)
    assert "`podman` is not on PATH" in why_not()
    strength = look("container")
    assert strength.missing == ("sandbox",)
    assert "sudo apt install podman" in strength.walls[0].found


def test_an_image_is_named_by_a_command_or_it_is_said(tmp_path: Path) -> None:
    settings = tmp_path / "pyproject.toml"
    with pytest.raises(BoxError, match=r"Nothing names an image for containers\. Put `image`"):
        image_of(tmp_path)
    settings.write_text("[tool.grader]\nimage = ['echo', 'building\\ncourse:2']\n".replace("'", '"'))
    assert image_of(tmp_path) == "course:2"
    settings.write_text('[tool.grader]\nimage = ["false"]\n')
    with pytest.raises(BoxError, match=r"`false` gave no image \(exit code 1\)\. It said why above"):
        image_of(tmp_path)


def test_what_the_engine_is_told_takes_all_away() -> None:
    limits = Limits(memory_mb=256, disk_mb=32)
    for one in (Engine("podman", "4.3", "amd64"), Engine("docker", "27.0", "arm64", rootless=True)):
        words = run_words(one, limits, [])
        assert {"--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--pids-limit=128"} <= {*words}
        assert {"--security-opt=no-new-privileges", "--memory=288m", "--memory-swap=288m"} <= {*words}
        opened = ("--volume", "-v", "--publish", "--privileged", "--env")
        assert not any(word.startswith(opened) for word in words)
        assert all("type=tmpfs" in word for word in words if word.startswith("--mount"))
        assert ("--user=1000:1000" in words) == one.rootless
