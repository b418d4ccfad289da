"""Grading a class: every submission that has no result yet is judged, and its result written.

`results/` is the journal as well as the record: a run that was killed goes on with what is missing.
Judges run in threads' care, one each; results are written by one writer, whole or not at all. One broken
submission is one line; it never stops or touches another.
"""

import errno
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from grader.boxes.base import LATE
from grader.classroom import Classroom
from grader.controller import judge
from grader.doctor import Strength
from grader.doctor import look as prove
from grader.errors import CourseError
from grader.leftovers import end_processes, scratch
from grader.manifest import Lab
from grader.marks import Row
from grader.receipts import Receipt, newest
from grader.release import check_release
from grader.results import CheckResult, Result, Verdict, learner_view, write_json
from grader.texts import line
from grader.warm import WarmJudge

UNDECIDED = frozenset((Verdict.GRADER_ERROR, Verdict.NOT_RUN))
NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS))


@dataclass(frozen=True)
class Begun:
    """A run that begins: how many submissions are judged, and how many were before."""

    total: int
    kept: int


@dataclass(frozen=True)
class Ended:
    """One submission whose judging ended. Without a result `said` says why it could not be judged."""

    done: int
    total: int
    learner: str
    result: Result | None
    said: str = ""

    @property
    def line(self) -> str:
        """`[12/200] anna: 63 of 80 points, 2 flagged (4.1 s)`."""
        head = f"[{self.done}/{self.total}] {self.learner}: "
        if self.result is None:
            return f"{head}not judged: {line(self.said, longest=400)}"
        flagged = sum(is_undecided(check) for check in self.result.checks)
        parts = [f"{self.result.points:g} of {self.result.possible:g} points"]
        parts += [f"{flagged} flagged"] if flagged else []
        parts += [f"judged again: {line(why)}" for why in self.result.tries]
        return f"{head}{', '.join(parts)} ({self.result.seconds:.1f} s)"


@dataclass(frozen=True)
class Summary:
    """A run that ended, by learner: `results`, those from before too; `failed`, who has none now and why."""

    results: Mapping[str, Result]
    judged: int
    kept: int
    failed: Mapping[str, str]
    seconds: float

    @property
    def flagged(self) -> tuple[str, ...]:
        """The learners with a check that a person has to decide."""
        return tuple(name for name, result in self.results.items() if any(map(is_undecided, result.checks)))


Told = Callable[[Begun | Ended], None]
JudgeIt = Callable[[Path], Result]


def is_undecided(check: CheckResult) -> bool:
    """Whether the verdict says nothing about the work: a person decides."""
    return check.verdict in UNDECIDED


def grade(
    classroom: Classroom,
    lab: Lab,
    *,
    workers: int = 1,
    accept_weak: bool = False,
    told: Told = lambda _: None,
    again: bool = False,
    flagged: bool = False,
    dask: str = "",
    look: Callable[[str], Strength] | None = None,
) -> Summary:
    """Judge the newest submission of every learner that has no result for the lab's release yet.

    Args:
        classroom: the class; its box is where submissions run.
        lab: the lab, in the full clone.
        workers: how many are judged at once.
        accept_weak: grade although a wall that is not required does not hold; each result records it.
        told: called in this thread when the run begins and as each submission ends.
        again: judge those with a result too; a result is replaced only by another, and kept beside it.
        flagged: judge those again that have a check which a person would have to decide.
        dask: where to judge instead of here: a Dask scheduler's address, or `local` for `workers`
            processes of Dask's on this machine. Results come back to this one writer.
        look: finds the box's strength; `grader.doctor.look` when None.

    Raises:
        CourseError: the lab is not in step with its release or has no hidden checks here; the box lacks a
            wall; another grader runs; the results cannot be written. What was judged is kept.
    """
    began = time.monotonic()
    _refuse_unready(lab)
    with _room(classroom.folder, lab), scratch(classroom.folder, f"grader grade {lab.number}") as folder:
        _prepare(classroom, lab)
        receipts = newest(classroom, lab.id)
        loaded = {name: load_result(classroom, lab, receipt) for name, receipt in receipts.items()}
        before = {name: result for name, result in loaded.items() if result}
        kept = {
            name
            for name, result in before.items()
            if not again and not (flagged and any(map(is_undecided, result.checks)))
        }
        todo = [receipt for name, receipt in receipts.items() if name not in kept]
        here = dask in ("", "local")
        weak = _refuse_weak(classroom.box, accept_weak, look) if todo and here else ()  # takes ten seconds
        stopped = threading.Event()
        with _place(classroom, lab, dask if todo else "", workers, accept_weak, stopped) as (judge_it, slots):
            run = _Run(classroom, lab, judge_it, weak, slots, folder, told, stopped)
            run.all(todo, len(kept))
    found = before | run.results
    results = {name: found[name] for name in sorted(found)}
    return Summary(results, len(run.results), len(kept), run.failed, round(time.monotonic() - began, 3))


def load_results(classroom: Classroom, lab: Lab) -> dict[str, Result]:
    """The results of every learner's newest snapshot under the lab's release; none of what is not judged."""
    found = {
        name: load_result(classroom, lab, receipt)
        for name, receipt in sorted(newest(classroom, lab.id).items())
    }
    return {name: result for name, result in found.items() if result}


def load_told(classroom: Classroom, lab: Lab, rows: Iterable[Row]) -> dict[str, Result]:
    """The results as the gradebook has them: of the release that each row was graded with.

    They are what learners are told: what was judged anew and is not in the gradebook yet is nobody's grade.
    """
    found, releases = (
        load_results(classroom, lab),
        {row.learner: row.release for row in rows if row.lab == lab.id},
    )
    for name, receipt in newest(classroom, lab.id).items():
        release = releases.get(name)
        if release and release != lab.release and (told := load_result(classroom, lab, receipt, release)):
            found[name] = told
    return {name: found[name] for name in sorted(found)}


def load_result(classroom: Classroom, lab: Lab, receipt: Receipt, release: str = "") -> Result | None:
    """The result of one submission under a release, the lab's when none is named.

    None when there is none that is whole.
    """
    release = release or lab.release
    folder = classroom.results(receipt.learner, lab.id) / f"{receipt.snapshot[:16]}-{release[:16]}"
    try:
        result = Result.from_dict(json.loads((folder / "result.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, CourseError):
        return None
    if (result.snapshot, result.release) != (receipt.snapshot, release):
        return None
    return result if (folder / "learner.json").is_file() else None


class _Run:
    """One run: the judges under way, and the one writer."""

    def __init__(
        self,
        classroom: Classroom,
        lab: Lab,
        judge_it: JudgeIt,
        weak: tuple[str, ...],
        workers: int,
        folder: Path,
        told: Told,
        stopped: threading.Event,
    ) -> None:
        self.classroom = classroom
        self.lab = lab
        self.judge_it = judge_it
        self.weak = weak
        self.workers = workers
        self.folder = folder
        self.told = told
        self.results: dict[str, Result] = {}
        self.failed: dict[str, str] = {}
        self.stopped = stopped
        self.total = 0

    def all(self, receipts: list[Receipt], kept: int) -> None:
        """Judge them, `workers` at once; once more, alone, those whom the clock stopped beside others."""
        self.total = len(receipts)
        self.told(Begun(self.total, kept))
        alone = []
        with ThreadPoolExecutor(self.workers) as pool:
            order = sorted(receipts, key=lambda receipt: receipt.sequence)
            waiting = {pool.submit(self.judge, receipt): receipt for receipt in order}
            try:
                for future in as_completed(waiting):
                    receipt, result = waiting[future], future.result()
                    if _late(result) and (self.workers > 1 or _is_loaded()):
                        alone.append((receipt, result))
                    else:
                        self.keep(receipt, result)
            except BaseException:
                self.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                while not all(future.done() for future in waiting):  # one may be about to start its judge
                    end_processes(self.folder)
                    time.sleep(0.05)
                raise
        for receipt, first in alone:
            self.keep(receipt, self.alone(receipt, first))

    def judge(self, receipt: Receipt) -> Result | str:
        """Judge one; once more after a GRADER_ERROR. A text says why it could not be judged."""
        first = self.once(receipt)
        if isinstance(first, str) or self.stopped.is_set():
            return first
        broken = [check.id for check in first.checks if check.verdict is Verdict.GRADER_ERROR]
        if not broken:
            return first
        second = self.once(receipt)
        if isinstance(second, str):
            return second
        return replace(second, tries=(f"GRADER_ERROR in {broken[0]}",))

    def alone(self, receipt: Receipt, first: Result | str) -> Result | str:
        """Judge one again that the clock stopped beside others."""
        second = self.judge(receipt)
        if isinstance(first, str) or isinstance(second, str):
            return second
        late = f"TIMEOUT in {_late(first)} beside others"
        return replace(second, tries=(*first.tries, late, *second.tries))

    def once(self, receipt: Receipt) -> Result | str:
        try:
            result = self.judge_it(receipt.work)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise OSError(error.errno, error.strerror, error.filename or str(self.folder)) from error
            return f"{type(error).__name__}: {error}"
        except CourseError as error:
            return str(error)
        except Exception as error:  # whatever goes wrong with one must not stop the others
            return f"{type(error).__name__}: {error}"
        if result.snapshot != receipt.snapshot:
            return (
                f"{receipt.work} is not what was collected "
                f"({result.checks[0].found or 'its files have changed'}). Collect it again."
            )
        return replace(result, weak=result.weak or self.weak)

    def keep(self, receipt: Receipt, result: Result | str) -> None:
        """Write one result, the learner's view first: with `result.json` there, all of it is."""
        if isinstance(result, str):
            self.failed[receipt.learner] = result
        else:
            folder = _folder(self.classroom, self.lab, receipt)
            before = load_result(self.classroom, self.lab, receipt)
            with _room(self.classroom.folder / "results", self.lab):
                if before and _said(before) != _said(result):  # a grade may rest on it, and stay
                    write_json(
                        folder / f"earlier-{len(list(folder.glob('earlier-*'))) + 1}.json", before.to_dict()
                    )
                write_json(folder / "learner.json", learner_view(result))
                write_json(folder / "result.json", result.to_dict())
            self.results[receipt.learner] = result
        done = len(self.results) + len(self.failed)
        found, said = (None, result) if isinstance(result, str) else (result, "")
        self.told(Ended(done, self.total, receipt.learner, found, said))


def _said(result: Result) -> list[CheckResult]:
    """What a result says, without how long it took."""
    return [replace(check, seconds=0.0) for check in result.checks]


def _late(result: Result | str) -> str:
    """The first check that the clock stopped, with CPU time left; empty when there is none."""
    checks = result.checks if isinstance(result, Result) else ()
    late = [one.id for one in checks if one.verdict is Verdict.TIMEOUT and one.found.startswith(LATE)]
    return late[0] if late else ""


def _is_loaded() -> bool:
    """Whether more waits for this machine's processors than they can do, whoever's it is."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


@contextmanager
def _place(
    classroom: Classroom, lab: Lab, dask: str, workers: int, accept_weak: bool, stopped: threading.Event
) -> Iterator[tuple[JudgeIt, int]]:
    """What judges the work in a folder, here or on a cluster, and how many at once."""
    if not dask:
        with WarmJudge(lab, classroom.box) as warm:
            facts: dict[str, Any] = {"box": classroom.box, "secret": classroom.secret, "warm": warm}
            yield partial(judge, lab, hidden=True, **facts), workers
        return
    from grader import cluster  # Dask takes a second to import

    with cluster.connect(
        dask, lab, classroom.box, workers=workers, accept_weak=accept_weak, stopped=stopped
    ) as place:
        yield partial(place.judge, secret=classroom.secret), place.slots


def _folder(classroom: Classroom, lab: Lab, receipt: Receipt) -> Path:
    return classroom.results(receipt.learner, lab.id) / f"{receipt.snapshot[:16]}-{lab.release[:16]}"


def _refuse_unready(lab: Lab) -> None:
    if any(check.hidden for check in lab.checks) and not lab.solutions.is_dir():
        raise CourseError(
            f"{lab.solutions} is missing: this is a published copy, without hidden checks. "
            "Let `course` in class.toml name the full clone."
        )
    if check_release(lab):
        raise CourseError(
            f"{lab.id} is not as it was released: results are kept by release. "
            f"Run `grader release {lab.number}`, commit what it writes, then grade."
        )


def _refuse_weak(box: str, accept_weak: bool, look: Callable[[str], Strength] | None) -> tuple[str, ...]:
    if look is None and box == "local":  # no class.toml can say so: somebody grades what is their own
        return ()
    strength = (look or prove)(box)
    broken = [wall for wall in strength.walls if not wall.holds]
    lines = "".join(f"\n  {wall.name}: {line(wall.found)} {wall.mend}".rstrip() for wall in broken)
    if strength.missing:
        raise CourseError(
            f"Nobody's work is run here: the box `{box}` lacks {', '.join(strength.missing)} on this host."
            f"{lines}\nMend it (`grader doctor` has the whole table), then grade."
        )
    if strength.weak and not accept_weak:
        raise CourseError(
            f"The box `{box}` is weak on this host: {', '.join(strength.weak)}.{lines}\n"
            "Mend it, or grade with `--accept-weak`; every result then says so."
        )
    return strength.weak


def _prepare(classroom: Classroom, lab: Lab) -> None:
    """Take away what a killed run had half written, and see that results can be written."""
    results = classroom.folder / "results"
    for half in results.glob("*/*/*/.*.json.*"):
        half.unlink()
    with _room(results, lab):
        results.mkdir(exist_ok=True)
        with TemporaryFile(dir=results) as probe:
            probe.write(bytes(4096))


@contextmanager
def _room(folder: Path, lab: Lab) -> Iterator[None]:
    """Say it in a person's words when `folder` cannot be written."""
    try:
        yield
    except OSError as error:
        raise CourseError(
            f"{error.filename or folder} cannot be written ({error.strerror or error}). Every result so far "
            f"is kept. Mend that, then run `grader grade {lab.number}` again: it goes on from there."
        ) from error
