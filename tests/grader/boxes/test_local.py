import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grader.boxes.base import Budget, Running, Session
from grader.boxes.local import LocalBox
from grader.errors import BoxError
from grader.lab import Limits


def test_a_work_that_is_gone_is_no_fault_of_the_learner(tmp_path: Path) -> None:
    with pytest.raises(BoxError, match=r"The box could not be made in .*absent"):
        LocalBox().start(tmp_path / "absent", {}, Budget(Limits()))


def test_an_agent_that_does_not_start_is_no_fault_of_the_learner(tmp_path: Path) -> None:
    running: Running = LocalBox().start(tmp_path, {}, Budget(Limits()))
    running.channel.shutdown(2)
    with pytest.raises(BoxError, match=r"The box did not start .exit code -?\d+"):
        Session(running, Budget(Limits()))


def test_an_agent_that_says_something_else_is_no_fault_of_the_learner(tmp_path: Path) -> None:
    running: Running = LocalBox().start(tmp_path, {}, Budget(Limits()))
    real, running.channel = running.channel, _line_that_says(b"\0\0\0\1\0\0\0\0{")
    try:
        with pytest.raises(BoxError, match=r"The box did not start: a message that is no JSON"):
            Session(running, Budget(Limits()))
    finally:
        real.close()


def test_ending_twice_gives_the_same_end(tmp_path: Path) -> None:
    running = LocalBox().start(tmp_path, {}, Budget(Limits()))
    assert running.end() == running.end()


LOWER = """
import resource, sys
from pathlib import Path
from grader.boxes.base import Budget, Session
from grader.boxes.local import LocalBox
from grader.lab import Limits
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
budget = Budget(Limits())
with Session(LocalBox().start(Path(sys.argv[1]), {}, budget), budget) as session:
    print(session.call("resource.getrlimit", resource.RLIMIT_FSIZE))
"""


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_a_lower_limit_of_the_system_is_kept(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOWER, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout == f"[{2**20}, {2**20}]\n", done.stderr


def _line_that_says(message: bytes) -> socket.socket:
    ours, theirs = socket.socketpair()
    theirs.sendall(message)
    theirs.close()
    return ours
