"""A Docker of the tests' own: a daemon with its images and socket under .cache, which ends with the test."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.engines import Engine, EngineProblem, look
from lab_env import image
from tests.containers.store import ROOT, STORE, alone

PLACE = STORE / "docker"
BRIDGE = Path("/sys/class/net/docker0")
PATIENCE_S = 60.0
# No firewall rule is made, and none left behind.
QUIETLY = ("--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false")


def why_not() -> str:
    """What keeps a daemon from being started here; empty when nothing does."""
    missing = [name for name in ("docker", "dockerd") if shutil.which(name) is None]
    if missing:
        return f"not on PATH: {', '.join(missing)}; `make test` as root installs them"
    return "" if os.geteuid() == 0 else "a daemon is started by root"


@contextmanager
def running(tag: str, target: str = "lab") -> Iterator[Engine]:
    """Start the daemon, give it podman's image, and end it; one at a time. DOCKER_HOST names `socket`."""
    with alone("docker.lock"):
        PLACE.mkdir(exist_ok=True)
        had_bridge = BRIDGE.exists()
        words = [
            "dockerd",
            f"--data-root={PLACE}/data",
            f"--exec-root={PLACE}/exec",
            f"--pidfile={PLACE}/pid",
        ]
        with (PLACE / "log").open("wb") as log:
            daemon = subprocess.Popen([*words, f"--host={socket()}", *QUIETLY], stdout=log, stderr=log)
        try:
            engine = _wait(daemon)
            _give(engine, tag, kept(target))
            yield engine
        finally:
            daemon.terminate()
            daemon.wait(timeout=PATIENCE_S)
            _leave_nothing(had_bridge)


def socket() -> str:
    """Where the daemon listens, for DOCKER_HOST."""
    return f"unix://{PLACE}/socket"


def _leave_nothing(had_bridge: bool) -> None:
    """Take away what a daemon leaves of its own: the mount of its network namespace, and its bridge."""
    namespace = PLACE / "exec" / "netns" / "default"
    if namespace.is_mount():
        subprocess.run(["umount", str(namespace)], check=True)
    if not had_bridge and BRIDGE.exists():
        subprocess.run(["ip", "link", "delete", BRIDGE.name], check=True)


def kept(target: str = "lab") -> str:
    """The image's name here, for LAB_IMAGE: new only for other packages, as handing it over is slow."""
    total = hashlib.sha256()
    for name in ("requirements.lock", "lab_env/Dockerfile", "lab_env/install.sh", "lab_env/locked.py"):
        total.update((ROOT / name).read_bytes())
    name = f"{image.NAME}:packages-{total.hexdigest()[:12]}"
    return name if target == "lab" else f"{name}-{target}"


def _wait(daemon: "subprocess.Popen[bytes]") -> Engine:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return look("docker")
        except EngineProblem:
            if time.monotonic() > deadline or daemon.poll() is not None:
                raise
            time.sleep(0.3)


def _give(engine: Engine, tag: str, name: str) -> None:
    """Hand podman's image over under a name of `kept`, and drop those before it."""
    if engine.inspect("image", name):
        return
    with subprocess.Popen(["podman", "save", "--quiet", tag], stdout=subprocess.PIPE) as saved:
        load = ["docker", "load", "--quiet"]
        subprocess.run(load, stdin=saved.stdout, stdout=subprocess.DEVNULL, check=True)
    engine.ask("tag", tag, name)
    for other in engine.ask("images", "--format={{.Repository}}:{{.Tag}}", image.NAME).splitlines():
        if other not in (kept(), kept("grading")):
            engine.ask("rmi", other)
