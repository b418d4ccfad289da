"""Who may import whom, read from the source: the rules of the design."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from grader.boxes.bubblewrap import INSIDE

COURSE = Path(__file__).parents[2]
OURS = {"grader", "lab_env", "labs", "solutions", "docs", "tests"}
# Tools with one door: the module (or package of the course) that may import or start them.
DOORS = {
    "pytest": {"grader/judge.py"},
    "_pytest": set(),
    "dvc": {"grader/reader.py"},
    "nbgrader": None,
    "evidently": None,
    "cryptography": None,
    "mlflow": None,
    "dask": None,
    "distributed": None,
}


@cache
def imports(file: Path) -> tuple[tuple[str, bool], ...]:
    """Every module that a file imports, by its whole name, and whether that is done on loading it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = []
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(name.name, node in top) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are whole, not relative"
            found += [(f"{node.module}.{name.name}", node in top) for name in node.names]
    return tuple(found)


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for file in sorted((COURSE / folder).rglob("*.py")):
            if "__pycache__" not in file.parts:
                yield file


def ours(file: Path) -> set[str]:
    return {name for name, _ in imports(file) if name.partition(".")[0] in OURS}


def below(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_the_engine_imports_nothing_of_the_course() -> None:
    for file in sources("grader"):
        assert all(below(name, "grader") for name in ours(file)), f"{file}: {ours(file)}"


def test_the_engine_does_not_name_the_course() -> None:
    for file in sources("grader"):
        assert "tiffin" not in file.read_text(encoding="utf-8").lower(), str(file)


def test_the_world_imports_nothing_of_ours_but_itself() -> None:
    for file in sources("lab_env/world"):
        assert all(below(name, "lab_env.world") for name in ours(file)), f"{file}: {ours(file)}"


def test_the_learner_s_side_imports_the_engine_and_itself_only() -> None:
    for file in sources("lab_env"):
        assert all(below(name, "grader", "lab_env") for name in ours(file)), f"{file}: {ours(file)}"


def test_lab_work_may_import_the_learner_s_side_but_not_its_world() -> None:
    works = [folder for room in ("labs", "solutions") for folder in (COURSE / room).glob("*/work")]
    others = [folder for kind in ("wrong", "right") for folder in (COURSE / "solutions").glob(f"*/{kind}")]
    for folder in works + others:
        for file in sources(str(folder.relative_to(COURSE))):
            allowed = {
                name for name in ours(file) if below(name, "lab_env") and not below(name, "lab_env.world")
            }
            assert ours(file) <= allowed, f"{file}: {ours(file)}"


def test_checks_import_the_engine_s_checks_and_the_learner_s_side() -> None:
    for room in ("labs", "solutions"):
        for folder in (COURSE / room).glob("*/checks"):
            for file in sources(str(folder.relative_to(COURSE))):
                assert all(below(name, "grader.checks", "lab_env") for name in ours(file)), (
                    f"{file}: {ours(file)}"
                )


def test_the_site_s_hook_imports_the_manifest_and_the_world_only() -> None:
    for file in sources("docs"):
        if file.name == "hooks.py":
            names = {name for name in ours(file) if not below(name, "docs")}
            assert all(below(name, "grader.manifest", "lab_env.world") for name in names), f"{file}: {names}"


@pytest.mark.parametrize("tool", DOORS)
def test_a_tool_has_one_door(tool: str) -> None:
    users = {
        file.relative_to(COURSE).as_posix()
        for file in sources("grader", "lab_env")
        if any(below(name, tool) for name, _ in imports(file))
    }
    allowed = DOORS[tool]
    assert users <= allowed if allowed is not None else len(users) <= 1


def test_what_a_box_gets_loads_with_the_standard_library_alone() -> None:
    for name in INSIDE:
        loaded = {module for module, on_loading in imports(COURSE / "grader" / name) if on_loading}
        assert {module.partition(".")[0] for module in loaded} <= sys.stdlib_module_names, name
    lazy = {module for module, on_loading in imports(COURSE / "grader" / "wire.py") if not on_loading}
    assert lazy == {"numpy", "pandas"}


def test_only_the_judge_and_the_checks_know_hidden_answers() -> None:
    for name in ("agent.py", "wire.py", "reader.py", "snapshot.py"):
        used = ours(COURSE / "grader" / name)
        assert not {module for module in used if below(module, "grader.judge", "grader.checks")}, name
