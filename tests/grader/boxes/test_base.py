"""What every box keeps to: a new process, a sandbox, both cold and warm, and a container by each engine."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from uuid import uuid4

import numpy as np
import psutil
import pytest

from grader.boxes.base import Box, Budget, Reply, Session, Stopped
from grader.boxes.bubblewrap import why_cold
from grader.boxes.process import Child
from grader.boxes.warm import Template
from grader.errors import BoxError
from grader.judge import BOXES, TEMPLATES
from grader.lab import Limits
from grader.results import Verdict
from tests.grader.boxes.learner import CODE, DEAF, FORGE, FORGED_LOADS, SERVICE
from tests.grader.courses import write_files

Start = Callable[..., Session]
MARKS = {
    "podman": (pytest.mark.container, pytest.mark.slow),
    "docker": (pytest.mark.container, pytest.mark.slow, pytest.mark.every_box),
}
WAYS = [
    *(f"{name}{how}" for name in sorted(TEMPLATES) for how in ("", "-warm")),
    *(pytest.param(engine, marks=marks) for engine, marks in MARKS.items()),
]


@pytest.fixture(scope="session")
def templates() -> Iterator[dict[str, Template]]:
    """A template of each kind, made when it is first asked for."""
    made: dict[str, Template] = {}
    yield made
    for template in made.values():
        template.close()


@pytest.fixture(params=WAYS)
def box(request: pytest.FixtureRequest, templates: dict[str, Template]) -> Box:
    name, _, warm = request.param.partition("-")
    if name in MARKS:
        request.getfixturevalue(f"boxes_by_{name}")
        return BOXES["container"]()
    if not warm:
        return BOXES[name]()
    if name not in templates:
        if name == "bubblewrap" and (problem := why_cold()):
            pytest.skip(problem)
        templates[name] = TEMPLATES[name](["pandas"])
    templates[name].revive()
    return BOXES[name](templates[name])


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return write_files(tmp_path / "work", {"learner.py": CODE, "forge.py": FORGE, "service.py": SERVICE})


@pytest.fixture
def start(box: Box, work: Path) -> Iterator[Start]:
    """Starts sessions with small limits, and ends them."""
    with ExitStack() as opened:

        def begin(*, files: Mapping[str, bytes] | None = None, **limits: int) -> Session:
            small = Limits(
                **{"cpu_s": 20, "wall_s": 30, "memory_mb": 512, "disk_mb": 8, "output_kb": 64} | limits
            )
            budget = Budget(small)
            return opened.enter_context(Session(box.start(work, files or {}, budget), budget))

        yield begin


def stopped(session: Session, function: str) -> Stopped:
    with pytest.raises(Stopped) as caught:
        session.call(function)
    return caught.value


def test_a_call_gives_the_value(start: Start) -> None:
    session = start()
    assert session.call("learner.double", 21) == 42
    assert session.call("learner.double", value="ab") == "abab"
    assert session.call("learner.double", np.arange(3)).tolist() == [0, 2, 4]


def test_a_session_keeps_its_state_and_another_has_none_of_it(start: Start) -> None:
    first = start()
    assert [first.call("learner.count"), first.call("learner.count")] == [1, 2]
    first.call("learner.write", "left.txt", "left")
    assert first.read("left.txt") == b"left"
    second = start()
    assert second.call("learner.count") == 1
    assert second.read("left.txt") is None


def test_the_work_itself_is_never_written(start: Start, work: Path) -> None:
    session = start(files={"data/orders.csv": b"given", "learner.py": b"def answer():\n    return 5\n"})
    assert session.read("data/orders.csv") == b"given"
    assert session.call("learner.answer") == 5
    assert sorted(path.name for path in work.iterdir()) == ["forge.py", "learner.py", "service.py"]


def test_a_file_that_cannot_be_laid_over_the_work_fails_the_work(start: Start, work: Path) -> None:
    (work / "data").write_text("a file where a folder should be")
    with pytest.raises(
        Stopped, match=r"data/orders\.csv cannot be put into your work: something else of that name"
    ) as caught:
        start(files={"data/orders.csv": b"given"})
    assert caught.value.verdict is Verdict.FAIL


def test_a_program_runs_to_its_end(start: Start) -> None:
    code = (
        "import sys; print(sys.stdin.read()[::-1]); print('no', file=sys.stderr); open('out', 'w').write('7')"
    )
    done = start().run(["python", "-c", f"{code}; exit(3)"], stdin=b"abc")
    assert (done.code, done.stdout, done.stderr) == (3, "cba\n", "no\n")
    assert done.read("out") == b"7"
    assert done.read("other") is None


def test_a_program_that_is_not_there_has_code_127(start: Start) -> None:
    done = start().run(["no-such-program"])
    assert done.code == 127
    assert "no-such-program" in done.stderr


def test_a_program_may_leave_its_input_unread(start: Start) -> None:
    assert start().run(["python", "-c", "print(1)"], stdin=bytes(10**6)).stdout == "1\n"


ERRORS = {
    "learner.wrong": ("ValueError: no such zone (learner.py:21)", "ValueError"),
    "learner.mute": ("Mute (learner.py:28)", "Mute"),
    "learner.absent": ("AttributeError: module 'learner' has no attribute 'absent'", "AttributeError"),
    "absent.anything": ("ModuleNotFoundError: No module named 'absent'", "ModuleNotFoundError"),
    "learner.own": ("WireError: a learner.Mute, which cannot be sent", "WireError"),
    "learner.pair_key": ("WireError: a dictionary with a key that is neither text nor a number", "WireError"),
    "sys.exit": ("SystemExit", "SystemExit"),
}


@pytest.mark.parametrize("function", ERRORS)
def test_what_learner_code_raises_is_told_with_its_line(start: Start, function: str) -> None:
    found, exception = ERRORS[function]
    error = stopped(start(), function)
    assert error.verdict is Verdict.STUDENT_ERROR
    assert error.found.startswith(found)
    assert error.exception == exception


def test_a_session_goes_on_after_an_error(start: Start) -> None:
    session = start()
    stopped(session, "learner.wrong")
    assert session.call("learner.double", 1) == 2


def test_code_that_ends_its_process_is_an_error_of_its_own(start: Start) -> None:
    with pytest.raises(Stopped, match=r"Your code ended its Python process \(exit code 7\)") as caught:
        start().call("os._exit", 7)
    assert caught.value.verdict is Verdict.STUDENT_ERROR


def test_a_box_that_is_killed_by_somebody_else_is_no_fault_of_the_learner(start: Start) -> None:
    session = start()
    assert session.call("learner.double", 1) == 2
    for process in _family(session):
        with suppress(psutil.NoSuchProcess):  # has ended since it was listed, or went along with another
            if "agent.py" in " ".join(process.cmdline()):
                process.kill()
    with pytest.raises(BoxError, match=r"The box was killed while learner code ran\."):
        session.call("learner.count")


def _family(session: Session) -> list[psutil.Process]:
    """What is below us, and what is in the box's control group: a container is no child of ours."""
    running = session._running
    assert isinstance(running, Child)
    pids = {int(pid) for file in running.group.entrances for pid in file.read_text().split()}
    return [*psutil.Process().children(recursive=True), *map(psutil.Process, pids)]


def test_a_session_that_has_ended_cannot_be_asked(start: Start) -> None:
    session = start()
    session.close()
    with pytest.raises(BoxError, match=r"This box has ended\. Call it before the check returns"):
        session.call("learner.count")


def test_the_wall_clock_stops_code_that_sleeps(start: Start) -> None:
    session = start(wall_s=1)
    began = time.monotonic()
    with pytest.raises(Stopped, match="No answer within 1 s") as caught:
        session.call("time.sleep", 600)
    assert caught.value.verdict is Verdict.TIMEOUT
    assert time.monotonic() - began < 10


def test_an_answer_that_drips_is_a_timeout(start: Start) -> None:
    assert stopped(start(wall_s=1), "forge.drip").verdict is Verdict.TIMEOUT


def test_a_spent_budget_is_a_timeout_at_once(box: Box, work: Path) -> None:
    budget = Budget(Limits(wall_s=1), wall_s=5.0)
    with (
        Session(box.start(work, {}, budget), budget) as session,
        pytest.raises(Stopped, match="No answer within 1 s"),
    ):
        session.call("time.sleep", 600)


@pytest.mark.parametrize("function", ["learner.burn", "learner.burn_on"])
def test_cpu_time_is_limited_even_if_its_signal_is_ignored(start: Start, function: str) -> None:
    error = stopped(start(cpu_s=1), function)
    assert error.verdict is Verdict.TIMEOUT
    assert error.found == "Over 1 s of CPU time."


def test_cpu_time_of_all_processes_together_is_limited(start: Start) -> None:
    burn = "import os, time\nos.fork()\nwhile time.process_time() < 1.9: pass"
    with pytest.raises(Stopped, match=r"Over 2 s of CPU time") as caught:
        start(cpu_s=2).run(["python", "-c", burn])
    assert caught.value.verdict is Verdict.TIMEOUT


def test_cpu_time_is_taken_from_the_budget(box: Box, work: Path) -> None:
    budget = Budget(Limits(cpu_s=10))
    with Session(box.start(work, {}, budget), budget) as session:
        session.call("learner.double", 1)
    assert 0 < budget.cpu_s < 5
    assert budget.cpu_left() < 10


def test_memory_is_limited(start: Start) -> None:
    assert stopped(start(), "learner.eat").verdict is Verdict.MEMORY
    with pytest.raises(Stopped, match=r"`python -c .*` needed more than 512 MiB of memory") as caught:
        start().run(["python", "-c", "bytearray(10**10)"])
    assert caught.value.verdict is Verdict.MEMORY


def test_the_size_of_a_file_is_limited(start: Start) -> None:
    assert stopped(start(), "learner.fill").verdict is Verdict.DISK
    with pytest.raises(Stopped, match=r"wrote a file of more than 8 MiB") as caught:
        start().run(["python", "-c", "import learner; learner.fill()"])
    assert caught.value.verdict is Verdict.DISK


def test_output_is_limited(start: Start) -> None:
    error = stopped(start(), "learner.shout")
    assert (error.verdict, error.found) == (Verdict.OUTPUT, "Your code printed more than 64 KiB.")
    with pytest.raises(Stopped, match=r"`python -c .*` printed more than 64 KiB") as caught:
        start().run(["python", "-c", "import learner; learner.shout()"])
    assert caught.value.verdict is Verdict.OUTPUT


def test_the_cpu_time_of_a_program_is_limited(start: Start) -> None:
    with pytest.raises(Stopped, match=r"[Oo]ver 1 s of CPU time") as caught:
        start(cpu_s=1).run(["python", "-c", "import learner; learner.burn()"])
    assert caught.value.verdict is Verdict.TIMEOUT


FORGED = ["another_number", "no_reply", "no_value", "garbage", "half_a_head"]


@pytest.mark.parametrize("function", FORGED)
def test_what_learner_code_writes_to_the_channel_is_forbidden(start: Start, function: str) -> None:
    error = stopped(start(), f"forge.{function}")
    assert error.verdict is Verdict.FORBIDDEN
    assert error.found.startswith(("The answer came out of turn", "The answer was a message"))


def test_a_closed_channel_and_a_forged_error_are_errors_of_the_code(start: Start) -> None:
    assert stopped(start(), "forge.closed").verdict is Verdict.STUDENT_ERROR
    assert stopped(start(), "forge.error_of_nothing").verdict is Verdict.STUDENT_ERROR
    error = stopped(start(), "forge.long_error")
    assert error.verdict is Verdict.STUDENT_ERROR
    assert len(error.found) < 3000


ASKED: dict[str, Callable[[Session], object]] = {
    "run": lambda session: session.run(["python", "-c", "pass"]),
    "read": lambda session: session.read("learner.py"),
    "http": lambda session: session.get("/"),
}


@pytest.mark.parametrize("act", ASKED)
def test_code_that_replaces_the_agent_s_acts_is_forbidden(start: Start, act: str) -> None:
    session = start()
    session.call("forge.replace_acts")
    with pytest.raises(Stopped, match="The answer came out of turn") as caught:
        ASKED[act](session)
    assert caught.value.verdict is Verdict.FORBIDDEN


def test_a_service_is_started_and_asked(start: Start) -> None:
    session = start()
    session.serve(["python", "service.py", "{port}"])
    answer = session.get("/healthz", headers={"accept": "text/plain"})
    assert (answer.status, answer.json(), answer.headers["x-zone"]) == (200, {"path": "/healthz"}, "7")
    assert session.post("/predict", json_body={"zone": 7}).json() == {"zone": 7}
    assert session.get("/none").status == 404
    with pytest.raises(Stopped, match="an answer that is no JSON: b'<p>'") as caught:
        session.get("/text").json()
    assert caught.value.verdict is Verdict.FAIL
    with pytest.raises(Stopped, match="an answer that is no JSON"):
        Reply(200, {}, b"[" * 100_000).json()


def test_a_service_that_ends_or_never_listens_is_told(start: Start) -> None:
    with pytest.raises(Stopped, match="RuntimeError: the service ended with exit code 4"):
        start().serve(["python", "-c", "exit(4)"])
    with pytest.raises(Stopped, match=r"TimeoutError: the service did not listen on port \d+ within 0.3 s"):
        start().serve(["sleep", "60"], wait_s=0.3)


def test_a_load_goes_on_until_the_commands_have_ended(start: Start) -> None:
    session = start()
    session.serve(["python", "service.py", "{port}"])
    slow = ["python", "-c", "import time; time.sleep(0.5); print('slept', {port} > 0)"]
    done = session.load([{"zone": 7}, b"{", b"x" * 3000], workers=4, meanwhile=[slow, ["no-such-program"]])
    assert [(one.code, one.stdout) for one in done.commands] == [(0, "slept True\n"), (127, "")]
    assert len(done.sent) > 3
    assert {one.index for one in done.sent} == {0, 1, 2}
    said = {one.index: (one.reply.status, one.reply.body, one.seconds > 0) for one in done.sent}
    assert said == {0: (200, b'{"zone": 7}', True), 1: (200, b"{", True), 2: (200, b"x" * 2000, True)}


def test_a_load_sends_each_body_once_when_there_is_nothing_to_wait_for(start: Start) -> None:
    session = start()
    session.serve(["python", "service.py", "{port}"])
    assert sorted(one.index for one in session.load(range(40), path="/any").sent) == list(range(40))
    assert session.load([], meanwhile=[["python", "-c", "exit(3)"]]).commands[0].code == 3


def test_a_request_of_a_load_that_gets_no_answer_has_status_0_and_says_why(start: Start) -> None:
    session = start()
    session.serve(["python", "-c", DEAF, "{port}"])
    [sent] = session.load([1]).sent
    assert sent.reply.status == 0
    assert sent.reply.body.startswith((b"RemoteDisconnected", b"ConnectionReset", b"BrokenPipe"))


@pytest.mark.parametrize("forged", FORGED_LOADS)
def test_a_load_that_was_forged_is_forbidden(start: Start, forged: str) -> None:
    session = start()
    session.call("forge.replace_load", FORGED_LOADS[forged])
    with pytest.raises(Stopped, match="The answer came out of turn") as caught:
        session.load([1])
    assert caught.value.verdict is Verdict.FORBIDDEN


def test_nothing_is_left_of_a_box(box: Box, work: Path) -> None:
    budget = Budget(Limits())
    with Session(box.start(work, {}, budget), budget) as session:
        inside = Path(session.call("learner.where"))
        mark = f"left-{uuid4().hex}"
        session.call("learner.child", mark)
        assert _comes_to(mark, alive=True)
    assert not inside.exists()
    assert _comes_to(mark, alive=False)


def _comes_to(mark: str, *, alive: bool) -> bool:
    """Whether a process has the mark, or none, within a few seconds: a new one is there before its words."""
    until = time.monotonic() + 5
    while (found := _lives(mark)) != alive and time.monotonic() < until:
        time.sleep(0.02)
    return found == alive


def _lives(mark: str) -> bool:
    """Whether a process of this host, dead ones aside, has the mark among its words."""
    return any(
        mark in (one.info["cmdline"] or ()) and one.info["status"] != psutil.STATUS_ZOMBIE
        for one in psutil.process_iter(["cmdline", "status"])
    )


def test_the_environment_of_a_box_is_its_own(start: Start) -> None:
    os.environ["TIFFIN_SECRET"] = "s3cret"
    try:
        found = start().call("learner.environment")
    finally:
        del os.environ["TIFFIN_SECRET"]
    assert "TIFFIN_SECRET" not in found
    assert found["HOME"] != os.environ.get("HOME")
    assert found["DVC_NO_ANALYTICS"] == found["OMP_NUM_THREADS"] == "1"


def test_a_reply_shows_its_body_as_json() -> None:
    assert Reply(200, {}, b"[1]").json() == [1]
