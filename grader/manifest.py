"""`lab.toml`, read once into frozen types; every other room takes a lab's facts from here."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from grader.errors import ManifestError

LAB_ID = re.compile(r"\d\d-[a-z0-9]+(-[a-z0-9]+)*")
CHECK_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
TASK_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

Text = Annotated[StrictStr, Field(min_length=1)]
Count = Annotated[StrictInt, Field(gt=0)]
Points = Annotated[StrictInt | StrictFloat, Field(gt=0)]
Command = Annotated[tuple[Text, ...], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Table):
    """What one judged submission may use. CPU time decides; wall time is the generous bound."""

    cpu_s: Count = Field(60, description="Seconds of CPU time, all programs together.", examples=["60"])
    wall_s: Count = Field(240, description="Seconds on the clock.", examples=["240"])
    memory_mb: Count = Field(2048, description="Private memory of one program, in MiB.", examples=["2048"])
    disk_mb: Count = Field(512, description="The largest file that may be written, in MiB.", examples=["512"])
    output_kb: Count = Field(1024, description="What one program may print, in KiB.", examples=["1024"])


class Check(_Table):
    """One promise and the one test function `test_<id>` that keeps it."""

    id: Text = Field(
        description="A sentence in snake case; the test function is `test_<id>`.",
        examples=['"orders_are_tracked"'],
    )
    says: Text = Field(
        description="The promise, as the learner reads it.",
        examples=['"data/orders.parquet is tracked by DVC"'],
    )
    points: Points | None = Field(
        None,
        description="More than 0. A worked task's checks have none; an extension's are extra credit.",
        examples=["5"],
    )
    hints: tuple[Text, ...] = Field(
        (),
        description="A ladder of three: where to look, what to use, nearly the line.",
        examples=['["Where to look.", "What to use.", "Nearly the line."]'],
    )
    after: tuple[Text, ...] = Field(
        (),
        description="Checks that must pass first; else this one is BLOCKED.",
        examples=['["orders_are_tracked"]'],
    )
    hidden: StrictBool = Field(
        False,
        description="True: its code lives in `solutions/`; the promise is still public.",
        examples=["true"],
    )
    task: str = Field("", exclude=True)


class Task(_Table):
    """One step of a lab, with the checks that say whether it works."""

    id: Text = Field(description="A short name in kebab case.", examples=['"track-orders"'])
    title: Text = Field(description="What the learner does.", examples=['"Track the orders with DVC"'])
    minutes: Count = Field(description="What a newcomer needs.", examples=["10"])
    core: StrictBool = Field(
        True, description="False: an extension, never needed for the next lab.", examples=["false"]
    )
    worked: StrictBool = Field(
        False, description="True: shown done; its checks pass in the starter.", examples=["true"]
    )
    checks: tuple[Check, ...] = Field(
        min_length=1, description="At least one.", examples=["[[tasks.checks]] with an id, says and hints"]
    )


class Lab(_Table):
    """A lab as its manifest describes it, and where it lives."""

    format: StrictInt = Field(description="The version of this form: 1.", examples=["1"])
    title: Text = Field(description="What the lab is called.", examples=['"Version data like code"'])
    minutes: Count = Field(description="The whole lab, reading aside.", examples=["60"])
    needs: tuple[Text, ...] = Field(
        (), description="Labs to have done before, by id.", examples=['["01-first-model"]']
    )
    objectives: tuple[Text, ...] = Field(
        min_length=1,
        description="What the learner can do afterwards.",
        examples=['["Put a dataset under version control"]'],
    )
    prepare: tuple[Command, ...] = Field(
        (),
        description="Commands run in a new workspace, each a list of words.",
        examples=['[["python", "make_data.py"]]'],
    )
    preload: tuple[Text, ...] = Field(
        (), description="Modules that a warm box may import beforehand.", examples=['["pandas"]']
    )
    limits: Limits = Field(
        Limits(), description="What one judged submission may use.", examples=["{ cpu_s = 60 }"]
    )
    tasks: tuple[Task, ...] = Field(
        min_length=1, description="In the order in which they are done.", examples=["[[tasks]] with an id"]
    )
    tables: Mapping[str, Any] = Field({}, exclude=True)
    folder: Path = Field(Path(), exclude=True)

    @property
    def id(self) -> str:
        """The folder's name: `02-version-data`."""
        return self.folder.name

    @property
    def number(self) -> str:
        """The two digits: `02`."""
        return self.id[:2]

    @property
    def slug(self) -> str:
        """The id without its number: `version-data`."""
        return self.id[3:]

    @property
    def course(self) -> Path:
        """The folder that holds `labs/`."""
        return self.folder.parent.parent

    @property
    def solutions(self) -> Path:
        """Where the master, the hidden checks and the wrong answers live; absent in a published copy."""
        return self.course / "solutions" / self.id

    @property
    def checks(self) -> tuple[Check, ...]:
        """All checks, in the order of the manifest."""
        return tuple(check for task in self.tasks for check in task.checks)

    @property
    def visible(self) -> tuple[Check, ...]:
        """The checks that a learner can run."""
        return tuple(check for check in self.checks if not check.hidden)

    @property
    def release(self) -> str:
        """The hash in `release.txt`, written by `grader release`.

        Raises:
            ManifestError: the lab was never released.
        """
        path = self.folder / "release.txt"
        try:
            return path.read_text().strip()
        except FileNotFoundError as error:
            raise ManifestError(
                f"{path} is missing: this lab was never released. Run `grader release {self.number}`."
            ) from error

    def task(self, name: str) -> Task:
        """The task with that id.

        Raises:
            ManifestError: no such task; names the nearest.
        """
        for task in self.tasks:
            if task.id == name:
                return task
        raise ManifestError(
            f"Lab {self.id} has no task `{name}`.{_nearest(name, [task.id for task in self.tasks])}"
        )

    def check(self, name: str) -> Check:
        """The check with that id.

        Raises:
            ManifestError: no such check; names the nearest.
        """
        for check in self.checks:
            if check.id == name:
                return check
        raise ManifestError(
            f"Lab {self.id} has no check `{name}`.{_nearest(name, [check.id for check in self.checks])}"
        )


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
        f"{course / 'labs'} has no lab `{name}`.{_nearest(name, ids)} The labs here: {listed}."
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
        task.model_copy(update={"checks": tuple(c.model_copy(update={"task": task.id}) for c in task.checks)})
        for task in lab.tasks
    )
    return lab.model_copy(update={"tasks": tasks})


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
                self._hints(task, check)
        self._after()

    def _fail(self, key: str, problem: str, instead: str) -> Self:
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
                        _nearest(name, ids).strip() or f"Name one of: {', '.join(ids)}.",
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
    first = error.errors(include_url=False, include_input=True)[0]
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
        near = _nearest(names[-1], known).strip() or f"The keys here: {', '.join(known)}."
        return f"{file}: unknown key `{key}`. {near}"
    field = _table(names[:-1]).model_fields[names[-1]] if names else None
    sample = f" Write for example `{names[-1]} = {field.examples[0]}`." if field and field.examples else ""
    if first["type"] == "missing":
        return f"{file}: `{key}` is missing.{sample}"
    problem = first["msg"].removeprefix("Input ").removeprefix("Value ")
    return f"{file}: `{key}` is {_short(first['input'])}; it {problem}.{sample}"


def _table(names: Sequence[str]) -> type[_Table]:
    inner: dict[str, type[_Table]] = {"limits": Limits, "tasks": Task, "checks": Check}
    return inner[names[-1]] if names else Lab


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean `{near[0]}`?" if near else ""


def _circle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
