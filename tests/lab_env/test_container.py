"""The words that a container is run with, and an engine that fails; tests/containers has real ones."""

import json
from pathlib import Path

import pytest

from grader.engines import Engine
from lab_env import container, image
from lab_env.container import choose, held, is_chosen, run_words
from lab_env.workspace import Home
from tests.containers.conftest import give
from tests.lab_env.conftest import RunLab
from tests.lab_env.tiny import Tiny

WHO = {
    "podman as root": (Engine("podman", "4.3", "amd64"), ["--user=1000:100"]),
    "podman without root": (
        Engine("podman", "4.3", "amd64", rootless=True),
        ["--userns=keep-id", "--user=1000:100"],
    ),
    "docker": (Engine("docker", "27.0", "arm64"), ["--user=1000:100"]),
    "docker without root": (Engine("docker", "27.0", "arm64", rootless=True), ["--user=0:0"]),
}
INFO = {"host": {"arch": "amd64"}, "version": {"Version": "4.9.3"}, "store": {"graphRoot": ""}}
PODMAN = f"""#!/bin/sh
case "$1 $2" in
  "info "*) echo '{json.dumps(INFO)}';;
  "image inspect") echo '[{{"Architecture": "amd64"}}]';;
  "container inspect") test -f "$0.made" && echo '[{{"State": {{"Running": false}}}}]';;
  "run "*) touch "$0.made";;
  "exec lab-"*) exit 0;;
  "exec "*) echo "the container is gone" >&2; exit 125;;
  "rm "*) rm -f "$0.made";;
esac
"""


@pytest.fixture
def fails(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose engine makes containers and then cannot run anything in them."""
    program = tmp_path / "bin" / "podman"
    program.parent.mkdir()
    program.write_text(PODMAN)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("LAB_IMAGE", "course:1")
    monkeypatch.setenv("LAB_ENGINE", "podman")
    tiny.home.folder.mkdir()
    give(tiny.home.folder)
    return tiny.home


@pytest.mark.parametrize(("engine", "who"), WHO.values(), ids=WHO.keys())
def test_a_container_is_the_learner_s_and_can_do_little(engine: Engine, who: list[str], tiny: Tiny) -> None:
    words = run_words(engine, tiny.home, user=(1000, 100), ports={"site": 8001, "mlflow": 5000})
    assert words[: len(who)] == who
    assert {"--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"} <= {*words}
    assert ("--read-only-tmpfs=false" in words) == engine.is_podman
    assert f"--volume={tiny.home.folder}:{tiny.home.folder}:z" in words
    assert "--env=LAB_PORTS=site=8001,mlflow=5000" in words
    assert [word for word in words if "publish" in word] == [
        "--publish=127.0.0.1:8001:8001",
        "--publish=127.0.0.1:5000:5000",
    ]


def test_an_engine_that_cannot_run_a_command_is_said(fails: Home, run_lab: RunLab) -> None:
    choose(fails, True)
    answer = run_lab("check")
    assert (answer.code, answer.out) == (2, "")
    assert "`lab check` could not be run in the container (see above)" in answer.err
    assert "\n    lab down    # takes the container away; the next command starts a new one" in answer.err
    assert run_lab("down").out == "✓ The container has ended.\n"
    assert run_lab("down").out == "Nothing was running.\n"
    assert is_chosen(fails)
    choose(fails, False)
    assert not is_chosen(fails)


def test_what_does_not_run_a_learner_s_work_stays_outside(fails: Home, run_lab: RunLab) -> None:
    choose(fails, True)
    assert "Say hello" in run_lab("list").out
    assert "Usage" in run_lab("check", "--help").out


def test_without_an_engine_nothing_is_chosen_and_nothing_held(
    tiny: Tiny, run_lab: RunLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    answer = run_lab("start", "01", "--container")
    assert (answer.code, is_chosen(tiny.home)) == (2, False)
    assert "No container engine is here" in answer.err
    assert "To mend it:\n    sudo apt install podman" in answer.err or "brew" in answer.err
    tiny.home.notes.mkdir(parents=True)
    (tiny.home.notes / "container.json").write_text('{"container": "x"}')
    assert held(tiny.home) == {}
    assert container.remove(tiny.home) is False


def test_inside_nothing_is_handed_on(tiny: Tiny, run_lab: RunLab, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.home.notes.mkdir(parents=True)
    (tiny.home.notes / "container.json").write_text('{"container": "x"}')
    monkeypatch.setenv("LAB_CONTAINER", "1")
    monkeypatch.setenv("LAB_COURSE", "/home/me/course")
    started = run_lab("start", "01", "--container")
    assert (started.code, "What to do: /home/me/course/labs/01-first/brief.md" in started.out) == (0, True)
    assert held(tiny.home) == {}


def test_an_image_is_named_after_every_file_in_it(tiny: Tiny) -> None:
    (tiny.course / ".dockerignore").write_text("*\n!labs\n!mkdocs.yml\n**/__pycache__\n")
    before = image.tag_of(tiny.course)
    (tiny.course / "labs" / "__pycache__").mkdir()
    (tiny.course / "labs" / "__pycache__" / "x.pyc").write_text("")
    (tiny.course / "docs" / "index.md").write_text("# Another\n")
    assert image.tag_of(tiny.course) == before, "what the build does not see changes nothing"
    (tiny.course / "labs" / "01-first" / "release.txt").write_text("r2\n")
    assert image.tag_of(tiny.course) != before
    assert before.startswith("localhost/from-devops-to-mlops:")


def test_a_shell_outside_is_in_the_lab_s_folder_with_the_course_s_programs(
    tiny: Tiny, run_lab: RunLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tiny.started()
    said = tmp_path / "said"
    assert run_lab("shell", "sh", "-c", f"(pwd; command -v lab) > {said}; exit 5").code == 5
    here, program = said.read_text().splitlines()
    assert (Path(here), Path(program).name) == (workspace.folder, "lab")
    monkeypatch.setenv("SHELL", "/bin/true")
    assert run_lab("shell").code == 0
    answer = run_lab("shell", "no-such-program")
    assert (answer.code, "`no-such-program` is not on PATH" in answer.err) == (2, True)
