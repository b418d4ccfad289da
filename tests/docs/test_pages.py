"""Every command that a page prints works: in a published copy, in a fresh workspace, with the network cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.offline import COURSE, publish_copy, replay_offline
from tests.docs.replay import read_blocks, read_steps

PAGES = ("README.md", "docs/index.md", "docs/setup.md", "docs/modules/02-version-data.md")
SHOWN = {"bash", "console", "json", "loop", "output", "python", "quiz", "text", "toml"}

# Lines that a page prints and no test types, each with the reason.
NOT_RUN = {
    "make test": "it is this gate",
    "sudo apt install python3 python3-venv git make": "installs system packages",
    "sudo dnf install python3 git make": "installs system packages, on another system",
    "xcode-select --install": "macOS",
    "brew install python@3.12": "macOS",
    "wsl --install": "Windows",
    "make start PYTHON=python3.12": "wants another Python than the one here; the same target as make start",
    'git config --global user.name "Your Name"': "changes the learner's own settings",
    "git config --global user.email you@example.com": "changes the learner's own settings",
    "export LAB_HOME=/a/folder/with/space": "names a folder that is the reader's to choose",
}


@pytest.mark.network_cut
@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_a_page_works(name: str, tmp_path: Path) -> None:
    copy = publish_copy(tmp_path / "course")
    page = tmp_path / "page.md"
    page.write_text((COURSE / name).read_text().replace("$ make test\n", "$ true\n"))
    commands = len(read_steps(page))
    assert commands > 2
    assert replay_offline(page, copy) == commands


@pytest.mark.parametrize("name", PAGES)
def test_what_is_not_typed_by_a_test_is_listed_with_its_reason(name: str) -> None:
    for block in read_blocks(COURSE / name):
        if block.language not in SHOWN:
            assert block.language in ("sh", "powershell"), f"{name}:{block.line}: write `console` or `sh`"
            for line in block.text.splitlines():
                assert line in NOT_RUN, f"{name}:{block.line}: say in NOT_RUN why `{line}` is not run"
