"""What lab 08's extension writes, for real: image built, manifest played by podman, orders answered.

podman plays a Deployment's pod, and asks no readiness probe: one replica, and readiness is asked here.
"""

import csv
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
import yaml

from grader.answers import Kitchen, find_answer
from grader.engines import Engine
from grader.manifest import find_lab
from tests.containers.store import ROOT

pytestmark = [pytest.mark.container, pytest.mark.slow]
LAB = find_lab(ROOT, "08")
POD = "promise-pod-0-promise"
BUILD = ("build", "--format=docker", "--network=host", "--pull=never")
READY_S = 60


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The master's folder."""
    return Kitchen(LAB, tmp_path / "kitchen").make(find_answer(LAB, "master"))


@pytest.fixture
def played(podman: Engine, image: str, work: Path, tmp_path: Path) -> Iterator[str]:
    """The address of the service that the manifest starts, on this machine's loopback."""
    assert image, "its base is the learner's base too"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    deployment, _ = yaml.safe_load_all((work / "k8s" / "promise.yaml").read_text())
    spec = deployment["spec"]
    container = spec["template"]["spec"]["containers"][0]
    podman.ask(*BUILD, "--tag", container["image"], str(work), timeout_s=300)
    spec["replicas"] = 1
    container["ports"] = [{"containerPort": 8080, "hostPort": port, "hostIP": "127.0.0.1"}]
    manifest = tmp_path / "played.yaml"
    manifest.write_text(yaml.safe_dump(deployment))
    podman.try_("kube", "play", "--network=slirp4netns", str(manifest), timeout_s=120)
    yield f"http://127.0.0.1:{port}"
    podman.try_("kube", "down", str(manifest), timeout_s=120)
    podman.try_("rmi", container["image"])


def test_the_manifest_serves_what_the_batch_answers(played: str, podman: Engine, work: Path) -> None:
    said = _ready(played)
    assert (said.get("ready"), said.get("model_version")) == (True, _release(work)["champion"]), said
    orders = pd.read_parquet(work / "data" / "orders.parquet").sample(40, random_state=8)
    orders.loc[orders.index[:3], "zone"] = "airport"
    orders.to_parquet(work / "some.parquet")
    subprocess.run([sys.executable, "batch.py", "some.parquet", "some.csv"], cwd=work, check=True)
    with (work / "some.csv").open() as file:
        batch = list(csv.DictReader(file))
    served = [_promise(played, order) for order in json.loads(orders.to_json(orient="records"))]
    assert [said["minutes"] for said in served] == pytest.approx([float(row["minutes"]) for row in batch])
    degraded = [str(said["degraded"]) for said in served]
    assert degraded == [row["degraded"] for row in batch]
    assert degraded[:3] == ["True"] * 3, "a zone that the bundle does not know"

    assert httpx.post(f"{played}/predict", content=b"[]").status_code == 422
    assert podman.ask("exec", POD, "id", "--user") == "10001"
    facts = podman.inspect("container", POD)
    assert facts["HostConfig"]["Memory"] == 512 * 2**20
    asked = podman.inspect("image", facts["ImageName"])["Healthcheck"]["Test"]
    assert podman.try_("exec", POD, *asked[1:]).returncode == 0, asked


def _ready(address: str) -> dict[str, Any]:
    """What /readyz says once it says 200, or last."""
    until = time.monotonic() + READY_S
    while True:
        try:
            reply = httpx.get(f"{address}/readyz", timeout=5)
            if reply.status_code == 200 or time.monotonic() > until:
                told: dict[str, Any] = reply.json()
                return told
        except httpx.TransportError as error:
            if time.monotonic() > until:
                return {"problem": str(error)}
        time.sleep(0.2)


def _promise(address: str, order: dict[str, Any]) -> dict[str, Any]:
    reply = httpx.post(f"{address}/predict", json=order)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


def _release(work: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((work / "release.json").read_text())
    return told
