"""What an MLflow store says: experiments, runs and models, read from its SQLite file as tables.

Nothing of MLflow runs: a copy of the database is opened in the sealed box, and absolute artifact paths of the
machine that wrote it are looked for again among the submitted files.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from grader.boxes.base import Stopped
from grader.results import Verdict
from grader.sealed import SealedBox

DATABASE = "mlflow.db"


@dataclass(frozen=True)
class LoggedModel:
    """A model that a run logged; `folder` is where its files are in the work, None when they are outside."""

    id: str
    name: str
    run: str
    folder: str | None
    deleted: bool = False


@dataclass(frozen=True)
class Run:
    """One run as the store has it.

    Attributes:
        id: 32 hex digits.
        name: as people call it; need not be unique.
        experiment: the experiment's name.
        status: RUNNING, FINISHED, FAILED, KILLED or SCHEDULED.
        deleted: `delete_run` was called; the row and the files are still there.
        started: in milliseconds since 1970; None when it never was.
        folder: of its artifacts in the work; None when they are outside, or there are none.
        params: as logged; values are texts.
        metrics: the last value of each; NaN where it is none.
        tags: as logged, MLflow's own among them.
        models: what it logged by `log_model`, oldest first.
    """

    id: str
    name: str
    experiment: str
    status: str
    deleted: bool = False
    started: int | None = None
    folder: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    models: tuple[LoggedModel, ...] = ()


class MlflowEvidence:
    """The submitted MLflow store: `mlflow.db` and the artifacts beside it."""

    def __init__(self, sealed: SealedBox, files: Iterable[str], database: str = DATABASE) -> None:
        self._sealed = sealed
        self._files = tuple(files)
        self._database = database
        if database not in self._files:
            raise Stopped(Verdict.FAIL, f"There is no {database} in the work: no run was ever logged there.")

    def experiments(self) -> tuple[str, ...]:
        """The names of the experiments that are not deleted."""
        return tuple(str(row[1]) for row in self._tables["experiments"] if row[2] != "deleted")

    def runs(self, experiment: str | None = None, *, deleted: bool = False) -> tuple[Run, ...]:
        """The runs, oldest first: of one experiment or of all; with `deleted` also those softly deleted."""
        return tuple(
            run for run in self._runs if experiment in (None, run.experiment) and (deleted or not run.deleted)
        )

    def run(self, run_id: str) -> Run | None:
        """The run of that id that is not deleted; None when there is none."""
        return next((run for run in self.runs() if run.id == run_id), None)

    @cached_property
    def _tables(self) -> dict[str, list[list[Any]]]:
        problem, tables = self._sealed.ask("mlflow", self._database)
        if problem:
            raise Stopped(Verdict.FAIL, f"{self._database} cannot be read: {problem}")
        return dict(tables)

    @cached_property
    def _runs(self) -> tuple[Run, ...]:
        tables = self._tables
        experiments = {row[0]: str(row[1]) for row in tables["experiments"]}
        params, tags = _by_run(tables["params"], str), _by_run(tables["tags"], str)
        metrics = _by_run(
            [[run, key, None if is_nan else value] for run, key, value, is_nan in tables["metrics"]], _number
        )
        models: dict[str, list[LoggedModel]] = {}
        for model, name, run, uri, stage, _ in sorted(tables["models"], key=_when):
            found = LoggedModel(
                str(model), str(name), str(run), self._folder(uri, str(model)), stage == "deleted"
            )
            models.setdefault(str(run), []).append(found)
        found_runs = [
            Run(
                id=str(run),
                name=str(name or ""),
                experiment=experiments.get(experiment, ""),
                status=str(status or ""),
                deleted=stage == "deleted",
                started=started if type(started) is int else None,
                folder=self._folder(uri, str(run)),
                params=params.get(str(run), {}),
                metrics=metrics.get(str(run), {}),
                tags=tags.get(str(run), {}),
                models=tuple(models.get(str(run), ())),
            )
            for run, name, experiment, status, started, stage, uri in tables["runs"]
        ]
        return tuple(sorted(found_runs, key=lambda run: (run.started or 0, run.id)))

    def _folder(self, uri: Any, owner: str) -> str | None:
        """Where an artifact address leads among the submitted files: the longest end of it that is there.

        An end that lacks the owner's id could be anybody's, and is none.
        """
        path = re.sub(r"^[\w-]{2,}:/*", "", str(uri or "")).replace("\\", "/")
        parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
        if not owner or owner not in parts:
            return None
        for at in range(parts.index(owner) + 1):
            tail = "/".join(parts[at:])
            for start in (tail, f"mlartifacts/{tail}", f"mlruns/{tail}"):
                if any(name.startswith(f"{start}/") for name in self._files):
                    return start
        return None


def _by_run(rows: list[list[Any]], of: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for run, key, value in rows:
        found.setdefault(str(run), {})[str(key)] = of(value)
    return found


def _when(row: list[Any]) -> int:
    return row[-1] if type(row[-1]) is int else 0


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
