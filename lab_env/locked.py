"""The part of requirements.lock that an image needs, hashes and all: the lock itself says who needs what.

Run while an image is built, before anything is installed, so: standard library only.

    python3 lab_env/locked.py requirements.lock --without jupyterlab mkdocs
"""

import argparse
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

COURSE = "from-devops-to-mlops (pyproject.toml)"  # in the lock: what the course itself asks for


@dataclass(frozen=True)
class Entry:
    """One package of the lock: its lines as they stand, and who asked for it."""

    name: str
    lines: str
    via: tuple[str, ...]


def main() -> None:
    """Print the entries that are asked for."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("lock", type=Path)
    kind = words.add_mutually_exclusive_group()
    kind.add_argument("--only", nargs="+", default=(), help="these packages and what they need")
    kind.add_argument("--without", nargs="+", default=(), help="all of the course but these")
    options = words.parse_args()
    lock = read(options.lock)
    wanted = options.only or roots(lock) - {known(lock, name) for name in options.without}
    print("\n".join(entry.lines for entry in closure(lock, wanted)))


def read(path: Path) -> dict[str, Entry]:
    """Every entry of a lock by its name; a package with two versions for two Pythons is one entry."""
    found: dict[str, Entry] = {}
    for text in re.split(r"\n(?=[^\s#])", path.read_text(encoding="utf-8")):
        name = re.match(r"[\w.-]+(?===)", text)
        if name is None:
            continue
        via = tuple(re.findall(r"^ +# +(?:via )?(?!via$)(\S.*)$", text, re.MULTILINE))
        before = found.get(name[0], Entry(name[0], "", ()))
        lines = f"{before.lines}\n{text.rstrip()}".strip()
        found[name[0]] = Entry(name[0], lines, before.via + via)
    return found


def roots(lock: Mapping[str, Entry]) -> set[str]:
    """What the course itself asks for, without what only its makers need."""
    return {entry.name for entry in lock.values() if COURSE in entry.via}


def closure(lock: Mapping[str, Entry], wanted: Collection[str]) -> list[Entry]:
    """The entries of `wanted` and of all that they need, in the lock's order."""
    kept = {known(lock, name) for name in wanted}
    grown = True
    while grown:
        more = {entry.name for entry in lock.values() if kept & set(entry.via)} - kept
        kept |= more
        grown = bool(more)
    return [entry for entry in lock.values() if entry.name in kept]


def known(lock: Mapping[str, Entry], name: str) -> str:
    """`name`, when the lock has it."""
    if name not in lock:
        raise SystemExit(f"locked.py: the lock has no package `{name}`. Write its name as the lock does.")
    return name


if __name__ == "__main__":
    main()
