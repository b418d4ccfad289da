"""What `lab list` and `lab progress` say: the course as tables."""

from collections.abc import Mapping, Sequence

from grader.manifest import Task
from grader.results import Verdict
from lab_env.progress import Standing, Tally
from lab_env.screen import PASSED, WAITING, Screen, count, number


def standings(screen: Screen, all_standings: Sequence[Standing], current: str | None) -> None:
    """`lab list` and `lab progress`: one row a lab."""
    rows = []
    for each in all_standings:
        here = " (current)" if each.lab.id == current else ""
        state = {"finished": f"{PASSED} finished", "started": f"{WAITING} started"}.get(
            each.state, "not started"
        )
        rows.append(
            (each.lab.number, state, _points(each.tally, judged=bool(each.checked)), each.lab.title + here)
        )
    screen.table(("Lab", "State", "Points", "Title"), rows)


def labs(screen: Screen, all_standings: Sequence[Standing], current: str | None) -> None:
    """`lab list`: what there is to do."""
    rows = []
    for each in all_standings:
        here = ", current" if each.lab.id == current else ""
        rows.append((each.lab.number, f"{each.lab.minutes} min", each.state + here, each.lab.title))
    screen.table(("Lab", "Time", "State", "Title"), rows)
    screen.say()
    screen.say("`lab start 01` lays a lab out; its number or its name will do.")


def progress(screen: Screen, all_standings: Sequence[Standing], current: str | None) -> None:
    """`lab progress`: points by lab, and by task in the lab in hand."""
    standings(screen, all_standings, current)
    for each in all_standings:
        if each.lab.id != current:
            continue
        screen.say()
        screen.say(f"{each.lab.id}, task by task (as of the last `lab check`):", "bold")
        screen.table(("Checks", "Task"), [_task_row(task, each.verdicts) for task in each.lab.tasks])
    hidden = sum(each.tally.at_grading for each in all_standings)
    if hidden:
        screen.say()
        screen.say(f"Points of {count(hidden, 'check')} at grading are not in these numbers.", "dim")


def _task_row(task: Task, verdicts: Mapping[str, str]) -> tuple[str, str]:
    visible = [check for check in task.checks if not check.hidden]
    passed = sum(verdicts.get(check.id) == Verdict.PASS for check in visible)
    sign = PASSED if visible and passed == len(visible) else WAITING
    return f"{sign} {passed}/{len(visible)}", f"{task.title} ({task.id})"


def _points(total: Tally, *, judged: bool) -> str:
    return f"{number(total.points)}/{number(total.possible)}" if judged else f"–/{number(total.possible)}"
