"""A notebook in a box: run cell by cell, then asked for values and called."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from grader.boxes.base import Box, Budget, Running, Session, Stopped
from grader.cells import Cell
from grader.errors import BoxError, CourseError, InvalidSubmission
from grader.notebooks import MAX_BYTES, labels, read_released, read_submitted, rebuild
from grader.results import Verdict

PLACE = re.compile(r"\(?\bcell (\d+):(\d+)\)?")


@dataclass(frozen=True)
class Outcome:
    """A cell that ran: its title or the heading above it, its source, and what it raised, if anything:
    the message with the line, the type, and the verdict on who needs its values.
    """

    title: str
    source: str
    error: str = ""
    exception: str = ""
    verdict: Verdict = Verdict.PASS


@dataclass(frozen=True)
class Notebook:
    """What is run: the cells that a submission comes to, and where they stand."""

    name: str
    cells: tuple[Cell, ...]
    labels: tuple[str, ...]
    language: str


class NotebookSession(Session):
    """A notebook that has run. Each question finds it as its last cell left it."""

    def __init__(self, running: Running, budget: Budget, notebook: Notebook) -> None:
        super().__init__(running, budget)
        self._notebook = notebook
        self.outcomes: tuple[Outcome, ...] = ()
        try:
            before = budget.wall_s, budget.cpu_s
            self._ask("shell", folder=str(Path(notebook.name).parent))
            budget.wall_s, budget.cpu_s = before  # to start IPython is not the learner's time
            self._run()
        except BaseException:
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether it can still be asked."""
        return self._ending is None

    @property
    def raised(self) -> tuple[Outcome, ...]:
        """The cells that raised, in order."""
        return tuple(one for one in self.outcomes if one.error)

    def value(self, name: str) -> Any:
        """What `name` stands for, as plain data; `model.coef_` is a name too.

        Raises:
            Stopped: no cell gave it a value (STUDENT_ERROR, naming the cell that raised), or it cannot cross.
        """
        try:
            return self._question(name, "value", name=name)
        except Stopped as stopped:
            if stopped.exception != "WireError":
                raise
            found = (
                f"`{name}` is {stopped.found.removeprefix('WireError: ')}. Plain data can: numbers, texts, "
            )
            raise Stopped(
                stopped.verdict, f"{found}lists, dictionaries, arrays and tables.", stopped.exception
            ) from stopped

    def call(self, target: str, *args: Any, **kwargs: Any) -> Any:
        """The value of a function that the notebook defines.

        Raises:
            Stopped: there is none of that name, it raised, or it passed a limit.
        """
        return self._question(target, "ask", name=target, args=list(args), kwargs=kwargs)

    def _run(self) -> None:
        for number, (cell, label) in enumerate(zip(self._notebook.cells, self._notebook.labels, strict=True)):
            if cell.kind != "code" or cell.role == "check" or not cell.source.strip():
                continue
            try:
                said = self._ask("cell", number=number, source=cell.source)
            except Stopped as stopped:
                raise Stopped(
                    stopped.verdict, f"{stopped.found} It ran the cell “{label}”.", stopped.exception
                ) from stopped
            error = self._stopped(said) if said else None
            facts = (self._told(error.found, label), error.exception, error.verdict) if error else ()
            self.outcomes += (Outcome(label, cell.source, *facts),)

    def _question(self, target: str, act: str, /, **parameters: Any) -> Any:
        try:
            return self._ask(act, **parameters)
        except Stopped as stopped:
            if stopped.exception == "MissingName":
                raise self._missing(target.partition(".")[0]) from stopped
            raise Stopped(stopped.verdict, self._told(stopped.found), stopped.exception) from stopped

    def _missing(self, name: str) -> Stopped:
        """The verdict on a name that no cell gave a value: the cell that raised on the way to it, if any."""
        known = self._notebook.language
        note = "" if known in ("", "python") else f" It says that it is written in {known}; Python runs it."
        at_fault = [one for one in self.raised if re.search(rf"\b{re.escape(name)}\b", one.source)]
        for one in (*at_fault, *self.raised):
            found = f"`{name}` has no value: the cell “{one.title}” raised {one.error}.{note}"
            return Stopped(one.verdict, found, one.exception)
        found = f"`{name}` has no value when all cells of {self._notebook.name} have run.{note}"
        return Stopped(Verdict.STUDENT_ERROR, found, "NameError")

    def _told(self, found: str, known: str = "") -> str:
        """A message with the cell's title, unless it is `known`, and the learner's line for its number."""

        def place(match: re.Match[str]) -> str:
            number, line = int(match[1]), int(match[2])
            if number >= len(self._notebook.cells):
                return match[0]
            lines = self._notebook.cells[number].source.splitlines()
            text = lines[line - 1].strip()[:80] if 0 < line <= len(lines) else ""
            label = self._notebook.labels[number]
            parts = [f"cell “{label}”"] if label != known else []
            return f"({', '.join([*parts, f'line {line}'])}{f': `{text}`' if text else ''})"

        return PLACE.sub(place, found)


class Notebooks:
    """The notebooks of one submission. Each is run once and kept until the judging ends."""

    def __init__(self, starter: Path, box: Box, budget: Budget) -> None:
        self._starter = starter
        self._box = box
        self._budget = budget
        self._kept: dict[tuple[Path, str, str], NotebookSession | Stopped] = {}

    def open(self, work: Path, name: str, until: str) -> NotebookSession:
        """The notebook of a work, run up to a cell; run anew when a question has ended its box.

        Raises:
            Stopped: it cannot be read or did not come to its end; the same for every check.
        """
        key = work, name, until
        kept = self._kept.get(key)
        if kept is None or (isinstance(kept, NotebookSession) and not kept.is_open):
            try:
                kept = self._kept[key] = self.run(work, name, until, {})
            except Stopped as stopped:
                kept = self._kept[key] = stopped
        if isinstance(kept, Stopped):
            raise Stopped(kept.verdict, kept.found, kept.exception)
        return kept

    def run(self, work: Path, name: str, until: str, files: Mapping[str, bytes]) -> NotebookSession:
        """The notebook, run in a box of its own with `files` laid over the work.

        Raises:
            Stopped: it cannot be read or did not come to its end.
        """
        notebook = self._rebuilt(work, name, until)
        return NotebookSession(self._box.start(work, files, self._budget), self._budget, notebook)

    def close(self) -> None:
        """End the boxes."""
        for kept in self._kept.values():
            if isinstance(kept, NotebookSession):
                kept.close()

    def written(self, work: Path, name: str, cell_id: str) -> str:
        """What a learner wrote into a cell and, in words of their own, behind it; of another file, all.

        Empty when it is as it was released.

        Raises:
            Stopped: the file is not there or cannot be read.
        """
        given = (self._starter / name).read_bytes()
        if not name.endswith(".ipynb"):
            text = self._read(work, name)
            return "" if text.split() == given.split() else text.decode("utf-8", "replace").strip()
        released = {cell.id: cell.source for cell in read_released(given)}
        cells = self._rebuilt(work, name, "").cells
        ids = [cell.id for cell in cells]
        if cell_id not in ids:
            return ""
        at = ids.index(cell_id)
        behind = takewhile(lambda cell: not cell.role, cells[at + 1 :])
        texts = [cells[at].source, *(cell.source for cell in behind if cell.kind == "markdown")]
        told = "\n\n".join(texts).strip()
        return "" if told.split() == released[cell_id].split() else told

    def _read(self, work: Path, name: str) -> bytes:
        if not (work / name).is_file():
            raise Stopped(Verdict.FAIL, f"{name} is not in the work. It must keep its name and its place.")
        with (work / name).open("rb") as file:
            return file.read(MAX_BYTES + 1)

    def _rebuilt(self, work: Path, name: str, until: str) -> Notebook:
        released = self._starter / name
        if not released.is_file():
            raise CourseError(f"{released} is missing. `student.notebook` takes a notebook of the starter.")
        content = self._read(work, name)
        given = read_released(released.read_bytes())
        try:
            submitted = read_submitted(name, content)
        except InvalidSubmission as error:
            raise Stopped(Verdict.INVALID_SUBMISSION, str(error)) from error
        cells = rebuild(given, submitted.cells)
        if until:
            titles = [cell.title for cell in given]
            if until not in titles:
                raise BoxError(f"{name} has no cell titled `{until}`.")
            last = {cell.id for cell in given[: titles.index(until) + 1]}
            cells = cells[: max((at for at, cell in enumerate(cells, 1) if cell.id in last), default=0)]
        return Notebook(name, cells, labels(cells), submitted.language)
