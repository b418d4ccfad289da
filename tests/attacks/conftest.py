"""The ground of all attacks, honest neighbours around each group of them, and the count at the end."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.boxes.bubblewrap import why_cold, why_not
from grader.boxes.container import chosen_engine, sweep
from grader.boxes.limits import PREFIX
from grader.controller import judge
from grader.doctor import OWN_KEEPER
from grader.results import Result
from grader.warm import WarmJudge
from tests.attacks.ground import Ground, make_ground
from tests.attacks.rows import Outcome, Row, attack, scratch
from tests.containers.boxes import ENGINES, boxes_by

Run = Callable[..., Outcome]
Noted = Callable[[str], None]
WAYS = ("cold", "warm")
FEW = (
    "fork bomb",
    "mmap bomb",
    "disk fill",
    "a million tiny files",
    "a daemon that outlives its parent",
    "killing its own process",
    "system calls that leak or make namespaces, mounts and modules",
    "setuid programs and other users",
    "capabilities, descriptors and threads of the start",
    "the first process of the box",
)


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Made once; nothing in it is ever changed."""
    if problem := why_not():
        pytest.skip(f"no sandbox on this host: {problem}")
    yield make_ground(tmp_path_factory.mktemp("ground"))
    del os.environ["GRADER_CANARY"]


@pytest.fixture(scope="session")
def template(ground: Ground) -> Iterator[WarmJudge]:
    """What warm judges are forked from, with their boxes; one for all attacks."""
    if problem := why_cold():
        pytest.skip(problem)
    with WarmJudge(ground.roomy, "bubblewrap") as one:
        judged(ground, one)  # both templates are up
        yield one


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each way for what judges: cold, warm, and for rows of attacks in containers of each engine."""
    if "boxed_by" in metafunc.fixturenames:
        for_all = "run" in metafunc.fixturenames and "tool" not in metafunc.fixturenames  # no bwrap to fail
        ways = [*WAYS, *(ENGINES if for_all else ())]
        metafunc.parametrize("boxed_by", ways, indirect=True, scope="module")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Containers take seconds a row: in the gate a few by podman, all by each engine in the soak."""
    for item in [*items]:
        facts = (
            item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        )
        if facts.get("boxed_by") in ENGINES:
            row = facts.get("row", facts.get("one"))
            name = row.name if isinstance(row, Row) else ""
            item.add_marker("container")
            if facts["boxed_by"] != "podman" or name not in FEW:
                item.add_marker("every_box")
            if name == OWN_KEEPER:  # no container can stop that one
                items.remove(item)


@pytest.fixture(scope="module")
def boxed_by(request: pytest.FixtureRequest) -> Iterator[str]:
    """The way that judges and boxes start."""
    way: str = request.param
    if way not in ENGINES:
        yield way
        return
    image = request.getfixturevalue("grading" if way == "podman" else "daemon")
    with boxes_by(way, image):
        yield way
        assert sweep() == 0
        assert chosen_engine().ask("ps", "--all", f"--filter=name={PREFIX}", "--format={{.Names}}") == ""


@pytest.fixture(scope="module")
def warm(request: pytest.FixtureRequest, boxed_by: str) -> WarmJudge | None:
    """What judges and boxes are forked from: None when they start cold."""
    return request.getfixturevalue("template") if boxed_by == "warm" else None


@pytest.fixture(scope="module")
def box(boxed_by: str) -> str:
    """Where learner code runs."""
    return "container" if boxed_by in ENGINES else "bubblewrap"


@pytest.fixture(scope="session")
def honest(ground: Ground) -> Mapping[str, Any]:
    """The record of the honest work, judged cold before any attack, times aside."""
    return timeless(judged(ground))


@pytest.fixture(scope="module")
def neighbours(ground: Ground, honest: Mapping[str, Any], warm: WarmJudge | None, box: str) -> Iterator[None]:
    """Judges the honest work again after a group of attacks: not a byte of its grade has changed."""
    yield
    after = timeless(judged(ground, warm, box))
    assert json.dumps(after).replace(f'"box": "{box}"', '"box": "bubblewrap"') == json.dumps(honest)


@pytest.fixture
def noted(boxed_by: str, record_property: Callable[[str, object], None]) -> Noted:
    """Counts a test as an attack, by the way that it was judged."""

    def note(name: str) -> None:
        record_property("attack", name)
        record_property("way", boxed_by)

    return note


@pytest.fixture
def run(
    ground: Ground,
    neighbours: None,  # noqa: ARG001  # asked for, so that it looks after the group
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    warm: WarmJudge | None,
    box: str,
    noted: Noted,
) -> Run:
    """Judges a row, and holds to what must be true of every one of them."""

    def one(row: Row, **facts: Any) -> Outcome:
        noted(row.name)
        outcome = attack(row, ground, tmp_path, **{"warm": warm, "box": box, **facts})
        hold(outcome, ground, "".join(capfd.readouterr()))
        assert outcome.verdicts == dict(row.expect), texts(outcome.result)
        return outcome

    return one


def hold(outcome: Outcome, ground: Ground, printed: str) -> None:
    """No canary in any text, no hidden number in the learner's view, nothing left on the host."""
    record = json.dumps(outcome.result.to_dict(), ensure_ascii=False)
    for word in ground.canaries:
        assert word not in record + outcome.view + printed, f"{word} got out"
    for number in ground.hidden_numbers:
        assert number not in outcome.view, f"{number} of the hidden check is in the learner's view"
    assert all(
        sign.isprintable() or sign in "\n\t"
        for text in texts(outcome.result)
        for sign in text
        if ord(sign) < 256
    )
    assert outcome.left == []


def judged(ground: Ground, warm: WarmJudge | None = None, box: str = "bubblewrap") -> Result:
    """The honest work, judged whole."""
    facts: dict[str, Any] = {"hidden": True, "box": box, "secret": ground.secret, "warm": warm}
    with scratch():
        return judge(ground.roomy, ground.honest, **facts)


def timeless(result: Result) -> dict[str, Any]:
    """The record without its times."""
    record = result.to_dict() | {"seconds": 0}
    checks = [check | {"seconds": 0} for check in record["checks"]]
    assert {check["verdict"] for check in checks} == {"PASS"}, texts(result)
    return record | {"checks": checks}


def texts(result: Result) -> list[str]:
    """What the checks found, for a failed test to show."""
    return [f"{check.id}: {check.verdict} {check.found[:300]}" for check in result.checks]
