"""An instructor's class: a folder of its own, outside the course, with all that is known of it.

class.toml      course, time zone, box, deadlines and what lateness costs
roster.csv      id,name,email
.secret         256 bits in hex, mode 0600: what hidden.rng draws from
submissions/    what was collected, by learner, lab and snapshot
aside/          what could not be, with the reason
results/        the records
gradebook.db    unless the settings name a database: a projection of the results and of what people typed
feedback/       what each learner gets
"""

import csv
import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.deadlines import Extension, LateRule
from grader.errors import CourseError
from grader.rules import KEYS as RULES
from grader.rules import read_rules

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FILE = "class.toml"
LEAVING = ".leaving.json"  # there while a learner is being deleted
KEYS = ("format", "course", "timezone", "box", "db_url", *RULES)
OWN = (FILE, "roster.csv", ".secret", "gradebook.db", "audit.jsonl")
TEMPLATE = """# A class. `grader` is run in this folder, or below it.
format = 1
course = {course}
timezone = {timezone}
box = "bubblewrap"           # where submissions run; `grader doctor` says whether this host can

# db_url = "postgresql://grader@localhost/devops_2026"   # the gradebook, when it is to be no file

# [late]                     # what lateness costs; nothing when this is left out
# policy = "per day"
# percent = 10               # of the points earned, for each day begun

[deadlines]                  # lab = local time in the time zone above
# "02-version-data" = 2026-12-01T23:59:00
"""


@dataclass(frozen=True)
class Learner:
    """Somebody on the roster. `id` names folders and files: letters, digits, dot, dash, underscore."""

    id: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Classroom:
    """A class as its folder describes it.

    `deadlines` are by lab id and know their time zone; so do `extensions`, by lab id and learner. `attempts`
    says by lab id how many submissions of each learner count. `db_url` is empty for a gradebook in a file.
    """

    folder: Path
    course: Path
    timezone: ZoneInfo
    box: str
    roster: Mapping[str, Learner]
    deadlines: Mapping[str, datetime]
    secret: bytes = field(repr=False)
    late: LateRule = field(default_factory=LateRule)
    attempts: Mapping[str, int] = field(default_factory=dict)
    extensions: Mapping[tuple[str, str], Extension] = field(default_factory=dict)
    db_url: str = ""

    def submissions(self, learner: str, lab: str) -> Path:
        """Where a learner's snapshots of a lab are kept, a folder each."""
        return self.folder / "submissions" / learner / lab

    def refuse_own(self, file: Path) -> None:
        """Let nothing be written over what somebody typed, or what nobody could write again.

        Raises:
            CourseError: `file` is one of the class's own files.
        """
        if file.resolve() in [(self.folder / name).resolve() for name in OWN]:
            raise CourseError(f"{file} is one of the class's own files. Name another one to write to.")

    def results(self, learner: str, lab: str) -> Path:
        """Where the records of a learner's snapshots of a lab are kept, a folder each."""
        return self.folder / "results" / learner / lab


def init_class(folder: Path, course: Path, *, timezone: str = "UTC") -> Path:
    """Make a new class in `folder`: settings, an empty roster, a secret. Returns the settings' path.

    Raises:
        CourseError: the folder holds something, lies inside the course or cannot be written; the course is a
            published copy; the time zone is unknown.
    """
    folder = folder.resolve()
    _zone(timezone, "the time zone")
    if not (course / "solutions").is_dir():
        raise CourseError(
            f"{course} has no `solutions/`: it is a published copy, without hidden checks. "
            "Use the full clone."
        )
    if folder.is_relative_to(course):
        raise CourseError(
            f"{folder} lies inside the course. A class has submissions and grades in it: "
            "name a folder elsewhere."
        )
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CourseError(f"{folder} is not an empty folder. Name a new one for the class.")
        _make(folder, course, timezone)
    except OSError as error:
        raise CourseError(
            f"{error.filename or folder} cannot be written ({error.strerror}). "
            "Mend that, or name another folder."
        ) from error
    return folder / FILE


def _make(folder: Path, course: Path, timezone: str) -> None:
    """Write the class's first files; none of them stays when one cannot be written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # others on this machine have no business in it
    quoted = [json.dumps(text, ensure_ascii=False) for text in (str(course), timezone)]
    files = {
        ".secret": secrets.token_hex(32) + "\n",
        "roster.csv": "id,name,email\n",
        FILE: TEMPLATE.format(course=quoted[0], timezone=quoted[1]),
    }
    try:
        for name, text in files.items():
            mode = 0o600 if name == ".secret" else 0o644
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
    except BaseException:
        for name in files:
            (folder / name).unlink(missing_ok=True)
        raise


def find_class(start: Path, *, leaving: bool = False) -> Classroom:
    """The class of the nearest folder from `start` upward; with `leaving` also one that a learner is leaving.

    Raises:
        CourseError: there is none, its settings are wrong, or somebody's deletion was stopped.
    """
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / LEAVING).is_file() and not leaving:
            raise CourseError(
                f"{folder}: a learner is being deleted, or was when something stopped it; {LEAVING} says "
                "who. Wait, or finish it with `grader learner delete ID`. Nothing else is done here before."
            )
        if (folder / FILE).is_file():
            return read_class(folder)
    raise CourseError(f"{here} is in no class. Change into one, or make one with `grader init FOLDER`.")


def read_class(folder: Path) -> Classroom:
    """Read a class.

    Raises:
        CourseError: a file is missing or wrong; names it, the key or line, and what to write.
    """
    file = folder / FILE
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{file} cannot be read: {error}. Mend it, or make a class with `grader init`."
        ) from error
    for key in sorted(data.keys() - set(KEYS)):
        raise CourseError(f"{file}: unknown key `{key}`. The keys: {', '.join(KEYS)}.")
    if data.get("format") != 1:
        raise CourseError(
            f"{file}: `format` is {data.get('format')!r}; this engine reads 1. Write `format = 1`."
        )
    course = folder / Path(str(data.get("course", "labs"))).expanduser()
    if not (course / "labs").is_dir():
        raise CourseError(
            f"{file}: `course` is {course}, which has no `labs/`. Write the path of the full clone."
        )
    zone = _zone(str(data.get("timezone", "UTC")), f"{file}: `timezone`")
    box = str(data.get("box", "bubblewrap"))
    if box == "local":
        raise CourseError(
            f'{file}: `box = "local"` has no walls and is for one\'s own work. Write "bubblewrap".'
        )
    roster = _roster(folder / "roster.csv")
    rules = read_rules(file, course, data, zone, roster)
    return Classroom(
        folder,
        course,
        zone,
        box,
        roster,
        rules.deadlines,
        read_secret(folder),
        rules.late,
        rules.attempts,
        rules.extensions,
        database(file, data.get("db_url", "")),
    )


def database(file: Path, url: object) -> str:
    """The setting `db_url`: where PostgreSQL has the gradebook, or nothing.

    Raises:
        CourseError: it is no such place, or has a password in it.
    """
    if url == "":
        return ""
    try:
        parts = urlsplit(str(url))
        is_one = parts.scheme == "postgresql" and len(parts.path) > 1 and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise CourseError(
            f"{file}: `db_url` is {url!r}. Write postgresql://USER@HOST/DATABASE, or leave it out: then the "
            "gradebook is a file in the class."
        )
    if parts.password is not None or "password" in parts.query:
        raise CourseError(
            f"{file}: `db_url` has a password in it, and each backup would have it too. Write it into "
            "~/.pgpass, where PostgreSQL's programs look for it, and take it out here."
        )
    return str(url)


def _zone(name: str, what: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CourseError(
            f'{what} is {name!r}, which is no time zone. Write one like "Europe/Berlin".'
        ) from error


def _roster(file: Path) -> dict[str, Learner]:
    found: dict[str, Learner] = {}
    seen: set[str] = set()
    for line, row in _rows(file):
        learner = (row.get("id") or "").strip()
        if not NAME.fullmatch(learner):
            raise CourseError(
                f"{file}:{line}: {learner!r} is no id. "
                "Use letters, digits, dot, dash and underscore, 64 at most."
            )
        if learner.lower() in seen:
            raise CourseError(
                f"{file}:{line}: `{learner}` stands twice (case aside). Give each learner one line."
            )
        seen.add(learner.lower())
        found[learner] = Learner(learner, (row.get("name") or "").strip(), (row.get("email") or "").strip())
    return found


def columns(classroom: Classroom) -> dict[str, dict[str, str]]:
    """Every column of the roster, by learner: those of the class's own making too.

    Raises:
        CourseError: the roster cannot be read.
    """
    rows = (row for _, row in _rows(classroom.folder / "roster.csv"))
    return {
        (row.get("id") or "").strip(): {
            name: value.strip() for name, value in row.items() if isinstance(value, str)
        }
        for row in rows
    }


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    """The lines of the roster with their numbers."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CourseError(
            f"{file} cannot be read: {error}. It is a UTF-8 CSV file that begins with `id,name,email`."
        ) from error
    if "id" not in (reader.fieldnames or ()):
        raise CourseError(
            f"{file}:1: there is no column `id`. Begin with the line `id,name,email`, with commas between."
        )
    return rows


def read_secret(folder: Path) -> bytes:
    """The class's secret.

    Raises:
        CourseError: it is missing or damaged.
    """
    file = folder / ".secret"
    try:
        secret = bytes.fromhex(file.read_text().strip())
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{file} cannot be read: {error}. It is written by `grader init`; without it hidden data "
            "would change. Bring it back from a backup."
        ) from error
    if len(secret) != 32:
        raise CourseError(f"{file} holds {len(secret)} bytes instead of 32. Bring it back from a backup.")
    return secret
