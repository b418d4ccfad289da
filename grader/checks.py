"""What a check is written with: the learner's code, the evidence, hidden data, and `expect`.

def test_orders_are_tracked(evidence: Evidence, expect: Expect) -> None:
    expect("data/orders.parquet" in evidence.dvc.outs(), True, looked_at="the pointers in HEAD", why="…")
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from grader.boxes.base import Box, Budget, Finished, Load, Reply, Sent, Session
from grader.boxes.notebook import Notebooks, NotebookSession, Outcome
from grader.evidence import Blob, Checkout, DvcEvidence, Evidence, GitEvidence, Out
from grader.store import LoggedModel, MlflowEvidence, Run

__all__ = [
    "Blob",
    "Checkout",
    "Condition",
    "DvcEvidence",
    "Evidence",
    "Expect",
    "Failed",
    "Finished",
    "GitEvidence",
    "Hidden",
    "Load",
    "LoggedModel",
    "MlflowEvidence",
    "NotebookSession",
    "Out",
    "Outcome",
    "Reply",
    "Run",
    "Sent",
    "Session",
    "Student",
    "at_least",
    "at_most",
    "between",
    "empty",
    "near",
    "one_of",
]

SHOWN = 300


class Lesson(NamedTuple):
    """The parts of a failed check's message that its author writes."""

    looked_at: str = ""
    why: str = ""
    link: str = ""
    misconception: str = ""


class Failed(Exception):
    """A promise that does not hold: what was found, what was expected, and the lesson."""

    def __init__(self, found: str, expected: str, lesson: Lesson) -> None:
        super().__init__(f"found {found}; expected {expected}")
        self.found = found
        self.expected = expected
        self.lesson = lesson


@dataclass(frozen=True)
class Condition:
    """Something that a value can be: its text after *Expected*, and the test."""

    text: str
    accepts: Callable[[Any], bool]


def at_most(limit: float) -> Condition:
    """A number no larger than `limit`; NaN is none."""
    return Condition(f"at most {limit:g}", lambda value: bool(value <= limit))


def at_least(limit: float) -> Condition:
    """A number no smaller than `limit`; NaN is none."""
    return Condition(f"at least {limit:g}", lambda value: bool(value >= limit))


def between(low: float, high: float) -> Condition:
    """A number from `low` to `high`, both included."""
    return Condition(f"{low:g} to {high:g}", lambda value: bool(low <= value <= high))


def near(wanted: float, *, within: float) -> Condition:
    """A number at most `within` away from `wanted`."""
    return Condition(
        f"{wanted:g}, at most {within:g} away", lambda value: bool(abs(value - wanted) <= within)
    )


def one_of(*choices: Any) -> Condition:
    """Any of these values."""
    return Condition(" or ".join(show(choice) for choice in choices), lambda value: value in choices)


def empty(what: str) -> Condition:
    """An empty collection; `what` says of what: "no file over 1 MB"."""
    return Condition(what, lambda value: len(value) == 0)


class Expect:
    """Ends a check with its lesson when a promise does not hold."""

    def __call__(
        self,
        found: Any,
        wanted: Any,
        *,
        looked_at: str,
        why: str,
        link: str = "",
        misconception: str = "",
    ) -> None:
        """Compare `found` with a value or a condition.

        Raises:
            Failed: it is another value, or the condition does not accept it.
        """
        if not _accepts(wanted, found):
            text = wanted.text if isinstance(wanted, Condition) else show(wanted)
            raise Failed(show(found), text, Lesson(looked_at, why, link, misconception))

    def that(
        self,
        claim: bool,
        *,
        found: Any,
        expected: str,
        looked_at: str,
        why: str,
        link: str = "",
        misconception: str = "",
    ) -> None:
        """Hold to a claim that is no comparison; `found` and `expected` put it in words.

        Raises:
            Failed: the claim is false.
        """
        if not claim:
            raise Failed(show(found), expected, Lesson(looked_at, why, link, misconception))


class Hidden:
    """Randomness that a learner cannot foresee: drawn from the class secret, the lab and the check."""

    def __init__(self, secret: bytes, lab: str, check: str) -> None:
        self._key = (secret, f"{lab}\0{check}")
        self.used = False

    def rng(self, name: str) -> np.random.Generator:
        """A generator of its own for `name`: the same for one secret, lab, check and name."""
        self.used = True
        secret, place = self._key
        digest = hmac.new(secret, f"{place}\0{name}".encode(), hashlib.sha256).digest()
        return np.random.default_rng(int.from_bytes(digest, "big"))


class Student:
    """The learner's code. Each call runs in a new box made from the snapshot."""

    def __init__(
        self,
        box: Box,
        work: Path,
        budget: Budget,
        open_boxes: ExitStack,
        scratch: Path,
        notebooks: Notebooks,
    ) -> None:
        self._box = box
        self._work = work
        self._budget = budget
        self._open = open_boxes
        self._scratch = scratch
        self._notebooks = notebooks

    def call(self, target: str, *args: Any, **kwargs: Any) -> Any:
        """The value of `module.function(*args, **kwargs)`, rebuilt from plain data.

        Numbers, texts, lists, dictionaries, NumPy arrays and pandas tables cross; nothing else does.

        Raises:
            Stopped: it raised (STUDENT_ERROR) or passed a limit; ends the check by itself.
        """
        with self._session({}) as session:
            return session.call(target, *args, **kwargs)

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", files: Mapping[str, bytes] | None = None
    ) -> Finished:
        """Run a program to its end, `files` (path → content) laid over the snapshot first.

        The box stays until the check ends, so that `Finished.read(path)` can look at what was written.

        Raises:
            Stopped: it passed a limit; ends the check by itself.
        """
        return self.session(files=files).run(argv, stdin)

    def session(
        self, serve: Sequence[str] | None = None, *, files: Mapping[str, bytes] | None = None
    ) -> Session:
        """One box that lives until the check ends, for a service or for code that keeps state.

        With `serve`, a command whose `{port}` is filled in, the service is started and waited for.
        """
        session = self._open.enter_context(self._session(files or {}))
        if serve is not None:
            session.serve(serve)
        return session

    def notebook(
        self, name: str, *, until: str = "", files: Mapping[str, bytes] | None = None
    ) -> NotebookSession:
        """The notebook `name`, rebuilt from the release and run; up to the cell titled `until`, if given.

        It is run once for all checks of a submission, unless `files` are laid over the snapshot. Each
        question to it finds everything as the last cell left it.

        Raises:
            Stopped: the notebook cannot be read, or passed a limit; ends the check by itself. A cell that
                raises stops nothing: later cells run, and `value` names it when something is missing.
        """
        if files:
            return self._open.enter_context(self._notebooks.run(self._work, name, until, files))
        return self._notebooks.open(self._work, name, until)

    def at(self, checkout: Checkout) -> Self:
        """The same learner at another version: boxes are made from a checkout of `evidence.dvc.pull`."""
        folder = self._scratch / f"at-{checkout.folder}"
        if not folder.exists():
            checkout.unpack(folder)
        return type(self)(self._box, folder, self._budget, self._open, self._scratch, self._notebooks)

    def _session(self, files: Mapping[str, bytes]) -> Session:
        return Session(self._box.start(self._work, files, self._budget), self._budget)


def show(value: Any) -> str:
    """A value as a message shows it: texts as they are, long ones as head, tail and length."""
    try:
        text = _text(value)
    except Exception:  # a learner's table may hold what its library cannot print
        text = f"a {type(value).__name__} that cannot be shown"
    if len(text) <= SHOWN:
        return text
    return f"{text[: SHOWN // 2]} … {text[-SHOWN // 4 :]} ({len(text):,} characters)"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    if hasattr(value, "dtype") or not isinstance(value, Collection) or isinstance(value, Mapping | bytes):
        return "nothing" if value is None else repr(value)
    return ", ".join(show(item) for item in value) or "nothing"


def _accepts(wanted: Any, found: Any) -> bool:
    try:
        if isinstance(wanted, Condition):
            return wanted.accepts(found)
        if hasattr(wanted, "dtype") or hasattr(found, "dtype"):
            return bool(np.array_equal(np.asarray(wanted), np.asarray(found)))
        return bool(found == wanted)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError):
        return False  # what cannot even be compared is not what was wanted
