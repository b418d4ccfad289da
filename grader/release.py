"""The starter that a learner gets, cut from the master, and the hash that names a release.

Solution regions are left out (`grader.regions`). A file of which nothing is left is not released. A
notebook, written as text, is released as a notebook (`grader.percent`).
"""

import difflib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from grader.errors import ReleaseError
from grader.manifest import Lab
from grader.notebooks import read_released
from grader.percent import is_notebook, notebook_path, released
from grader.regions import BEGIN, END, comment_syntax, strip_solution
from grader.snapshot import is_cache

PROSE = re.compile(r"^# ", re.MULTILINE)
CANARY = re.compile(r"CANARY-[0-9a-f]{8,}")


@dataclass(frozen=True)
class Starter:
    """A released file: its content and whether it may be executed."""

    content: bytes
    executable: bool


def release(lab: Lab) -> list[str]:
    """Write `labs/<lab>/work` and `release.txt` from the master; the paths that changed.

    Raises:
        ReleaseError: a region is not closed, or a secret would be let out.
    """
    wanted = starter_files(lab)
    _refuse_leaks(lab, wanted)
    folder = lab.folder / "work"
    changed = sorted(
        path for path in wanted.keys() | _present(folder).keys() if _differs(folder, path, wanted)
    )
    if changed:
        rmtree(folder, ignore_errors=True)
        for path, file in wanted.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
            target.chmod(0o755 if file.executable else 0o644)
    folder.mkdir(parents=True, exist_ok=True)
    stamp = lab.folder / "release.txt"
    if not stamp.is_file() or stamp.read_text().strip() != release_hash(lab):
        stamp.write_text(release_hash(lab) + "\n")
        changed.append("release.txt")
    return changed


def check_release(lab: Lab) -> str:
    """What `grader release` would change, as a diff; empty when the release is in step.

    Raises:
        ReleaseError: a region is not closed, or a secret was let out.
    """
    wanted = starter_files(lab)
    _refuse_leaks(lab, wanted)
    folder = lab.folder / "work"
    present = _present(folder)
    parts = []
    for path in sorted(wanted.keys() | present.keys()):
        if _differs(folder, path, wanted):
            old, new = present.get(path), wanted.get(path)
            parts.append(_diff(f"labs/{lab.id}/work/{path}", old, new))
    stamp = lab.folder / "release.txt"
    if not stamp.is_file() or stamp.read_text().strip() != release_hash(lab):
        parts.append(f"labs/{lab.id}/release.txt is not the hash of this lab as it stands.\n")
    return "".join(parts)


def starter_files(lab: Lab) -> dict[str, Starter]:
    """Every file of the starter, cut from `solutions/<lab>/work`.

    Raises:
        ReleaseError: there is no master, or a region is not closed; names file and line.
    """
    master = lab.solutions / "work"
    if not master.is_dir():
        raise ReleaseError(
            f"{master} is missing, so there is nothing to cut a starter from. "
            "A published copy of the course is released already."
        )
    found = {}
    for path, file in _present(master).items():
        text, name = file.content, path
        if comment_syntax(path) is not None and BEGIN.encode() in text:
            cut = strip_solution(_decoded(path, text), path)
            if not cut.text.strip():
                continue
            text = cut.text.encode()
        _refuse_idle_markers(path, text)
        if is_notebook(path, file.content):
            text, name = released(lab, path, _decoded(path, file.content)), notebook_path(path)
        if name in found:
            raise ReleaseError(f"{name} is written twice: by {path} too. Give one another name.")
        found[name] = Starter(text, file.executable)
    _refuse_nowhere(lab, found)
    return found


def release_hash(lab: Lab) -> str:
    """What a grade depends on, as 64 hex digits: sha256 over manifest, checks, starter and lock."""
    total = hashlib.sha256()
    parts: list[tuple[str, bytes]] = [("lab.toml", (lab.folder / "lab.toml").read_bytes())]
    parts += [(f"work/{path}", file.content) for path, file in sorted(starter_files(lab).items())]
    for where, folder in (("checks", lab.folder / "checks"), ("hidden", lab.solutions / "checks")):
        parts += [(f"{where}/{path}", file.content) for path, file in sorted(_present(folder).items())]
    lock = lab.course / "requirements.lock"
    parts.append(("lock", lock.read_bytes() if lock.is_file() else b""))
    for name, content in parts:
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def leaks(lab: Lab, starter: Mapping[str, Starter]) -> Iterator[str]:
    """What of the solution or the hidden checks can be read in the lab as it would be released.

    A whole solution region, three telling lines of one in a row, a hidden check's canary. Hints are exempt.
    """
    public = {f"work/{path}": _readable(path, file.content) for path, file in starter.items()}
    for path, file in _present(lab.folder).items():
        if not path.startswith("work/") and path != "lab.toml":
            public[path] = _readable(path, file.content)
    public["lab.toml"] = _without_hints(lab)
    squeezed = {path: _lines(text) for path, text in public.items()}
    for path, file in _present(lab.solutions / "work").items():
        if comment_syntax(path) is None or BEGIN.encode() not in file.content:
            continue
        for region in strip_solution(file.content.decode("utf-8"), path).regions:
            found = [*_region_leaks(path, _lines(region), squeezed)]
            if not found and is_notebook(path, file.content):  # an answer in words
                found = [*_region_leaks(path, _lines(PROSE.sub("", region)), squeezed)]
            yield from found
    for path, file in _present(lab.solutions / "checks").items():
        for canary in set(CANARY.findall(file.content.decode("utf-8", "replace"))):
            yield from (
                f"{place} holds the canary {canary} of {path}" for place in public if canary in public[place]
            )


def _refuse_nowhere(lab: Lab, starter: Mapping[str, Starter]) -> None:
    """Refuse a check that a person grades when the starter has no place for its answer."""
    for check in lab.checks:
        if check.by_hand is None:
            continue
        file = starter.get(check.by_hand)
        if file is None:
            raise ReleaseError(
                f"labs/{lab.id}/work has no {check.by_hand}, from which `{check.id}` is graded by hand. "
                "Name a file of the starter."
            )
        ids = [cell.id for cell in read_released(file.content)] if check.by_hand.endswith(".ipynb") else []
        if check.by_hand.endswith(".ipynb") and check.id not in ids:
            raise ReleaseError(
                f"{check.by_hand} has no cell for `{check.id}`. "
                f'Write `# %% [markdown] check="{check.id}"` in its text.'
            )


def _readable(path: str, content: bytes) -> str:
    """A public file's text as a person reads it: of a notebook, what stands in its cells."""
    if path.endswith(".ipynb"):
        try:
            return "\n".join(cell.source for cell in read_released(content))
        except (ValueError, KeyError, TypeError):  # a file of that name which is none
            pass
    return content.decode("utf-8", "replace")


def _decoded(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReleaseError(
            f"{path} holds `{BEGIN}` but is no UTF-8 text: {error}. Save it as UTF-8."
        ) from error


def _refuse_idle_markers(path: str, content: bytes) -> None:
    """Refuse a marker that was not read as one: what it marks would be let out."""
    for number, line in enumerate(content.splitlines(), start=1):
        for word in (BEGIN, END):
            if word.encode() in line:
                raise ReleaseError(
                    f"{path}:{number}: `{word}` is no marker here: the solution would be let out. Write it "
                    "alone in a comment; markers work in .py, .yaml, .toml, .sh, .md and Dockerfile."
                )


def _region_leaks(path: str, region: list[str], public: Mapping[str, list[str]]) -> Iterator[str]:
    telling = [line for line in region if _is_telling(line)]
    runs = [telling[at : at + 3] for at in range(len(telling) - 2)]
    for place, lines in public.items():
        told = [line for line in lines if _is_telling(line)]
        shown = [run for run in runs if _holds(told, run)]
        if not shown and telling and _holds(lines, region):
            shown = [region]
        if shown:
            yield f"{place} shows solution lines of {path}: {shown[0][0]!r}"


def _refuse_leaks(lab: Lab, starter: Mapping[str, Starter]) -> None:
    for leak in leaks(lab, starter):
        raise ReleaseError(f"labs/{lab.id}/{leak}. Take it out before you release.")


def _without_hints(lab: Lab) -> str:
    """The manifest's texts that a learner reads, but for the hints."""
    texts = [lab.title, *lab.objectives]
    for task in lab.tasks:
        texts += [task.title, *(check.says for check in task.checks)]
    return "\n".join(texts)


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _is_telling(line: str) -> bool:
    """Whether a line says something: not a bracket, an `else:` or a comment."""
    return len(line) > 12 and not line.startswith("#")


def _holds(lines: list[str], run: list[str]) -> bool:
    size = len(run)
    return any(lines[at : at + size] == run for at in range(len(lines) - size + 1))


def _present(folder: Path) -> dict[str, Starter]:
    """The files below a folder, caches left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not is_cache(name):
            found[name] = Starter(path.read_bytes(), os.access(path, os.X_OK))
    return found


def _differs(folder: Path, path: str, wanted: Mapping[str, Starter]) -> bool:
    return _present_one(folder / path) != wanted.get(path)


def _present_one(path: Path) -> Starter | None:
    return Starter(path.read_bytes(), os.access(path, os.X_OK)) if path.is_file() else None


def _diff(name: str, old: Starter | None, new: Starter | None) -> str:
    texts = [file.content.decode("utf-8", "replace") if file else "" for file in (old, new)]
    lines = list(
        difflib.unified_diff(
            texts[0].splitlines(keepends=True),
            texts[1].splitlines(keepends=True),
            fromfile=f"{name} (there)",
            tofile=f"{name} (from the master)",
        )
    )
    return "".join(lines) or f"{name}: the executable bit differs.\n"
