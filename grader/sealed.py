"""The sealed box: our own Git, DVC and SQLite beside a submission, where learner code never runs.

`reader.py` is what runs in it.
"""

from functools import cached_property
from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns, which
from typing import Any

from grader.boxes.base import Box, Budget, Session, Stopped
from grader.errors import BoxError, ToolMissing
from grader.manifest import Limits
from grader.results import Verdict

SEALED_LIMITS = Limits(cpu_s=120, wall_s=240, memory_mb=2048, disk_mb=1024, output_kb=16 * 1024)

# What a template for this box imports: DVC, and what it would import when it is used.
PRELOAD = (
    *("yaml", "dvc.repo", "dvc.cachemgr", "dvc.data_cloud", "dvc.scm", "dvc.utils.strictyaml"),
    *(f"dvc.repo.{part}" for part in ("artifacts", "brancher", "datasets", "index", "metrics", "params")),
    *("dvc.repo.plots", "dvc.repo.stage"),
    *(f"dvc_data.index.{part}" for part in ("checkout", "collect", "fetch")),
    *("fsspec.implementations.memory", "platformdirs", "scmrepo.git", "zc.lockfile"),
)


class SealedBox:
    """The box that reads: made when first asked, kept until the submission is judged."""

    def __init__(self, box: Box, work: Path, scratch: Path) -> None:
        self._box = box
        self._work = work
        self._scratch = scratch
        self._stopped: Stopped | None = None

    def ask(self, act: str, *arguments: Any) -> Any:
        """What a function of `reader.py` returns.

        Raises:
            Stopped: reading passed a limit, now or before.
            BoxError: the box died or our reader failed: no fault of the learner's.
        """
        if self._stopped is not None:
            raise self._stopped
        try:
            return self._session.call(f"reader.{act}", *arguments)
        except Stopped as stopped:
            if stopped.verdict in (Verdict.STUDENT_ERROR, Verdict.FORBIDDEN):  # no learner code is in there
                raise BoxError(f"Reading the submission failed in `{act}`: {stopped.found}") from stopped
            self._stopped = stopped
            raise

    def read(self, path: str) -> bytes | None:
        """A file of the box; None when it is not there."""
        return self._session.read(path)

    @cached_property
    def _session(self) -> Session:
        if which("git") is None:
            raise ToolMissing("Git is not on PATH. Install it (Debian: `apt install git`).")
        given = self._scratch / "sealed" / "given"
        given.mkdir(parents=True, exist_ok=True)
        source = self._work / ".git"
        for part in ("objects", "refs"):
            if (source / part).is_dir():
                ignored = ignore_patterns("info", "*.bitmap", "multi-pack-index*")  # Git believes these
                ignore = ignored if part == "objects" else None
                copytree(source / part, given / part, dirs_exist_ok=True, ignore=ignore)
        for name in ("packed-refs", "HEAD"):
            if (source / name).is_file():
                copyfile(source / name, given / name)
        copytree(self._work, given.parent / "tree", ignore=_only_at(self._work, ".git"))
        copyfile(Path(__file__).with_name("reader.py"), given.parent / "reader.py")
        budget = Budget(SEALED_LIMITS)
        session = Session(self._box.start(given.parent, {}, budget), budget)
        if problem := session.call("reader.begin"):
            session.close()
            raise Stopped(Verdict.FAIL, f"Git cannot read the repository: {problem}")
        return session

    def close(self) -> None:
        """End the box."""
        if "_session" in self.__dict__:
            self._session.close()


def _only_at(folder: Path, name: str) -> Any:
    """For copytree: leave out `name` directly in `folder`, and nothing of that name further down."""
    return lambda here, names: {name} & set(names) if Path(here) == folder else set()
