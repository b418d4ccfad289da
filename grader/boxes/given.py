"""What comes back from a box: a program that ended, an HTTP answer, a load, or why there is nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grader.results import Verdict

if TYPE_CHECKING:
    from grader.boxes.base import Session


class Stopped(Exception):  # it is what happened
    """Learner code did not answer: the verdict that follows and what was found."""

    def __init__(self, verdict: Verdict, found: str, exception: str = "") -> None:
        super().__init__(found)
        self.verdict = verdict
        self.found = found
        self.exception = exception


@dataclass(frozen=True)
class Finished:
    """A program that ran to its end. `code` is its exit code, negative for a signal."""

    code: int
    stdout: str
    stderr: str
    session: "Session" = field(repr=False, compare=False)

    def read(self, path: str) -> bytes | None:
        """A file that the program left, by its path below the work; None when there is none."""
        return self.session.read(path)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer of the learner's service."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Stopped: it is no JSON (FAIL).
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Stopped(Verdict.FAIL, f"an answer that is no JSON: {self.body[:200]!r}") from error


@dataclass(frozen=True)
class Sent:
    """One request of a load: its body's number, the answer (status 0: none, its body says why), seconds."""

    index: int
    reply: Reply
    seconds: float


@dataclass(frozen=True)
class Load:
    """What came of a load: the requests in the order in which they ended, and the commands meanwhile."""

    sent: tuple[Sent, ...]
    commands: tuple[Finished, ...]
