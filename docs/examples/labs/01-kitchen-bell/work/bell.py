"""Tiffin's kitchen bell."""

import csv
import json
import sys
from pathlib import Path

RUNG: list[str] = []


# --8<-- [start:markers]
def minutes_left(cooking: int, passed: int) -> int:
    """What is left of the cooking time, at least 0."""
    return cooking + passed
    # --8<-- [end:markers]


def ring(dish: str) -> int:
    """Ring for a dish; how often it has rung."""
    print(dish)
    return len(RUNG)


def report(path: Path) -> str:
    """Write bell.json: the dish that takes longest."""
    with path.open(newline="") as file:
        dishes = list(csv.DictReader(file))
    slowest = dishes[0]["dish"]
    Path("bell.json").write_text(json.dumps({"slowest": slowest}) + "\n")
    return slowest


if __name__ == "__main__":
    print("Start with:", report(Path(sys.argv[1])))
