"""The box `container` by real engines: its walls, and what becomes of it when a judge or an engine fails."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from grader.boxes.base import Budget, Session
from grader.boxes.container import ContainerBox, chosen_engine, chosen_image, sweep, why_not
from grader.boxes.limits import PREFIX
from grader.doctor import WALLS, look
from grader.engines import Engine
from grader.errors import BoxError
from grader.manifest import Limits
from tests.containers.boxes import ENGINES
from tests.grader.courses import write_files

pytestmark = [pytest.mark.container, pytest.mark.slow]

WORK = {"busy.py": "import os, time\n\ndef loop():\n    while True: pass\n\ndef one():\n    return 1\n"}
JUDGE = """
import sys
from pathlib import Path
from grader.boxes.base import Budget, Session
from grader.boxes.container import ContainerBox
from grader.manifest import Limits

budget = Budget(Limits())
with Session(ContainerBox().start(Path(sys.argv[1]), {}, budget), budget) as session:
    print(session.call("busy.one"), flush=True)
    session.call("busy.loop")
"""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    request.getfixturevalue(f"boxes_by_{request.param}")
    before = {*chosen_engine().ask("volume", "ls", "--quiet").split()}
    yield chosen_engine()
    assert left(chosen_engine(), but=before) == set()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return write_files(tmp_path / "work", WORK)


def left(engine: Engine, *, but: Collection[str] = ()) -> set[str]:
    """The containers of graders and all volumes, as soon as there are none, or in ten seconds."""
    stop = time.monotonic() + 10
    while True:
        found = engine.ask("ps", "--all", f"--filter=name={PREFIX}", "--format={{.Names}}").split()
        found += engine.ask("volume", "ls", "--quiet").split()
        if not {*found} - {*but} or time.monotonic() > stop:
            return {*found} - {*but}
        time.sleep(0.1)


def test_every_wall_of_a_container_holds_here(engine: Engine) -> None:
    look.cache_clear()
    strength = look("container")
    look.cache_clear()
    assert why_not() == ""
    assert [wall.name for wall in strength.walls] == [name for name, *_ in WALLS]
    assert (strength.missing, strength.weak) == ((), ()), strength.walls
    assert engine.program in ENGINES


def test_a_container_goes_with_the_judge_that_was_killed(engine: Engine, work: Path) -> None:
    before = {*engine.ask("volume", "ls", "--quiet").split()}
    words = [sys.executable, "-c", JUDGE, str(work)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as judge:
        assert judge.stdout is not None
        assert judge.stdout.readline() == "1\n"
        time.sleep(0.5)  # it is busy by now
        judge.send_signal(signal.SIGKILL)
    assert left(engine, but=before) == set()


def test_a_container_that_was_left_behind_is_swept(engine: Engine) -> None:
    with subprocess.Popen(["true"]) as dead:
        pass
    for pid in (dead.pid, os.getpid()):
        name = f"--name={PREFIX}{pid}-left"
        engine.ask("create", name, "--network=none", "--entrypoint=sleep", chosen_image(), "60")
    try:
        assert sweep() == 1
    finally:
        engine.ask("rm", "--force", f"{PREFIX}{os.getpid()}-left")


def test_an_engine_that_loses_a_container_is_no_fault_of_the_learner(engine: Engine, work: Path) -> None:
    budget = Budget(Limits())
    with Session(ContainerBox().start(work, {}, budget), budget) as session:
        assert session.call("busy.one") == 1
        [name] = engine.ask("ps", f"--filter=name={PREFIX}{os.getpid()}-", "--format={{.Names}}").split()
        engine.ask("rm", "--force", "--volumes", name)
        with pytest.raises(BoxError, match="The box was killed while learner code ran"):
            session.call("busy.one")
