"""What an instructor downloaded: which submissions are in it, and whose each one is.

A name is matched to the roster by what the LMS or the instructor wrote, never by what the learner chose:
not by the name that the learner gave the file, and not by anything inside it.
"""

import os
import re
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path

from grader.archive import Entry, invalid, open_zip, shown
from grader.classroom import Learner
from grader.clones import is_bundle
from grader.errors import CourseError, InvalidSubmission
from grader.unpack import CAPS, LEAVE_OUT, unpack

Roster = Mapping[str, Learner]

JUNK = frozenset(("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"))
IN_BATCH = 200_000
IN_FOLDER = 20_000
_MOODLE = re.compile(r"(?P<name>[^_]+)_\d+_assignsubmission_(?P<kind>[a-z]+)(_.*)?", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>.+?)_(LATE_)?(?P<user>\d+)_\d+_.+", re.DOTALL)
_CANVAS_ALONE = re.compile(r"[^_]+_(LATE_)?\d+_\d+_.+", re.DOTALL)
_BLACKBOARD = re.compile(r"(?P<head>.+?)_attempt_(?P<at>\d{4}(-\d\d){5})(?P<own>_.*|\.txt)?", re.DOTALL)
_BRIGHTSPACE = re.compile(
    r"\d+-\d+ - (?P<name>.+?) - (?P<at>[A-Z][a-z]{2} \d{1,2}, \d{4} \d{3,4} [AP]M)( - .+)?", re.DOTALL
)
_TYPED = re.compile(r".+?_(LATE_)?\d+_(text|link)\.html")
_DROPPED = re.compile(r"[&<>\"'`|:\\/]")  # what Moodle takes out of names


@dataclass(frozen=True)
class Arrival:
    """One thing in a batch, by its name there. `fetch` puts it on disk, if need be in the folder given.

    `at` is when it was handed in by the LMS' own clock, without a time zone, where it writes that.
    """

    name: str
    fetch: Callable[[Path], Path]
    at: datetime | None = None


@contextmanager
def arrivals(source: Path, roster: Roster, *, single: bool = False) -> Iterator[list[Arrival]]:
    """The submissions in a folder, in a zip of zips or of folders, or the one that `source` is.

    Raises:
        CourseError: there is no such source, it cannot be read, or it is empty.
    """
    name, source = source.name, source.resolve()
    with ExitStack() as opened:
        if not os.access(source, os.R_OK):
            raise CourseError(
                f"{source} is not there or not readable. Name a folder or a zip of submissions."
            )
        if single:
            found = [Arrival(name, lambda _: source)]
        elif source.is_dir():
            found = _in_folder(name, source, roster)
        else:
            found = _in_file(name, source, opened, roster)
        if not found:
            raise CourseError(f"{source} holds no submissions. Name the folder or the zip that does.")
        yield found if single else [replace(one, at=handed_in(one.name)) for one in found]


def handed_in(name: str) -> datetime | None:
    """When something was handed in, as Blackboard or Brightspace write it into a name; else None.

    >>> handed_in("Lab 02_ana_attempt_2026-11-20-23-58-01_work.zip")
    datetime.datetime(2026, 11, 20, 23, 58, 1)
    """
    if found := _blackboard(name):
        return _moment(found["at"], "%Y-%m-%d-%H-%M-%S")
    if found := _BRIGHTSPACE.fullmatch(name):
        return _moment(re.sub(r" (\d{3} )", r" 0\1", found["at"]), "%b %d, %Y %I%M %p")
    return None


def _moment(text: str, form: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.strptime(text, form)  # the LMS names no time zone
    return None


def _blackboard(name: str) -> re.Match[str] | None:
    """What Blackboard wrote. In a name of Moodle's or Canvas' the same words are the learner's own."""
    if _MOODLE.fullmatch(name) or _CANVAS_ALONE.fullmatch(name):
        return None
    return _BLACKBOARD.fullmatch(name)


def whose(name: str, roster: Roster) -> Learner:
    """The learner that a name in a batch stands for: by id, by e-mail, by exact name, as an LMS writes it.

    Raises:
        InvalidSubmission: nobody on the roster, or more than one.
    """
    if (moodle := _MOODLE.fullmatch(name)) and moodle["kind"] != "file":
        raise invalid(f"{shown(name)} is text typed into Moodle; only files are collected.")
    if _TYPED.fullmatch(name):
        raise invalid(f"{shown(name)} is text typed into Canvas; only files are collected.")
    found = _one(name, _candidates(name, moodle, roster))
    if found is None:
        raise invalid(
            f"{shown(name)} stands for nobody on the roster.",
            "Add the learner to roster.csv, name the file like `ID.zip`, or collect it with `--as ID`.",
        )
    return found


def is_work(folder: Path) -> bool:
    """Whether a folder is itself a submission: what `lab submit` packed, or a workspace."""
    packed = _is_plain(folder / "receipt.json", stat.S_ISREG) and _is_plain(folder / "work", stat.S_ISDIR)
    return packed or _is_plain(folder / ".git", stat.S_ISDIR)


def children(folder: Path) -> list[str]:
    """The names in a folder, sorted, without what file managers leave there.

    Raises:
        InvalidSubmission: it cannot be read.
    """
    try:
        with os.scandir(folder) as found:
            names = [child.name for child in islice(found, IN_FOLDER + 1)]
    except OSError as error:
        raise invalid(f"{shown(folder.name)} cannot be read ({error.strerror}).", "Mend that.") from error
    if len(names) > IN_FOLDER:
        raise invalid(f"{shown(folder.name)} holds more than {IN_FOLDER:,} names.", LEAVE_OUT)
    return sorted(name for name in names if not _is_junk(name))


def _in_folder(name: str, folder: Path, roster: Roster) -> list[Arrival]:
    if is_work(folder):
        return [Arrival(name, lambda _: folder)]
    try:
        names = children(folder)
    except InvalidSubmission as error:
        raise CourseError(f"{folder}: {error}") from error
    if len(names) == 1 and _is_plain(folder / names[0], stat.S_ISDIR) and not _learner_of(names[0], roster):
        return _in_folder(names[0], folder / names[0], roster)
    return [Arrival(name, partial(_there, folder / name)) for name in names]


def _there(path: Path, _: Path) -> Path:
    return path


def _in_file(name: str, source: Path, opened: ExitStack, roster: Roster) -> list[Arrival]:
    if is_bundle(source):
        return [Arrival(name, lambda _: source)]
    try:
        entries = opened.enter_context(open_zip(source, max_entries=IN_BATCH))
    except InvalidSubmission as error:
        if _learner_of(name, roster) is None:
            raise CourseError(f"{source}: {error}") from error
        return [Arrival(name, lambda _: source)]  # one submission, set aside with the reason
    return _in_zip(name, source, entries, roster)


def _in_zip(name: str, source: Path, entries: list[Entry], roster: Roster) -> list[Arrival]:
    """The top names of a zip; one level down where the only top is a folder that is nobody's."""
    if _is_packed_work(entries):
        return [Arrival(name, lambda _: source)]
    tops: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        tops[entry.name.partition("/")[0] or entry.name].append(entry)
    kept = {top: group for top, group in tops.items() if not _is_junk(top)}
    if len(kept) == 1:
        [(top, group)] = kept.items()
        inside = [
            replace(entry, name=entry.name[len(top) + 1 :])
            for entry in group
            if entry.name.startswith(f"{top}/")
        ]
        if inside and not _learner_of(top, roster):
            return _in_zip(name, source, inside, roster)
    return [Arrival(top, partial(_bring, top, group)) for top, group in sorted(kept.items())]


def _bring(top: str, group: list[Entry], target: Path) -> Path:
    unpack(group, target / "batch", replace(CAPS, bytes=CAPS.bytes * 5 // 4))  # a zip may be a little larger
    return target / "batch" / top


def _is_packed_work(entries: list[Entry]) -> bool:
    tops = {entry.name.partition("/")[0] for entry in entries}
    return {"receipt.json", "work"} <= tops or ".git" in tops


def _is_junk(name: str) -> bool:
    found = _blackboard(name)
    about = found is not None and found["own"] == ".txt"  # what Blackboard writes beside a file
    return name in JUNK or name.startswith(".") or about


def _is_plain(path: Path, kind: Callable[[int], bool]) -> bool:
    try:
        return kind(path.lstat().st_mode)
    except OSError:
        return False


def _learner_of(name: str, roster: Roster) -> Learner | None:
    try:
        return whose(name, roster)
    except InvalidSubmission:
        return None


def _candidates(name: str, moodle: re.Match[str] | None, roster: Roster) -> list[Learner]:
    if moodle:
        return _named(moodle["name"], roster)
    if blackboard := _blackboard(name):
        head = blackboard["head"].casefold()
        return [learner for learner in roster.values() if head.endswith(f"_{learner.id.casefold()}")]
    if brightspace := _BRIGHTSPACE.fullmatch(name):
        return _named(brightspace["name"], roster)
    stem = re.sub(r"\.(zip|bundle)$", "", name, flags=re.IGNORECASE)
    wanted = stem.casefold()
    for found in (
        [learner for learner in roster.values() if learner.id.casefold() == wanted],
        [learner for learner in roster.values() if learner.email.casefold() == wanted],
        _named(stem, roster),
    ):
        if found and wanted:
            return found
    canvas = _CANVAS.fullmatch(name)
    return _in_canvas(canvas["name"], canvas["user"], roster) if canvas else []


def _in_canvas(name: str, user: str, roster: Roster) -> list[Learner]:
    """Canvas writes `doejane_123_…`, its own user id beside a name that is sorted by family name.

    The number is taken for a roster id only when the name does not speak against it: an id of the school
    may well be somebody else's number in Canvas.
    """
    named = [learner for learner in roster.values() if _run_together(name) in _sorted_names(learner.name)]
    numbered = roster.get(user)
    if numbered and (numbered in named or not numbered.name):
        return [numbered]
    return named


def _sorted_names(name: str) -> set[str]:
    """Every way to put a name's last words first, in the letters that Canvas keeps."""
    words = name.split()
    return {_run_together(" ".join(words[at:] + words[:at])) for at in range(len(words))}


def _run_together(name: str) -> str:
    return "".join(sign for sign in _normal(name) if sign.isalnum() or unicodedata.category(sign)[0] == "M")


def _named(name: str, roster: Roster) -> list[Learner]:
    wanted = _normal(name)
    return [learner for learner in roster.values() if wanted and wanted in _spellings(learner.name)]


def _spellings(name: str) -> set[str]:
    family, comma, given = name.partition(",")
    return {_normal(name), _normal(f"{given} {family}")} if comma else {_normal(name)}


def _normal(name: str) -> str:
    text = _DROPPED.sub("", unicodedata.normalize("NFKC", name)).casefold().replace("_", " ")
    return " ".join(text.split())


def _one(name: str, found: list[Learner]) -> Learner | None:
    if len(found) > 1:
        ids = ", ".join(learner.id for learner in found)
        raise invalid(
            f"{shown(name)} may stand for {ids}.",
            "Name the file like `ID.zip`, or collect it with `--as ID`.",
        )
    return found[0] if found else None
