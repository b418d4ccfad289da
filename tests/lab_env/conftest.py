"""What the tests of the learner's side share: a tiny course, and `lab` run through its entry."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab_env.cli import app, guarded
from tests.containers.store import engine_settings
from tests.lab_env.tiny import Tiny, tiny_course


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


RunLab = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _own_git_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of whoever runs it."""
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\n\tname = Learner\n\temail = learner@example.invalid\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("LAB_HOME", "LAB_ENGINE", "LAB_IMAGE", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in engine_settings().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return tiny_course(tmp_path / "course")


@pytest.fixture
def run_lab(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunLab:
    """Run `lab WORDS` in a folder, the course by default."""

    def run(*words: str, cwd: Path | None = None) -> Answer:
        monkeypatch.chdir(cwd or tiny.course)
        capsys.readouterr()
        code = guarded(lambda: app(list(words), prog_name="lab"))
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return run


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH on which nothing is found."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
