"""A whole class out of the course's own answers: for a tour, for pictures, and as a load.

Invented people hand in right and wrong answers of every lab, some late, some copied, some half done, some
that cannot be taken at all. Who hands in what is drawn from a seed: the same class comes out each time.
"""

import json
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from grader.answers import Answer, Kitchen, list_answers
from grader.classroom import Classroom, Learner, init_class, read_class
from grader.exports import csv_table
from grader.intake import collect
from grader.manifest import Lab
from grader.receipts import utc
from grader.snapshot import take

GIVEN = ("Ada", "Bo", "Chidi", "Dana", "Emeka", "Farah", "Gita", "Hana", "Ivo", "Jun", "Kofi", "Lena", "Mina")
FAMILY = ("Abe", "Brandt", "Costa", "Diaz", "Eze", "Fox", "Grau", "Haddad", "Ito", "Jansen", "Khan")
RIGHT, WRONG, COPIED, UNFINISHED, BROKEN, HOSTILE, FORGED, MISSING = (
    "right", "wrong", "copied", "unfinished", "broken", "hostile", "forged", "missing",
)  # fmt: skip
WEIGHTS = {RIGHT: 42, WRONG: 36, COPIED: 4, UNFINISHED: 6, BROKEN: 3, HOSTILE: 2, FORGED: 1, MISSING: 6}
# What a forger's code does wherever it is loaded: answers before it is asked.
FORGERY = """
import os
for number in range(3, 64):
    try:
        os.write(number, bytes(64))
    except OSError:
        pass
"""
FIRST = (*WEIGHTS, RIGHT)  # the last of these is late
LATE_SHARE = 0.12
MOST_WRONG, MOST_RIGHT = 8, 2
WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class HandIn:
    """What one learner does with one lab; a copy is the `answer` that somebody else handed in."""

    learner: str
    kind: str
    answer: Answer | None = None
    late: bool = False


def people(count: int) -> list[Learner]:
    """Invented learners, each with an id, a name and an address that can be nobody's."""
    found = []
    for at in range(count):
        given, family = GIVEN[at % len(GIVEN)], FAMILY[(at // len(GIVEN) + at) % len(FAMILY)]
        name = f"{given.lower()}.{family.lower()}{at + 1}"
        found.append(Learner(name, f"{given} {family}", f"{name}@example.invalid"))
    return found


def plan(lab: Lab, learners: Sequence[str], rng: random.Random, *, every_kind: bool = True) -> list[HandIn]:
    """Who hands in what. With `every_kind` the first nine learners have one of each, so that a class has all.

    Whoever is good at one lab is mostly good at the next.
    """
    answers = list_answers(lab)
    starter, master = answers[0], answers[1]
    wrong = [one for one in answers if one.kind == "wrong"][:MOST_WRONG]
    right = [master, *[one for one in answers if one.kind == "right"][:MOST_RIGHT]]
    found: list[HandIn] = []
    for at, name in enumerate(learners):
        weights = _weights(name)
        kind = rng.choices(list(weights), list(weights.values()))[0]
        late = rng.random() < LATE_SHARE
        if every_kind and at < len(FIRST):
            kind, late = FIRST[at], late or at == len(FIRST) - 1
        copied = [one for one in found if one.kind in (RIGHT, WRONG)]
        if (kind == COPIED and not copied) or (kind == WRONG and not wrong):
            kind = RIGHT
        if kind in (RIGHT, BROKEN, HOSTILE, FORGED):
            found.append(HandIn(name, kind, rng.choice(right) if kind == RIGHT else master, late))
        elif kind == WRONG:
            common = [0.7**n for n in range(len(wrong))]  # some mistakes are made by many
            found.append(HandIn(name, kind, rng.choices(wrong, common)[0], late))
        elif kind == COPIED:
            found.append(HandIn(name, kind, rng.choice(copied).answer, late))
        else:
            found.append(HandIn(name, kind, starter if kind == UNFINISHED else None, late))
    return found


def _weights(name: str) -> dict[str, float]:
    """How likely this learner does what: some are good all term, and some have little time."""
    good = random.Random(name).random()  # noqa: S311  # a made-up person, nothing secret
    times = {RIGHT: 2 * good, WRONG: 1.5 - good, UNFINISHED: 2 - 2 * good, MISSING: 2 - 2 * good}
    return {kind: weight * times.get(kind, 1) for kind, weight in WEIGHTS.items()}


def make_class(folder: Path, course: Path, labs: Sequence[Lab], *, count: int, now: datetime) -> Classroom:
    """A new class with invented learners, and a deadline for each lab in the weeks before `now`.

    Raises:
        CourseError: `folder` is not empty or lies in the course.
    """
    settings = init_class(folder, course, timezone="Europe/Berlin")
    everybody = people(count)
    rows = [(one.id, one.name, one.email) for one in everybody]
    (folder / "roster.csv").write_text(csv_table(("id", "name", "email"), rows), encoding="utf-8")
    text = settings.read_text(encoding="utf-8")
    dates = {lab.id: now - WEEK * (len(labs) - at) for at, lab in enumerate(labs)}
    lines = [f'"{lab}" = {at:%Y-%m-%d}T23:59:00' for lab, at in dates.items()]
    late = '[late]\npolicy = "per day"\npercent = 10\nat_most = 50\n\n[deadlines]'
    settings.write_text(text.replace("[deadlines]", late, 1) + "\n".join(lines) + "\n", encoding="utf-8")
    return read_class(folder)


def hand_in(
    classroom: Classroom, lab: Lab, plans: Sequence[HandIn], *, workers: int, told: Callable[[str], None]
) -> int:
    """Make what everybody hands in, and collect it as it came: in time, then late. How many were set aside.

    `workers` answers are made at once; `told` hears of each step.

    Raises:
        CourseError: an answer cannot be made, or the class cannot be written.
    """
    due, aside = classroom.deadlines[lab.id].astimezone(UTC), 0
    downloads = classroom.folder / "downloads" / lab.id
    with TemporaryDirectory(prefix="demo-") as place:
        kitchen = Kitchen(lab, Path(place))
        _make(kitchen, [one.answer for one in plans if one.answer], workers, told)
        for late, at in ((False, due - timedelta(hours=5)), (True, due + timedelta(hours=30))):
            batch = downloads / ("late" if late else "in-time")
            batch.mkdir(parents=True)
            for one in plans:
                if one.late is late and one.kind != MISSING:
                    _write(lab, kitchen, one, batch, at)
            if any(batch.iterdir()):
                done = collect(classroom, lab, batch, now=at)
                aside += len(done.aside)
            told(f"{lab.id}: {len(list(batch.iterdir()))} handed in {batch.name.replace('-', ' ')}.")
    return aside


def _make(kitchen: Kitchen, answers: Sequence[Answer], workers: int, told: Callable[[str], None]) -> None:
    """Make each answer once, so that handing it in is a copy."""
    wanted = {answer.title: answer for answer in answers}
    pool = ThreadPoolExecutor(workers)
    try:
        made = {pool.submit(kitchen.make, answer): title for title, answer in wanted.items()}
        for at, future in enumerate(as_completed(made), 1):
            future.result()
            told(f"{kitchen.lab.id}: solved as {made[future]} ({at} of {len(made)}).")
    finally:
        pool.shutdown(cancel_futures=True)


def _write(lab: Lab, kitchen: Kitchen, one: HandIn, batch: Path, at: datetime) -> None:
    """One submission, as a folder with the work and a receipt, or as what cannot be taken."""
    if one.kind == BROKEN or one.answer is None:
        (batch / f"{one.learner}.zip").write_bytes(b"PK\x03\x04 cut off on its way")
        return
    folder = batch / one.learner
    copytree(kitchen.make(one.answer), folder / "work", symlinks=True)
    if one.kind == HOSTILE:
        (folder / "work" / "notes.txt").symlink_to("/etc/passwd")
    if one.kind == FORGED:
        _forge(folder / "work")
    rng = random.Random(f"{lab.id} {one.learner}")  # noqa: S311  # a made-up past, nothing secret
    started = at - timedelta(hours=rng.uniform(1, 40))
    hints = {check.id: rng.randint(1, 3) for check in lab.visible if check.hints and rng.random() < 0.2}
    receipt = {
        "format": 1,
        "lab": lab.id,
        "release": lab.release,
        "made": utc(at),
        "reported": {"started": utc(started), "hints": hints},
    }
    if one.kind != HOSTILE:
        receipt["snapshot"] = take(folder / "work").hash
    (folder / "receipt.json").write_text(json.dumps(receipt), encoding="utf-8")


def _forge(work: Path) -> None:
    """Add the forgery to every program and every cell of a notebook in the work."""
    for file in work.rglob("*.py"):
        with file.open("a", encoding="utf-8") as program:
            program.write(FORGERY)
    for file in work.rglob("*.ipynb"):
        notebook = json.loads(file.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["source"] = f"{''.join(cell['source'])}\n{FORGERY}"
        file.write_text(json.dumps(notebook), encoding="utf-8")
