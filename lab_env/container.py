"""The labs in a container: one per home of workspaces, which sees that folder alone of the machine.

The folder has the same path inside as outside, so what one side writes down holds on the other. Commands
that run a learner's work are handed to the container; it is started when it is not there.
"""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.engines import Engine, EngineProblem, find
from grader.results import write_json
from lab_env import image, plans, services
from lab_env.errors import LabError
from lab_env.workspace import Home, git, read_json

INSIDE = "LAB_CONTAINER"  # set in the image
PASSED_ON = ("COLUMNS", "LINES", "NO_COLOR", "TERM")
_ENGINE_FAILED = 125  # the engine's own exit code, which no command of the labs has
TMP = {"/tmp": "2g", "/var/tmp": "64m"}  # noqa: S108  # the latter for DVC's notes on its repositories


@dataclass(frozen=True)
class Container:
    """A running container of the labs."""

    engine: Engine
    home: Home
    name: str

    def run(self, command: Sequence[str], folder: Path) -> int:
        """Run `command` in it, in `folder`, on this terminal; its exit code."""
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        passed = [f"--env={name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
        how = ["--interactive", *(["--tty"] if terminal else []), *passed, f"--workdir={folder}"]
        return self.engine.attach("exec", *how, self.name, *command)


def is_inside(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is the container itself."""
    return environment.get(INSIDE) == "1"


def is_chosen(home: Home) -> bool:
    """Whether the labs of this home are done in a container."""
    return not is_inside() and bool(read_json(_note(home)))


def choose(home: Home, wanted: bool) -> None:
    """Do the labs of this home in a container from now on, or no more.

    Raises:
        EngineProblem: the container could not be had; nothing is chosen then.
        LabError: the folder is not for a container.
    """
    if wanted:
        note(home, ensure(home).name)
        hand_over(home, owner(home.folder))
    else:
        remove(home)
        _note(home).unlink(missing_ok=True)


def ensure(home: Home) -> Container:
    """The container of this home, running; what is not there yet is built and started.

    Raises:
        EngineProblem: no engine, or it refused; says what mends it.
        LabError: the folder is not for a container.
    """
    engine = find(os.environ.get("LAB_ENGINE", ""))
    user = owner(home.folder)
    tag = image.ensure(engine, home.course)
    ready = Container(engine, home, name_of(home))
    known = engine.inspect("container", ready.name)
    wanted = key(tag, user)
    if known.get("State", {}).get("Running") and known["Config"]["Labels"].get("lab.key") == wanted:
        return ready
    if known:
        engine.ask("rm", "--force", ready.name)
    prepare(home, user)
    ports = free_ports()
    words = run_words(engine, home, user=user, ports=ports)
    named = [f"--name={ready.name}", f"--label=lab.key={wanted}"]
    engine.ask("run", "--detach", *named, *words, tag, "sleep", "infinity", image=tag)
    _require_writable(ready)
    return ready


def run_words(engine: Engine, home: Home, *, user: tuple[int, int], ports: Mapping[str, int]) -> list[str]:
    """How the container runs: as the learner, on a root that cannot be written, without any capability.

    Rootless engines map ids: podman is told to keep the learner's, and docker's root *is* the learner.
    """
    identity = [f"--user={user[0]}:{user[1]}"]
    if engine.rootless:
        identity = ["--userns=keep-id", *identity] if engine.is_podman else ["--user=0:0"]
    address = ",".join(f"{name}={port}" for name, port in ports.items())
    return [
        *identity,
        "--read-only",
        *(["--read-only-tmpfs=false"] if engine.is_podman else []),
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        *(f"--tmpfs={place}:rw,exec,nosuid,nodev,size={size},mode=1777" for place, size in TMP.items()),
        f"--volume={home.folder}:{home.folder}:z",
        f"--workdir={home.folder}",
        f"--env=LAB_HOME={home.folder}",
        f"--env=LAB_COURSE={home.course}",
        f"--env=HOME={_inner_home(home)}",
        "--env=USER=learner",
        f"--env={plans.PORTS}={address}",
        *(f"--publish=127.0.0.1:{port}:{port}" for port in ports.values()),
    ]


def run(home: Home, command: Sequence[str], folder: Path) -> int:
    """Run a command in the container of this home and return its exit code.

    Raises:
        EngineProblem: the container could not be had.
        LabError: the engine could not run it.
    """
    code = ensure(home).run(command, folder if folder.is_relative_to(home.folder) else home.folder)
    if code == _ENGINE_FAILED:
        raise LabError(
            f"`{' '.join(command)}` could not be run in the container (see above). To mend it:\n"
            "    lab down    # takes the container away; the next command starts a new one"
        )
    return code


def remove(home: Home) -> bool:
    """Take the container and all that runs in it away; whether there was one. The work stays."""
    try:
        engine = find(os.environ.get("LAB_ENGINE", ""))
    except EngineProblem:
        return False
    if not engine.inspect("container", name_of(home)):
        return False
    engine.ask("rm", "--force", name_of(home))
    services.forget(home)
    return True


def held(home: Home) -> dict[str, int]:
    """The ports of this machine that the home's container holds, by service."""
    if not is_chosen(home):
        return {}
    try:
        known = find(os.environ.get("LAB_ENGINE", "")).inspect("container", name_of(home))
    except EngineProblem:
        return {}
    set_there = dict(pair.split("=", 1) for pair in known.get("Config", {}).get("Env", ()) if "=" in pair)
    return plans.published(set_there)


def note(home: Home, name: str) -> None:
    """Note that the labs of this home are done in a container from now on."""
    write_json(_note(home), {"container": name})


def key(tag: str, user: tuple[int, int]) -> str:
    """What a running container is known by to be the wanted one: its image and whom it runs as."""
    return f"{tag} {user[0]}:{user[1]}"


def name_of(home: Home) -> str:
    """The container's name: one per folder of workspaces."""
    return f"lab-{hashlib.sha256(str(home.folder).encode()).hexdigest()[:12]}"


def owner(folder: Path) -> tuple[int, int]:
    """The user and group that the container runs as: the learner, whose folder is made now if need be.

    Where root starts it for somebody, that is the folder's owner.

    Raises:
        LabError: it is root's, or cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(
            f"{folder} cannot be made: {error.strerror}. To mend it:\n    export LAB_HOME=$HOME/labs"
        ) from error
    found = folder.stat()
    if os.geteuid() != 0 and not os.access(folder, os.W_OK):
        raise LabError(
            f"{folder} cannot be written by you. To mend it:\n    sudo chown -R $(id -u):$(id -g) {folder}"
        )
    user = (found.st_uid, found.st_gid) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    if user[0] == 0:
        raise LabError(
            f"{folder} belongs to root, and nothing in the container runs as root. To mend it, with your own "
            f"user's name for YOU:\n    chown -R YOU: {folder}"
        )
    return user


def free_ports() -> dict[str, int]:
    """A free port for each service, the usual one where that is possible. Inside it is the same number.

    Raises:
        LabError: fifty in a row are in use.
    """
    ports: dict[str, int] = {}
    for name, usual in plans.USUAL_PORTS.items():
        ports[name] = services.free_port(usual, ports.values())
    return ports


def prepare(home: Home, user: tuple[int, int]) -> None:
    """A home folder for inside, which stays; the first time with the learner's name for commits in it."""
    place = _inner_home(home)
    settings = place / ".gitconfig"
    place.mkdir(parents=True, exist_ok=True)
    if not settings.exists():
        settings.touch()
        for key in ("user.name", "user.email"):
            if value := git(Path("/"), "config", key).stdout.strip():
                git(Path("/"), "config", "--file", str(settings), key, value)
    hand_over(home, user)


def hand_over(home: Home, user: tuple[int, int]) -> None:
    """Where root made the notes for somebody: give them to whom the container runs as."""
    if os.geteuid() == 0:
        place = _inner_home(home)
        for path in (home.notes, place, place / ".gitconfig", _note(home)):
            if path.exists():
                os.chown(path, *user)


def _require_writable(ready: Container) -> None:
    folder = str(ready.home.folder)
    if ready.engine.try_("exec", ready.name, "test", "-w", folder).returncode:
        ready.engine.ask("rm", "--force", ready.name)
        raise LabError(
            f"{folder} cannot be written from inside the container. To mend it:\n"
            "    lab doctor    # Docker Desktop: add the folder under Settings, Resources, File sharing"
        )


def _inner_home(home: Home) -> Path:
    return home.notes / "home"


def _note(home: Home) -> Path:
    return home.notes / "container.json"
