"""`lab.toml`, read once into frozen types; every other room takes a lab's facts from here."""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from grader.errors import ManifestError
from grader.lab import Check, Lab, Limits, Table, Task, nearest

__all__ = ["Check", "Lab", "Limits", "Task", "find_course", "find_lab", "list_labs", "read_lab"]

LAB_ID = re.compile(r"\d\d-[a-z0-9]+(-[a-z0-9]+)*")
CHECK_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
WORDS = {
    r"a valid dictionary or instance of \w+": "a table",
    r"a valid tuple": "a list",
    r"a valid string": "a text in quotes",
    r"a valid integer": "a whole number",
    r"a valid boolean": "true or false",
    r"a valid number": "a number",
    r" after validation, not \d+": "",
}
TASK_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def find_course(start: Path) -> Path:
    """The nearest folder from `start` upward that holds `labs/` and `mkdocs.yml`.

    Raises:
        ManifestError: none of them is a course.
    """
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / "labs").is_dir() and (folder / "mkdocs.yml").is_file():
            return folder
    raise ManifestError(
        f"{here} is not inside a course: no folder above it has `labs/` and `mkdocs.yml`. "
        "Change into the clone of the course and try again."
    )


def list_labs(course: Path) -> tuple[Lab, ...]:
    """Every lab of a course in teaching order.

    Raises:
        ManifestError: a manifest is wrong, or labs need each other in a circle.
    """
    labs = tuple(read_lab(path.parent) for path in sorted((course / "labs").glob("*/lab.toml")))
    needs = {lab.id: lab.needs for lab in labs}
    if circle := _circle(needs):
        file = course / "labs" / circle[0] / "lab.toml"
        raise ManifestError(
            f"{file}: `needs` goes in a circle: {' → '.join(circle)}. Take one of them out of `needs`."
        )
    return labs


def find_lab(course: Path, name: str) -> Lab:
    """The lab called `name`: its number (`2`, `02`), its slug or its whole id.

    Raises:
        ManifestError: no such lab (names the nearest), or its manifest is wrong.
    """
    ids = [path.parent.name for path in sorted((course / "labs").glob("*/lab.toml"))]
    for lab_id in ids:
        if name in (lab_id, lab_id[3:], lab_id[:2]) or (name.isdecimal() and name.zfill(2) == lab_id[:2]):
            return read_lab(course / "labs" / lab_id)
    listed = ", ".join(ids) or "none"
    raise ManifestError(
        f"{course / 'labs'} has no lab `{name}`.{nearest(name, ids)} The labs here: {listed}."
    )


def read_lab(folder: Path) -> Lab:
    """Read `folder/lab.toml`.

    Raises:
        ManifestError: the file, the key and what to write instead.
    """
    file = folder / "lab.toml"
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ManifestError(f"{file} is missing. A lab is a folder with a `lab.toml` in it.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{file} is not TOML: {error}. Mend that line.") from error
    course = folder.parent.parent
    tables = {name: data.pop(name) for name in _handed_on(course) if name in data}
    _reject_derived(file, data)
    try:
        lab = Lab.model_validate(data | {"tables": tables, "folder": folder.resolve()})
    except ValidationError as error:
        raise ManifestError(_explain(file, error)) from error
    _Rules(file, lab).hold()
    tasks = tuple(
        task.model_copy(update={"checks": tuple(_placed(check, task) for check in task.checks)})
        for task in lab.tasks
    )
    return lab.model_copy(update={"tasks": tasks})


def _placed(check: Check, task: Task) -> Check:
    """A check that knows its task; what a person grades is done at grading, as hidden checks are."""
    return check.model_copy(update={"task": task.id, "hidden": check.hidden or check.by_hand is not None})


class _Rules:
    """What a well-typed manifest must hold to besides; the first rule broken is raised."""

    def __init__(self, file: Path, lab: Lab) -> None:
        self.file = file
        self.lab = lab

    def hold(self) -> None:
        self._ids()
        for task in self.lab.tasks:
            for check in task.checks:
                self._points(task, check)
                self._by_hand(task, check)
                self._hints(task, check)
        self._after()

    def _fail(self, key: str, problem: str, instead: str) -> NoReturn:
        raise ManifestError(f"{self.file}: `{key}` {problem}. {instead}")

    def _ids(self) -> None:
        lab = self.lab
        if lab.format != 1:
            self._fail("format", f"is {lab.format}; this engine reads 1", "Write `format = 1`.")
        if not LAB_ID.fullmatch(lab.folder.name):
            self._fail(lab.folder.name, "is no lab id", "Name the folder like `02-version-data`.")
        for need in lab.needs:
            if not LAB_ID.fullmatch(need):
                self._fail("needs", f"names {need!r}", 'Write a whole lab id, like "01-first-model".')
        self._unique("tasks.id", [task.id for task in lab.tasks], TASK_ID, "track-orders")
        self._unique("tasks.checks.id", [check.id for check in lab.checks], CHECK_ID, "orders_are_tracked")

    def _unique(self, key: str, ids: Sequence[str], form: re.Pattern[str], sample: str) -> None:
        for name, times in Counter(ids).items():
            if not form.fullmatch(name):
                self._fail(key, f"is {name!r}", f"Write lower-case words, like `{sample}`.")
            if times > 1:
                self._fail(key, f"`{name}` stands {times} times", "Give each its own id.")

    def _points(self, task: Task, check: Check) -> None:
        key = f"{task.id}.{check.id}.points"
        if task.worked and check.points is not None:
            self._fail(key, "stands in a worked task", "Take it out: what is shown done earns nothing.")
        if not task.worked and check.points is None:
            self._fail(key, "is missing", "Write for example `points = 5`.")

    def _by_hand(self, task: Task, check: Check) -> None:
        if task.worked and check.by_hand:
            self._fail(
                f"{task.id}.{check.id}.by_hand", "stands in a worked task", "Take it out: there is no answer."
            )

    def _hints(self, task: Task, check: Check) -> None:
        if len(check.hints) != 3 and not (task.worked and not check.hints):
            self._fail(
                f"{task.id}.{check.id}.hints",
                f"has {len(check.hints)} steps; a ladder has 3",
                'Write `hints = ["where to look", "what to use", "nearly the line"]`.',
            )

    def _after(self) -> None:
        ids = [check.id for check in self.lab.checks]
        for check in self.lab.checks:
            for name in check.after:
                if name not in ids:
                    self._fail(
                        f"{check.id}.after",
                        f"names `{name}`, which is no check here",
                        nearest(name, ids).strip() or f"Name one of: {', '.join(ids)}.",
                    )
        if circle := _circle({check.id: check.after for check in self.lab.checks}):
            self._fail("after", f"goes in a circle: {' → '.join(circle)}", "Take one of them out of `after`.")


def _handed_on(course: Path) -> tuple[str, ...]:
    """The tables that the course's pyproject.toml lets a manifest hold besides the engine's own."""
    file = course / "pyproject.toml"
    if not file.is_file():
        return ()
    tables = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("grader", {})
    return tuple(tables.get("tables", ()))


def _reject_derived(file: Path, data: Mapping[str, Any]) -> None:
    """Refuse the keys that the types hold but a manifest may not set."""
    for key in ("tables", "folder"):
        if key in data:
            raise ManifestError(f"{file}: unknown key `{key}`. Take it out.")
    tasks = data.get("tasks")
    for task in tasks if isinstance(tasks, list) else ():
        checks = task.get("checks") if isinstance(task, dict) else None
        for check in checks if isinstance(checks, list) else ():
            if isinstance(check, dict) and "task" in check:
                raise ManifestError(f"{file}: unknown key `tasks.checks.task`. Take it out.")


def _explain(file: Path, error: ValidationError) -> str:
    """The first thing wrong, as the file, the key and what to write instead."""
    errors = error.errors(include_url=False, include_input=True)
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])  # a mistyped key
    names = [part for part in first["loc"] if isinstance(part, str) and part not in ("int", "float")]
    key = ".".join(
        f"{part}[{first['loc'][at + 1] + 1}]"  # type: ignore[operator]  # a list index follows its key
        if at + 1 < len(first["loc"]) and isinstance(first["loc"][at + 1], int)
        else str(part)
        for at, part in enumerate(first["loc"])
        if isinstance(part, str) and part not in ("int", "float")
    )
    if first["type"] == "extra_forbidden":
        known = [name for name, field in _table(names[:-1]).model_fields.items() if not field.exclude]
        near = nearest(names[-1], known).strip() or f"The keys here: {', '.join(known)}."
        return f"{file}: unknown key `{key}`. {near}"
    field = _table(names[:-1]).model_fields[names[-1]] if names else None
    sample = f" Write for example `{names[-1]} = {field.examples[0]}`." if field and field.examples else ""
    if first["type"] == "missing":
        return f"{file}: `{key}` is missing.{sample}"
    return f"{file}: `{key}` is {_short(first['input'])}; it {_problem(first['msg'])}.{sample}"


def _problem(message: str) -> str:
    """What is wrong in the words of a TOML file, not of Python: "should be a list"."""
    text = "should" + message.partition("should")[2]
    for form, word in WORDS.items():
        text = re.sub(form, word, text)
    return text


def _table(names: Sequence[str]) -> type[Table]:
    inner: dict[str, type[Table]] = {"limits": Limits, "tasks": Task, "checks": Check}
    return inner[names[-1]] if names else Lab


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _circle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
