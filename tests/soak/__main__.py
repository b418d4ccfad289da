"""The soak at full size: `make soak`. 200 submissions, one and two workers, 20 kills."""

import random
import sys
from collections import Counter
from pathlib import Path

from tests.soak.crowd import course, crowd
from tests.soak.run import (
    comparable,
    grade,
    grade_under_fire,
    left_behind,
    new_class,
    surprises,
    temporary,
)

SIZE, KILLS, SEED = 200, 20, 20261121


def main() -> int:
    """Print what came of it; 1 when anything is not as it must be."""
    with temporary() as name:
        folder = Path(name)
        folder.chmod(0o755)
        lab = course(folder / "course")
        sent = crowd(lab, SIZE, folder / "made")
        kinds = Counter("graded" if one.points else "hostile" if one.adds else "broken" for one in sent)
        print(f"{SIZE} submissions: {dict(kinds)}", flush=True)
        rooms = [new_class(folder / word, lab, sent) for word in ("one", "two", "fire")]
        seconds = [grade(rooms[0], 1), grade(rooms[1], 2)]
        print(
            f"1 worker {seconds[0]:.0f} s, 2 workers {seconds[1]:.0f} s ({seconds[0] / seconds[1]:.2f} times)"
        )
        hit = grade_under_fire(rooms[2], KILLS, random.Random(SEED))
        print(f"killed: {hit}", flush=True)
        problems = [f"{room.folder.parent.name}: {one}" for room in rooms for one in surprises(room, sent)]
        rows = [comparable(room.rows()) for room in rooms]
        problems += [
            f"{word}: other rows than one worker"
            for word, row in zip(("two", "fire"), rows[1:], strict=True)
            if row != rows[0]
        ]
        problems += [f"left behind: {one}" for room in rooms for one in left_behind(room)]
        print(
            "\n".join(problems)
            or "As expected: no grade lost or changed, the same rows, nothing left behind."
        )
        return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
