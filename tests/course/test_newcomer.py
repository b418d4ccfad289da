"""A newcomer who types what a lab's page says ends with full marks, in a published copy, offline."""

import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from grader.manifest import Lab, list_labs
from grader.publish import publish
from grader.starter import ONE_THREAD

COURSE = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
MEMORY_MB = 4096  # what the course asks for, with two cores


def no_network() -> list[str]:
    """Words that run a command with nothing but a loopback; skips where no namespace can be made."""
    as_who = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    words = [*as_who, "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    try:
        tried = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("The network cannot be cut: `unshare` (util-linux) is missing.")
    if tried.returncode:
        pytest.skip(f"The network cannot be cut here: {tried.stderr.strip()}")
    return words


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A published copy of the course with the environment of this one."""
    copy = tmp_path / "course"
    publish(COURSE, copy)
    (copy / ".venv").symlink_to(BIN.parent)
    return copy


@pytest.mark.network_cut
@pytest.mark.slow
@pytest.mark.parametrize("lab", list_labs(COURSE), ids=lambda lab: lab.id)
def test_the_page_alone_leads_to_full_marks(lab: Lab, copy: Path, tmp_path: Path) -> None:
    assert learn(lab, copy, tmp_path) > 10
    hold(lab, copy, tmp_path)


@pytest.mark.every_box  # the same once more, in a row: for the soak
@pytest.mark.network_cut
@pytest.mark.slow
def test_one_newcomer_does_all_labs_in_one_copy(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And two cores with 4 GB are enough for it: minutes of the machine and peak memory are printed."""
    lines, peaks = [], []
    for lab in list_labs(COURSE):
        with watched() as spent:
            learn(lab, copy, tmp_path)
        hold(lab, copy, tmp_path)
        peaks.append(spent.peak_mb)
        lines.append(
            f"{lab.id:24} {spent.wall_s / 60:5.1f} min {spent.cpu_s / 60:5.1f} of CPU {spent.peak_mb:6.0f} MB"
        )
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert max(peaks) < MEMORY_MB


def learn(lab: Lab, copy: Path, tmp_path: Path) -> int:
    """Do what the lab's page says, in a process without a network; how many commands ran."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text("[user]\n\tname = New Comer\n\temail = new@example.org\n")
    newcomer = [sys.executable, str(Path(__file__).with_name("newcomer.py")), str(copy), lab.id, str(home)]
    done = subprocess.run(
        [*no_network(), *newcomer],
        env=kept() | ONE_THREAD | {"PYTHONPATH": f"{copy}{os.pathsep}{COURSE}", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout)


def hold(lab: Lab, copy: Path, tmp_path: Path) -> None:
    """What was handed in gets full marks from the judge, hidden checks and all."""
    [handed_in] = (copy / "workspace" / "submissions").glob(f"{lab.id}-*.zip")
    inbox = tmp_path / "in"
    with zipfile.ZipFile(handed_in) as archive:
        archive.extractall(inbox)
    (inbox / "work").rename(inbox / lab.id)
    judged = subprocess.run(
        [str(BIN / "grader"), "try", lab.number, "--mine", "--json"],
        cwd=COURSE,
        env=kept() | {"LAB_HOME": str(inbox)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    result = json.loads(judged.stdout)
    assert {check["id"] for check in result["checks"]} == {check.id for check in lab.checks}


def kept() -> dict[str, str]:
    """The variables of this process, without those that another repository or workspace left."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "DVC_", "LAB_"))}


@dataclass
class Spent:
    """Seconds on the clock and of the processors, and the most memory that all processes held at once."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def watched() -> Iterator[Spent]:
    """What the processes below this one take meanwhile; shared pages count once, divided among them."""
    spent, over = Spent(), threading.Event()
    began, before = time.monotonic(), os.times()

    def look() -> None:
        while not over.wait(0.5):
            family = psutil.Process().children(recursive=True)
            spent.peak_mb = max(spent.peak_mb, sum(proportional_mb(one.pid) for one in family))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield spent
    finally:
        over.set()
        thread.join()
        after = os.times()
        spent.wall_s = time.monotonic() - began
        spent.cpu_s = after.children_user + after.children_system
        spent.cpu_s -= before.children_user + before.children_system


def proportional_mb(pid: int) -> float:
    """A process's share of memory, 0 when it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
