"""Every command that a page prints works: in a published copy, in a fresh workspace, with the network cut.

The instructors' guide is typed in a full clone, and ends with a graded class.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import pytest
import typer

from grader.boxes.bubblewrap import why_not
from grader.cli import app as grader_app
from lab_env.cli import app as lab_app
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
    "docs/modules/10-respond.md",
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
    "skills",
    "text",
    "toml",
    "yaml",
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
    "make check": "it is the quick part of this gate",
    "grader release --check": "the gate's first step",
    "grader try 02 --master": "tests/grader/test_cli.py types it for the smallest course",
    "grader try 02 --wrong moved-tag": "tests/course judges every answer of every lab",
    "grader try 02 --wrong no-push": "the same",
    "grader try 02 --right annotated-tags": "the same",
    "grader try 02 --mine": "tests/course/test_newcomer.py types it",
    "grader verify --no-cache --workers 2": "a quarter of an hour; tests/course verifies every lab",
    "grader publish ../class": "tests/docs/offline.py publishes the copy in which the pages are typed",
    "python -m docs.generate.reading site": "tests/docs/test_reading.py types it",
    "pytest tests/attacks": "a part of this gate",
    "python -m tests.fuzz archive 60": "a minute by hand; tests/fuzz runs the same for seconds",
    "grader doctor": "the instructors' guide types it",
    "$ python -m tests.bench": "measures a quiet machine for minutes; docs/measured has what it said",
}
OURS = {name: typer.main.get_command(app) for name, app in (("lab", lab_app), ("grader", grader_app))}
SHOWS_OURS = re.compile(r"(\$ )?(lab|grader) [a-z-]+( |$)")
QUOTED = ("bash", "json", "python", "toml", "yaml")
# Listings that are quoted from no file, by page and first line, each with what holds them.
NOT_QUOTED = {
    "docs/reference/checks.md: from grader.checks import Evidence, Expect, Hidden, Student": (
        "each lab's checks begin so"
    ),
    'docs/reference/replay.md: {"labels": [{"order_id": 89000017, "minutes": 31.4, "labelled": 89.5213}]}': (
        "tests/lab_env/replay/app.py reads such bodies"
    ),
}
EVERY = [
    *(page.relative_to(COURSE).as_posix() for page in sorted((COURSE / "docs").rglob("*.md"))),
    "README.md",
    "CONTRIBUTING.md",
]


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


@pytest.mark.parametrize("name", EVERY)
def test_what_is_not_typed_by_a_test_is_listed_with_its_reason(name: str) -> None:
    for block in read_blocks(COURSE / name):
        untyped = block.language == "console" and name not in (*PAGES, GUIDE)
        if block.language not in SHOWN or untyped:
            assert block.language in ("console", "sh", "powershell"), (
                f"{name}:{block.line}: write `console` or `sh`"
            )
            for line in block.text.splitlines():
                assert line in NOT_RUN, f"{name}:{block.line}: say in NOT_RUN why `{line}` is not run"


@pytest.mark.parametrize("name", [name for name in EVERY if name != GUIDE])
def test_a_listing_is_quoted_from_a_file_that_a_test_runs(name: str) -> None:
    for block in read_blocks(COURSE / name):
        first = block.text.splitlines()[0]
        quoted = first.startswith("--8<--") or f"{name}: {first}" in NOT_QUOTED
        assert quoted or block.language not in QUOTED, (
            f"{name}:{block.line}: quote it by `--8<--`, from a file"
        )


@pytest.mark.parametrize("name", EVERY)
def test_every_command_that_a_block_shows_has_these_options(name: str) -> None:
    for block in read_blocks(COURSE / name):
        for line in block.text.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True) if SHOWS_OURS.match(line) else []
            if words:
                command, rest = OURS[words[0]], words[1:]
                while isinstance(command, typer.core.TyperGroup) and rest:
                    command = command.commands[rest.pop(0)]
                known = {
                    option for param in command.params for option in (*param.opts, *param.secondary_opts)
                }
                shown = {word.partition("=")[0] for word in rest if word.startswith("--")}
                assert shown <= {*known, "--help"}, f"{name}:{block.line}: {line}"
