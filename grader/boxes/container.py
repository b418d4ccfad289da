"""The box `container`: a new container of the grading image for every call, by podman or docker.

Nothing of this host is mounted. The engine's own standard input and output are the line to the agent: the
keeper (`keeper.py`, sent along) takes the work and the agent from it, and copies from then on. Inside: no
network, a root that cannot be written, no capability, a uid of its own, the engine's system-call filter and
ours, caps on memory, processes, files and bytes. The container goes when the line does.

The engine is the first that can be used, or LAB_ENGINE; the image is the one that the course's command names
(`image` in `[tool.grader]` of pyproject.toml), or GRADER_IMAGE.
"""

import json
import os
import secrets
import signal
import socket
import struct
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Any

from grader import engines
from grader.boxes import keeper, seccomp
from grader.boxes.base import START_S, Box, Budget, Ending, Running, Session, lay_over, refuse_clash
from grader.boxes.limits import PREFIX, PROCESSES, Group, find_group, resource_limits
from grader.boxes.process import Child
from grader.boxes.warm import Template
from grader.engines import Engine, EngineProblem
from grader.errors import BoxError, CourseError
from grader.manifest import Limits
from grader.results import Verdict
from grader.starter import box_environment, course_environment

ENGINE = Path(__file__).parent.parent
INSIDE = ("agent.py", "wire.py", "boxes/programs.py", "boxes/rush.py")
IMAGE = "GRADER_IMAGE"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
FIRST_UID, UIDS = 200_000, 100_000
LEARNER = 1000  # the image's own user, where an engine without root has no others
INODES = 20_000
LIMIT = 1024  # open files, and processes of a user: engines ask for more than every host may give
SCRATCH = Path("/tmp")  # noqa: S108  # inside, its own
COLD = "each container is started from nothing; an engine takes a third of a second for it"
GOING_S = 5.0  # what an engine may take to end a container whose first process has ended
NAMES = count()


class ContainerBox(Box):
    """A new container for every call, started from nothing whether there is a template or not."""

    name = "container"

    def __init__(self, template: Template | None = None, *, start_s: float = START_S) -> None:
        self.template = template
        self.start_s = start_s

    def start(self, work: Path, files: Mapping[str, bytes], budget: Budget) -> Running:
        """Start a container and send it a copy of the work.

        Raises:
            BoxError: no engine, no image, or the engine refused or did not answer; says what mends it.
        """
        refuse_clash(work, files)
        home = Path(tempfile.mkdtemp(prefix=f"box-{os.getpid()}-"))
        try:
            (home / "over").mkdir()
            lay_over(home / "over", files)
            parts = [*_parts((work, home / "over"))]
            child = Contained(parts, home, budget)
        except EngineProblem as problem:
            rmtree(home, ignore_errors=True)
            raise BoxError(f"No container was started. {problem}") from problem
        except OSError as error:
            rmtree(home, ignore_errors=True)
            raise BoxError(f"The box could not be made in {home.parent}: {error}.") from error
        child.send(parts, self.start_s)
        return child


@cache
def why_not() -> str:
    """Why no container can be a box here, and what mends it; empty when one can. Tries one, once."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        budget = Budget(Limits(wall_s=60))
        try:
            sweep()
            with Session(ContainerBox().start(Path(folder), {}, budget), budget) as session:
                done = session.run(["true"])
                return "" if done.code == 0 else f"`true` ended with {done.code}: {done.stderr}"
        except CourseError as error:
            return str(error)


@cache
def chosen_engine() -> Engine:
    """The engine that is used.

    Raises:
        EngineProblem: there is none that can be.
    """
    return engines.find(os.environ.get("LAB_ENGINE", ""))


@cache
def chosen_image() -> str:
    """The image's name; the course's command builds it when it is not there. Judges started later know it.

    Raises:
        BoxError: nothing names one, or the command failed.
    """
    if IMAGE not in os.environ:
        os.environ[IMAGE] = image_of(ENGINE.parent)
    return os.environ[IMAGE]


def image_of(folder: Path) -> str:
    """What the course's command prints last; it may build for minutes, so what it says of that is shown.

    Raises:
        BoxError: there is no such command, or it failed.
    """
    settings = folder / "pyproject.toml"
    named = tomllib.loads(settings.read_text()) if settings.is_file() else {}
    command: list[str] = named.get("tool", {}).get("grader", {}).get("image", [])
    if not command:
        raise BoxError(
            f"Nothing names an image for containers. Put `image`, a command that prints its name, into "
            f"[tool.grader] of {settings}, or set {IMAGE}."
        )
    done = subprocess.run(
        command, cwd=folder, env=course_environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode or not done.stdout.strip():
        raise BoxError(
            f"`{' '.join(command)}` gave no image (exit code {done.returncode}). It said why above."
        )
    return done.stdout.strip().rpartition("\n")[2]


def sweep() -> int:
    """Remove the containers of graders that were killed; how many.

    Raises:
        EngineProblem: the engine does not answer.
    """
    engine = chosen_engine()
    names = engine.ask("ps", "--all", f"--filter=name={PREFIX}", "--format={{.Names}}").split()
    dead = [name for name in names if not Path("/proc", name.removeprefix(PREFIX).partition("-")[0]).exists()]
    if dead:
        engine.ask("rm", "--force", "--volumes", *dead)
    return len(dead)


Part = tuple[dict[str, Any], Path]


class Contained(Child):
    """A container, seen through the engine's program that is attached to it."""

    def __init__(self, parts: Sequence[Part], home: Path, budget: Budget) -> None:
        self.engine, self.image = chosen_engine(), chosen_image()
        self.budget = budget
        self.word = secrets.token_hex(16)  # what the keeper's report begins with: nobody else inside knows it
        self.client = _Client(f"{PREFIX}{os.getpid()}-{next(NAMES)}", home)
        words = [self.engine.program, "run", f"--name={self.client.name}", f"--cidfile={home / 'id'}"]
        words += run_words(self.engine, budget.limits, parts)
        self.client.words = [*words, self.image, "-I", "-c", Path(keeper.__file__).read_text()]
        super().__init__(self.client.start, home, budget)

    def send(self, parts: Sequence[Part], wait_s: float) -> None:
        """Wait for the keeper and tell it all.

        Raises:
            BoxError: the engine refused, or nothing was heard of it in time.
        """
        self.channel.settimeout(wait_s)
        try:
            if self.channel.recv(1) != keeper.UP:
                raise ConnectionError
            self.group = Counted(find_group((self.home / "id").read_text().strip()).paths)
            head = json.dumps(self._spec([facts for facts, _ in parts])).encode()
            self.channel.sendall(struct.pack("!I", len(head)) + head)
            for facts, path in parts:
                if facts["size"] > 0:
                    self.channel.sendall(path.read_bytes()[: facts["size"]])
        except TimeoutError as error:
            self.end()
            silent = engines.silent(self.engine.program, ("run",), wait_s)
            raise BoxError(f"No container was started. {silent}") from error
        except OSError as error:
            said = self.end().last_words
            problem = engines.explain(self.engine.program, ("run",), said, image=self.image)
            raise BoxError(f"No container was started. {problem}") from error

    def _spec(self, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "word": self.word,
            "files": files,
            "limits": resource_limits(self.budget),
            "seccomp": seccomp.program(MACHINES[self.engine.architecture]).hex(),
            "environment": box_environment(SCRATCH, SCRATCH),
        }

    def end(self) -> Ending:
        """Close the line, which ends the container; see that it has gone, and how."""
        if self.ending is None:
            self.cpu_s()  # the count goes with the container
            self._hang_up()
            ending = super().end()
            if self.client.was_killed or not self.group.has_gone():
                with suppress(EngineProblem):
                    self.engine.try_("rm", "--force", "--volumes", self.client.name, timeout_s=GOING_S)
            self.ending = self._told(ending)
        return self.ending

    def _hang_up(self) -> None:
        """Send no more, and read on until the engine's program has ended: a line that breaks, it waits on."""
        stop = time.monotonic() + GOING_S
        with suppress(OSError):
            self.channel.shutdown(socket.SHUT_WR)
            self.channel.settimeout(GOING_S)
            while time.monotonic() < stop and self.channel.recv(1 << 16):
                pass

    def _told(self, ending: Ending) -> Ending:
        """The ending as the keeper reported it; without a report, something else ended the container."""
        said, found, report = ending.last_words.rpartition(self.word)
        if not found:
            return replace(ending, killed=not self.flooded)
        code, memory, processes = (int(number) for number in report.split())
        pressed = Verdict.MEMORY if memory else Verdict.PROCESSES if processes else ending.pressed
        killed = code == -signal.SIGKILL and not self.flooded
        return replace(ending, code=code, killed=killed, pressed=pressed, last_words=said)


class Counted(Group):
    """The group that an engine made: only read; it goes with the container, and what was seen last stays."""

    used_s: float | None = None

    def cpu_s(self) -> float | None:
        """CPU seconds, as they were last seen; None when nobody counts."""
        if (found := super().cpu_s()) is not None:
            self.used_s = max(self.used_s or 0.0, found)
        return self.used_s

    def end(self) -> None:
        """Wait a moment for the engine to take it away."""
        stop = time.monotonic() + GOING_S
        while not self.has_gone() and time.monotonic() < stop:
            time.sleep(0.01)


class _Client:
    """The engine's program, attached to one container."""

    pid: int | None = None  # what it uses is not the learner's
    words: Sequence[str] = ()

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.home = home
        self.was_killed = False

    def start(self, channel: int, out: int) -> "_Client":
        """Start it with the line as its standard input and output."""
        self._process = subprocess.Popen(
            self.words, cwd=self.home, stdin=channel, stdout=channel, stderr=out, start_new_session=True
        )
        return self

    def wait(self, timeout_s: float) -> tuple[int, float]:
        """Its exit code.

        Raises:
            TimeoutError: it still runs.
        """
        try:
            return self._process.wait(timeout_s), 0.0
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error

    def kill(self) -> None:
        """Kill it: the keeper notices, and ends the container."""
        if self._process.poll() is None:
            self.was_killed = True
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def run_words(engine: Engine, limits: Limits, parts: Sequence[Part]) -> list[str]:
    """What the engine is told of a box: all that it takes away, and the caps on the rest."""
    uid = LEARNER if engine.rootless else FIRST_UID + secrets.randbelow(UIDS)
    memory_mb = limits.memory_mb + limits.disk_mb
    work = limits.disk_mb * 1024**2 + sum(facts["size"] for facts, _ in parts)
    return [
        "--rm",
        "--interactive",
        "--pull=never",
        "--log-driver=none",
        "--network=none",
        "--hostname=box",
        f"--user={uid}:{uid}",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        f"--memory={memory_mb}m",
        f"--memory-swap={memory_mb}m",
        f"--pids-limit={PROCESSES}",
        *(f"--ulimit={name}={LIMIT}:{LIMIT}" for name in ("nofile", "nproc")),
        f"--shm-size={limits.disk_mb}m",
        _tmpfs(keeper.WORK, work, len(parts), f"mode=700,uid={uid},gid={uid}"),
        _tmpfs(SCRATCH, limits.disk_mb * 1024**2, 0, "mode=1777"),
        *(["--read-only-tmpfs=false", "--no-hosts", "--http-proxy=false"] if engine.is_podman else []),
        "--entrypoint=python",
    ]


def _tmpfs(place: Path, size: int, files: int, whose: str) -> str:
    """A file system in memory, as a volume: only so do engines take a cap on the number of files."""
    options = f"size={size},nr_inodes={INODES + files},{whose},nosuid,nodev"
    kind = "volume-opt=type=tmpfs,volume-opt=device=tmpfs"
    return f'--mount=type=volume,dst={place},{kind},"volume-opt=o={options}"'


def _parts(sources: Sequence[Path]) -> Iterator[Part]:
    """What is sent, folders before what is in them, and where it is here: our own files, then the work."""
    yield {**_facts(ENGINE, keeper.AGENT), "mode": 0o700}, ENGINE
    for name in INSIDE:
        yield _facts(ENGINE / name, keeper.AGENT / Path(name).name), ENGINE / name
    for source in sources:
        for folder, below, names in os.walk(source):
            place = Path(folder)
            linked = [name for name in below if (place / name).is_symlink()]
            for path in (place, *(place / name for name in (*names, *linked))):
                yield _facts(path, keeper.WORK / path.relative_to(source)), path


def _facts(path: Path, target: Path) -> dict[str, Any]:
    """A folder, a link or a file as the keeper is told of it."""
    status = path.lstat()
    link = str(path.readlink()) if path.is_symlink() else ""
    size = status.st_size if path.is_file() and not link else -1
    mode = 0o700 if target == keeper.WORK else status.st_mode & 0o777
    return {"path": str(target), "link": link, "size": size, "mode": mode, "time": status.st_mtime_ns}
