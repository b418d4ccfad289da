"""Tiffin's kitchen bell."""

import csv
import json
import sys
from pathlib import Path

RUNG: list[str] = []


# --8<-- [start:markers]
def minutes_left(cooking: int, passed: int) -> int:
    """What is left of the cooking time, at least 0."""
    # BEGIN SOLUTION
    return max(cooking - passed, 0)
    # INSTEAD: return cooking + passed
    # END SOLUTION
    # --8<-- [end:markers]


def ring(dish: str) -> int:
    """Ring for a dish; how often it has rung."""
    # BEGIN SOLUTION
    RUNG.append(dish)
    # INSTEAD: print(dish)
    # END SOLUTION
    return len(RUNG)


def report(path: Path) -> str:
    """Write bell.json: the dish that takes longest."""
    with path.open(newline="") as file:
        dishes = list(csv.DictReader(file))
    # BEGIN SOLUTION
    slowest = max(dishes, key=lambda dish: int(dish["minutes"]))["dish"]
    # INSTEAD: slowest = dishes[0]["dish"]
    # END SOLUTION
    Path("bell.json").write_text(json.dumps({"slowest": slowest}) + "\n")
    return slowest


if __name__ == "__main__":
    print("Start with:", report(Path(sys.argv[1])))
