"""Collecting: what learners handed in becomes snapshots with receipts; what cannot be taken is set aside.

One submission is unpacked, looked at and renamed into place before the next one begins, so whatever ends
the run (a full disk, a kill), what was collected stays and nothing half is left where anything looks for it.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from stat import S_ISREG
from tempfile import mkdtemp
from typing import Any

from grader.archive import invalid, shown
from grader.arrivals import Arrival, arrivals, whose
from grader.classroom import Classroom, Learner
from grader.clones import Address
from grader.errors import CourseError, InvalidSubmission
from grader.lab import nearest
from grader.locks import Held, hold
from grader.manifest import Lab
from grader.opening import Opened, open_work
from grader.receipts import FILE, Receipt, collected, is_late, last_sequence, newest, utc
from grader.repositories import repositories
from grader.results import write_json
from grader.snapshot import Snapshot, take
from grader.texts import line
from grader.unpack import CAPS, Caps, extract

__all__ = ["Aside", "Caps", "Collected", "Outcome", "Receipt", "collect", "extract", "newest"]

STAGE = ".collecting"
LOCK = ".collecting.lock"
KEPT_BYTES = 50 * 1024**2
_SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class Aside:
    """What was not collected: its name in the batch and why. `folder` holds the reason, and a small file."""

    name: str
    reason: str
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """What became of one arrival: `receipt` when it is (now or `already`) collected, `aside` when not.

    With neither it held nothing for this lab.
    """

    name: str
    learner: str = ""
    receipt: Receipt | None = None
    already: bool = False
    aside: Aside | None = None
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Collected:
    """What became of a batch, in its order."""

    outcomes: tuple[Outcome, ...]

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """The submissions collected now."""
        return tuple(one.receipt for one in self.outcomes if one.receipt and not one.already)

    @property
    def already(self) -> tuple[Receipt, ...]:
        """Those that were collected before; nothing changed."""
        return tuple(one.receipt for one in self.outcomes if one.receipt and one.already)

    @property
    def aside(self) -> tuple[Aside, ...]:
        """Those that a person has to look at."""
        return tuple(one.aside for one in self.outcomes if one.aside)

    @property
    def without(self) -> tuple[str, ...]:
        """The names of folders that hold other labs only."""
        return tuple(one.name for one in self.outcomes if not one.receipt and not one.aside)


def collect(
    classroom: Classroom,
    lab: Lab,
    source: Path | Address,
    *,
    as_: str = "",
    now: datetime,
    told: Callable[[Outcome], None] = lambda _: None,
    caps: Caps = CAPS,
) -> Collected:
    """Collect the submissions of a lab from a folder, a zip, a Git bundle, or by cloning.

    Args:
        classroom: the class.
        lab: the lab that they are for.
        source: a folder of zips or folders, one zip of them, one submission, or where to clone from.
        as_: the id of the learner whose one submission `source` is, whatever it is called.
        now: when they were collected, with a time zone; against this the deadline is held.
        told: called as each one is done.
        caps: what one submission may be.

    Raises:
        CourseError: `source` or `as_` is wrong, another collect is at work, or the class cannot be written.
            What was collected until then stays, and a second run goes on.
    """
    learner = _on_roster(classroom, as_) if as_ else None
    done: list[Outcome] = []
    with _stage(classroom, done) as stage, _arriving(classroom, lab, source, as_, caps) as found:
        run = _Run(classroom, lab, now.astimezone(UTC).replace(microsecond=0), stage, caps, forced=bool(as_))
        for arrival, who in _paired(found, learner, classroom):
            outcome = run.one(arrival, who)
            done.append(outcome)
            told(outcome)
    return Collected(tuple(done))


def _arriving(
    classroom: Classroom, lab: Lab, source: Path | Address, as_: str, caps: Caps
) -> AbstractContextManager[list[Arrival]]:
    if not isinstance(source, Path):
        return nullcontext(repositories(classroom, lab, source, as_, caps))
    if source.resolve().is_relative_to(classroom.folder.resolve() / "submissions"):
        raise CourseError(f"{source} lies in the class's own `submissions`. Name what you downloaded.")
    return arrivals(source, classroom.roster, single=bool(as_))


def _on_roster(classroom: Classroom, as_: str) -> Learner:
    if as_ not in classroom.roster:
        near = nearest(as_, classroom.roster)
        raise CourseError(
            f"`{line(as_)}` is on no line of roster.csv.{near} Add the learner, or name another."
        )
    return classroom.roster[as_]


def _paired(
    found: list[Arrival], learner: Learner | None, classroom: Classroom
) -> list[tuple[Arrival, Learner | InvalidSubmission]]:
    """Each arrival with whose it is, or why it is nobody's. Several of one learner are taken by their time.

    Where the LMS tells no time, all of those are refused.
    """
    if learner:
        return [(found[0], learner)]
    pairs: list[tuple[Arrival, Learner | InvalidSubmission]] = []
    theirs: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in sorted(found, key=lambda one: one.at or datetime.min):
        try:
            who = whose(arrival.name, classroom.roster)
        except InvalidSubmission as error:
            pairs.append((arrival, error))
        else:
            pairs.append((arrival, who))
            theirs[who.id].append(arrival)
    unclear = {
        name for name, ones in theirs.items() if len({one.at for one in ones} - {None}) < len(ones) > 1
    }
    return [
        (arrival, _several(who, [one.name for one in theirs[who.id]]))
        if isinstance(who, Learner) and who.id in unclear
        else (arrival, who)
        for arrival, who in pairs
    ]


def _several(who: Learner, names: list[str]) -> InvalidSubmission:
    listed = ", ".join(shown(name) for name in names[:5])
    return invalid(
        f"{len(names)} submissions by {who.id} are in this batch: {listed}. Which one counts is not known.",
        f"Collect that one with `--as {who.id}`.",
    )


@contextmanager
def _stage(classroom: Classroom, done: list[Outcome]) -> Iterator[Path]:
    """A folder in the class for what is under way, for one collect at a time, and gone at the end.

    A disk that is full or cannot be written ends the run with one message.
    """
    stage = classroom.folder / STAGE
    try:
        with hold(classroom.folder / LOCK):
            rmtree(stage, ignore_errors=True)  # a killed run's
            stage.mkdir(mode=0o700)
            try:
                yield stage
            finally:
                rmtree(stage, ignore_errors=True)
    except Held as error:
        raise CourseError(
            f"Another `grader collect` is at work in {classroom.folder}. Wait until it ends, then try again."
        ) from error
    except OSError as error:
        count = sum(1 for one in done if one.receipt and not one.already)
        raise CourseError(
            f"Collecting stopped: {error.strerror or error} ({error.filename or classroom.folder}). "
            f"The {count} collected until now stay. Mend that, then run the same command again: it goes on."
        ) from error


class _Run:
    """One collect under way."""

    def __init__(
        self, classroom: Classroom, lab: Lab, now: datetime, stage: Path, caps: Caps, *, forced: bool
    ) -> None:
        self.classroom = classroom
        self.lab = lab
        self.now = now
        self.stage = stage
        self.caps = caps
        self.forced = forced
        self.sequence = last_sequence(classroom)

    def one(self, arrival: Arrival, who: Learner | InvalidSubmission) -> Outcome:
        """Collect one, or set it aside."""
        here = Path(mkdtemp(dir=self.stage))
        path: Path | None = None
        try:
            path = arrival.fetch(here)
            if isinstance(who, InvalidSubmission):
                raise who
            opened = open_work(path, self.lab, here / "in", self.caps)
            if opened is None:
                return Outcome(arrival.name, who.id)
            return self._take(arrival, who, opened, here)
        except InvalidSubmission as error:
            reason = str(who if isinstance(who, InvalidSubmission) else error)
            return Outcome(arrival.name, aside=self._set_aside(arrival.name, reason, path, here))
        except (OSError, CourseError):
            raise
        except Exception as error:  # a defect of ours met by one submission must not stop the others
            reason = f"It could not be read ({type(error).__name__}: {line(str(error))}). Please report this."
            return Outcome(arrival.name, aside=self._set_aside(arrival.name, reason, path, here))
        finally:
            rmtree(here, ignore_errors=True)

    def _take(self, arrival: Arrival, who: Learner, opened: Opened, here: Path) -> Outcome:
        snapshot = take(opened.work, max_bytes=self.caps.bytes, max_files=self.caps.files)
        notes = self._notes(opened.reported, snapshot)
        at = self._handed_in(arrival, notes)
        outcome = Outcome(
            arrival.name, who.id, files=len(snapshot.files), bytes=sum(one.size for one in snapshot.files)
        )
        before = collected(self.classroom, who.id, self.lab.id)
        same = [one for one in before if one.folder.name == snapshot.hash[:16]]
        if same and same[0].snapshot != snapshot.hash:
            raise invalid(
                "Another snapshot has the same first 16 digits.", "Change any file, then submit again."
            )
        if same and (same[0] is before[-1] or not self.forced):
            self._mend(same[0], opened.work)
            return replace(outcome, receipt=same[0], already=True)
        if before and at < before[-1].collected_at and not self.forced:
            raise invalid(
                f"It was collected at {utc(at)}, before the one by {who.id} that counts "
                f"({utc(before[-1].collected_at)}).",
                f"To make this one count, collect it with `--as {who.id}`.",
            )
        receipt = Receipt(
            learner=who.id,
            lab=self.lab.id,
            snapshot=snapshot.hash,
            collected_at=at,
            sequence=self.sequence + 1,
            late=is_late(self.classroom, who.id, self.lab.id, at),
            source=line(arrival.name),
            reported=opened.reported,
            notes=tuple(notes),
            folder=self.classroom.submissions(who.id, self.lab.id) / snapshot.hash[:16],
        )
        if same:
            self._mend(same[0], opened.work)
            write_json(receipt.folder / FILE, receipt.to_dict())
        else:
            self._place(receipt, opened.work, here / "new")
        self.sequence += 1
        return replace(outcome, receipt=receipt)

    def _handed_in(self, arrival: Arrival, notes: list[str]) -> datetime:
        """When it counts as handed in: by the LMS' clock where the name tells, else now."""
        if arrival.at is None:
            return self.now
        at = arrival.at.replace(tzinfo=self.classroom.timezone, fold=1).astimezone(UTC)
        if at > self.now + _SKEW:
            notes.append(f"its name says {arrival.at}, which is after it was collected")
            return self.now
        return min(at, self.now)

    def _notes(self, reported: dict[str, Any], snapshot: Snapshot) -> list[str]:
        """Where the learner's own receipt and what is there differ. Only another lab is refused."""
        notes = []
        lab, release, made = (reported.get(key, "") for key in ("lab", "release", "made"))
        if lab and lab != self.lab.id:
            if not self.forced:
                raise invalid(
                    f"Its receipt says that it is for {lab}, not for {self.lab.id}.",
                    "Collect it for that lab, or for this one with `--as ID`.",
                )
            notes.append(f"its receipt says {lab}")
        if release and release != self.lab.release:
            notes.append(f"made for release {release[:8]}, graded by {self.lab.release[:8]}")
        if made and _moment(made) > self.now + _SKEW:
            notes.append(f"its receipt says {made}, which is after it was collected")
        if reported.get("snapshot", snapshot.hash) != snapshot.hash:
            notes.append("not the files that `lab submit` packed")
        return notes

    def _mend(self, receipt: Receipt, work: Path) -> None:
        """Put back the files of a snapshot that are not what was collected any more."""
        try:
            if take(receipt.work).hash == receipt.snapshot:
                return
        except InvalidSubmission:
            pass
        if receipt.work.exists():
            receipt.work.rename(Path(mkdtemp(dir=self.stage)) / "work")
        os.sync()
        work.rename(receipt.work)

    def _place(self, receipt: Receipt, work: Path, new: Path) -> None:
        """The whole folder appears at once, by one rename, when all of it is on the disk."""
        new.mkdir(mode=0o755)
        work.rename(new / "work")
        write_json(new / FILE, receipt.to_dict())
        receipt.folder.parent.mkdir(parents=True, exist_ok=True)
        os.sync()  # one for thousands of small files
        new.rename(receipt.folder)
        _sync_folder(receipt.folder.parent)

    def _set_aside(self, name: str, reason: str, path: Path | None, here: Path) -> Aside:
        """Write the reason, and keep the file beside it. The same thing for the same reason is kept once."""
        content = _small_file(path) if path else None
        text = f"Name: {line(name)}\nLab: {self.lab.id}\nReason: {line(reason, longest=1000)}\n"
        if content is not None:
            text += f"sha256: {sha256(content).hexdigest()}\n"
        safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:80] or "unnamed"
        asides = self.classroom.folder / "aside"
        for known in sorted(asides.glob(f"*Z-{safe}*/reason.txt")):
            if known.read_text(encoding="utf-8", errors="replace") == text:
                return Aside(name, reason, known.parent)
        new = here / "aside"
        new.mkdir()
        (new / "reason.txt").write_text(text, encoding="utf-8")
        if content is not None:
            (new / ("original.zip" if name.lower().endswith(".zip") else "original")).write_bytes(content)
        asides.mkdir(exist_ok=True)
        folder = asides / f"{self.now:%Y%m%dT%H%M%SZ}-{safe}"
        again = 1
        while folder.exists():
            again += 1
            folder = folder.with_name(f"{self.now:%Y%m%dT%H%M%SZ}-{safe}-{again}")
        new.rename(folder)
        return Aside(name, reason, folder)


def _small_file(path: Path) -> bytes | None:
    """The content of a plain file that is small enough to be kept; None of anything else."""
    try:
        found = path.lstat()
        return path.read_bytes() if S_ISREG(found.st_mode) and found.st_size < KEPT_BYTES else None
    except OSError:
        return None


def _moment(text: str) -> datetime:
    """The time a stranger's receipt tells; long ago when it tells none."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
