"""Tables of a hidden world, kept from one submission to the next: the same facts and code give the same ones.

They lie in the course's `.cache/worlds`. A judge writes there; a box gets a snapshot and an environment and
never sees the course, so no work that is judged reads them or changes them.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent.parent / ".cache" / "worlds"
MOST_BYTES = 384 * 1024**2
Tables = list[pd.DataFrame]


def kept(
    make: Callable[[], Tables], *facts: object, folder: Path = FOLDER, most_bytes: int = MOST_BYTES
) -> Tables:
    """What `make` gives, from the disk if it was made before.

    Args:
        make: makes the tables; one with the same facts makes the same ones.
        facts: all that the tables depend on besides the world's code; each with a `repr` that says it whole.
        folder: where they are kept. Where it cannot be written, nothing is.
        most_bytes: of all that is kept there; what was not read for the longest time goes first.
    """
    name = hashlib.sha256(f"{facts!r} {_code()}".encode()).hexdigest()[:32]
    with suppress(OSError, ValueError):  # not there, or not whole
        return _read(folder / name)
    tables = make()
    with suppress(OSError):
        _drop(folder / name)
        _write(folder / name, tables)
        _bound(folder, most_bytes)
    return tables


def _read(place: Path) -> Tables:
    files = sorted(place.glob("*.parquet"))
    if not files:
        raise FileNotFoundError(place)
    os.utime(place)
    return [pd.read_parquet(file) for file in files]


def _write(place: Path, tables: Tables) -> None:
    """Whole or not at all: another judge may write the same at the same time."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    part.mkdir()
    for number, table in enumerate(tables):
        table.to_parquet(part / f"{number}.parquet")
    try:
        part.rename(place)
    except OSError:
        _drop(part)


def _bound(folder: Path, most_bytes: int) -> None:
    places = sorted(folder.iterdir(), key=lambda place: -place.stat().st_mtime)
    held = 0
    for place in places:
        held += sum(file.stat().st_size for file in place.iterdir())
        if held > most_bytes:
            _drop(place)


def _drop(place: Path) -> None:
    """Take it out of the readers' way at once, then away: nobody finds half of it."""
    with suppress(FileNotFoundError):
        gone = place.rename(place.with_name(f"{place.name[:32]}.{os.getpid()}.gone"))
        for file in gone.iterdir():
            file.unlink(missing_ok=True)
        gone.rmdir()


@cache
def _code() -> str:
    """A hash of what makes a world: its code, and the libraries under it."""
    files = sorted((Path(__file__).parent / "world").rglob("*.py"))
    content = b"".join(file.read_bytes() for file in files)
    return f"{hashlib.sha256(content).hexdigest()} {np.__version__} {pd.__version__} {sys.version}"
