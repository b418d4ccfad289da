"""What every box offers: a session with the agent inside it, under a budget."""

import itertools
import json
import select
import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from grader import wire
from grader.boxes.given import Finished, Load, Reply, Sent, Stopped
from grader.errors import BoxError
from grader.manifest import Limits
from grader.results import Verdict

__all__ = [
    "LATE",
    "Box",
    "Budget",
    "Ending",
    "Finished",
    "Load",
    "Reply",
    "Running",
    "Sent",
    "Session",
    "Stopped",
    "lay_over",
    "refuse_clash",
]

START_S = 30.0
READ_CAP = 32 * 1024**2
LONGEST = 2000
LATE = "No answer within"  # how a TIMEOUT by the clock begins; one by CPU time is the work's own
LOOK_S = 0.1  # how often the CPU time of a busy box is looked at
REPLY_S = 20.0  # for one request of a load
SAY_S = 10.0  # an answer that has begun comes whole in this time
PRESSED = {
    Verdict.MEMORY: "Over {0.memory_mb} MiB of memory, shared memory and files in /tmp included.",
    Verdict.PROCESSES: "Too many processes or threads at once.",
}


@dataclass
class Budget:
    """What is left of one submission's limits. Start-up of a box is not the learner's time."""

    limits: Limits
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def wall_left(self) -> float:
        """Seconds on the clock that are left; at least a tenth so that a time-out is seen as one."""
        return max(self.limits.wall_s - self.wall_s, 0.1)

    def cpu_left(self) -> float:
        """Seconds of CPU time that are left."""
        return max(self.limits.cpu_s - self.cpu_s, 0.0)

    def is_spent(self) -> bool:
        """Whether more CPU time was used than there was."""
        return self.cpu_s > self.limits.cpu_s


@dataclass(frozen=True)
class Ending:
    """How a box ended: the agent's exit code (negative for a signal), CPU seconds, whether a SIGKILL came
    that we did not send, the limit it ran into,
    the most memory it held (MiB, None where nobody counts) and the end of what the agent printed.
    """

    code: int
    cpu_s: float
    killed: bool = False
    pressed: Verdict | None = None
    peak_mb: float | None = None
    last_words: str = ""


class Running(ABC):
    """A started box: the agent's end of the line and the means to end it."""

    channel: socket.socket
    flooded: bool = False

    def cpu_s(self) -> float | None:
        """CPU seconds of everything in the box so far; None where nobody counts."""
        return None

    def pressed(self) -> Verdict | None:
        """The limit that the box ran into, where somebody counts."""
        return None

    @abstractmethod
    def end(self) -> Ending:
        """Kill what still runs in the box, take away its files, and say how it ended. Idempotent."""


class Box(ABC):
    """A way to run learner code."""

    name: str

    @abstractmethod
    def start(self, work: Path, files: Mapping[str, bytes], budget: Budget) -> Running:
        """Start an agent on a new copy of `work` with `files` laid over it.

        Raises:
            BoxError: the box itself could not be made.
        """


def refuse_clash(work: Path, files: Mapping[str, bytes]) -> None:
    """Stop when a file of the check's cannot be put into the work: a folder, or a file on the way, is there.

    Raises:
        Stopped: names the file (FAIL).
    """
    for name in files:
        target = work / name
        on_the_way = [path for path in target.parents if path != work and work in path.parents]
        if target.is_dir() or any(path.is_file() for path in on_the_way):
            found = f"{name} cannot be put into your work: something else of that name is there."
            raise Stopped(Verdict.FAIL, found)


def lay_over(work: Path, files: Mapping[str, bytes]) -> None:
    """Write files, by their path below `work`, over what is there.

    Raises:
        BoxError: a path that leads out of it.
    """
    for name, content in files.items():
        target = work / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise BoxError(f"{name!r} leads out of the work. Name a path below it.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


class Session:
    """One process in a box that keeps its state from call to call."""

    def __init__(self, running: Running, budget: Budget) -> None:
        self._running = running
        self._budget = budget
        self._ids = itertools.count(1)
        self._ending: Ending | None = None
        self._charged_s = 0.0
        try:
            ready = wire.receive(running.channel, wait_s=START_S)
        except (OSError, wire.WireError) as error:
            self.close()
            late = f"nothing was heard of it in {START_S:g} s" if isinstance(error, TimeoutError) else error
            raise BoxError(f"The box did not start: {late}. `grader doctor` tries each wall.") from error
        if ready != {"id": 0, "value": "ready"}:
            ending = self.close()
            raise BoxError(f"The box did not start (exit code {ending.code}): {ending.last_words.strip()}")
        self._charged_s = running.cpu_s() or 0.0  # the start is not the learner's

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> Ending:
        """End the box; what it used is taken from the budget."""
        if self._ending is None:
            self._ending = self._running.end()
            self._charge(self._ending.cpu_s)
        return self._ending

    def _charge(self, cpu_s: float | None) -> None:
        """Take from the budget what the box has used since it was last charged."""
        self._budget.cpu_s += max((cpu_s or 0.0) - self._charged_s, 0.0)
        self._charged_s = max(cpu_s or 0.0, self._charged_s)

    def call(self, target: str, *args: Any, **kwargs: Any) -> Any:
        """The value of the learner's `module.function(*args, **kwargs)`.

        Raises:
            Stopped: it raised, ended the process or passed a limit.
        """
        return self._ask("call", target=target, args=list(args), kwargs=kwargs)

    def run(self, argv: Sequence[str], stdin: bytes = b"") -> Finished:
        """Run a program to its end in this box.

        Raises:
            Stopped: it passed a limit. An exit code other than 0 is an answer, not an error.
        """
        output_kb = self._budget.limits.output_kb
        return self._finished(argv, self._ask("run", argv=list(argv), stdin=stdin, output_kb=output_kb))

    def _finished(self, argv: Sequence[str], answer: Any) -> Finished:
        limits = self._budget.limits
        form = {"code": int, "stdout": bytes, "stderr": bytes, "flood": bool}
        done = self._shaped(answer, form)
        out, err = done["stdout"].decode(errors="replace"), done["stderr"].decode(errors="replace")
        words = " ".join(argv)
        if done["flood"]:
            raise Stopped(Verdict.OUTPUT, f"`{words}` printed more than {limits.output_kb} KiB.")
        _stop_for_limit(words, done["code"], err, limits)
        if done["code"] and (pressed := self._running.pressed()) is not None:
            raise Stopped(pressed, f"`{words}`: {PRESSED[pressed].format(limits)}")
        return Finished(done["code"], out, err, self)

    def read(self, path: str) -> bytes | None:
        """A file of this box, by its path below the work; None when there is none."""
        answer = self._ask("read", path=path, size=READ_CAP)
        content: bytes | None = self._shaped({"v": answer}, {"v": bytes | None})["v"]
        return content

    def serve(self, argv: Sequence[str], wait_s: float = 30.0) -> None:
        """Start a service (`{port}` in its words is filled in) and wait until it listens."""
        self._ask("serve", argv=list(argv), wait_s=wait_s)

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Reply:
        """GET from the service started with the session."""
        return self._http("GET", path, b"", headers or {})

    def post(self, path: str, *, json_body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """POST a JSON body to the service started with the session."""
        sent = {"content-type": "application/json", **(headers or {})}
        return self._http("POST", path, json.dumps(json_body).encode(), sent)

    def load(
        self,
        bodies: Sequence[Any],
        *,
        path: str = "/predict",
        workers: int = 8,
        rest_s: float = 0.0,
        meanwhile: Sequence[Sequence[str]] = (),
    ) -> Load:
        """POST many bodies at once; with commands, again and again until the last of them has ended.

        Bytes are sent as they are, all else as JSON. At most 20,000 requests are made, each on a
        connection of its own; of an answer 2,000 bytes are kept. A worker rests for `rest_s` seconds
        after each. The commands run one after the other, `{port}` in their words filled in.

        Raises:
            Stopped: a limit was passed. A request without an answer is one of status 0.
        """
        raw = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
        commands = [list(argv) for argv in meanwhile]
        answer = self._ask(
            "load",
            path=path,
            bodies=raw,
            workers=workers,
            meanwhile=commands,
            wait_s=min(self._budget.wall_left(), REPLY_S),
            rest_s=rest_s,
            output_kb=self._budget.limits.output_kb,
        )
        told = self._shaped(answer, {"replies": list, "done": list})
        if len(told["done"]) != len(commands):
            raise self._forged()
        sent = tuple(self._sent(row, len(raw)) for row in told["replies"])
        return Load(sent, tuple(map(self._finished, commands, told["done"])))

    def _sent(self, row: Any, bodies: int) -> Sent:
        kinds = (int, int, bytes, float)
        if not isinstance(row, list) or [type(value) for value in row] != list(kinds):
            raise self._forged()
        index, status, body, seconds = row
        if not 0 <= index < bodies:
            raise self._forged()
        return Sent(index, Reply(status, {}, body), seconds)

    def _http(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        wait_s = self._budget.wall_left()
        answer = self._ask("http", method=method, path=path, body=body, headers=dict(headers), wait_s=wait_s)
        done = self._shaped(answer, {"status": int, "headers": dict, "body": bytes})
        return Reply(done["status"], done["headers"], done["body"])

    def _ask(self, act: str, **parameters: Any) -> Any:
        if self._ending is not None:
            raise BoxError("This box has ended. Call it before the check returns.")
        channel = self._running.channel
        number = next(self._ids)
        began = time.monotonic()
        left = self._budget.wall_left()
        channel.settimeout(left)
        try:
            wire.send(channel, {"id": number, "act": act, "with": parameters})
            self._watch(began + left)
            reply = wire.receive(channel, wait_s=min(began + left - time.monotonic(), SAY_S))
            self._stop_if_spent()
        except TimeoutError as error:
            self.close()
            raise Stopped(Verdict.TIMEOUT, f"{LATE} {self._budget.limits.wall_s} s.") from error
        except wire.WireError as error:
            self.close()
            raise Stopped(Verdict.FORBIDDEN, f"The answer was {error}.") from error
        except OSError:
            reply = None
        finally:
            self._budget.wall_s += time.monotonic() - began
        return self._open(reply, number)

    def _watch(self, end: float) -> None:
        """Wait until the agent says something, with an eye on the CPU time of the whole box.

        Raises:
            TimeoutError: nothing was said before `end`.
            Stopped: the box used up the submission's CPU time.
        """
        while not select.select([self._running.channel], [], [], LOOK_S)[0]:
            self._stop_if_spent()
            if time.monotonic() > end:
                raise TimeoutError

    def _stop_if_spent(self) -> None:
        """End a box that used up the submission's CPU time; what it says after that does not count."""
        self._charge(self._running.cpu_s())
        if self._budget.is_spent():
            self.close()
            raise self._over()

    def _over(self) -> Stopped:
        return Stopped(Verdict.TIMEOUT, f"Over {self._budget.limits.cpu_s} s of CPU time.")

    def _open(self, reply: Any, number: int) -> Any:
        """The value of a reply, or the verdict that it means."""
        if reply is None:
            raise self._death()
        if not isinstance(reply, dict) or reply.get("id") != number or not {"value", "error"} & reply.keys():
            raise self._forged()
        if "error" not in reply:
            return reply["value"]
        raise self._stopped(reply["error"])

    def _stopped(self, said: Any) -> Stopped:
        """The verdict on an exception, as the agent described it."""
        error = (
            {key: value[:LONGEST] for key, value in said.items() if isinstance(value, str)}
            if isinstance(said, dict)
            else {}
        )
        kind, message, where = error.get("type", "?"), error.get("message", ""), error.get("where", "")
        named = {"MEMORY": Verdict.MEMORY, "DISK": Verdict.DISK}.get(error.get("kind", ""))
        verdict = named or self._running.pressed() or Verdict.STUDENT_ERROR
        return Stopped(
            verdict, f"{kind}{f': {message}' if message else ''}{f' ({where})' if where else ''}", kind
        )

    def _shaped(self, answer: Any, form: Mapping[str, Any]) -> dict[str, Any]:
        """An answer of the agent's own acts; code that was called before may have replaced them."""
        if not isinstance(answer, dict) or not all(isinstance(answer.get(k), form[k]) for k in form):
            raise self._forged()
        return answer

    def _forged(self) -> Stopped:
        self.close()
        return Stopped(Verdict.FORBIDDEN, "The answer came out of turn: something else wrote to the channel.")

    def _death(self) -> Stopped | BoxError:
        ending = self.close()
        if self._running.flooded:
            limit = self._budget.limits.output_kb
            return Stopped(Verdict.OUTPUT, f"Your code printed more than {limit} KiB.")
        if ending.code == -signal.SIGXCPU or (ending.code == -signal.SIGKILL and self._budget.is_spent()):
            return self._over()
        if ending.pressed is not None:
            return Stopped(ending.pressed, PRESSED[ending.pressed].format(self._budget.limits))
        if ending.killed:  # by whom, nobody can tell: judged again, and looked at by a person
            return BoxError("The box was killed while learner code ran.")
        found = f"Your code ended its Python process (exit code {ending.code})."
        return Stopped(Verdict.STUDENT_ERROR, found)


def _stop_for_limit(words: str, code: int, stderr: str, limits: Limits) -> None:
    """Raise the verdict of a program that a limit ended, as its signal or its last line shows."""
    last = stderr.strip().rpartition("\n")[2]
    if code == -signal.SIGXCPU:
        raise Stopped(Verdict.TIMEOUT, f"`{words}` used over {limits.cpu_s} s of CPU time.")
    if code and last.startswith(("MemoryError", "numpy._core._exceptions._ArrayMemoryError")):
        raise Stopped(Verdict.MEMORY, f"`{words}` needed more than {limits.memory_mb} MiB of memory.")
    if code == -signal.SIGXFSZ or (code and ("[Errno 27]" in last or "[Errno 28]" in last)):
        raise Stopped(Verdict.DISK, f"`{words}` wrote a file of more than {limits.disk_mb} MiB.")
