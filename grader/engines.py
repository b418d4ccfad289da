"""Container engines, the one door to them: which is here, whether it can be used, what mends it."""

import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.errors import ToolMissing

NAMES = ("podman", "docker")
OLDEST = {"podman": (4, 0), "docker": (20, 10)}
PATIENCE_S = 60.0
NONE = (
    "No container engine is here: neither `podman` nor `docker` is on PATH.",
    {"Darwin": "brew install podman && podman machine init && podman machine start"},
    "sudo apt install podman",
)

# What engines say, what that means, and the line that mends it on Linux and on macOS.
COMPLAINTS: tuple[tuple[str, str, str, str], ...] = (
    (
        r"permission denied.*(docker|podman)[\w.]*\.sock|dial unix.*permission denied",
        "you have no right to use it",
        "sudo usermod -aG docker $USER && newgrp docker",
        "open -a Docker",
    ),
    (
        r"cannot find UID/GID|no subuid ranges|no subgid ranges|newuidmap|insufficient UIDs|"
        r"cannot set up namespace|cannot re-exec process|cannot clone: ",
        "you have no right to make containers without root: the system gives you no range of user ids",
        "sudo apt install uidmap; sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER;"
        " podman system migrate",
        "podman machine start",
    ),
    (
        r"[Cc]annot connect to Podman|podman machine",
        "its virtual machine does not run",
        "systemctl --user start podman.socket",
        "podman machine init; podman machine start",
    ),
    (
        r"Cannot connect to the Docker daemon|daemon is not running|error during connect",
        "its daemon does not run",
        "sudo systemctl start docker",
        "open -a Docker",
    ),
    (
        r"no space left on device|[Dd]isk quota exceeded|not enough space",
        "the disk with its images is full",
        "{engine} system prune    # or free some: df -h",
        "{engine} system prune    # or give its virtual machine a larger disk",
    ),
    (
        r"address already in use|port is already allocated|ports are not available",
        "a port that it wants was taken a moment ago",
        "lab up    # looks for free ports again",
        "lab up    # looks for free ports again",
    ),
    (
        r"Mounts denied|not shared from the host|statfs .*: (permission denied|no such file)",
        "it may not see the folder with your work",
        "LAB_HOME=$HOME/labs lab start 02 --container",
        "open -a Docker    # Settings, Resources, File sharing: add the folder",
    ),
    (
        r"image not known|No such image|Unable to find image|pull access denied",
        "it does not have the image",
        "grader doctor --box container    # builds it",
        "grader doctor --box container    # builds it",
    ),
    (
        r"[Ee]xec format error|does not match the (specified|detected host) platform|image platform",
        "the image is for another kind of processor",
        "{engine} image rm --force {image}    # then again: it is built for this machine",
        "{engine} image rm --force {image}    # then again: it is built for this machine",
    ),
    (
        r"no such host|i/o timeout|TLS handshake|connection refused|dial tcp|short-name|"
        r"pinging container registry|Temporary failure|Could not resolve|Failed to fetch|error sending",
        "something could not be fetched; building needs the network, once",
        "{engine} pull python:3.11-slim-bookworm    # says whether it reaches images at all",
        "{engine} pull python:3.11-slim-bookworm    # says whether it reaches images at all",
    ),
)


class EngineProblem(ToolMissing):
    """An engine that is missing, too old, without rights, or that refused; `mend` is a line to type."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(f"{problem} To mend it:\n    {mend}")
        self.problem = problem
        self.mend = mend


@dataclass(frozen=True)
class Engine:
    """An engine that answers. `architecture` is that of the containers it runs: amd64, arm64.

    `storage` is where it keeps images; on macOS that is inside its virtual machine.
    """

    program: str
    version: str
    architecture: str
    rootless: bool = False
    storage: str = ""

    @property
    def is_podman(self) -> bool:
        """Whether it takes podman's words; docker's otherwise."""
        return self.program == "podman"

    def __str__(self) -> str:
        return f"{self.program} {self.version}" + (", without root" if self.rootless else "")

    def try_(self, *words: str, timeout_s: float = PATIENCE_S) -> "subprocess.CompletedProcess[str]":
        """Run it quietly, whatever it answers.

        Raises:
            EngineProblem: it gave no answer in time.
        """
        return _run((self.program, *words), timeout_s)

    def ask(self, *words: str, image: str = "", timeout_s: float = PATIENCE_S) -> str:
        """Run it quietly and return what it printed.

        Raises:
            EngineProblem: it refused, with the reason and what mends it; or it gave no answer in time.
        """
        done = self.try_(*words, timeout_s=timeout_s)
        if done.returncode:
            raise explain(self.program, words, done.stderr, image=image)
        return done.stdout.strip()

    def show(self, *words: str) -> None:
        """Run it with what it prints going to standard error, line by line.

        Raises:
            EngineProblem: it refused, with the reason and what mends it.
        """
        with subprocess.Popen(
            [self.program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as running:
            said = []
            for line in running.stdout or ():
                print(line, end="", file=sys.stderr, flush=True)
                said.append(line)
        if running.returncode:
            raise explain(self.program, words, "".join(said[-30:]))

    def attach(self, *words: str) -> int:
        """Run it with this terminal as its own and return its exit code."""
        return subprocess.run([self.program, *words], check=False).returncode

    def inspect(self, kind: str, name: str) -> dict[str, Any]:
        """What it knows about an image or a container; empty when there is none of that name."""
        done = self.try_(kind, "inspect", name)
        found = json.loads(done.stdout or "[]") if done.returncode == 0 else []
        return dict(found[0]) if found else {}


def find(preferred: str = "") -> Engine:
    """The engine to use: the preferred one, else the first that can be used.

    Raises:
        EngineProblem: none is here, or what is wrong with the first that is.
    """
    problems = []
    for name in [preferred] if preferred else NAMES:
        try:
            return look(name)
        except EngineProblem as problem:
            problems.append((shutil.which(name) is not None, problem))
    here = [problem for is_here, problem in problems if is_here]
    if here or preferred:
        raise (here or [problem for _, problem in problems])[0]
    said, lines, line = NONE
    raise EngineProblem(said, lines.get(platform.system(), line))


def look(name: str) -> Engine:
    """One engine by name, when it can be used.

    Raises:
        EngineProblem: it is no engine that we know, missing, too old, or does not answer.
    """
    if name not in NAMES:
        raise EngineProblem(f"`{name}` is no container engine that we know.", "export LAB_ENGINE=podman")
    if shutil.which(name) is None:
        raise EngineProblem(f"`{name}` is not on PATH.", f"sudo apt install {_package(name)}")
    engine = _podman() if name == "podman" else _docker()
    found = tuple(int(part) for part in re.findall(r"\d+", engine.version)[:2])
    if found < OLDEST[name]:
        oldest = ".".join(map(str, OLDEST[name]))
        raise EngineProblem(
            f"{name} {engine.version} is too old: the labs need {oldest} or later.",
            f"sudo apt install --only-upgrade {_package(name)}    # or name another one in LAB_ENGINE",
        )
    return engine


def explain(program: str, words: Sequence[str], stderr: str, *, image: str = "") -> EngineProblem:
    """What an engine's complaint means, and the line that mends it."""
    mac = platform.system() == "Darwin"
    said = next((line for line in reversed(stderr.splitlines()) if line.strip()), "nothing at all").strip()[
        :300
    ]
    for form, meaning, linux, darwin in COMPLAINTS:
        if re.search(form, stderr):
            mend = (darwin if mac else linux).format(engine=program, image=image or "IMAGE")
            return EngineProblem(f'{program} is here, but {meaning}. It said "{said}".', mend)
    tried = " ".join((program, *words[:1]))
    return EngineProblem(
        f'`{tried}` failed. It said "{said}".', f"{program} info    # what it says of itself"
    )


def silent(program: str, words: Sequence[str], timeout_s: float) -> EngineProblem:
    """An engine that does not answer, and the line that mends it."""
    again = "podman machine stop; podman machine start" if program == "podman" else "open -a Docker"
    linux = "sudo systemctl restart docker" if program == "docker" else "podman system migrate"
    asked = " ".join((program, *words[:1]))
    return EngineProblem(
        f"{program} gave no answer to `{asked}` within {timeout_s:.0f} s.",
        again if platform.system() == "Darwin" else linux,
    )


def _podman() -> Engine:
    facts = json.loads(_answer("podman", "info", "--format", "json"))
    host = facts["host"]
    rootless = bool(host.get("security", {}).get("rootless"))
    return Engine("podman", facts["version"]["Version"], host["arch"], rootless, facts["store"]["graphRoot"])


def _docker() -> Engine:
    server = json.loads(_answer("docker", "version", "--format", "{{json .Server}}"))
    facts = json.loads(_answer("docker", "info", "--format", "{{json .}}"))
    rootless = any("rootless" in option for option in facts.get("SecurityOptions") or ())
    return Engine("docker", server["Version"], server["Arch"], rootless, facts.get("DockerRootDir", ""))


def _answer(*words: str) -> str:
    done = _run(words, PATIENCE_S / 4)
    if done.returncode:
        raise explain(words[0], words[1:], done.stderr)
    return done.stdout


def _run(words: Sequence[str], timeout_s: float) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise silent(words[0], words[1:], timeout_s) from None
    except OSError as error:
        raise EngineProblem(
            f"{words[0]} is on PATH but does not start: {error.strerror}.",
            f"sudo apt install --reinstall {_package(words[0])}",
        ) from error


def _package(name: str) -> str:
    return {"docker": "docker.io"}.get(name, name)
