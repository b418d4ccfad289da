"""A crowd for the tiny course: right, wrong, hostile and broken submissions, and what each must get."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

from grader.answers import Kitchen, find_answer, list_answers
from grader.manifest import Lab, read_lab
from grader.release import release
from grader.snapshot import take
from tests.grader.courses import replace, tiny_course
from tests.grader.zips import a_zip

# What `add` does instead of adding, with the verdicts that the check `adds` may get. PASS is never one.
HOSTILE: Mapping[str, tuple[str, frozenset[str]]] = {
    "exit": ("__import__('os')._exit(0)", frozenset({"STUDENT_ERROR"})),
    "spin": ("\n    while True: pass", frozenset({"TIMEOUT"})),
    "sleep": ("__import__('time').sleep(600)", frozenset({"TIMEOUT"})),
    "memory": ("bytearray(1 << 33)", frozenset({"MEMORY", "STUDENT_ERROR"})),
    "flood": ("\n    while True: print('x' * 10_000)", frozenset({"OUTPUT"})),
    "forks": (
        "\n    import os, time\n    while True:\n        if os.fork() == 0: time.sleep(60)",
        frozenset({"PROCESSES", "STUDENT_ERROR"}),
    ),
    "kill": (
        "\n    import os, signal\n    if os.fork() == 0: os.kill(-1, signal.SIGKILL)\n    signal.pause()",
        frozenset({"GRADER_ERROR", "STUDENT_ERROR", "TIMEOUT"}),
    ),
    "forge": (
        "\n    import os\n    for number in range(3, 64):\n        try: os.write(number, b'\\0' * 64)\n"
        "        except OSError: pass",
        frozenset({"FORBIDDEN", "FAIL"}),
    ),
    "disk": ("open('/tmp/fill', 'wb').write(bytes(1 << 31))", frozenset({"MEMORY", "DISK", "STUDENT_ERROR"})),
    "daemon": (
        "\n    import os, time\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(600)\n"
        "    return 0",
        frozenset({"FAIL"}),
    ),
}


@dataclass(frozen=True)
class Sent:
    """One submission: the zip, and the points it must get (None: set aside) or the verdicts of `adds`."""

    learner: str
    content: bytes
    points: float | None = None
    adds: frozenset[str] = frozenset()


def course(folder: Path) -> Lab:
    """The tiny course with tight limits, so that a loop costs a second or two."""
    lab = tiny_course(folder)
    replace(
        lab.folder / "lab.toml",
        "cpu_s = 5\nwall_s = 20",
        "cpu_s = 2\nwall_s = 4\nmemory_mb = 256\ndisk_mb = 32",
    )
    release(lab)
    return read_lab(lab.folder)


def crowd(lab: Lab, size: int, folder: Path) -> list[Sent]:
    """`size` submissions in turn from all kinds: at least a tenth hostile, a tenth broken."""
    kitchen = Kitchen(lab, folder)
    sound = [one for one in list_answers(lab) if one.kind != "starter"]
    worth = {"master": 6.0, "right": 6.0, "minus": 1.0, "typed": 4.0, "dirty": 5.0, "no-notes": 6.0}
    good = [(worth.get(one.name) or worth[one.kind], _pack(kitchen.make(one))) for one in sound]
    master = kitchen.make(find_answer(lab, "master"))
    bad = [
        (verdicts, _pack(_hostile(master, folder, name, body))) for name, (body, verdicts) in HOSTILE.items()
    ]
    broken = _broken(good[0][1])
    found = []
    for number in range(size):
        learner, turn = f"learner{number:03}", number // 3
        if number % 3 == 0:
            points, content = good[turn % len(good)]
            found.append(Sent(learner, content, points=points))
        elif number % 3 == 1:
            verdicts, content = bad[turn % len(bad)]
            found.append(Sent(learner, content, adds=verdicts))
        else:
            found.append(Sent(learner, broken[turn % len(broken)]))
    return found


def _hostile(master: Path, folder: Path, name: str, body: str) -> Path:
    work = folder / f"hostile-{name}"
    copytree(master, work)
    act = body if body.startswith("\n") else f"return {body}"
    (work / "add.py").write_text(f"def add(a, b):\n    {act}\n")
    return work


def _broken(good: bytes) -> list[bytes]:
    """What cannot be taken: cut short, no zip, empty, leading out, a link, two of a name."""
    return [
        good[: len(good) // 2],
        b"%PDF-1.7 my homework",
        a_zip({}),
        a_zip({"../outside.py": "x = 1"}),
        b"",
        a_zip({"work/add.py": "../../etc/passwd"}, {"work/add.py": 0o120777}),
        bytes(byte ^ 0x55 for byte in good),
    ]


def _pack(work: Path) -> bytes:
    """The zip that `lab submit` makes of a workspace: the snapshot's files below work/."""
    return a_zip({f"work/{file.path}": (work / file.path).read_bytes() for file in take(work).files})
