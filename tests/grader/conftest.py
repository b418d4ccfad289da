"""The tiny course, released once for all tests that only read it, and a judge's view of a folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from grader.boxes.bubblewrap import why_not
from grader.evidence import Evidence
from grader.judge import BOXES, TEMPLATES
from grader.manifest import Lab, read_lab
from grader.snapshot import take
from tests.grader.books import kept_in, new_book, server
from tests.grader.courses import repository, tiny_course

__all__ = ["kept_in", "new_book", "server"]

Look = Callable[[Path], Evidence]


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The lab of the tiny course; it is never changed."""
    return tiny_course(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def tiny(sound: Lab, tmp_path: Path) -> Lab:
    """A copy of the tiny course's lab that a test may break."""
    copytree(sound.course, tmp_path / "course", ignore=ignore_patterns(".cache", "__pycache__"))
    return read_lab(tmp_path / "course" / "labs" / sound.id)


@pytest.fixture(params=[name for name in TEMPLATES if name == "local" or not why_not()])
def look(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Look]:
    """Reads a folder as the judge does, from a copy of its snapshot, in each box of this host."""
    box = BOXES[request.param]()
    with ExitStack() as opened:

        def at(folder: Path) -> Evidence:
            number = len(list(tmp_path.glob("scratch-*")))
            copy, scratch = tmp_path / f"copy-{number}", tmp_path / f"scratch-{number}"
            take(folder).copy_to(copy)
            scratch.mkdir()
            evidence = Evidence(take(copy), copy, box, scratch)
            opened.callback(evidence.close)
            return evidence

        yield at


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "work", {"notes.md": "One.\n", "data/orders.csv": "a,b\n"})
