"""The one program of ours inside a box: runs learner code and answers over an inherited socket.

Standard library only; with `wire.py` and what starts it in `boxes/` it is all that a box gets of the engine.
It is not trusted: learner code shares its process, so whatever it says is one more answer of the learner's,
read under caps.

    python -P -s agent.py FD WORK                              a cold box
    python -P -s agent.py --template KIND LINE HELLO MODULE…   waits; each box it is asked for is a fork of it
"""

import atexit
import contextlib
import errno
import http.client
import importlib
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Protocol


def _load(name: str) -> ModuleType:
    """A file of ours as a module: in a box all are in one folder."""
    here = Path(__file__).with_name(f"{name}.py")
    path = here if here.is_file() else here.parent / "boxes" / here.name
    loader = SourceFileLoader(f"_box_{name}", str(path))
    module = ModuleType(loader.name)
    module.__file__ = loader.path
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


wire, programs, rush = _load("wire"), _load("programs"), _load("rush")
CELL = re.compile(r"<ipython-input-(\d+)-")
SHELL = "IPython.core.interactiveshell"
ANSWERED = 77  # the exit code of a copy that has sent its answer


class MissingName(NameError):
    """A name that a notebook has given no value when it has run."""


class Agent:
    """Answers requests, one at a time, until the channel closes."""

    def __init__(self, channel: socket.socket, work: Path, ready: frozenset[str] | None = None) -> None:
        self.channel = channel
        self.work = work
        self.ready = ready  # what a warm box has imported; None in a cold one, and once learner code ran here
        self.service: Process | None = None
        self.port = 0
        self.shell: Any = None  # IPython's, when a notebook is run
        self.acts: dict[str, Callable[..., Any]] = {
            "call": self.call,
            "run": self.run,
            "read": self.read,
            "serve": self.serve,
            "http": self.http,
            "load": self.load,
            "shell": self.start_shell,
            "cell": self.cell,
            "value": self.value,
            "ask": self.ask,
        }
        self.apart = {"value", "ask"} if sys.platform == "linux" else set()

    def loop(self) -> None:
        """Say that the box is ready, then answer."""
        wire.send(self.channel, {"id": 0, "value": "ready"})
        while (request := wire.receive(self.channel)) is not None:
            if request["act"] in self.apart:
                _in_a_copy(partial(self.answer, request))
            else:
                self.answer(request)

    def answer(self, request: dict[str, Any]) -> None:
        """Do what is asked and send what came of it."""
        try:
            reply = {"value": self.acts[request["act"]](**request["with"])}
            message = wire.encode({"id": request["id"], **reply})
        except programs.Become:
            raise
        except BaseException as error:  # whatever learner code raised is its answer
            message = wire.encode({"id": request["id"], "error": self.describe(error)})
        self.channel.sendall(message)

    def call(self, target: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """The value of `module.function(*args, **kwargs)`."""
        self.ready = None
        module, _, name = target.rpartition(".")
        return getattr(importlib.import_module(module), name)(*args, **kwargs)

    def run(self, argv: list[str], stdin: bytes, output_kb: int) -> dict[str, Any]:
        """Run a program to its end: exit code, and the output as far as the cap."""
        try:
            process = self._start(argv)
        except OSError as error:
            return {"code": 127, "stdout": b"", "stderr": str(error).encode(), "flood": False}
        threading.Thread(target=_feed, args=(process, stdin), daemon=True).start()
        texts = _drain(process, output_kb * 1024)
        flood = sum(len(text) for text in texts) > output_kb * 1024
        if flood:
            process.kill()
        code = process.wait()
        return {"code": code, "stdout": bytes(texts[0]), "stderr": bytes(texts[1]), "flood": flood}

    def _start(self, argv: list[str]) -> "Process":
        if forked := self._forked(argv):
            return forked
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, cwd=self.work, stdin=pipe, stdout=pipe, stderr=pipe)

    def _forked(self, argv: list[str], *, is_service: bool = False) -> "Process | None":
        """The program as a fork of this process, which has its imports done; None where it cannot be one."""
        if self.ready is None or threading.active_count() > 1 or not programs.is_plain(argv, self.ready):
            return None
        forked: Process = programs.Program(argv, self.channel.close, is_service=is_service)
        return forked

    def read(self, path: str, size: int) -> bytes | None:
        """The first `size` bytes of a file below the work; None when it is not there."""
        target = self.work / path
        if not target.is_file():
            return None
        with target.open("rb") as file:
            return file.read(size)

    def serve(self, argv: list[str], wait_s: float) -> int:
        """Start a service, `{port}` in its words filled in, and wait until it accepts connections."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        words = [self._filled(word) for word in argv]
        self.service = self._forked(words, is_service=True) or subprocess.Popen(
            words, cwd=self.work, stdin=subprocess.DEVNULL
        )
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            if self.service.poll() is not None:
                raise RuntimeError(f"the service ended with exit code {self.service.returncode}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return self.port
            time.sleep(0.05)
        raise TimeoutError(f"the service did not listen on port {self.port} within {wait_s:g} s")

    def _filled(self, word: str) -> str:
        return word.replace("{port}", str(self.port))

    def http(
        self, method: str, path: str, body: bytes, headers: dict[str, str], wait_s: float
    ) -> dict[str, Any]:
        """One request to the service on its own loopback."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=wait_s)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            kept = {name.lower(): value for name, value in answer.getheaders()}
            return {"status": answer.status, "headers": kept, "body": answer.read(8 * 1024**2)}
        finally:
            connection.close()

    def load(
        self,
        path: str,
        bodies: list[bytes],
        workers: int,
        meanwhile: list[list[str]],
        wait_s: float,
        rest_s: float,
        output_kb: int,
    ) -> dict[str, Any]:
        """POST all bodies, by many at once, again and again until the commands have ended one by one."""

        def act() -> list[dict[str, Any]]:
            return [self.run([self._filled(word) for word in argv], b"", output_kb) for argv in meanwhile]

        replies, done = rush.drive(
            self.port, path, bodies, workers, wait_s, rest_s, act if meanwhile else None
        )
        return {"replies": replies, "done": done or []}

    def start_shell(self, folder: str) -> None:
        """Get IPython ready for a notebook in `folder`, without the learner's modules in sight."""
        self.ready = None
        sys.path[:] = [place for place in sys.path if place != str(self.work)]
        self.shell = _new_shell()
        self.shell.system = self.shell.system_raw
        for name in ("showtraceback", "showsyntaxerror", "enable_gui", "ask_exit"):
            setattr(self.shell, name, lambda *_, **__: None)  # there is nobody to show it to
        self.shell.display_formatter.active_types = ["text/plain"]
        os.environ |= {"MPLBACKEND": "Agg", "PIP_RETRIES": "0"}  # there is no screen, and no network
        os.chdir(self.work / folder)
        sys.path.insert(0, str(self.work / folder))

    def cell(self, number: int, source: str) -> dict[str, Any]:
        """Run a cell of the notebook; what it raised, or nothing."""
        self.shell.execution_count = number
        done = self.shell.run_cell(source)
        sys.stdout.flush()
        error = done.error_before_exec or done.error_in_exec
        return {} if error is None else self.describe(error)

    def value(self, name: str) -> Any:
        """What a name of the notebook stands for, `model.coef_` included."""
        first, *rest = name.split(".")
        found = self.shell.user_ns.get(first, ...)
        if found is ...:  # nor is a value that is still to be written one
            raise MissingName(first)
        for part in rest:
            found = getattr(found, part)
        return found

    def ask(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """The value of a function that the notebook defined."""
        return self.value(name)(*args, **kwargs)

    def describe(self, error: BaseException) -> dict[str, Any]:
        """An exception as texts: its type, its message, and the learner's line that raised it."""
        frames = traceback.extract_tb(error.__traceback__)
        places = [(frame.filename, frame.lineno) for frame in frames]
        if isinstance(error, SyntaxError) and isinstance(error.filename, str):
            places.append((error.filename, error.lineno))
        where = next(filter(None, (self._own(*place) for place in reversed(places))), "")
        kind = ""
        if isinstance(error, MemoryError):
            kind = "MEMORY"
        elif isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT):
            kind = "DISK"
        try:
            message = str(error.msg if isinstance(error, SyntaxError) else error)[:2000]
        except BaseException:  # a learner's __str__
            message = ""
        return {"type": type(error).__name__[:200], "message": message, "where": where, "kind": kind}

    def _own(self, file: str, line: int | None) -> str:
        """A place in the learner's files or cells as `eta.py:7` or `cell 3:7`; empty for any other."""
        if match := CELL.match(file):
            return f"cell {match[1]}:{line}"
        if Path(file).is_relative_to(self.work):
            return f"{Path(file).relative_to(self.work)}:{line}"
        return ""


def _new_shell() -> Any:
    """IPython's shell, which keeps no history: that would be a thread and a file."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    InteractiveShell.clear_instance()
    return InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))


def _rehearse() -> None:
    """Run a cell in a shell that nobody keeps: the next one is made in a quarter of the time."""
    if SHELL not in sys.modules:
        return
    main, places = sys.modules["__main__"], sys.path.copy()
    try:
        shell = _new_shell()
        shell.run_cell("None")
        atexit.unregister(shell.atexit_operations)
    finally:
        sys.modules["__main__"], sys.path[:] = main, places


def _in_a_copy(act: Callable[[], None]) -> None:
    """Act in a fork of this process, so that the next one finds everything as it was.

    If it ends without having answered, this process ends in the same way: its end is the answer.
    """
    child = os.fork()
    if child == 0:
        try:
            act()
            sys.stdout.flush()
        finally:
            os._exit(ANSWERED)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL has no other handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    elif code != ANSWERED:
        os._exit(code)


def _feed(process: "Process", text: bytes) -> None:
    """Write a program's input, however slowly it reads."""
    with contextlib.suppress(OSError, ValueError):
        if process.stdin is not None:
            process.stdin.write(text)
            process.stdin.close()


def _drain(process: "Process", cap: int) -> tuple[bytearray, bytearray]:
    """What a program prints until it ends, or until it has printed more than the cap.

    A child that outlives it and holds the pipes open is not waited for.
    """
    texts, ended = (bytearray(), bytearray()), False
    with selectors.DefaultSelector() as selector:
        for pipe, text in zip((process.stdout, process.stderr), texts, strict=True):
            selector.register(pipe, selectors.EVENT_READ, text)  # type: ignore[arg-type]  # both are pipes
        while selector.get_map() and len(texts[0]) + len(texts[1]) <= cap:
            events = selector.select(0 if ended else 0.02)
            if not events and ended:
                break
            ended = ended or (not events and process.poll() is not None)  # then look once more
            for key, _ in events:
                if part := os.read(key.fd, 1 << 16):
                    key.data.extend(part)
                else:
                    selector.unregister(key.fileobj)
    return texts


class Process(Protocol):
    """What `run` needs of a program that it started."""

    @property
    def stdin(self) -> IO[bytes] | None: ...  # noqa: D102
    @property
    def stdout(self) -> IO[bytes] | None: ...  # noqa: D102
    @property
    def stderr(self) -> IO[bytes] | None: ...  # noqa: D102
    @property
    def returncode(self) -> int | None: ...  # noqa: D102
    def poll(self) -> int | None: ...  # noqa: D102
    def wait(self) -> int: ...  # noqa: D102
    def kill(self) -> None: ...  # noqa: D102


def _wait(kind: str, line: str, hello: str, *modules: str) -> tuple[int, Path, frozenset[str]]:
    """Be a template; returns in a fork that has become a box: its channel, its work, what is imported."""
    known = {name.partition(".")[0] for name in sys.modules}
    template = _load("template")
    lines = socket.socket(fileno=int(line))
    if kind == "sealed":
        seal = _load("seal")
        fds = template.serve(lines, int(hello), modules, known=known, rehearse=_rehearse, fork=seal.forker())
        channel, work = seal.seal(fds), Path.cwd()
    else:
        channel, work = template.settle(
            template.serve(lines, int(hello), modules, known=known, rehearse=_rehearse)
        )
    return channel, work, frozenset(template.top_level())


def main() -> None:
    """Take the channel and the work from the command line and answer until it closes."""
    ready = None
    if sys.argv[1] == "--template":
        number, work, ready = _wait(*sys.argv[2:])
    else:
        number, work = int(sys.argv[1]), Path(sys.argv[2])
    channel = socket.socket(fileno=number)
    os.set_inheritable(channel.fileno(), False)
    os.chdir(work)
    sys.path.insert(0, str(work))
    sys.argv = ["python"]
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        Agent(channel, work, ready).loop()
    except programs.Become as program:
        argv = program.argv
    else:
        with contextlib.suppress(BaseException):  # learner code may have put anything there
            sys.stdout.flush()
        os._exit(0)  # to take all imports apart again would cost more than most calls
    programs.become(argv)


if __name__ == "__main__":
    main()
