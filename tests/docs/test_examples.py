"""What the reference pages show is judged by the real judge and has no call without an example."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grader import checks
from grader.answers import Kitchen, find_answer
from grader.classroom import KEYS
from grader.controller import judge
from grader.manifest import find_lab
from grader.receipts import Receipt
from grader.results import CheckResult, Result, Verdict, learner_view
from grader.verify import verify

COURSE = Path(__file__).parent.parent.parent
EXAMPLES = COURSE / "docs" / "examples"
REFERENCE = COURSE / "docs" / "reference"
GIVEN: tuple[type, ...] = (
    checks.Student,
    checks.Session,
    checks.NotebookSession,
    checks.Outcome,
    checks.Finished,
    checks.Reply,
    checks.Evidence,
    checks.GitEvidence,
)
GIVEN += (checks.DvcEvidence, checks.Checkout, checks.Hidden, checks.Blob, checks.Out)
GIVEN += (checks.MlflowEvidence, checks.Run, checks.LoggedModel)
CONDITIONS = ("at_most", "at_least", "between", "near", "one_of", "empty")
OURS = {
    "folder",
    "clone",
    "close",
    "serve",
    "session",
    "box",
    "sealed",
    "unpack",
    "is_open",
}  # what the engine itself uses of them


@pytest.mark.slow
def test_the_tiny_lab_is_sound() -> None:
    assert verify(find_lab(EXAMPLES, "01")) == []


def test_learner_json_on_the_page_is_what_the_judge_says(tmp_path: Path) -> None:
    lab = find_lab(EXAMPLES, "01")
    answer = find_answer(lab, "wrong", "first-is-slowest")
    view = learner_view(judge(lab, Kitchen(lab, tmp_path).make(answer), hidden=True))
    page = EXAMPLES / "learner.json"
    if os.environ.get("UPDATE_EXAMPLES"):
        page.write_text(json.dumps(_shown(view), indent=1, ensure_ascii=False) + "\n")
    assert json.loads(page.read_text()) == json.loads(json.dumps(_shown(view))), (
        "Run this test with UPDATE_EXAMPLES=1 and commit."
    )


def test_every_key_of_learner_json_is_explained() -> None:
    result = Result("01-a", "", "", "local", (CheckResult("a", "b", "c", False, Verdict.PASS, 1, 1),))
    view = learner_view(result)
    text = (REFERENCE / "learner-json.md").read_text()
    whole, each = text.split("## Each of `checks`")
    assert _first_column(whole) == list(view)
    keys, verdicts = each.split("## Verdicts")
    assert sorted(_first_column(keys)) == sorted(view["checks"][0])
    assert _first_column(verdicts) == [verdict.value for verdict in Verdict]


def test_every_key_of_result_json_is_explained() -> None:
    result = Result("01-a", "", "", "local", (CheckResult("a", "b", "c", False, Verdict.PASS, 1, 1),))
    record = result.to_dict()
    text = (REFERENCE / "result-json.md").read_text()
    whole, each = text.split("## Each of `checks`")
    each, neighbours = each.split("## Its two neighbours")
    assert sorted(_first_column(whole)) == sorted(record)
    assert sorted(_first_column(each)) == sorted(record["checks"][0])
    receipt = Receipt("a", "01-a", "", datetime.now(UTC), 1, None, "a.zip", {}, (), Path())
    assert _first_column(neighbours) == list(receipt.to_dict())


def test_every_key_of_class_toml_is_explained() -> None:
    _, table = (REFERENCE / "grader.md").read_text().split("### class.toml")
    assert tuple(_first_column(table)) == KEYS


def _examples() -> str:
    """The text of all checks that the course shows: the tiny course's, and its labs'."""
    files = [*EXAMPLES.rglob("checks/test_*.py"), *(COURSE / "labs").glob("*/checks/test_*.py")]
    return "".join(file.read_text() for file in files)


@pytest.mark.parametrize("given", GIVEN, ids=lambda given: given.__name__)
def test_every_call_of_the_check_api_is_explained_and_used(given: type) -> None:
    page = (REFERENCE / "checks.md").read_text()
    examples = _examples()
    for name in _public(given) - OURS:
        assert re.search(rf"`[^`\n]*\b{name}\b", page), f"{given.__name__}.{name} is not on the page"
        assert re.search(rf"\.{name}\b", examples) or name in UNUSED, (
            f"{given.__name__}.{name} has no example"
        )


UNUSED = {
    "commit",
    "stdin",
    "sha",
    "pointer",
    "started",
    "experiment",
    "experiments",
    "outcomes",
} | checks.Outcome.__annotations__.keys()  # explained; one like it is shown


def test_every_condition_is_explained_and_used() -> None:
    page = (REFERENCE / "checks.md").read_text()
    examples = "".join(file.read_text() for file in EXAMPLES.rglob("checks/test_*.py"))
    for name in CONDITIONS:
        assert f"`{name}(" in page
        assert f"{name}(" in examples
    functions = {name for name in checks.__all__ if inspect.isfunction(getattr(checks, name))}
    assert functions == set(CONDITIONS)


def test_the_worked_example_makes_two_versions(tmp_path: Path) -> None:
    _run(["bash", str(EXAMPLES / "first-version.sh"), "kitchens"], tmp_path)
    folder = tmp_path / "kitchens"
    numbers = {"v1": 300, "v2": 400}
    for tag, kitchens in numbers.items():
        _run(["git", "checkout", "--quiet", tag], folder)
        _run(["dvc", "checkout", "--quiet"], folder)
        committed = (folder / "metrics.json").read_text()
        _run([sys.executable, "mean.py"], folder)
        assert (folder / "metrics.json").read_text() == committed
        assert json.loads(committed)["kitchens"] == kitchens
        assert _run(["git", "status", "--short"], folder) == ""
    assert len([path for path in (folder / "store").rglob("*") if path.is_file()]) == 2


def test_the_worked_example_refuses_a_folder_that_is_there(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", str(EXAMPLES / "first-version.sh"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "is there already. Name another, or remove it." in done.stderr


def _run(command: list[str], folder: Path) -> str:
    identity = {
        f"GIT_{who}_{what}": "a@example.invalid"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    site = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(folder.parent / "dvc")}
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | identity | site | {"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _shown(view: dict[str, Any]) -> dict[str, Any]:
    """The view as the page shows it: two of its checks, and nothing that differs from run to run."""
    kept = [check | {"seconds": 0.0 if check["hidden"] else 0.4} for check in view["checks"]]
    kept = [check for check in kept if check["id"] in ("report_is_written", "any_time_is_counted")]
    fixed = {"release": "7c41…", "snapshot": "e09b…", "seconds": 2.1, "versions": {"python": "3.11.7"}}
    return view | fixed | {"checks": kept}


def _first_column(text: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def _public(given: type) -> set[str]:
    fields = getattr(given, "__annotations__", {})
    return {name for name in {*vars(given), *fields} if not name.startswith("_")}
