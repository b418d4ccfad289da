"""A newcomer who types what a lab's page says ends with full marks, in a published copy, offline."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.manifest import Lab, list_labs
from grader.publish import publish
from grader.starter import ONE_THREAD

COURSE = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent


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
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = New Comer\n\temail = new@example.org\n")
    newcomer = [sys.executable, str(Path(__file__).with_name("newcomer.py")), str(copy), lab.id, str(home)]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "DVC_", "LAB_"))}
    done = subprocess.run(
        [*no_network(), *newcomer],
        env=kept | ONE_THREAD | {"PYTHONPATH": f"{copy}{os.pathsep}{COURSE}", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) > 10

    [handed_in] = (copy / "workspace" / "submissions").glob("*.zip")
    with zipfile.ZipFile(handed_in) as archive:
        archive.extractall(tmp_path / "in")
    (tmp_path / "in" / "work").rename(tmp_path / "in" / lab.id)
    judged = subprocess.run(
        [str(BIN / "grader"), "try", lab.number, "--mine", "--json"],
        cwd=COURSE,
        env=kept | {"LAB_HOME": str(tmp_path / "in")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    result = json.loads(judged.stdout)
    assert {check["id"] for check in result["checks"]} == {check.id for check in lab.checks}
