"""One site and one server a session, and one browser a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium, serve
from tests.docs.building import build


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    return build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium. While one is open, its event loop is this thread's: nothing else can run one."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def served(site: Path) -> Iterator[str]:
    """The site's address."""
    with serve(site) as address:
        yield address
