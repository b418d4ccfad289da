"""Does by the letter what a page tells its reader to type, and compares what comes back.

Every ```` ```console ```` block of a Markdown file runs in one bash, top to bottom, so a `cd` or an
`export` holds until the page ends. `$ ` starts a command, `> ` continues it, what follows is its output:

- `...` alone on a line stands for any number of lines, inside a line for any text;
- a command shown without output, or with `...` only, must succeed;
- a command shown with output must print it; then it may fail, as the page shows the failure.

A block of the language `output` is the output of the command before it: a page can ask for a prediction,
show the command, and fold what comes back.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_FENCE = re.compile(r"^(?P<indent>\s*)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, the line its text starts on, and the text without indent."""

    language: str
    line: int
    text: str


@dataclass
class Step:
    """One command of a page, the line it stands on, and the output shown for it."""

    line: int
    command: str
    shown: list[str] = field(default_factory=list)

    @property
    def is_compared(self) -> bool:
        """Whether the page shows some real output, not only `...`."""
        return any(line.strip() not in ("", "...") for line in self.shown)


def replay(page: Path, *, cwd: Path, env: dict[str, str], timeout_s: float = 300) -> int:
    """Run every console block of `page` in one bash that starts in `cwd`; return how many commands ran.

    Raises:
        AssertionError: a command printed something else than the page shows, failed where the page
            shows no failure, ended the shell, or took longer than `timeout_s`.
    """
    steps = read_steps(page)
    if not steps:
        return 0
    with _Shell(cwd, env, timeout_s) as shell:
        for step in steps:
            got, code = shell.run(step.command)
            _compare(page, step, got, code)
    return len(steps)


def read_blocks(page: Path) -> list[Block]:
    """Every fenced block of `page`, also those indented into a list, a tab or a note."""
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    start, body = 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None:
            if fence:
                opened, start, body = fence, number + 1, []
        elif fence and fence["ticks"].startswith(opened["ticks"]) and not fence["info"].strip():
            words = re.findall(r"[\w-]+", opened["info"])
            blocks.append(Block(words[0] if words else "", start, "\n".join(body)))
            opened = None
        else:
            body.append(line.removeprefix(opened["indent"]))
    if opened is not None:
        raise AssertionError(f"{page}:{start - 1}: this block is never closed.")
    return blocks


def read_steps(page: Path) -> list[Step]:
    """The commands of every console block of `page`, in reading order, with their output."""
    steps: list[Step] = []
    for block in read_blocks(page):
        if block.language == "console":
            steps += _steps(page, block)
        elif block.language == "output":
            if not steps or steps[-1].shown:
                raise AssertionError(f"{page}:{block.line}: no command without output stands before this.")
            steps[-1].shown += block.text.splitlines()
    return steps


def _steps(page: Path, block: Block) -> Iterator[Step]:
    step: Step | None = None
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            if step:
                yield step
            step = Step(number, line[2:])
        elif step is None:
            raise AssertionError(
                f"{page}:{number}: a console block starts with a command: put `$ ` before it."
            )
        elif (line == ">" or line.startswith("> ")) and not step.shown:
            step.command += "\n" + line[2:]
        else:
            step.shown.append(line)
    if step is None:
        raise AssertionError(f"{page}:{block.line}: this console block has no command.")
    yield step


def _compare(page: Path, step: Step, got: str, code: int) -> None:
    where = f"{page}:{step.line}\n$ {step.command}\n"
    if step.is_compared and not _matches(step.shown, got):
        shown = "\n".join(step.shown)
        raise AssertionError(f"{where}expected:\n{shown}\ngot (exit {code}):\n{got}")
    if not step.is_compared and code != 0:
        raise AssertionError(f"{where}expected: success\ngot (exit {code}):\n{got}")


def _matches(shown: list[str], got: str) -> bool:
    """Whether `got` is what `shown` says; spaces at line ends and blank lines at the end do not count."""
    pattern = ""
    for line in _trimmed("\n".join(shown)):
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.split("...")) + r"\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in _trimmed(got))) is not None


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


class _Shell:
    """One bash in a session of its own; commands go in by a pipe and read nothing from it."""

    def __init__(self, cwd: Path, env: dict[str, str], timeout_s: float) -> None:
        self._mark = f"replay-{uuid.uuid4().hex}"
        self._timeout_s = timeout_s
        self._cwd, self._env = cwd, env

    def __enter__(self) -> _Shell:
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self._cwd,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._bash.wait()
        for stream in (self._bash.stdin, self._bash.stdout):
            if stream:
                stream.close()

    def run(self, command: str) -> tuple[str, int]:
        """What `command` printed, and its exit code."""
        timer = threading.Timer(self._timeout_s, self._kill)
        timer.start()
        try:
            _write(
                self._bash.stdin,
                f"eval {shlex.quote(command)} </dev/null\nprintf '\\n%s %s\\n' {self._mark} $?\n",
            )
            return self._read(command)
        finally:
            timer.cancel()

    def _read(self, command: str) -> tuple[str, int]:
        got = ""
        for line in self._bash.stdout or ():
            text = line.decode("utf-8", "replace")
            if text.startswith(self._mark):
                return got.removesuffix("\n"), int(text.split()[1])
            got += text
        raise AssertionError(
            f"$ {command}\nended the shell, or took over {self._timeout_s} s. It printed:\n{got}"
        )

    def _kill(self) -> None:
        if self._bash.poll() is None:
            os.killpg(self._bash.pid, signal.SIGKILL)


def _write(pipe: IO[bytes] | None, text: str) -> None:
    if pipe is None:
        raise AssertionError("bash was started without a pipe to write to")
    pipe.write(text.encode())
    pipe.flush()
