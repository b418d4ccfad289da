"""The judge: one process per submission that runs the checks and reports a verdict for each.

    python -m grader.judge < JOB.json                                a cold judge, with cold boxes
    python -m grader.judge --template LAB BOX LINE HELLO PRELOAD IMPORTS   waits; each judge is a fork of it

It never imports learner code: that runs in boxes. What goes wrong in here is a GRADER_ERROR.
"""

import importlib.metadata
import json
import os
import platform
import re
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from grader.boxes import template
from grader.boxes.base import Box, Budget, Stopped
from grader.boxes.bubblewrap import BubblewrapBox, bubblewrap_template, why_cold
from grader.boxes.container import ContainerBox
from grader.boxes.local import LocalBox, local_template
from grader.boxes.notebook import Notebooks
from grader.boxes.warm import Template
from grader.checks import Expect, Failed, Hidden, Student
from grader.errors import CourseError, ToolMissing
from grader.evidence import Evidence
from grader.manifest import Check, Lab, read_lab
from grader.results import CheckResult, Verdict, write_json
from grader.sealed import PRELOAD
from grader.snapshot import Snapshot, take

Kind = type[BubblewrapBox] | type[ContainerBox] | type[LocalBox]
BOXES: dict[str, Kind] = {"bubblewrap": BubblewrapBox, "container": ContainerBox, "local": LocalBox}
TEMPLATES = {"bubblewrap": bubblewrap_template, "local": local_template}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
LONGEST_ANSWER = 20_000  # characters that a person is shown to grade
TOOLS = ("dvc", "numpy", "pandas", "scikit-learn")


@dataclass(frozen=True)
class Job:
    """What a judge is told: the lab, the accepted files, the box, the checks and the secret (hex)."""

    lab: str
    work: str
    box: str
    checks: tuple[str, ...]
    secret: str
    answer: str


@dataclass(frozen=True)
class Boxes:
    """Where learner code runs, and where our own tools read. Of one kind, with templates of their own."""

    learner: Box
    tools: Box


Receive = Callable[[], tuple[Job, Boxes]]


class Bench:
    """One submission being judged: what its checks are given, and what each of them found."""

    def __init__(
        self, lab: Lab, snapshot: Snapshot, work: Path, boxes: "Boxes", secret: bytes, scratch: Path
    ) -> None:
        self.lab = lab
        self.box = boxes.learner
        self.secret = secret
        self.work = work
        self.scratch = scratch
        self.budget = Budget(lab.limits)
        self.evidence = Evidence(snapshot, work, boxes.tools, scratch)
        self.notebooks = Notebooks(lab.folder / "work", boxes.learner, self.budget)
        self.results: list[CheckResult] = []
        self.seeded: list[str] = []

    def judge(self, check: Check, function: Any, names: tuple[str, ...]) -> None:
        """Run one check's function with what it asks for by name, and keep its result."""
        began = time.monotonic()
        failed = [result.id for result in self.results if result.id in check.after and not result.passed]
        if failed:
            verdict = self._verdict(check, Verdict.BLOCKED, found=f"Waits for {failed[0]}.")
        else:
            verdict = self._run(check, function, names)
        self.results.append(replace(verdict, seconds=round(time.monotonic() - began, 3)))

    def hand_over(self, check: Check) -> None:
        """Note what a person reads and grades; what is not written yet, nobody has to read."""
        file = check.by_hand or ""
        try:
            answer = self.notebooks.written(self.work, file, check.id)
            verdict = Verdict.NOT_RUN if answer else Verdict.FAIL
            found = answer[:LONGEST_ANSWER] or "Nothing is written yet."
        except Stopped as stopped:
            verdict, found = stopped.verdict, stopped.found
        self.results.append(self._verdict(check, verdict, found=found, looked_at=file))

    def _run(self, check: Check, function: Any, names: tuple[str, ...]) -> CheckResult:
        hidden = Hidden(self.secret, self.lab.id, check.id)
        with ExitStack() as boxes:
            given = {
                "student": Student(self.box, self.work, self.budget, boxes, self.scratch, self.notebooks),
                "evidence": self.evidence,
                "hidden": hidden,
                "expect": Expect(),
            }
            try:
                if function(**{name: given[name] for name in names}) is not None:
                    raise TypeError(f"test_{check.id} returned a value; a check says all through expect")
                return self._verdict(check, Verdict.PASS)
            except Failed as failed:
                lesson: dict[str, str] = failed.lesson._asdict()
                texts = {"found": failed.found, "expected": failed.expected, **lesson}
                return self._verdict(check, Verdict.FAIL, **texts)
            except Stopped as stopped:
                return self._verdict(check, stopped.verdict, found=stopped.found, exception=stopped.exception)
            except ToolMissing as missing:
                return self._verdict(check, Verdict.NOT_RUN, found=str(missing))
            except Exception as error:  # whatever a check does wrong is ours
                where = traceback.extract_tb(error.__traceback__)[-1]
                found = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
                return self._verdict(check, Verdict.GRADER_ERROR, found=found, exception=type(error).__name__)
            finally:
                self.seeded += [check.id] if hidden.used else []

    def _verdict(self, check: Check, verdict: Verdict, **texts: str) -> CheckResult:
        return blank(self.lab, check, verdict, self.box.name, **texts)


class Checks:
    """The pytest plugin: hands each test function of a check to the bench, in the order of `after`.

    It asks for its job when pytest has set itself up, so that a template is forked with that done.
    """

    def __init__(self, lab: Lab, receive: Receive, opened: ExitStack) -> None:
        """Begin without a job.

        Args:
            lab: what the job will most likely be for.
            receive: waits for the job and the boxes.
            opened: what is open until the judging ends.
        """
        self.lab = lab
        self.receive = receive
        self.opened = opened
        self.problem: Exception | None = None
        self.said: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool | None:
        """Take the job, and let pytest read the check files."""
        try:
            self.job, boxes = self.receive()
            if self.job.lab != str(self.lab.folder):  # a template serves any lab, its own the fastest
                self.lab = read_lab(Path(self.job.lab))
            self.bench = self.opened.enter_context(_bench(self.lab, self.job, boxes))
        except Exception as error:  # pytest would print it and go on
            self.problem = error
            return True
        folders = [self.lab.folder / "checks", self.lab.solutions / "checks"]
        session.config.args = [str(file) for folder in folders for file in sorted(folder.glob("test_*.py"))]
        if session.config.args:
            return None
        self.said.append("there are no check files")
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a check file could not be read."""
        self._keep(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep why a function could not be set up."""
        self._keep(report)

    def _keep(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.failed:
            self.said.append(str(report.longrepr).strip().splitlines()[-1])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the functions of the checks that were asked for, each after those that it waits for."""
        order = _order(self.lab, self.job.checks)
        places = {f"test_{name}": at for at, name in enumerate(order)}
        items[:] = sorted((item for item in items if item.name in places), key=lambda item: places[item.name])

    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """Run the function ourselves: its verdict is not pytest's."""
        check = self.lab.check(pyfuncitem.name.removeprefix("test_"))
        names = tuple(pyfuncitem._fixtureinfo.argnames)  # pytest offers no other way
        self.bench.judge(check, pyfuncitem.obj, names)
        return True

    @pytest.fixture
    def student(self) -> None:
        """Given by the bench."""

    evidence = hidden = expect = student


def blank(lab: Lab, check: Check, verdict: Verdict, box: str, **texts: Any) -> CheckResult:
    """A result with its points as the verdict has it."""
    task = lab.task(check.task)
    possible = 0 if task.worked else check.points or 0
    points = possible if verdict is Verdict.PASS else 0
    facts: dict[str, Any] = {"id": check.id, "task": check.task, "says": check.says, "hidden": check.hidden}
    shown: dict[str, Any] = {name: _printable(text) for name, text in texts.items()}
    return CheckResult(**facts, verdict=verdict, points=points, possible=possible, box=box, **shown)


def _printable(text: str) -> str:
    """A text as a record and a terminal can take it: what a learner's value hides in it is spelled out."""
    return "".join(sign if sign in "\n\t" or not CONTROL.match(sign) else ascii(sign)[1:-1] for sign in text)


def main() -> None:
    """Judge the job on standard input and write its answer; as a template, each job in a fork."""
    if sys.argv[1:2] == ["--template"]:
        folder, box, line, hello, *lists = sys.argv[2:]
        names = [text.split(",") if text else [] for text in lists]
        _judge(read_lab(Path(folder)), lambda: _wait(box, int(line), int(hello), *names))
        os._exit(0)  # an end with all these imports would take longer than a check
    template.die_with_parent()
    job = Job(**json.load(sys.stdin))
    _judge(read_lab(Path(job.lab)), lambda: (job, Boxes(BOXES[job.box](), BOXES[job.box]())))


def _judge(lab: Lab, receive: Receive) -> None:
    """Run pytest, which takes the job on its way, and write what came of it."""
    with ExitStack() as opened:
        checks = Checks(lab, receive, opened)
        # Without an end, every folder above the checks is listed as well.
        _run_pytest([f"--rootdir={lab.folder}", f"--confcutdir={lab.course}"], [checks])
        if checks.problem is not None:
            raise checks.problem
        job, bench = checks.job, checks.bench
        for check in checks.lab.checks:
            if check.by_hand and check.id in job.checks:
                bench.hand_over(check)
        answer = {
            "checks": [asdict(result) for result in bench.results],
            "seeded": bench.seeded,
            "said": "; ".join(checks.said),
            "versions": _versions(),
        }
    write_json(Path(job.answer), answer)


def _wait(box: str, line: int, hello: int, preload: list[str], imports: list[str]) -> tuple[Job, Boxes]:
    """Be a template of judges, with templates of boxes; returns in a fork, with its job.

    The boxes have `preload` imported, the judges what their checks will import. It holds no secret and reads
    no hidden check: a job goes to the fork alone.
    """
    templates = _templates(box, preload)
    with TemporaryDirectory() as folder:  # pytest imports the half of itself when it runs a test
        Path(folder, "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        _run_pytest([f"--rootdir={folder}", f"--confcutdir={folder}", folder], [])
    _versions()

    def revive() -> None:
        for one in templates:
            with suppress(CourseError, OSError):
                one.revive()

    def close() -> None:
        for one in templates:
            one.close()

    revive()
    lines = socket.socket(fileno=line)
    given, said = template.serve(lines, hello, imports, before=revive, at_end=close)
    template.die_with_parent()
    job = Job(**json.loads(template.read_all(given)))
    kept = [number for one in templates for number in one.share()]
    null = os.open(os.devnull, os.O_RDWR)
    for number, target in ((null, 0), (null, 1), (said, 2)):
        os.dup2(number, target)
    template.keep_only(kept)
    folder = str(Path(job.answer).parent)
    os.chdir(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = folder  # what a killed judge leaves goes with it
    boxes = [BOXES[box](one) for one in templates] or [BOXES[box](), BOXES[box]()]
    return job, Boxes(*boxes)


def _templates(box: str, modules: list[str]) -> list[Template]:
    """One for learner code and one for our tools; none where boxes start cold.

    Not on macOS: what its own libraries do in a fork was never tried.
    """
    if sys.platform != "linux" or box not in TEMPLATES or (box == BubblewrapBox.name and why_cold()):
        return []
    return [TEMPLATES[box](modules), TEMPLATES[box](PRELOAD, ours=True)]


@contextmanager
def _bench(lab: Lab, job: Job, boxes: Boxes) -> Iterator[Bench]:
    work = Path(job.work)
    with TemporaryDirectory(prefix="judge-") as scratch:
        bench = Bench(lab, take(work), work, boxes, bytes.fromhex(job.secret), Path(scratch))
        try:
            yield bench
        finally:
            bench.notebooks.close()
            bench.evidence.close()


def _run_pytest(words: list[str], plugins: list[object]) -> None:
    """Run pytest in the one way that we do."""
    quiet = ["-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging", "-p", "no:faulthandler"]
    quiet += ["-p", "no:unraisableexception"]  # it collects garbage, twice, of all that was imported
    options = ["-c", os.devnull, "--import-mode=importlib", "-s"]
    options += ["--noconftest"]  # nothing beside the checks has a say
    pytest.main([*quiet, *options, *words], plugins=plugins)


def _order(lab: Lab, asked: tuple[str, ...]) -> list[str]:
    """The checks asked for, each after those it waits for, else as the manifest has them."""
    waits = {
        check.id: [name for name in check.after if name in asked] for check in lab.checks if check.id in asked
    }
    places = {check.id: at for at, check in enumerate(lab.checks)}
    sorter = TopologicalSorter(waits)
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        for name in sorted(sorter.get_ready(), key=places.__getitem__):
            order.append(name)
            sorter.done(name)
    return order


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": platform.system()}
    for tool in TOOLS:
        try:
            found[tool] = importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        sys.exit(str(error))
