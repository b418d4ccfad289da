"""A lab's facts as frozen types. `manifest` reads them from `lab.toml`."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from grader.errors import ManifestError

Text = Annotated[StrictStr, Field(min_length=1)]
Count = Annotated[StrictInt, Field(gt=0)]
Points = Annotated[StrictInt | StrictFloat, Field(gt=0, allow_inf_nan=False)]
Command = Annotated[tuple[Text, ...], Field(min_length=1)]


Part = TypeVar("Part")


class Table(BaseModel):
    """A table of the manifest: no key but its own, nothing changed after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(Table):
    """What one judged submission may use. CPU time decides; wall time is the generous bound."""

    cpu_s: Count = Field(60, description="Seconds of CPU time, all programs together.", examples=["60"])
    wall_s: Count = Field(240, description="Seconds on the clock.", examples=["240"])
    memory_mb: Count = Field(2048, description="Private memory of one program, in MiB.", examples=["2048"])
    disk_mb: Count = Field(512, description="The largest file that may be written, in MiB.", examples=["512"])
    output_kb: Count = Field(1024, description="What one program may print, in KiB.", examples=["1024"])


class Check(Table):
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
    by_hand: Text | None = Field(
        None,
        description="The file whose answer a person grades; of a notebook, the check's cell. No function.",
        examples=['"first-model.ipynb"'],
    )
    task: str = Field("", exclude=True)


class Task(Table):
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


class Lab(Table):
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
    def imports(self) -> tuple[str, ...]:
        """What a warm box imports beforehand: `preload`, and where there are notebooks what runs them."""
        has_notebooks = any((self.folder / "work").rglob("*.ipynb"))
        return (*self.preload, "IPython.core.interactiveshell") if has_notebooks else self.preload

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
        return self._named("task", name, {task.id: task for task in self.tasks})

    def check(self, name: str) -> Check:
        """The check with that id.

        Raises:
            ManifestError: no such check; names the nearest.
        """
        return self._named("check", name, {check.id: check for check in self.checks})

    def _named(self, kind: str, name: str, known: Mapping[str, Part]) -> Part:
        if name not in known:
            raise ManifestError(f"Lab {self.id} has no {kind} `{name}`.{nearest(name, known)}")
        return known[name]


def nearest(name: str, known: Iterable[str]) -> str:
    """A "did you mean" for a mistyped name, with a space before it; empty when nothing is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean `{near[0]}`?" if near else ""
