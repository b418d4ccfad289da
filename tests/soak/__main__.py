"""The soak: `make soak` at full size, or `python -m tests.soak --submissions 120 --kills 10`.

Each lab's crowd is graded by one worker, by two, on Dask where one of two processes is killed, and while
controllers, judges and boxes are killed: always the same rows.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.soak import labs
from tests.soak.crowd import crowd
from tests.soak.run import (
    SEED,
    Class,
    Graded,
    comparable,
    grade,
    grade_under_fire,
    left_behind,
    new_class,
    surprises,
    temporary,
)

SHARES: dict[str, tuple[Callable[[Path], labs.Place], float]] = {
    "code": (labs.code, 0.52),
    "service": (labs.service, 0.23),
    "notebook": (labs.notebook, 0.20),
    "lab 02": (labs.versions, 0.05),
}
HOSTILE, BROKEN = 0.08, 0.12  # of each lab's submissions
MOST_MB, GROWTH_MB = 300, 20
IN_FLIGHT = 4  # submissions that a controller may hold at once, more at one moment than at another


def main() -> int:
    """Print what came of it; 1 when anything is not as it must be."""
    asked = argparse.ArgumentParser(
        prog="python -m tests.soak", description="Grade a crowd and kill graders."
    )
    asked.add_argument("--submissions", type=int, default=1000)
    asked.add_argument("--kills", type=int, default=100)
    size = asked.parse_args()
    problems, kills = [], Counter[str]()
    with temporary() as name:
        for word, (place, share) in SHARES.items():
            folder = Path(name, word.replace(" ", "-"))
            folder.mkdir()
            folder.chmod(0o755)
            count, shots = max(round(size.submissions * share), 4), round(size.kills * share)
            problems += [f"{word}: {one}" for one in _soak(word, place, folder, count, shots, kills)]
    print(f"killed: {sum(kills.values())} {dict(kills)}, and a worker of Dask's in each lab")
    print("\n".join(problems) or "As expected: no grade lost or changed, the same rows, nothing left behind.")
    return 1 if problems else 0


def _soak(
    word: str, made: Callable[[Path], labs.Place], folder: Path, size: int, kills: int, hit: Counter[str]
) -> Iterator[str]:
    """Everything for one lab; yields what is not as it must be."""
    Path(folder).parent.chmod(0o755)
    place = made(folder / "course")
    parts = {"hostile": max(round(size * HOSTILE), 1), "broken": max(round(size * BROKEN), 1)}
    sent = crowd(place, folder / "made", size, **parts)
    print(f"{word}: {size} submissions, {dict(Counter(one.kind for one in sent))}", flush=True)
    rooms = {name: new_class(folder / name, place.lab, sent) for name in ("one", "two", "dask", "fire")}
    runs = {
        "1 worker": grade(rooms["one"], 1),
        "2 workers": grade(rooms["two"], 2),
        "Dask, one of 2 killed": grade(rooms["dask"], 2, "--dask", "local", lose_a_worker=True),
    }
    for name, run in runs.items():
        print(
            f"  {name:22} {run.seconds:6.0f} s   controller {run.peak_mb:.0f} MB at most, "
            f"{run.growth_mb:+.1f} MB along the way",
            flush=True,
        )
        yield from _too_much(name, run, max(len(one.content) for one in sent) / 1024**2)
    began = time.monotonic()
    hit.update(grade_under_fire(rooms["fire"], kills, random.Random(SEED)))
    print(f"  {f'{kills} kills':22} {time.monotonic() - began:6.0f} s", flush=True)
    yield from _differences(rooms)


def _too_much(name: str, run: Graded, submission_mb: float) -> Iterator[str]:
    if run.peak_mb >= MOST_MB:
        yield f"{name}: the controller held {run.peak_mb:.0f} MB"
    if run.growth_mb >= GROWTH_MB + IN_FLIGHT * submission_mb:
        yield f"{name}: the controller grew by {run.growth_mb:.0f} MB"


def _differences(rooms: dict[str, Class]) -> Iterator[str]:
    first = comparable(rooms["one"].rows())
    for name, room in rooms.items():
        yield from (f"{name}: {one}" for one in surprises(room))
        yield from (f"{name}: left behind: {one}" for one in left_behind(room))
        for mine, theirs in zip(first, comparable(room.rows()), strict=True):
            if mine != theirs:
                yield f"{name}: {theirs}, with one worker {mine}"


if __name__ == "__main__":
    sys.exit(main())
