import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab_env.watch import difference, matters
from tests.lab_env.tiny import Tiny

SEEN = ["answer.txt", "data/orders.parquet.dvc", ".dvc/config", "store/ab/cd", ".gitignore", ".git/HEAD"]
SEEN += [".git/packed-refs", ".git/refs/tags/v1", ".git/refs/heads/main"]
SEEN += ["mlflow.db", "mlruns/1/models/m-1/artifacts/MLmodel"]
UNSEEN = [
    ".git/index",
    ".git/objects/ab/cd",
    ".git/refs/heads/main.lock",
    ".git/HEAD.lock",
    ".git",
    ".git/logs/HEAD",
]
UNSEEN += [".dvc/cache/files/md5/ab/cd", ".dvc/tmp/lock", ".venv/bin/python", "src/__pycache__/a.pyc"]
UNSEEN += [
    ".answer.txt.swp",
    "answer.txt~",
    "4913",
    ".lab-workspace.json",
    "mlflow.db-journal",
]


@pytest.mark.parametrize("name", SEEN)
def test_what_a_check_can_see_matters(name: str) -> None:
    assert matters(Path("/home"), f"/home/{name}")


@pytest.mark.parametrize("name", UNSEEN)
def test_caches_and_scratch_files_do_not(name: str) -> None:
    assert not matters(Path("/home"), f"/home/{name}")


def test_a_difference_is_what_was_won_and_lost() -> None:
    before = {"a": "PASS", "b": "FAIL", "c": "PASS"}
    assert difference(before, {"a": "FAIL", "b": "PASS", "c": "PASS"}) == (["b"], ["a"])
    assert difference(before, {"a": "BLOCKED", "b": "TIMEOUT", "c": "PASS"}) == ([], ["a"])


def _hear_ctrl_c() -> None:
    """A gate in the background ignores Ctrl-C, and what it starts would too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Watching:
    """`lab watch` as a process of its own, its output read as it comes."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.log = folder.parent / "watch.log"
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "lab_env.cli", "watch", *words]
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, preexec_fn=_hear_ctrl_c
            )

    def until(self, text: str) -> str:
        """Wait for a text in the output, and return the output."""
        for _ in range(600):
            said = self.log.read_text()
            if text in said:
                return said
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"{text!r} never came:\n{self.log.read_text()}")

    def interrupt(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)


@pytest.fixture
def watching() -> Iterator[Callable[..., Watching]]:
    started: list[Watching] = []

    def watch(folder: Path, *words: str) -> Watching:
        started.append(Watching(folder, *words))
        return started[-1]

    yield watch
    for each in started:
        each.process.kill()
        each.process.wait()


def save(folder: Path, text: str) -> None:
    """Put a new answer in its place in one step, as editors do; nobody sees half of it."""
    fresh = folder / "answer.txt.tmp"
    fresh.write_text(text)
    fresh.replace(folder / "answer.txt")


def test_watch_says_what_a_save_and_a_tag_changed(tiny: Tiny, watching: Callable[..., Watching]) -> None:
    folder = tiny.started().folder
    watch = watching(folder)
    said = watch.until("Ctrl-C ends")
    assert "✗ says hello (0 of 3 points)" in said
    save(folder, "hello\n")
    said = watch.until("now passes: says hello")
    assert "✗ says it twice (0 of 2 points)" in said
    save(folder, "hello\nworld\n")
    watch.until("Found: hello, world")
    subprocess.run(["git", "-C", folder, "tag", "v1"], check=True)
    watch.until("now passes: is tagged")
    save(folder, "")
    said = watch.until("passed before:")
    assert said.count("✗ says hello (0 of 3 points)") == 2
    (folder / "notes.md").write_text("same to the checks\n")
    watch.until("Nothing changed for the checks.")
    (folder / "link").symlink_to("notes.md")
    watch.until("cannot be judged. link is a link")
    (folder / "link").unlink()
    assert watch.interrupt() == 0
    assert "Interrupt" not in watch.log.read_text()


def test_watch_for_tools_is_a_line_of_json_each_time(tiny: Tiny, watching: Callable[..., Watching]) -> None:
    folder = tiny.started().folder
    watch = watching(folder, "--json")
    watch.until("\n")
    save(folder, "hello")
    watch.until('"answer.txt"')
    (folder / "link").symlink_to("notes.md")
    watch.until('"error"')
    assert watch.interrupt() == 0
    first, second, third = (json.loads(line) for line in watch.log.read_text().splitlines()[:3])
    assert (first["files"], second["files"]) == ([], ["answer.txt"])
    assert second["points"] == 3
    assert "link is a link" in third["error"]


def test_a_changed_course_starts_the_judge_again(tiny: Tiny, watching: Callable[..., Watching]) -> None:
    workspace = tiny.started()
    watch = watching(workspace.folder)
    watch.until("Ctrl-C ends")
    manifest = workspace.lab.folder / "lab.toml"
    sound = manifest.read_text()
    manifest.write_text(sound.replace("format = 1", "format = 2"))
    watch.until("lab.toml changed in the course: the judge starts again.")
    watch.until("`format` is 2; this engine reads 1")
    manifest.write_text(sound + "\n# mended\n")
    watch.until("Nothing changed for the checks.")
    save(workspace.folder, "hello\n")
    watch.until("now passes: says hello")
    assert watch.interrupt() == 0


def test_a_workspace_deleted_under_it_ends_it(tiny: Tiny, watching: Callable[..., Watching]) -> None:
    folder = tiny.started().folder
    watch = watching(folder)
    watch.until("Ctrl-C ends")
    shutil.rmtree(folder)
    assert watch.process.wait(timeout=30) == 2
    assert "`lab start 01` lays it out again" in watch.log.read_text()
