"""The tiny course, released once for all tests that only read it."""

from pathlib import Path
from shutil import copytree

import pytest

from grader.manifest import Lab, read_lab
from tests.grader.courses import tiny_course


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The lab of the tiny course; it is never changed."""
    return tiny_course(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def tiny(sound: Lab, tmp_path: Path) -> Lab:
    """A copy of the tiny course's lab that a test may break."""
    copytree(sound.course, tmp_path / "course")
    return read_lab(tmp_path / "course" / "labs" / sound.id)
