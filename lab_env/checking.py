"""`lab check` without its printing: which checks to run, and what they say about the workspace."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass

from grader.controller import judge
from grader.errors import InvalidSubmission
from grader.manifest import Check, Lab, Task
from grader.results import CheckResult, Result, Verdict, learner_view
from grader.snapshot import take
from grader.warm import WarmJudge
from lab_env.progress import Tally, note_result, now, standing, tally
from lab_env.workspace import Workspace


@dataclass(frozen=True)
class Checked:
    """A workspace's visible checks, judged; `tasks` are those to show."""

    workspace: Workspace
    result: Result
    tasks: tuple[Task, ...]

    @property
    def results(self) -> Mapping[str, CheckResult]:
        """What each check that ran says, by its id."""
        return {check.id: check for check in self.result.checks}

    @property
    def tally(self) -> Tally:
        """What the whole lab adds up to, as far as these checks say."""
        return tally(self.workspace.lab, self.verdicts)

    @property
    def verdicts(self) -> Mapping[str, str]:
        """The verdict of each check that ran, by its id."""
        return {check.id: check.verdict for check in self.result.checks}

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """What did not pass in the tasks shown; an extension counts when it alone was asked for."""
        tasks = {task.id for task in self.tasks if task.core or len(self.tasks) == 1}
        return tuple(check for check in self.result.checks if check.task in tasks and not check.passed)

    def to_dict(self) -> dict[str, object]:
        """What a tool gets: `learner.json` of this judging."""
        return learner_view(self.result)


def check(workspace: Workspace, task: str | None = None, warm: WarmJudge | None = None) -> Checked:
    """Run the visible checks of a lab, or of one task with those that they wait for.

    With `warm`, which is for this lab, by a judge that is forked from it; else from one made for this once.

    Raises:
        LabError: the workspace is only half there, or holds what cannot be judged.
        ManifestError: no such task.
    """
    workspace.require_sound()
    lab = workspace.lab
    tasks = lab.tasks if task is None else (find_task(lab, task),)
    only = None if task is None else [check.id for check in tasks[0].checks if not check.hidden]
    with nullcontext(warm) if warm is not None else WarmJudge(lab) as ready:
        result = judge(lab, workspace.folder, hidden=False, only=only, warm=ready)
    for found in result.checks:
        if found.verdict is Verdict.INVALID_SUBMISSION and not result.snapshot:  # not a single file: all
            raise InvalidSubmission(f"{workspace.folder} cannot be judged. {found.found}")
    return Checked(workspace, result, tasks)


def find_task(lab: Lab, name: str) -> Task:
    """A task by its id or by its number in the lab (`2`).

    Raises:
        ManifestError: no such task; names the nearest.
    """
    if name.isdecimal() and 1 <= int(name) <= len(lab.tasks):
        return lab.tasks[int(name) - 1]
    return lab.task(name)


def find_check(lab: Lab, name: str) -> Check:
    """A check by its id, however its words are joined: `orders-are-tracked`, `orders are tracked`.

    Raises:
        ManifestError: no such check; names the nearest.
    """
    return lab.check("_".join(name.replace("-", " ").replace("_", " ").lower().split()))


def verdicts_now(workspace: Workspace) -> Mapping[str, str]:
    """The verdict of every visible check: the noted ones while nothing changed, else by judging.

    Raises:
        LabError: as `check`.
    """
    workspace.require_sound()
    noted = standing(workspace.home, workspace.lab)
    known = noted.verdicts.keys() >= {check.id for check in workspace.lab.visible}
    if known and noted.snapshot and noted.snapshot == take(workspace.folder).hash:
        return noted.verdicts
    checked = check(workspace)
    note_result(workspace, checked.result, now=now())
    return checked.verdicts
