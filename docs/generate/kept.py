"""What takes a moment to compute from the world, kept until the code that it comes from changes."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
WORLD = HERE.parent.parent / "lab_env" / "world"


def kept(folder: Path, name: str, make: Callable[[], dict[str, Any]], code: str) -> dict[str, Any]:
    """What `make` gives, from `folder` when it was made there by the same code. JSON values only.

    Args:
        folder: where it is kept; made when it is missing.
        name: what to call it there.
        make: gives it, from the world alone.
        code: the file that `make` stands in.
    """
    file = folder / f"{name}-{_state(code)}.json"
    if file.is_file():
        return dict(json.loads(file.read_text(encoding="utf-8")))
    made = make()
    with suppress(OSError):  # a course that cannot be written to is a slower one, not a broken one
        _keep(file, made, folder.glob(f"{name}-{'?' * 16}.json"))
    return made


def _keep(file: Path, made: dict[str, Any], before: Iterable[Path]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in before:
        old.unlink(missing_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(made), encoding="utf-8")
    unfinished.replace(file)


@cache
def _state(code: str) -> str:
    """Changes when the world's code, or that which looks at it, does."""
    total = hashlib.sha256(np.__version__.encode())
    for path in (*sorted(WORLD.rglob("*.py")), Path(code)):
        total.update(path.read_bytes())
    return total.hexdigest()[:16]
