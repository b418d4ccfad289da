"""Every command that a page prints works: in a published copy, in a fresh workspace, with the network cut.

The instructors' guide is typed in a full clone, and ends with a graded class.
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from grader.boxes.bubblewrap import why_not
from tests.docs.offline import COURSE, full_clone, publish_copy, replay_offline
from tests.docs.replay import read_blocks, read_steps

PAGES = (
    "README.md",
    "docs/index.md",
    "docs/setup.md",
    "docs/modules/01-first-model.md",
    "docs/modules/02-version-data.md",
    "docs/modules/04-track-experiments.md",
    "docs/modules/08-deploy.md",
    "docs/modules/09-monitor-drift.md",
    "docs/reference/replay.md",
)
GUIDE = "docs/instructors.md"
BY_HAND = "You said why in the commit. Next time make a new tag."
CLICKS = shlex.join(["python", "-m", "tests.docs.clicks", "Diaz, Dora", "v1_is_kept", "5", BY_HAND])
SHOWN = {
    "bash",
    "console",
    "diagram",
    "json",
    "loop",
    "order",
    "output",
    "python",
    "quiz",
    "recall",
    "text",
    "toml",
}

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
    "lab start 02 --container": "tests/containers does, with an image store of its own",
    "lab up --container": "tests/containers does, with an image store of its own",
    "grader verify 02": "tests/course verifies every lab, over some minutes",
    "grader release 02": "has work only after a change; tests/grader/test_cli.py types it",
    "grader regrade 02 --dry-run": "has work only after a change; tests/grader/test_regrade.py types it",
    'grader regrade 02 --because "v1_is_kept took a lightweight tag for none"': "the same",
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


@pytest.mark.network_cut
@pytest.mark.slow
def test_the_guide_for_instructors_ends_with_a_graded_class(tmp_path: Path) -> None:
    if os.geteuid() != 0 or why_not():
        pytest.skip(
            "The guide grades as root, for control groups inside a cut network; run the tests as root."
        )
    clone, page = full_clone(tmp_path / "course"), tmp_path / "page.md"
    text = (COURSE / GUIDE).read_text()
    assert BY_HAND in " ".join(text.split())
    page.write_text(text.replace("$ kill %1\n", f"$ {CLICKS}\n$ kill %1\n"))
    assert replay_offline(page, clone, own_processes=False) == len(read_steps(COURSE / GUIDE)) + 1
    room = tmp_path / "tiffin-class"
    results = {
        path.parts[-4]: json.loads(path.read_text()) for path in room.glob("results/*/*/*/result.json")
    }
    assert {name: result["points"] for name, result in results.items()} == {
        "anna": 100,
        "ben": 100,
        "chen": 50,
        "dora": 80,  # as judged; by hand it is 85
        "finn": 100,
    }


@pytest.mark.parametrize("name", [*PAGES, GUIDE])
def test_what_is_not_typed_by_a_test_is_listed_with_its_reason(name: str) -> None:
    for block in read_blocks(COURSE / name):
        if block.language not in SHOWN:
            assert block.language in ("sh", "powershell"), f"{name}:{block.line}: write `console` or `sh`"
            for line in block.text.splitlines():
                assert line in NOT_RUN, f"{name}:{block.line}: say in NOT_RUN why `{line}` is not run"
