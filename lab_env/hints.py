"""The ladder of three hints for a check, one step at a time."""

from dataclasses import dataclass

from grader.manifest import Check
from grader.results import write_json
from lab_env.errors import LabError
from lab_env.workspace import Workspace, read_json

FILE = "hints.json"


@dataclass(frozen=True)
class Hint:
    """One step of a ladder; `shown` has all steps given so far, this one last."""

    check: Check
    shown: tuple[str, ...]

    @property
    def step(self) -> int:
        """Which step this is, from 1."""
        return len(self.shown)

    @property
    def is_last(self) -> bool:
        """Whether the ladder ends here."""
        return self.step == len(self.check.hints)


def next_hint(workspace: Workspace, check: Check) -> Hint:
    """The next step for a check; at the end of the ladder, its last step again.

    Raises:
        LabError: the check belongs to a worked task and has no hints.
    """
    if not check.hints:
        raise LabError(
            f"Check `{check.id}` has no hints: its task `{check.task}` is shown done. If it fails, "
            "`lab reset` lays the lab out again and keeps a copy of your work."
        )
    given = _given(workspace)
    step = min(given.get(check.id, 0) + 1, len(check.hints))
    if given.get(check.id) != step:
        write_json(workspace.notes / FILE, given | {check.id: step})
    return Hint(check, check.hints[:step])


def taken(workspace: Workspace) -> dict[str, int]:
    """How far down each check's ladder the learner went; checks without a hint taken are left out."""
    ids = {check.id for check in workspace.lab.checks}
    return {name: step for name, step in _given(workspace).items() if name in ids}


def _given(workspace: Workspace) -> dict[str, int]:
    """The steps that were given, by check; a note that is no step is left out."""
    noted = read_json(workspace.notes / FILE)
    return {name: step for name, step in noted.items() if type(step) is int and step > 0}
