"""The starter that a learner gets, cut from the master, and the hash that names a release.

A region between `BEGIN SOLUTION` and `END SOLUTION`, in the file's own comment syntax, is left out;
`INSTEAD:` lines in it are what the learner gets. A file of which nothing is left is not released.
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
from grader.snapshot import is_cache

BEGIN, END, INSTEAD = "BEGIN SOLUTION", "END SOLUTION", "INSTEAD:"
HASH = (".py", ".yaml", ".yml", ".toml", ".sh")
CANARY = re.compile(r"CANARY-[0-9a-f]{8,}")


@dataclass(frozen=True)
class Starter:
    """A released file: its content and whether it may be executed."""

    content: bytes
    executable: bool


@dataclass(frozen=True)
class Cut:
    """A file without its solution: what the learner gets, and the regions that were taken out."""

    text: str
    regions: tuple[str, ...]


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
        text = file.content
        if _comment(path) is not None and BEGIN.encode() in text:
            cut = strip_solution(_decoded(path, text), path)
            if not cut.text.strip():
                continue
            text = cut.text.encode()
        _refuse_idle_markers(path, text)
        found[path] = Starter(text, file.executable)
    return found


def strip_solution(text: str, path: str) -> Cut:
    """Take the solution regions out of a file.

    Args:
        text: the master's text.
        path: its path; the ending tells the comment syntax.

    Raises:
        ReleaseError: a region is not closed, opened twice, or closed without being opened.

    >>> cut = strip_solution('# BEGIN SOLUTION\\nx = 1\\n# INSTEAD: x = ...\\n# END SOLUTION\\n', "a.py")
    >>> cut.text, cut.regions
    ('x = ...\\n', ('x = 1',))
    """
    kept: list[str] = []
    regions: list[str] = []
    region: list[str] | None = None
    opened = 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        word = _marker(line, path)
        if word == BEGIN and region is None:
            region, opened = [], number
        elif word == END and region is not None:
            regions.append("".join(region).rstrip("\n"))
            region = None
        elif word in (BEGIN, END):
            problem = "opened inside another one" if word == BEGIN else "closed but was never opened"
            raise ReleaseError(
                f"{path}:{number}: this solution region is {problem}. Pair each `{BEGIN}` with one `{END}`."
            )
        elif region is None:
            kept.append(line)
        elif word == INSTEAD:
            kept.append(_instead(line, path))
        else:
            region.append(line)
    if region is not None:
        raise ReleaseError(f"{path}:{opened}: this solution region is never closed. Add `{END}` after it.")
    return Cut("".join(kept), tuple(regions))


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
    public = {f"work/{path}": file.content.decode("utf-8", "replace") for path, file in starter.items()}
    for path, file in _present(lab.folder).items():
        if not path.startswith("work/") and path != "lab.toml":
            public[path] = file.content.decode("utf-8", "replace")
    public["lab.toml"] = _without_hints(lab)
    squeezed = {path: _lines(text) for path, text in public.items()}
    for path, file in _present(lab.solutions / "work").items():
        if _comment(path) is None or BEGIN.encode() not in file.content:
            continue
        for region in strip_solution(file.content.decode("utf-8"), path).regions:
            yield from _region_leaks(path, _lines(region), squeezed)
    for path, file in _present(lab.solutions / "checks").items():
        for canary in set(CANARY.findall(file.content.decode("utf-8", "replace"))):
            yield from (
                f"{place} holds the canary {canary} of {path}" for place in public if canary in public[place]
            )


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


def _comment(path: str) -> tuple[str, str] | None:
    """Opening and closing of a comment in this kind of file; None where markers mean nothing."""
    name = Path(path).name
    if name.endswith(HASH) or name.startswith("Dockerfile"):
        return "#", ""
    return ("<!--", "-->") if name.endswith(".md") else None


def _marker(line: str, path: str) -> str:
    """The marker word of a line that is a comment with one; empty for any other line."""
    opening, closing = _comment(path) or ("#", "")
    text = line.strip()
    if not text.startswith(opening):
        return ""
    inner = text.removeprefix(opening).removesuffix(closing).strip()
    if inner.startswith(INSTEAD):
        return INSTEAD
    return inner if inner in (BEGIN, END) else ""


def _instead(line: str, path: str) -> str:
    opening, closing = _comment(path) or ("#", "")
    indent = line[: len(line) - len(line.lstrip())]
    inner = line.strip().removeprefix(opening).removesuffix(closing).strip()
    return f"{indent}{inner.removeprefix(INSTEAD).removeprefix(' ')}".rstrip() + "\n"


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
