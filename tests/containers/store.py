"""An image store of the tests' own under .cache, and the image of the labs in it.

Where no registry can be reached, the base image is a stand-in: Debian made by mmdebstrap under the real
one's name. The project's Dockerfile is the same in both cases.
"""

import fcntl
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from grader.engines import Engine, look
from lab_env import image

ROOT = Path(__file__).parents[2]
STORE = ROOT / ".cache" / "containers"
BASE = "python:3.11-slim-bookworm"
STAND_IN = "stand-in"  # a label of the base that was made here
DEBIAN = "python3,python3-venv,python3-pip,ca-certificates,git"
MADE_BY = "2"  # raise it when the stand-in is made in another way
LIMIT = 1024  # podman asks for more open files and processes than a virtual machine may give
CA = "/etc/ssl/certs/ca-certificates.crt"


def engine_settings(store: Path = STORE) -> dict[str, str]:
    """Variables that give podman this store and what holds on more hosts than its defaults do.

    crun needs control groups of version 2; user-mode networking needs no firewall rules and leaves none.
    """
    store.mkdir(parents=True, exist_ok=True)
    runtime = "" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 'runtime="runc"\n'
    limits = f'default_ulimits=["nofile={LIMIT}:{LIMIT}","nproc={LIMIT}:{LIMIT}"]\n'
    texts = {
        "containers.conf": f'[containers]\n{limits}netns="slirp4netns"\n[engine]\n{runtime}',
        "storage.conf": f'[storage]\ndriver="overlay"\ngraphroot="{store}/images"\nrunroot="{store}/run"\n'
        '[storage.options.overlay]\nskip_mount_home="true"\n',  # a mount that stayed would stop `make clean`
    }
    for name, text in texts.items():
        if not (store / name).is_file() or (store / name).read_text() != text:
            (store / name).write_text(text)
    return {
        "CONTAINERS_CONF": str(store / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(store / "storage.conf"),
    }


def why_not() -> str:
    """What keeps the image from being built and run here; empty when nothing does."""
    missing = [name for name in ("podman", "slirp4netns") if shutil.which(name) is None]
    return f"not on PATH: {', '.join(missing)}; `make test` as root installs them" if missing else ""


def ready(target: str = "lab") -> str:
    """The name of the image for this course, built if it is not there; one process at a time."""
    os.environ.update(engine_settings())
    engine = look("podman")
    tag = image.tag_of(ROOT, target)
    with alone():
        if not engine.inspect("image", tag):
            _require_base(engine)
            image.build(engine, ROOT, tag, ["--network=host", "--pull=never"], target)
            _drop_others(engine, tag, target)
    return tag


def on_stand_in(tag: str) -> bool:
    """Whether an image was built on the base that was made here."""
    labels: Mapping[str, str] = look("podman").inspect("image", tag).get("Labels") or {}
    return STAND_IN in labels


@contextmanager
def alone(name: str = "lock") -> Iterator[None]:
    """One at a time; others wait."""
    with (STORE / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _require_base(engine: Engine) -> None:
    """The real base where it can be had, else a stand-in; one made by other lines is made again."""
    if found := engine.inspect("image", BASE):
        labels: Mapping[str, str] = found.get("Labels") or {}
        if labels.get(STAND_IN, MADE_BY) == MADE_BY:
            return
    if engine.try_("manifest", "inspect", BASE).returncode == 0:
        engine.ask("pull", "--quiet", BASE, timeout_s=300)
        return
    with tempfile.TemporaryDirectory(dir=STORE) as place:
        tar = Path(place, "debian.tar")
        words = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={DEBIAN}", "bookworm", str(tar)]
        subprocess.run(words, check=True)
        trusted = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or CA
        shutil.copy(trusted, Path(place, "trusted.crt"))
        lines = (
            "FROM scratch",
            "ADD debian.tar /",
            f"COPY trusted.crt {CA}",
            f"ENV SSL_CERT_FILE={CA} PIP_CERT={CA} REQUESTS_CA_BUNDLE={CA}",
            "RUN ln -s python3 /usr/bin/python && rm /usr/lib/python3*/EXTERNALLY-MANAGED",
            f"LABEL {STAND_IN}={MADE_BY}",
        )
        Path(place, "Containerfile").write_text("\n".join(lines))
        engine.ask("build", "--file", f"{place}/Containerfile", "--tag", BASE, place, timeout_s=300)


def _drop_others(engine: Engine, tag: str, target: str) -> None:
    """Keep one image of each target: the layers that both have in common stay."""
    for other in engine.ask("images", "--format={{.Repository}}:{{.Tag}}", image.NAME).splitlines():
        if other != tag and other.endswith("-grading") == (target == "grading"):
            engine.ask("rmi", other)
