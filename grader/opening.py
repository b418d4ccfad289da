"""Where the work is in what arrived, and what the learner's own receipt says of it."""

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.archive import invalid, shown
from grader.arrivals import JUNK, children, is_work
from grader.clones import is_bundle, unbundle
from grader.manifest import CHECK_ID, LAB_ID, Lab
from grader.snapshot import MARKER
from grader.texts import line
from grader.unpack import Caps, copy_in, extract

RECEIPT_BYTES = 256 * 1024
_FACTS = ("lab", "release", "started_from", "snapshot", "made")
_WRAPPED = 3
_MOST_HINTS = 200


@dataclass(frozen=True)
class Opened:
    """The work, unpacked, and what was reported: texts of one line, plain numbers, and hints by check."""

    work: Path
    reported: dict[str, Any]


def open_work(path: Path, lab: Lab, target: Path, caps: Caps) -> Opened | None:
    """Unpack what arrived at `path` into `target` and find the work in it.

    `path` is a zip, a Git bundle, or a folder: with the work, with one zip or bundle (Moodle), or with a
    folder for each lab (nbgrader); None when those are for other labs only.

    Raises:
        InvalidSubmission: it cannot be taken; says why.
    """
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        inner = _choose(path, lab)
        if inner is None:
            return None
        path, mode = inner, _mode(inner)
    if is_bundle(path):
        path = unbundle(path, target.with_name("bundle"), lab.id, caps)
        mode = _mode(path)
    if stat.S_ISREG(mode):
        extract(path, target, caps)
    elif stat.S_ISDIR(mode):
        copy_in(path, target, caps)
    else:
        raise invalid(f"{shown(path.name)} is a link or no plain file.", "Put the file itself there.")
    return _find(target)


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except OSError as error:
        raise invalid(f"{shown(path.name)} cannot be read ({error.strerror}).", "Mend that.") from error


def _choose(folder: Path, lab: Lab) -> Path | None:
    """The zip or the folder in a learner's folder that is the submission."""
    if is_work(folder):
        return folder
    names = children(folder)
    if lab.id in names and stat.S_ISDIR(_mode(folder / lab.id)):
        return _choose(folder / lab.id, lab)
    if names and all(LAB_ID.fullmatch(name) and (lab.course / "labs" / name).is_dir() for name in names):
        return None
    zips = [name for name in names if name.lower().endswith((".zip", ".bundle"))]
    if zips and len(names) > 1:
        listed = ", ".join(shown(name) for name in names[:5])
        raise invalid(f"It holds {len(names)} files ({listed}): which one counts is not known.")
    return folder / zips[0] if zips else folder


def _find(top: Path) -> Opened:
    """The work below a freshly unpacked folder: all there is plain files and folders."""
    for _ in range(_WRAPPED):
        names = sorted(path.name for path in top.iterdir() if path.name not in JUNK)
        inner = top / "work"
        if inner.is_dir() and ((top / "receipt.json").is_file() or (inner / ".git").is_dir()):
            return _sound(inner, _reported(top / "receipt.json"))
        if (top / ".git").exists() or len(names) != 1 or not (top / names[0]).is_dir():
            break
        top = top / names[0]
    return _sound(top, {})


def _sound(work: Path, reported: dict[str, Any]) -> Opened:
    (work / MARKER).unlink(missing_ok=True)
    names = [path.name for path in work.iterdir()]
    if (work / ".git").is_file():
        raise invalid("`.git` is a file that points to a repository elsewhere, and that is not in it.")
    if len(names) == 1 and names[0].lower().endswith(".zip"):
        raise invalid(f"It holds nothing but another zip ({shown(names[0])}).", "Hand in that one.")
    if not any(path.is_file() for path in work.rglob("*")):
        raise invalid("There are no files in the work.")
    return Opened(work, reported)


def _reported(file: Path) -> dict[str, Any]:
    """What the learner's receipt says, for a person to compare; nothing where it says nothing."""
    try:
        if file.stat().st_size > RECEIPT_BYTES:
            return {}
        data = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    said: dict[str, Any] = {
        key: line(data[key], longest=100) for key in _FACTS if isinstance(data.get(key), str)
    }
    progress = data.get("reported")
    return said | _progress(progress) if isinstance(progress, dict) else said


def _progress(progress: dict[str, Any]) -> dict[str, Any]:
    """How far the learner says to have come: points, when begun, how far down each ladder of hints."""
    said: dict[str, Any] = {}
    for key in ("points", "possible"):
        value = progress.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e6:
            said[key] = value
    if isinstance(progress.get("started"), str):
        said["started"] = line(progress["started"], longest=100)
    hints = progress.get("hints")
    if isinstance(hints, dict) and len(hints) <= _MOST_HINTS:
        said["hints"] = {name: step for name, step in hints.items() if _is_hint(name, step)}
    return said


def _is_hint(name: str, step: object) -> bool:
    return len(name) <= 100 and CHECK_ID.fullmatch(name) is not None and type(step) is int and 1 <= step <= 3
