"""What a class keeps of one learner, and where: what an export takes along and a deletion takes away."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from json import dumps
from pathlib import Path

import tomlkit

from grader import audit
from grader.arrivals import whose
from grader.bookfile import WAIT_S, is_there, open_book, sql
from grader.classroom import FILE, NAME, Classroom, Learner
from grader.errors import CourseError, InvalidSubmission
from grader.lab import nearest
from grader.texts import line

ROSTER = "roster.csv"
FOLDERS = ("submissions", "results", "feedback", "autograded", "gradescope")
MADE_ANEW = ("report", "report-anonymous", "similar")  # by a command, whenever somebody asks
IN_ZIP = 200 * 1024**2  # bytes looked at in one
ALONE = rb"(?<![A-Za-z0-9_-])", rb"(?![A-Za-z0-9_-])"
_PIECE = 16 * 1024**2


@dataclass(frozen=True)
class Kept:
    """What is kept of one learner.

    `folders` and `files` are theirs alone, `asides` what they handed in and nobody could take. `graded` labs
    are in the gradebook, `logged` lines in the audit log, `extensions` by lab in the class's settings.
    """

    learner: Learner
    on_roster: bool
    folders: tuple[Path, ...]
    files: tuple[Path, ...]
    asides: tuple[Path, ...]
    graded: int
    in_book: bool
    logged: int
    extensions: tuple[str, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every folder and file that is theirs alone."""
        return (*self.folders, *self.files, *self.asides)


def kept(classroom: Classroom, learner: str, known: Learner | None = None) -> Kept:
    """Find what is kept of a learner, on the roster or gone from it; `known` says who that is, if known.

    Raises:
        CourseError: it is no id, nothing is kept of anybody with it, or a part of it is a link.
    """
    if not NAME.fullmatch(learner):
        raise CourseError(f"`{line(learner)}` is no id. Name one as it stands in roster.csv.")
    graded, in_book = _in_book(classroom, learner)
    who = known or classroom.roster.get(learner) or in_book or Learner(learner)
    folders = [classroom.folder / name / learner for name in FOLDERS]
    folders += sorted((classroom.folder / ".formgrader").glob(f"*/{learner}"))
    certified = [classroom.folder / "certificates" / f"{learner}{end}" for end in (".json", ".svg")]
    found = Kept(
        who,
        learner in classroom.roster,
        tuple(path for path in folders if path.is_symlink() or path.is_dir()),
        tuple(path for path in certified if path.is_file()),
        tuple(_asides(classroom, who)),
        graded,
        in_book is not None,
        sum(entry["learner"] == learner for entry in audit.entries(classroom)),
        tuple(sorted(lab for lab, name in classroom.extensions if name == learner)),
    )
    _refuse_links(found)
    if not (found.on_roster or known or found.in_book or found.logged or found.paths):
        raise CourseError(
            f"Nothing is kept of `{learner}`: no line of roster.csv, no folder, no grade."
            f"{nearest(learner, classroom.roster)} Name somebody of whom something is."
        )
    return found


def mentions(classroom: Classroom, learner: Learner) -> list[Path]:
    """Every file of the class whose bytes or name still have the learner's id, name or address.

    Of a folder whose name has it, the folder alone. Each counts where it stands alone. Zips are looked into;
    what Git has packed is not.
    """
    pattern, found = _pattern(learner), dict[Path, None]()
    for path in sorted(classroom.folder.rglob("*")):
        named = _named(path.relative_to(classroom.folder), pattern)
        if named:
            found[classroom.folder / named] = None
        elif path.is_file() and not path.is_symlink() and _mentions(path, pattern):
            found[path] = None
    return list(found)


def roster_row(classroom: Classroom, learner: str) -> dict[str, str]:
    """A learner's line of the roster, other columns than ours too; empty when there is none."""
    text = (classroom.folder / ROSTER).read_text(encoding="utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    own = [row for row in rows if (row.get("id") or "").strip() == learner]
    return {key: value for key, value in own[0].items() if key} if own else {}


def roster_without(classroom: Classroom, learner: str) -> str:
    """The roster without a learner's line; every other byte as it is."""
    text = (classroom.folder / ROSTER).read_bytes().decode("utf-8")
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(iter(lines))
    at = [name.removeprefix("\ufeff") for name in next(reader)].index("id")
    left, begun = lines[: reader.line_num], reader.line_num
    for row in reader:
        if "".join(row[at : at + 1]).strip() != learner:
            left += lines[begun : reader.line_num]
        begun = reader.line_num
    return "".join(left)


def settings_without(classroom: Classroom, learner: str) -> str:
    """The class's settings without a learner's extensions; every other line as it is."""
    settings = tomlkit.parse((classroom.folder / FILE).read_bytes().decode("utf-8"))
    for table in settings.get("extensions", {}).values():
        table.pop(learner, None)
    return tomlkit.dumps(settings)


def _in_book(classroom: Classroom, learner: str) -> tuple[int, Learner | None]:
    """How many labs the gradebook has of a learner, and who it says that is; None when it does not know."""
    if not is_there(classroom):
        return 0, None
    with open_book(classroom, WAIT_S) as book:
        rows = sql(book, "SELECT first_name, last_name, email FROM student WHERE id = :id", id=learner)
        [(count,)] = sql(book, "SELECT COUNT(*) FROM submitted_assignment WHERE student_id = :id", id=learner)
    if not rows:
        return 0, None
    first, last, email = (str(part or "") for part in rows[0])
    return int(count), Learner(learner, f"{first} {last}".strip(), email)


def _asides(classroom: Classroom, who: Learner) -> Iterator[Path]:
    """What was set aside under a name that stands for this learner."""
    roster = {**classroom.roster, who.id: who}
    for file in sorted((classroom.folder / "aside").glob("*/reason.txt")):
        name = file.read_text(encoding="utf-8", errors="replace").split("\n")[0].removeprefix("Name: ")
        try:
            if whose(name, roster).id == who.id:
                yield file.parent
        except InvalidSubmission:
            continue


def _refuse_links(found: Kept) -> None:
    for path in found.paths:
        if path.is_symlink():
            raise CourseError(
                f"{path} is a link, and what it points to lies elsewhere. Put the thing itself there, or "
                "take the link away and see to that place yourself. Then run the same command again."
            )


def _pattern(learner: Learner) -> re.Pattern[bytes]:
    """The id, and name and address in each way that a file of ours may have them."""
    parts = [ALONE[0] + re.escape(learner.id.encode()) + ALONE[1]]
    for text in filter(None, (learner.name, learner.email)):
        parts += [
            rb"\b" + re.escape(one.encode()) + rb"\b" for one in {text, dumps(text)[1:-1], escape(text)}
        ]
    return re.compile(b"|".join(parts), re.IGNORECASE)


def _named(path: Path, pattern: re.Pattern[bytes]) -> Path | None:
    """The path as far as the first name in it that does."""
    for at, part in enumerate(path.parts, start=1):
        if pattern.search(part.encode(errors="replace")):
            return Path(*path.parts[:at])
    return None


def _mentions(path: Path, pattern: re.Pattern[bytes]) -> bool:
    with path.open("rb") as file:
        before = b""
        while piece := file.read(_PIECE):
            if pattern.search(before + piece):
                return True
            before = piece[-1000:]
    return path.suffix == ".zip" and _zip_mentions(path, pattern)


def _zip_mentions(path: Path, pattern: re.Pattern[bytes]) -> bool:
    """Whether a member of a zip does, as far as it can be read; a stranger packed it."""
    left = IN_ZIP
    try:
        with zipfile.ZipFile(path) as packed:
            for member in packed.infolist():
                with packed.open(member) as file:
                    content = file.read(left)
                left -= len(content)
                if pattern.search(content):
                    return True
    except Exception:  # noqa: S110  # damaged, locked, of an unknown kind: that is why it was set aside
        pass
    return False
