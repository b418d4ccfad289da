import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from lab_env.processes import MARK, Process, end, is_running, launch, listens

SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); {SLEEP}"
FAMILY = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True)
subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
print("up", flush=True)
time.sleep(60)
"""
LISTENER = """
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
time.sleep(60)
"""

Launch = Callable[[str], Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Launch]:
    """Launch Python code; its output is in tmp_path/log, and it is gone after the test."""
    started: list[Process] = []

    def run(code: str) -> Process:
        started.append(launch([sys.executable, "-c", code], tmp_path, os.environ, tmp_path / "log"))
        return started[-1]

    yield run
    end(*started)


def family_of(process: Process) -> list[int]:
    found = []
    for member in psutil.process_iter():
        try:
            if member.environ().get(MARK) == process.mark and member.status() != psutil.STATUS_ZOMBIE:
                found.append(member.pid)
        except (psutil.Error, OSError):
            continue
    return found


def first_line(log: Path) -> str:
    for _ in range(400):
        if log.read_text().endswith("\n"):
            return log.read_text().strip()
        time.sleep(0.05)
    raise AssertionError(f"{log} stayed empty")


def test_a_launched_program_has_a_session_of_its_own(start: Launch) -> None:
    process = start(SLEEP)
    assert is_running(process)
    assert os.getsid(process.pid) == process.pid
    end(process)
    assert not is_running(process)


def test_everything_it_started_ends_with_it(start: Launch, tmp_path: Path) -> None:
    process = start(FAMILY)
    first_line(tmp_path / "log")
    assert len(family_of(process)) == 3
    end(process)
    assert family_of(process) == []


def test_what_outlived_its_parent_ends_too(start: Launch, tmp_path: Path) -> None:
    """A server killed with SIGKILL leaves its worker on the port."""
    process = start(FAMILY)
    first_line(tmp_path / "log")
    os.kill(process.pid, signal.SIGKILL)
    while is_running(process):
        time.sleep(0.05)
    assert len(family_of(process)) == 2
    end(process)
    assert family_of(process) == []


def test_one_that_will_not_end_is_killed(start: Launch, tmp_path: Path) -> None:
    process = start(STUBBORN)
    first_line(tmp_path / "log")
    end(process, patience_s=0.5)
    assert not is_running(process)


def test_a_pid_given_to_another_program_is_never_touched(start: Launch) -> None:
    other = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    noted = Process(other.pid, psutil.Process(other.pid).create_time() - 100, "0" * 32)
    marked = replace(start(SLEEP), mark="1" * 32)
    end(noted, marked)
    assert other.poll() is None, "not ours: no mark"
    assert psutil.Process(marked.pid).is_running(), "not ours: another mark"
    other.kill()
    other.wait()


def test_this_command_is_spared(tmp_path: Path) -> None:
    """`lab down` may be typed in a terminal of the JupyterLab that it ends."""
    code = (
        "import os\nfrom lab_env.processes import Process, end\n"
        f"end(Process(99999999, 0.0, os.environ[{MARK!r}]))\nprint('alive')"
    )
    process = launch([sys.executable, "-c", code], tmp_path, os.environ, tmp_path / "log")
    assert first_line(tmp_path / "log") == "alive"
    end(process)


def test_a_port_belongs_to_the_program_that_listens(start: Launch, tmp_path: Path) -> None:
    process = start(LISTENER)
    port = int(first_line(tmp_path / "log"))
    assert listens(process, port)
    assert not listens(process, port + 1)
    end(process)
    assert not listens(process, port)


def test_a_program_that_ended_at_once_is_not_running(start: Launch) -> None:
    process = start("pass")
    for _ in range(100):
        if not is_running(process):
            return
        time.sleep(0.05)
    raise AssertionError("it still runs")
