"""The whole lab environment by Compose: `lab up --container`, and `lab down`.

`compose.yaml` says what runs. Here is which Compose the engine has, and the variables of that file.
"""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.engines import Engine, EngineProblem, explain, find
from grader.results import write_json
from lab_env import container, image
from lab_env.plans import HEALTH, TITLES, USUAL_PORTS, page, shown
from lab_env.services import Service, answers
from lab_env.workspace import Home, read_json

FILE = Path("lab_env", "compose.yaml")
PATIENCE_S = 240.0  # the first time the pages are built as well


@dataclass(frozen=True)
class Stack:
    """The environment of one home: the words that run its Compose, and the file's variables."""

    words: tuple[str, ...]
    variables: Mapping[str, str]

    def run(self, *words: str) -> str:
        """Run Compose quietly; what it printed.

        Raises:
            EngineProblem: it refused, with the reason and what mends it.
        """
        done = subprocess.run(
            [*self.words, *words],
            env=os.environ | self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise explain(self.words[0], words, done.stderr + done.stdout)
        return done.stdout.strip()


def up(home: Home) -> tuple[Service, ...]:
    """Start what does not run yet, each service in a container of its own, and wait until it answers.

    Raises:
        EngineProblem: no engine, no Compose, or one of them refused; says what mends it.
        LabError: the folder is not for a container.
    """
    engine = find(os.environ.get("LAB_ENGINE", ""))
    words = program(engine)
    user = container.owner(home.folder)
    tag = image.ensure(engine, home.course)
    noted = read_json(_note(home))
    known = engine.inspect("container", container.name_of(home))
    ports = container.held(home) or container.free_ports()
    if known and not any("compose.project" in label for label in known["Config"]["Labels"]):
        engine.ask("rm", "--force", container.name_of(home))  # a container of `lab start --container`
    container.prepare(home, user)
    token = noted.get("token") or secrets.token_hex(24)
    write_json(_note(home), {"token": token})
    container.note(home, container.name_of(home))
    container.hand_over(home, user)
    stack = Stack(words, variables(engine, home, tag=tag, user=user, ports=ports, token=token))
    stack.run("up", "--detach")
    return tuple(_wait(stack, name, ports[name], token) for name in TITLES)


def down(home: Home) -> bool:
    """Take the containers of the stack away; whether there was one. The work stays.

    Raises:
        EngineProblem: the engine or Compose is not there any more, or refused.
    """
    if not _note(home).is_file():
        return False
    engine = find(os.environ.get("LAB_ENGINE", ""))
    blank = variables(engine, home, tag="none", user=(0, 0), ports=USUAL_PORTS, token="")
    Stack(program(engine), blank).run("down", "--timeout", "2")
    _note(home).unlink()
    return True


def is_up(home: Home) -> bool:
    """Whether `up` was chosen here and not taken back by `down`."""
    return _note(home).is_file()


def program(engine: Engine) -> tuple[str, ...]:
    """The words that run this engine's Compose.

    Raises:
        EngineProblem: it has none; says what to install.
    """
    if engine.is_podman:
        own = Path(sys.executable).with_name("podman-compose")  # a package of the course
        found = str(own) if own.is_file() else shutil.which("podman-compose")
        if found is None:
            raise EngineProblem("podman has no Compose here: `podman-compose` is missing.", "make setup")
        return (found,)
    if engine.try_("compose", "version").returncode == 0:
        return (engine.program, "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    raise EngineProblem(
        "docker has no Compose here: neither the plugin `docker compose` nor `docker-compose`.",
        "sudo apt install docker-compose    # or `lab up`: the same services in one container",
    )


def variables(
    engine: Engine,
    home: Home,
    *,
    tag: str,
    user: tuple[int, int],
    ports: Mapping[str, int],
    token: str,
) -> dict[str, str]:
    """What `compose.yaml` asks for. Rootless podman keeps the learner's id; rootless docker's root is it."""
    ids = "0:0" if engine.rootless and not engine.is_podman else f"{user[0]}:{user[1]}"
    return {
        "COMPOSE_FILE": str(home.course / FILE),
        "COMPOSE_PROJECT_NAME": container.name_of(home),
        "LAB_COURSE": str(home.course),
        "LAB_FOLDER": str(home.folder),
        "LAB_IMAGE": tag,
        "LAB_KEY": container.key(tag, user),
        "LAB_NAME": container.name_of(home),
        "LAB_NETWORK": _network(engine),
        "LAB_PORTS": ",".join(f"{name}={port}" for name, port in ports.items()),
        "LAB_SHOWN": shown(home),
        "LAB_TOKEN": token,
        "LAB_USER": ids,
        "LAB_USERNS": "keep-id" if engine.rootless and engine.is_podman else "",
        **{f"LAB_PORT_{name.upper()}": str(port) for name, port in ports.items()},
    }


def _network(engine: Engine) -> str:
    """The engine's own kind, for root with podman the one that makes no firewall rules, where it can."""
    if not engine.is_podman:
        return "bridge"
    return "private" if engine.rootless or shutil.which("slirp4netns") is None else "slirp4netns"


def _wait(stack: Stack, name: str, port: int, token: str) -> Service:
    base = f"http://127.0.0.1:{port}"
    end = time.monotonic() + PATIENCE_S
    while not answers(base + HEALTH[name]):
        if time.monotonic() > end:
            said = stack.run("logs", name).splitlines() or ["(nothing)"]
            failure = (
                f"{TITLES[name]} did not answer within {PATIENCE_S:.0f} s. It said last: {said[-1][:200]}"
            )
            return Service(name, failure=failure)
        time.sleep(0.2)
    return Service(name, url=base + page(name, token), port=port, usual_port=USUAL_PORTS[name])


def _note(home: Home) -> Path:
    return home.notes / "compose.json"
