"""Checks of lab 08's extension: the Dockerfile and the manifest, read and never run."""

import re
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import yaml

from grader.checks import Evidence, Expect

PAGE = "modules/08-deploy.md"
SCHEMA = "1.33"
UNITS = re.compile(r"^\d+(\.\d+)?(m|[KMGT]i?)?$")


def test_image_is_small_and_safe(evidence: Evidence, expect: Expect) -> None:
    expect(
        list(_image_faults(evidence.text("Dockerfile") or "")),
        [],
        looked_at="the Dockerfile, instruction by instruction",
        why="An image is built again in a year, on another machine, and runs beside others. What it takes "
        "along by accident it ships; what it does not pin it picks anew; root breaks out as root.",
        link=f"{PAGE}#the-image",
        misconception="image-of-everything",
    )


def _image_faults(text: str) -> Iterator[str]:
    """What is wrong with a Dockerfile, one sentence each."""
    steps = [line.split(None, 1) for line in _joined(text)]
    said: dict[str, list[str]] = {}
    for word, *rest in steps:
        said.setdefault(word.upper(), []).append(rest[0] if rest else "")
    base = (said.get("FROM") or [""])[-1].split(" ")[0]
    if not re.search(r":\d+\.\d+[\w.]*-(slim|alpine)|@sha256:", base):
        yield f"FROM {base or 'nothing'}: name a small image and its version, like python:3.11-slim-bookworm"
    for copied in said.get("COPY", []) + said.get("ADD", []):
        sources = [word.strip('[",]') for word in copied.split() if not word.startswith("--")][:-1]
        bad = [word for word in sources if word.rstrip("/") in (".", "*", "data", "mlruns", "mlflow.db", "")]
        if bad:
            yield f"COPY {copied}: takes data and store along; name what the service needs"
    for part in re.split(r"&&|;", ";".join(said.get("RUN", []))):
        if loose := _unpinned(part.split()):
            yield f"pip install {' '.join(loose)}: without a version"
    user = (said.get("USER") or ["root"])[-1].split(":")[0]
    if user in ("root", "0"):
        yield "USER: the service runs as root"
    if not any("healthz" in check for check in said.get("HEALTHCHECK", [])):
        yield "HEALTHCHECK: there is none that asks /healthz"


def _unpinned(words: list[str]) -> list[str]:
    """What a `pip install` among these words takes in whatever version it finds."""
    if "pip" not in words or "install" not in words or {"-r", "--requirement"} & set(words):
        return []
    named = words[words.index("install") + 1 :]
    return [word for word in named if not word.startswith("-") and "==" not in word]


def _joined(text: str) -> list[str]:
    """Instructions, comments left out and lines that go on put together."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return [line.strip() for line in re.sub(r"\\\s*\n", " ", "\n".join(lines)).splitlines()]


def test_manifest_rolls_without_a_gap(evidence: Evidence, expect: Expect) -> None:
    expect(
        list(_manifest_faults(evidence.text("k8s/promise.yaml") or "")),
        [],
        looked_at=f"k8s/promise.yaml, by the schemas of Kubernetes {SCHEMA} and rules",
        why="With one replica, or with one taken away before the next is ready, every deploy is an outage. "
        "Without a readiness probe a pod gets requests while it loads; without limits a leak takes the node.",
        link=f"{PAGE}#what-kubernetes-adds",
        misconception="rolls-with-a-gap",
    )


def _manifest_faults(text: str) -> Iterator[str]:
    """What is wrong with a manifest, one sentence each."""
    try:
        parts = [part for part in yaml.safe_load_all(text) if part is not None]
    except (yaml.YAMLError, RecursionError) as error:
        yield f"it is no YAML: {str(error)[:200]}"
        return
    for part in parts:
        try:
            kubernetes_validate.validate(part, SCHEMA, strict=True)
        except Exception as error:  # its own errors have no base class, and a stranger's file may raise any
            yield f"{part.get('kind', '?') if isinstance(part, dict) else 'a part'}: {str(error)[:200]}"
            return
    found = [part for part in parts if part["kind"] == "Deployment"]
    if len(found) != 1:
        yield f"{len(found)} Deployments; there should be one"
        return
    yield from _deployment_faults(found[0]["spec"])


def _deployment_faults(spec: dict[str, Any]) -> Iterator[str]:
    if (spec.get("replicas") or 1) < 2:
        yield "replicas: fewer than 2"
    strategy = spec.get("strategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate" or str(rolling.get("maxUnavailable")) not in (
        "0",
        "0%",
    ):
        yield "strategy: not a RollingUpdate with maxUnavailable 0"
    container = spec["template"]["spec"]["containers"][0]
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        if ((container.get(probe) or {}).get("httpGet") or {}).get("path") != path:
            yield f"{probe}: does not ask {path}"
    resources = container.get("resources") or {}
    for kind in ("requests", "limits"):
        for what in ("cpu", "memory"):
            if not UNITS.match(str((resources.get(kind) or {}).get(what, ""))):
                yield f"resources: {kind} has no {what}"
    image = str(container.get("image"))
    if not re.search(r"(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$", image):
        yield f"image {image}: has no fixed tag"
