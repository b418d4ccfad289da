"""One service for all tests of a process that do not kill it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab_env.replay.serving import Serving


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    serving = Serving(tmp_path_factory.mktemp("served"))
    serving.start()
    yield serving
    serving.kill()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Serving]:
    """A service of one's own on a Unix socket, not yet started."""
    serving = Serving(tmp_path, unix=True)
    yield serving
    serving.kill()
