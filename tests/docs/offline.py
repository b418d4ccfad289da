"""A newcomer's place: a published copy of the course, a home of its own, no network, no process left behind.

    python -m tests.docs.offline PAGE FOLDER

replays PAGE in FOLDER with the environment it is given; run apart, so that the network can be cut around it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grader.publish import publish
from tests.docs.replay import replay

COURSE = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
OWN_PROCESSES = ("--pid", "--fork", "--kill-child", "--mount-proc")


def publish_copy(target: Path) -> Path:
    """The course as a class gets it, with the environment of this clone, so that nothing is installed.

    What the site measured of the world here is kept there too: each copy would take the same seconds for it.
    """
    publish(COURSE, target)
    if (measured := COURSE / ".cache" / "world").is_dir():
        shutil.copytree(measured, target / ".cache" / "world")
    environment = target / ".venv"
    environment.mkdir()
    (environment / "bin").symlink_to(BIN)
    state = (
        "import sys; sys.path.insert(0, 'lab_env'); import bootstrap; print(bootstrap.fingerprint(), end='')"
    )
    done = subprocess.run(
        ["python3", "-B", "-c", state],
        cwd=target,
        env=newcomer(target),
        capture_output=True,
        text=True,
        check=True,
    )
    (environment / ".ready").write_text(done.stdout)
    return target


def full_clone(target: Path) -> Path:
    """The course as an instructor has it: a Git clone, solutions and hidden checks included."""
    publish_copy(target)
    shutil.copytree(COURSE / "solutions", target / "solutions", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["git", "init", "--quiet", str(target)], env=newcomer(target), check=True)
    return target


def newcomer(copy: Path) -> dict[str, str]:
    """The variables of somebody who has just opened a terminal: nothing of ours on PATH, a fresh home."""
    home = copy.parent / "home"
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text("[user]\n\tname = New Comer\n\temail = new@example.org\n")
    path = [part for part in os.environ["PATH"].split(os.pathsep) if Path(part) != BIN]
    return {
        "PATH": os.pathsep.join(path),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        "PYTHONPATH": str(copy),
    }


def cut_network(*, own_processes: bool = True) -> list[str]:
    """Words that run a command with nothing but a loopback.

    With processes of its own all that it started ends when it ends. A page that grades goes without: control
    groups are named after processes, and every grader of this host must see the same ones.
    """
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("The network cannot be cut: install util-linux and iproute2 for `unshare` and `ip`.")
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    words = ["unshare", *user, "--net", *(OWN_PROCESSES if own_processes else ())]
    words += ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    tried = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"The network cannot be cut here: {tried.stderr.strip()}")
    return words


def replay_offline(page: Path, copy: Path, *, own_processes: bool = True) -> int:
    """Replay a page in `copy` with the network cut; how many commands ran."""
    done = subprocess.run(
        [
            *cut_network(own_processes=own_processes),
            sys.executable,
            "-m",
            "tests.docs.offline",
            str(page),
            str(copy),
        ],
        cwd=COURSE,
        env=newcomer(copy) | {"PYTHONPATH": f"{copy}{os.pathsep}{COURSE}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout)


def main(page: Path, folder: Path) -> None:
    """Replay, and print how many commands ran."""
    if list(socket.if_nameindex()) != [(1, "lo")]:
        sys.exit("The network is not cut: there is more than a loopback.")
    try:
        print(replay(page, cwd=folder, env=dict(os.environ)))
    except AssertionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
