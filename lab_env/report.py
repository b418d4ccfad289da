"""What the commands say, line by line. Nothing is decided here."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.manifest import Check, Lab
from grader.results import CheckResult, Verdict
from lab_env import site
from lab_env.progress import Tally, first_failing
from lab_env.screen import FAILED, LATER, PASSED, WAITING, Screen, count, number
from lab_env.services import Service, shows_another_lab, site_address
from lab_env.workspace import Home, Workspace

if TYPE_CHECKING:  # what these stand for takes most of a second to import
    from lab_env.checking import Checked
    from lab_env.doctor import Finding
    from lab_env.hints import Hint
    from lab_env.layout import Reset, Started
    from lab_env.merge import Update
    from lab_env.submit import Submission

SAYS = {
    Verdict.STUDENT_ERROR: "your program stopped with an error",
    Verdict.TIMEOUT: "ran out of time",
    Verdict.MEMORY: "ran out of memory",
    Verdict.PROCESSES: "started too many processes",
    Verdict.DISK: "wrote too much to disk",
    Verdict.OUTPUT: "printed too much",
    Verdict.FORBIDDEN: "did what a check does not allow",
    Verdict.INVALID_SUBMISSION: "holds a file that cannot be read",
    Verdict.NOT_RUN: "could not run on this machine",
    Verdict.GRADER_ERROR: "the check itself broke, which is our mistake and not yours",
}

MEANS = {
    "taken": "taken from the course; you had not changed it",
    "merged": "the course's changes and yours are both in it",
    "conflict": "both changed the same lines; decide between the <<<<<<< and >>>>>>> marks",
    "beside": "cannot be merged; the course's version is beside it, with `.new` at the end of its name",
    "removed": "the course dropped it; you had not changed it",
    "kept": "the course dropped it; yours stays, as you had changed it",
}


def findings(screen: Screen, home: Home, found: "Sequence[Finding]", served: str | None) -> None:
    """`lab doctor`: a line for each finding, and what to do about those that are not ok."""
    rows = [(f"{_sign(each)} {each.name}", each.found) for each in found]
    screen.table(("Checked", "Found"), rows)
    for each in found:
        if each.ok:
            continue
        screen.say()
        kind = "needed" if each.required else "good to have"
        screen.say(
            f"{each.name}: {each.found} ({kind})", "red" if each.required else "yellow", mark=_sign(each)
        )
        screen.say(f"Why: {each.why}", indent=2)
        if each.mend:
            screen.say(f"Mend: {each.mend}", indent=2)
        screen.say(f"Read: {site.address(home, each.read, served)}", indent=2)
    screen.say()
    missing = [each.name for each in found if each.required and not each.ok]
    if missing:
        screen.say(f"Not ready: mend {_listed(missing)}, then `lab doctor` again.", "bold red")
    else:
        screen.say("Ready for the labs. `lab list` shows them.", "bold green")


def checked(screen: Screen, found: "Checked") -> None:
    """`lab check`: every task with its checks, what each failure teaches, and the sum."""
    heading(screen, found.workspace)
    for at, task in enumerate(found.workspace.lab.tasks, 1):
        if task not in found.tasks:
            continue
        screen.say()
        worked = ", shown done" if task.worked else ""
        extension = "" if task.core else ", extension"
        screen.say(f"{at} · {task.title} ({task.id}{worked}{extension})", "bold")
        for check in task.checks:
            if check.hidden:
                screen.say(f"{sentence(check.id)} (at grading): {check.says}", "cyan", mark=LATER, indent=2)
            else:
                _check(screen, found, check)
    for result in _elsewhere(found):
        screen.say()
        screen.say(f"In another task, but first ({result.task}):", "bold")
        failure(screen, found.workspace.home, result, found.workspace.lab.check(result.id).says)
    screen.say()
    _sum(screen, found)


def heading(screen: Screen, workspace: Workspace) -> None:
    """Which lab, where, and whether the course has moved on."""
    lab = workspace.lab
    screen.say(f"{lab.number} · {lab.title}", "bold")
    screen.say(nearby(workspace.folder), "dim")
    if workspace.release != lab.release:
        screen.say(
            "The course has changed since you started this lab. `lab update` brings its changes in and keeps "
            "yours.",
            "yellow",
        )


def failure(screen: Screen, home: Home, found: CheckResult, says: str) -> None:
    """One failed check: looked at, found, expected, why, where to read."""
    outcome = SAYS.get(found.verdict)
    head = (
        f"{sentence(found.id)} (0 of {number(found.possible)} points)"
        if found.possible
        else sentence(found.id)
    )
    screen.say(head + (f": {outcome}" if outcome else ""), "red", mark=FAILED, indent=2)
    screen.say(says, "dim", indent=4)
    for label, text in (
        ("Looked at: ", found.looked_at),
        ("Found: ", found.found),
        ("Expected: ", found.expected),
        ("", found.why),
        ("Read: ", site.address(home, found.link, _served(home)) if found.link else ""),
    ):
        if text:
            screen.say(label + text, indent=4)


def started(screen: Screen, done: "Started") -> None:
    """`lab start`: where the lab is, what it is about, and what to type."""
    lab, home, folder = done.workspace.lab, done.workspace.home, done.workspace.folder
    what = "is laid out" if done.fresh else "is there already; nothing in it was touched"
    screen.say(f"{lab.number} · {lab.title} {what}.", "bold green")
    for earlier in done.earlier:
        screen.say(f"It builds on your own {earlier.lab.id}.")
    screen.say(f"About {lab.minutes} minutes, {count(len(lab.tasks), 'task')}.")
    served = _served(home)
    if served:
        screen.say(f"What to do: {site.address(home, f'labs/{lab.id}.md', served)}")
    else:
        brief = home.to_read(f"labs/{lab.id}/brief.md")
        screen.say(f"What to do: {brief} (`lab up` serves it as a page)")
    _mlflow_elsewhere(screen, home)
    screen.say("Next:")
    if folder != Path.cwd():
        screen.say(f"cd {nearby(folder)}", indent=2)
    screen.say("lab check", indent=2)


def reset(screen: Screen, done: "Reset", task: str | None) -> None:
    """`lab reset`: what was put back, and where all that was there is kept."""
    workspace = done.workspace
    if task is None:
        screen.say(f"{workspace.lab.id} is laid out anew in {nearby(workspace.folder)}.", "bold green")
    elif done.files:
        screen.say(f"Put back as the course gave it: {', '.join(done.files)}.", "bold green")
        screen.say("All else, your history too, is as it was.")
    else:
        screen.say(f"The files of task {task} are as the course gave them. Nothing was changed.")
    if done.backup is not None:
        screen.say(f"All that you had, its history too, is in {nearby(done.backup)}.")
    _mlflow_elsewhere(screen, workspace.home)


def hint(screen: Screen, given: "Hint") -> None:
    """`lab hint`: the next step; at the end of the ladder all of it."""
    check = given.check
    screen.say(f"{sentence(check.id)}: {check.says}", "bold")
    total = len(check.hints)
    first = 0 if given.is_last else given.step - 1
    for at in range(first, given.step):
        screen.say(f"Hint {at + 1} of {total}: {given.shown[at]}", indent=2)
    again = (
        "That was the last hint for this check." if given.is_last else "`lab hint` again gives the next step."
    )
    screen.say(again, "dim")


def services(screen: Screen, home: Home, up: Sequence[Service]) -> None:
    """`lab up`: what runs, what does not and why, and what to type next."""
    for each in up:
        if each.failure:
            screen.say(each.failure, "red", mark=FAILED)
        elif each.port != each.usual_port:
            screen.say(f"Port {each.usual_port} is in use, so {each.title} has {each.port}.", "yellow")
    ready = [each for each in up if not each.failure]
    screen.say("Ready:" if ready else "Nothing is running.", "bold green" if ready else "bold red")
    for each in ready:
        screen.say(f"{each.title:<11}{each.url}", indent=2)
    if home.current is None:
        screen.say("Next: read the site, then `source .venv/bin/activate` and `lab start 01`.")
    else:
        screen.say(
            f"Next: `cd {nearby(home.workspace(home.current))}` and `lab check`. `lab down` ends all this."
        )


def packed(screen: Screen, made: "Submission") -> None:
    """`lab submit`: what is in the zip, and where it is."""
    folders = Counter(file.path.split("/")[0] if "/" in file.path else "" for file in made.files)
    files = {file.path: file for file in made.files}
    screen.say()
    screen.say(f"Packed {count(len(files), 'file')}, {made.work_mb:.1f} MB, and a receipt:", "bold")
    for name, amount in sorted(folders.items()):
        if name:
            screen.say(
                f"{name}/ ({count(amount, 'file')}{', your history' if name == '.git' else ''})", indent=2
            )
    for name in sorted(name for name in files if "/" not in name):
        screen.say(name, indent=2)
    screen.say("Left out: environments and caches, .dvc/cache too.", "dim", indent=2)
    screen.say(
        f"The receipt names snapshot {made.receipt['snapshot'][:12]} and the release, versions and points."
    )
    screen.say()
    screen.say(f"Hand in: {nearby(made.path)} ({made.zip_mb:.1f} MB)", "bold green")


def updated(screen: Screen, workspace: Workspace, done: "Update") -> None:
    """`lab update`: what became of each file, and what is left to do."""
    if done.before == done.after:
        screen.say(f"{workspace.lab.id} is as the course has it now. Nothing was changed.", "green")
        return
    for change in done.changes:
        style = "red" if change.needs_a_person else ""
        screen.say(f"{change.path}: {MEANS[change.what]}", style, mark=FAILED if style else PASSED)
    if not done.changes:
        screen.say("The course changed its checks or its pages; your files stay as they are.", "green")
    if done.backup is not None:
        screen.say(f"All that you had before is in {nearby(done.backup)}.")
    if done.prepares_anew:
        screen.say(
            "The course now makes this lab's data another way. Yours was kept; `lab reset` makes it anew.",
            "yellow",
        )
    if done.conflicts:
        screen.say(
            f"Decide in {_listed([change.path for change in done.conflicts])}, commit, then `lab check`."
        )
    elif done.changes:
        screen.say("Look at it with `git diff`, commit it, then `lab check`.")


def changed(screen: Screen, found: "Checked", before: "Checked", files: Sequence[str], at: str) -> None:
    """`lab watch`: what is different since the last time, and where that leaves you."""
    lab = found.workspace.lab
    from lab_env.watch import difference

    won, lost = difference(before.verdicts, found.verdicts)
    named = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    screen.say()
    screen.say(f"{at} · {named}", "dim")
    for name in won:
        screen.say(f"now passes: {sentence(name)}", "green", mark=PASSED, indent=2)
    for name in lost:
        result = found.results[name]
        if result.verdict is Verdict.BLOCKED:
            screen.say(f"waits again: {sentence(name)}", "dim", mark=WAITING, indent=2)
        else:
            screen.say("passed before:", "red", indent=2)
            failure(screen, found.workspace.home, result, lab.check(name).says)
    still = first_failing(lab, found.verdicts)
    news = still is not None and still.id not in lost and _is_news(found, before, still.id, won)
    if not won and not lost and not news:
        screen.say("Nothing changed for the checks.", indent=2)
    if still is not None and news:
        failure(screen, found.workspace.home, found.results[still.id], still.says)
    screen.say(sums(lab, found.tally), "bold", indent=2)


def sentence(check_id: str) -> str:
    """A check's id as words."""
    return check_id.replace("_", " ")


def nearby(path: Path) -> str:
    """A path as one would type it from here: relative when it lies below, else whole."""
    here = Path.cwd()
    return str(path.relative_to(here)) if here in path.parents else str(path)


def sums(lab: Lab, total: Tally) -> str:
    """The points in one sentence: `8 of 20 points; 2 checks more at grading.`"""
    text = (
        f"{number(total.points)} of {number(total.possible)} points, {total.passed} of {total.checks} checks"
    )
    if total.extra_possible:
        text += f", {number(total.extra)} of {number(total.extra_possible)} extra"
    hidden = [check for check in lab.checks if check.hidden]
    if hidden:
        worth = number(sum(float(check.points or 0) for check in hidden))
        text += f"; {count(len(hidden), 'more check')} for {worth} points at grading"
    return text + "."


def _check(screen: Screen, found: "Checked", check: Check) -> None:
    result = found.results[check.id]
    if result.passed:
        worth = f" ({number(result.points)} of {number(result.possible)} points)" if result.possible else ""
        screen.say(sentence(check.id) + worth, "green", mark=PASSED, indent=2)
    elif result.verdict is Verdict.BLOCKED:
        waits = [name for name in check.after if not found.results[name].passed]
        text = f"{sentence(check.id)} (0 of {number(result.possible)} points) waits for: "
        screen.say(text + _listed([sentence(name) for name in waits]), "dim", mark=WAITING, indent=2)
    else:
        failure(screen, found.workspace.home, result, check.says)


def _elsewhere(found: "Checked") -> list[CheckResult]:
    """What fails in a task that is not shown, and a check that is shown waits for."""
    shown = {task.id for task in found.tasks}
    if not any(check.verdict is Verdict.BLOCKED for check in found.failed):
        return []
    rest = [check for check in found.result.checks if check.task not in shown and not check.passed]
    return [check for check in rest if check.verdict is not Verdict.BLOCKED]


def _sum(screen: Screen, found: "Checked") -> None:
    lab = found.workspace.lab
    if found.tasks == lab.tasks:
        screen.say(sums(lab, found.tally), "bold")
    if found.failed:
        first = first_failing(lab, found.verdicts, among=found.tasks)
        if (
            first is not None
            and found.verdicts[first.id] == Verdict.BLOCKED
            and (others := _elsewhere(found))
        ):
            first = lab.check(others[0].id)
        name = "" if found.tasks == lab.tasks or first is None else f" {first.id}"
        screen.say(f"Next: `lab hint{name}` has the next step for the first that fails.")
    elif found.tasks == lab.tasks:
        screen.say("All that can be checked here passes. `lab submit` packs it.", "green")
    else:
        screen.say("This task is done. `lab check` runs them all.", "green")


def _is_news(found: "Checked", before: "Checked", check_id: str, won: Sequence[str]) -> bool:
    """Whether the first failing check is worth showing: it comes next, or fails in another way now."""
    now, then = found.results[check_id], before.results[check_id]
    return bool(won) or (now.verdict, now.found, now.why) != (then.verdict, then.found, then.why)


def _mlflow_elsewhere(screen: Screen, home: Home) -> None:
    if shows_another_lab(home):
        screen.say("MLflow still shows what was there before: `lab up` switches it.", "yellow")


def _served(home: Home) -> str | None:
    return site_address(home)


def _sign(found: "Finding") -> str:
    if found.ok:
        return PASSED
    return FAILED if found.required else WAITING


def _listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
