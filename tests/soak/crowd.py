"""A crowd for a lab: right, wrong, hostile and broken submissions, and what each must get."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from shutil import copytree

from grader.answers import Answer, Kitchen, find_answer, list_answers
from grader.manifest import Lab
from grader.results import Verdict
from grader.snapshot import take
from tests.grader.zips import a_zip
from tests.soak.labs import Place

# What a learner's function does instead of its work. PASS is never an answer to it, and in the code lab it is
# known which verdict is.
HOSTILE: Mapping[str, tuple[str, frozenset[str]]] = {
    "exit": ("return __import__('os')._exit(0)", frozenset({"STUDENT_ERROR"})),
    "spin": ("while True: pass", frozenset({"TIMEOUT"})),
    "sleep": ("return __import__('time').sleep(600)", frozenset({"TIMEOUT"})),
    "memory": ("return bytearray(1 << 33)", frozenset({"MEMORY", "STUDENT_ERROR"})),
    "flood": ("while True: print('x' * 10_000)", frozenset({"OUTPUT"})),
    "forks": (
        "import os, time\n    while True:\n        if os.fork() == 0: time.sleep(60)",
        frozenset({"PROCESSES", "STUDENT_ERROR"}),
    ),
    "kill": (
        "import os, signal\n    if os.fork() == 0: os.kill(-1, signal.SIGKILL)\n    signal.pause()",
        frozenset({"GRADER_ERROR", "STUDENT_ERROR", "TIMEOUT"}),
    ),
    "forge": (
        "import os\n    for number in range(3, 64):\n        try: os.write(number, b'\\0' * 64)\n"
        "        except OSError: pass",
        frozenset({"FORBIDDEN", "FAIL"}),
    ),
    "disk": (
        "return open('/tmp/fill', 'wb').write(bytes(1 << 31))",
        frozenset({"MEMORY", "DISK", "STUDENT_ERROR"}),
    ),
    "daemon": (
        "import os, time\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(600)\n    return 0",
        frozenset({"FAIL"}),
    ),
}
JUDGED = frozenset(verdict.value for verdict in Verdict) - {"PASS", "GRADER_ERROR", "NOT_RUN", "BLOCKED"}


@dataclass(frozen=True)
class Sent:
    """One submission: its zip and what it must get. A broken one is set aside and gets nothing.

    `points` are those of a `graded` one; `verdicts` what the check `asks` may say of a `hostile` one.
    """

    kind: str
    content: bytes
    points: float = 0.0
    asks: str = ""
    verdicts: frozenset[str] = frozenset()
    learner: str = ""


def crowd(place: Place, folder: Path, size: int, *, hostile: int, broken: int) -> list[Sent]:
    """`size` submissions, so many of them hostile and broken, all kinds in turn; in a fixed order."""
    kinds = ["hostile"] * hostile + ["broken"] * broken + ["graded"] * (size - hostile - broken)
    random.Random(size).shuffle(kinds)
    makers = {"graded": _graded(place, folder), "hostile": _hostile(place, folder), "broken": _broken(place)}
    return [replace(next(makers[kind]), learner=f"learner{number:04}") for number, kind in enumerate(kinds)]


def worth(lab: Lab, answer: Answer) -> float:
    """The points that an answer must get before a person adds theirs: all but what it fails and blocks."""
    lost = {*answer.fails}
    while more := {check.id for check in lab.checks if lost & {*check.after}} - lost:
        lost |= more
    return sum(check.points or 0 for check in lab.checks if check.id not in lost and not check.by_hand)


def _graded(place: Place, folder: Path) -> Iterator[Sent]:
    """The master, the right and the wrong answers in turn, each made when it is first wanted."""
    kitchen = Kitchen(place.lab, folder / "graded")
    answers = [one for one in list_answers(place.lab) if one.kind != "starter"]

    @cache
    def made(number: int) -> Sent:
        answer = answers[number]
        return Sent("graded", _pack(kitchen.make(answer)), points=worth(place.lab, answer))

    while True:
        for number in range(len(answers)):
            yield made(number)


def _hostile(place: Place, folder: Path) -> Iterator[Sent]:
    master = Kitchen(place.lab, folder / "hostile").make(find_answer(place.lab, "master"))
    names = place.kinds or tuple(HOSTILE)

    @cache
    def made(name: str) -> Sent:
        body, verdicts = HOSTILE[name]
        work = folder / f"hostile-{name}"
        copytree(master, work)
        place.write(work, body)
        known = verdicts if place.asks == "adds" else JUDGED | (verdicts & {"GRADER_ERROR"})
        return Sent("hostile", _pack(work), asks=place.asks, verdicts=known)

    while True:
        for name in names:
            yield made(name)


def _broken(place: Place) -> Iterator[Sent]:
    """What cannot be taken: cut short, no zip, empty, leading out, a link, turned into noise."""
    good = a_zip({"work/notes.md": f"{place.lab.title}\n" * 200})
    while True:
        for content in (
            good[: len(good) // 2],
            b"%PDF-1.7 my homework",
            a_zip({}),
            a_zip({"../outside.py": "x = 1"}),
            b"",
            a_zip({"work/add.py": "../../etc/passwd"}, {"work/add.py": 0o120777}),
            bytes(byte ^ 0x55 for byte in good),
        ):
            yield Sent("broken", content)


def _pack(work: Path) -> bytes:
    """The zip that `lab submit` makes of a workspace: the snapshot's files below work/."""
    return a_zip({f"work/{file.path}": (work / file.path).read_bytes() for file in take(work).files})
