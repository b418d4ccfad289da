"""What a learner has shown, signed by who taught it: a text for programs and a picture for people.

The signature is over every byte that stands before it in the file, so nothing in it can be changed: no name,
no lab, no date, nor how the picture is drawn. Whoever has the signer's public key needs nothing else.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

from grader.classroom import Classroom, Learner
from grader.diplomas import draw
from grader.errors import CourseError
from grader.manifest import find_lab
from grader.marks import Row
from grader.receipts import collected, utc
from grader.signing import PrivateKey, PublicKey, fingerprint, is_signed, signature
from grader.texts import line

FORMAT = "grader certificate 1"
LARGEST = 1024**2
_SEALS = {b"{": (b',\n "signature": "', b'"\n}\n'), b"<": (b"<!-- signature: ", b" -->\n")}


class NotGenuine(CourseError):
    """A certificate that is not what its signer signed."""


@dataclass(frozen=True)
class Shown:
    """One lab as a certificate has it.

    `points` were earned, `grade` is what is left of them after lateness; `release` is what judged them, and
    `submission` the work, each 64 hex digits. `handed_in` is in UTC.
    """

    lab: str
    title: str
    objectives: tuple[str, ...]
    points: float
    possible: float
    grade: float
    handed_in: str
    release: str
    submission: str


@dataclass(frozen=True)
class Certificate:
    """Who has shown what, and who says so; `key` is the fingerprint of what signs it."""

    course: str
    learner: str
    name: str
    labs: tuple[Shown, ...]
    issued: str
    signed_by: str
    key: str


def standing(
    classroom: Classroom, rows: Iterable[Row], learner: Learner, at_least: float
) -> tuple[list[Shown], list[str]]:
    """The labs of a learner whose grade stands and is worth `at_least` percent; and which not, and why.

    Raises:
        CourseError: a receipt cannot be read.
    """
    found, left_out = [], []
    for row in rows:
        if row.learner != learner.id or row.status == "missing":
            continue
        if row.status != "graded" or row.points is None or row.grade is None or not row.possible:
            left_out.append(f"{learner.id}, {row.lab}: {row.status}")
        elif 100 * row.points < at_least * row.possible:
            left_out.append(
                f"{learner.id}, {row.lab}: {row.points:g} of {row.possible:g} points, under {at_least:g} %"
            )
        elif not (handed_in := _handed_in(classroom, row)):
            left_out.append(f"{learner.id}, {row.lab}: the work is not in `submissions` any more")
        else:
            lab = find_lab(classroom.course, row.lab)
            aims = tuple(line(one, longest=400) for one in lab.objectives)
            worth = (row.points, row.possible, row.grade)
            found.append(Shown(lab.id, line(lab.title), aims, *worth, handed_in, row.release, row.snapshot))
    return found, left_out


def _handed_in(classroom: Classroom, row: Row) -> str:
    """When the work that was graded was collected; empty when it is no longer there."""
    times = {one.snapshot: one.collected_at for one in collected(classroom, row.learner, row.lab)}
    return utc(times[row.snapshot]) if row.snapshot in times else ""


def certificate(
    classroom: Classroom,
    learner: Learner,
    labs: Sequence[Shown],
    *,
    by: str,
    key: PrivateKey,
    now: datetime,
) -> Certificate:
    """What is to be signed: `by` is the signer's name as people know it."""
    who = fingerprint(key.public_key())
    name = line(learner.name, longest=400)
    return Certificate(
        course_title(classroom.course), learner.id, name, tuple(labs), utc(now), line(by, longest=400), who
    )


def course_title(course: Path) -> str:
    """The course's name as its site has it; the folder's when there is no site."""
    file = course / "mkdocs.yml"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    found = re.search(r"^site_name: *[\"']?(.+?)[\"']? *$", text, re.MULTILINE)
    return line(found[1] if found else course.resolve().name)


def signed_json(one: Certificate, key: PrivateKey) -> str:
    """The certificate as JSON, the signature last."""
    return _sealed(_json(one, indent=1).removesuffix("\n}"), key)


def signed_svg(one: Certificate, key: PrivateKey) -> str:
    """The certificate as a picture that holds the JSON too, the signature last."""
    return _sealed(draw(one, _json(one, indent=None)), key)


def verify(content: bytes, key: PublicKey) -> Certificate:
    """What a signed file says, JSON or picture, when every byte of it is the signer's.

    Raises:
        NotGenuine: another key signed it, or something in it was changed.
        CourseError: it is no certificate, or of another format.
    """
    before, after = _SEALS.get(content[:1], (b"", b""))
    head, found, tail = content.rpartition(before) if before else (b"", b"", b"")
    if not found or len(content) > LARGEST:
        raise CourseError(
            "This is no certificate: it ends with no signature as `grader certificate sign` writes it. "
            "Ask for the file itself, not for a copy of its text or a photo."
        )
    if not tail.endswith(after) or not is_signed(key, head, tail.removesuffix(after)):
        raise NotGenuine(_why_not(head, key))
    return _read(_data(head))


def _sealed(text: str, key: PrivateKey) -> str:
    content = text.encode("utf-8")
    before, after = _SEALS[content[:1]]
    return text + before.decode() + signature(key, content) + after.decode()


def _json(one: Certificate, *, indent: int | None) -> str:
    return json.dumps({"format": FORMAT, **asdict(one)}, indent=indent, ensure_ascii=True, allow_nan=False)


def _why_not(head: bytes, key: PublicKey) -> str:
    """Another key or another text: what an unsigned text claims of its key is a hint and no more."""
    ours = fingerprint(key)
    try:
        claimed = str(_data(head)["key"])
    except CourseError:
        claimed = ours
    if claimed != ours:
        return (
            f"It does not verify by this public key ({ours[:16]}…): it says that another one signed it "
            f"({line(claimed, longest=64)[:16]}…). Ask the signer for the key, never who shows it to you."
        )
    return (
        "It is not what was signed: a byte of it was changed, or the signature is nobody's. Take it for no "
        "certificate. (A program that rewrites line ends does this too: ask for the file once more.)"
    )


def _data(head: bytes) -> dict[str, Any]:
    """What stands in a file before its signature, as plain values."""
    try:
        text = head.decode("utf-8")
        if text.startswith("<"):
            text = unescape(text.partition("<metadata>")[2].partition("</metadata>")[0])
        else:
            text += "\n}"
        data = json.loads(text)
        if isinstance(data, dict) and data.get("format") == FORMAT and "key" in data:
            return data
    except (ValueError, RecursionError):
        pass
    raise CourseError(f"This certificate is of no format that this engine reads ({FORMAT}). Use a newer one.")


def _read(data: dict[str, Any]) -> Certificate:
    facts = {key: value for key, value in data.items() if key not in ("format", "labs")}
    labs = tuple(Shown(**{**one, "objectives": tuple(one["objectives"])}) for one in data["labs"])
    return Certificate(labs=labs, **facts)
