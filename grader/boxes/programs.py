"""A Python program of the learner's, run in a fork of the agent instead of in a new interpreter.

It is what `python file.py`, `python -c code` and `python -m module` would be, with the imports of the
template already done. The fork leaves the agent's stack by an exception and goes on as `__main__`, so that it
ends as any program does. Standard library only.
"""

import io
import os
import runpy
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import SourceFileLoader, all_suffixes
from pathlib import Path
from shutil import which
from types import ModuleType
from typing import IO

ISOLATED = "-I"
IMPORTED = {"", *all_suffixes()}  # how the name of what can be imported ends: a folder's, a module's


class Become(BaseException):
    """Raised in the fork: the agent's loop lets it pass, and `main` runs the program."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__(*argv)
        self.argv = list(argv)


class Program:
    """A forked program, seen as `subprocess.Popen` would show it."""

    def __init__(self, argv: Sequence[str], close: Callable[[], None], *, is_service: bool = False) -> None:
        """Fork; in the child, where `close` takes away what is the agent's, this raises `Become`.

        A service has nothing to read, and prints where the agent does.
        """
        pipes = [os.pipe() for _ in range(0 if is_service else 3)]
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self.pid = os.fork()
        ends = [(read, write) if number == 0 else (write, read) for number, (read, write) in enumerate(pipes)]
        if self.pid == 0:
            for number, (mine, theirs) in enumerate(ends):
                os.close(theirs)
                os.dup2(mine, number)
                os.close(mine)
            if is_service:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            close()
            raise Become(argv)
        for mine, _ in ends:
            os.close(mine)
        opened: list[IO[bytes]] = [
            os.fdopen(theirs, mode, buffering=0)
            for (_, theirs), mode in zip(ends, ("wb", "rb", "rb"), strict=False)
        ]
        streams: Sequence[IO[bytes] | None] = opened or (None, None, None)
        self.stdin, self.stdout, self.stderr = streams
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._wait(os.WNOHANG)

    def wait(self) -> int:
        """The exit code, waited for."""
        code = self._wait(0)
        return 0 if code is None else code

    def kill(self) -> None:
        """Kill it."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _wait(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def is_plain(argv: Sequence[str], names: frozenset[str]) -> bool:
    """Whether `argv` is a program that a fork can be: this Python with a file, `-c` or `-m`, no options.

    A file beside it that has the name of a module imported already (`names`) would be imported instead of
    that in a new interpreter: such a program gets one.
    """
    if not argv or argv[0] not in ("python", "python3") or not _is_this(argv[0]):
        return False
    words = list(argv[1:])
    if isolated := words[:1] == [ISOLATED]:
        del words[0]
    if words[:1] == ["-c"]:
        return len(words) > 1 and (isolated or not shadows(Path.cwd(), names))
    if words[:1] == ["-m"]:
        is_new = len(words) > 1 and words[1] not in sys.modules
        return is_new and not isolated and not shadows(Path.cwd(), names)
    if not words or not words[0].endswith(".py") or not Path(words[0]).is_file():
        return False
    return isolated or not shadows(Path(words[0]).parent, names)


def shadows(folder: Path, names: frozenset[str]) -> bool:
    """Whether something in `folder` would be imported under one of `names`: `mlflow.py`, not `mlflow.db`."""
    with suppress(OSError):
        parts = (entry.name.partition(".") for entry in os.scandir(folder))
        return any(stem in names and f"{dot}{end}" in IMPORTED for stem, dot, end in parts)
    return True


def become(argv: Sequence[str]) -> None:
    """Run the program as `__main__`; the interpreter then ends as after any program."""
    words = list(argv[1:])
    if words[0] == "-m":
        _become_module(argv)
        return
    isolated = words[0] == ISOLATED
    place = os.path.realpath(os.path.dirname(words[0])) if words[0].endswith(".py") else ""  # noqa: PTH120
    if isolated:
        del words[0]
    module = _main_module(argv)
    if words[0] == "-c":
        sys.argv[:] = ["-c", *words[2:]]
        source, name = words[1].encode(), "<string>"
    else:
        sys.argv[:] = words
        name = os.path.abspath(words[0])  # noqa: PTH100  # as the interpreter has it
        vars(module).update(__file__=name, __cached__=None, __loader__=SourceFileLoader("__main__", name))
        with io.open_code(name) as file:
            source = file.read()
    sys.path[:1] = [] if isolated else [place]
    try:
        exec(compile(source, name, "exec", dont_inherit=True), vars(module))  # noqa: S102  # it is the program
    except SystemExit:
        raise
    except BaseException as error:
        _say(error)
        raise SystemExit(1) from None


def _become_module(argv: Sequence[str]) -> None:
    """Run `python -m module`: by what the interpreter itself calls for it."""
    _main_module(argv)
    sys.argv[:] = ["-m", *argv[3:]]
    sys.path[:1] = [os.getcwd()]  # noqa: PTH109  # a text, as the interpreter has it
    run_as_main = vars(runpy)["_run_module_as_main"]
    try:
        run_as_main(argv[2])
    except SystemExit:
        raise
    except BaseException as error:
        _say(error)
        raise SystemExit(1) from None


def _main_module(argv: Sequence[str]) -> ModuleType:
    """An empty `__main__`, in an interpreter that was started by `argv`."""
    sys.orig_argv[:] = argv
    sys.executable = which(argv[0]) or sys.executable
    module = ModuleType("__main__")
    vars(module)["__annotations__"] = {}
    sys.modules["__main__"] = module
    return module


def _say(error: BaseException) -> None:
    """Print what ended the program, without the frame that is ours."""
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _is_this(program: str) -> bool:
    found = which(program)
    if found is None:
        return False
    with suppress(OSError):
        return Path(found).parent == Path(sys.executable).parent and Path(found).samefile(sys.executable)
    return False
