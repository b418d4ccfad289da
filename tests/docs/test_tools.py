"""The tools page says of each tool what its data file says, and the file agrees with what is installed."""

from __future__ import annotations

import dataclasses
import re
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import pytest

from docs.generate import tools
from docs.generate.tools import Tool

COURSE = Path(__file__).parent.parent.parent
TOLD = tools.tools()
TEXT = (COURSE / "docs" / "generate" / "tools.toml").read_text()
LOCK = (COURSE / "requirements.lock").read_text()
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
}
CURRICULUM = """
Git, DVC, Delta Lake, lakeFS, Prefect, Airflow, Kubeflow Pipelines, MLflow, Weights & Biases, Comet,
scikit-learn, pandas, NumPy, PyTorch, TensorFlow, pandera, pytest, Fairlearn, GitHub Actions, GitLab
CI, Jenkins, Argo CD, FastAPI, Docker, Podman, Kubernetes, BentoML, MLServer, Seldon Core, KServe,
Evidently, Prometheus, Grafana, Backstage, Vertex AI
"""


def test_every_tool_that_the_course_places_is_there_with_every_key() -> None:
    names = [tool.name for tool in TOLD.tools]
    placed = " ".join(CURRICULUM.split()).split(", ")
    assert not set(placed) - set(names)
    for tool in TOLD.tools:
        empty = {key for key, value in dataclasses.asdict(tool).items() if not value}
        assert empty <= {"package", "state", "modules"}, tool.name
        assert tool.modules or tool.place in ("site", "named"), tool.name
        assert tool.released <= f"{TOLD.looked_at:%Y-%m}", tool.name


def licences(package: str) -> set[str]:
    """What a package's metadata calls its licence, in every way it does."""
    told = metadata(package)  # its [key] raises or not, by whether a backport of the module was imported
    names = {
        text.splitlines()[0]
        for key in ("License-Expression", "License")
        for text in told.get_all(key) or ()
        if text
    }
    for classifier in told.get_all("Classifier") or ():
        if classifier.startswith("License :: "):
            names.add(CLASSIFIERS.get(classifier.rpartition(" :: ")[2], ""))
    return {name for name in names if name}


def is_installed(tool: Tool) -> bool:
    try:
        return bool(tool.package and version(tool.package))
    except PackageNotFoundError:
        return False


@pytest.mark.parametrize(
    "tool", [tool for tool in TOLD.tools if is_installed(tool)], ids=lambda tool: tool.name
)
def test_a_licence_is_the_one_of_the_installed_package(tool: Tool) -> None:
    found = licences(tool.package)
    short = tool.licence.partition("-")[0]
    assert not found or any(name.startswith((tool.licence, short)) for name in found), found


def test_enough_of_them_are_installed_to_be_looked_at() -> None:
    assert len([tool for tool in TOLD.tools if is_installed(tool)]) >= 15


def test_what_a_lab_that_exists_uses_is_in_the_lock() -> None:
    built = {folder.name[:2] for folder in (COURSE / "labs").glob("[0-9][0-9]-*")}
    for tool in TOLD.tools:
        if tool.package and tool.place == "lab" and tool.modules[0] in built:
            assert re.search(rf"^{tool.package}==", LOCK, re.MULTILINE), tool.name


def test_a_track_or_an_artifact_is_called_planned_as_long_as_no_lab_has_one() -> None:
    texts = [
        path.read_text() for path in (COURSE / "labs").rglob("*") if path.suffix in (".md", ".toml", ".py")
    ]
    for tool in TOLD.tools:
        if tools.PLACES[tool.place].endswith("(planned)"):
            assert not any(re.search(rf"\b{re.escape(tool.name)}\b", text) for text in texts), tool.name
    assert {place for place, words in tools.PLACES.items() if "planned" in words} == {"track", "artifact"}


def test_the_theme_s_end_is_the_one_that_its_package_tells() -> None:
    told = next(tool for tool in TOLD.tools if tool.package == "mkdocs-material")
    assert "5 May 2027" in told.state
    assert "May 5, 2027" in (metadata("mkdocs-material").json["description"] or "")


def test_the_page_has_a_card_for_each_tool_and_a_button_for_each_kind(site: Path) -> None:
    page = (site / "tools.html").read_text()
    assert page.count('<article class="tool"') == len(TOLD.tools)
    for place in {tool.place for tool in TOLD.tools}:
        assert f'id="only-{place}"' in page
        style = (COURSE / "docs" / "assets" / "course.css").read_text()
        assert f'#only-{place}:checked) .tool:not([data-place="{place}"])' in style


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        (
            'job = "data"',
            'job = "dates"',
            "Git of tools.toml: `dates` is no job; write one of data, pipelines",
        ),
        ('place = "lab"', 'place = "shelf"', "`shelf` is no place; write one of lab, track"),
        ('released = "2026-06"', 'released = "June"', "`June` is no month; write 2026-11"),
        (
            'source = "https://github.com/git/git"',
            'source = "hearsay"',
            "`hearsay` is no source; write an address, or PyPI, npm, Debian",
        ),
        ('name = "DVC"', 'name = "Git"', "tools.toml has Git 2 times: write it once"),
    ],
)
def test_a_tool_that_breaks_the_rules_is_refused(right: str, wrong: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        tools.read_tools(TEXT.replace(right, wrong, 1))


def test_a_tool_without_a_key_is_refused() -> None:
    with pytest.raises(TypeError, match="licence"):
        tools.read_tools(TEXT.replace('licence = "GPL-2.0-only"\n', "", 1))
