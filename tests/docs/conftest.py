"""The site, built once a session as the gate builds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.building import build


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    return build(tmp_path_factory.mktemp("site"))
