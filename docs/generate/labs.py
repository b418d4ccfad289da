"""The page of a lab, made of its manifest (facts, checks, points, hints) and its `brief.md` (the words)."""

import re
from collections.abc import Iterator

from grader.manifest import Check, Lab, Task

LAST = "finally"  # the brief's section after all tasks: how to hand the work in
STEPS = ("Hint 1: where to look", "Hint 2: what to use", "Hint 3: nearly the line")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")


def lab_page(lab: Lab) -> str:
    """Markdown of the lab's page.

    Raises:
        ValueError: the brief's sections are not the manifest's tasks in their order.
    """
    opening, sections = read_brief(lab)
    parts = [
        f"---\ntitle: {lab.number} · Lab\n---",
        f"# Lab {lab.number} · {lab.title}",
        _facts(lab),
        "**After this lab you can**\n\n" + "\n".join(f"- {goal}" for goal in lab.objectives),
        opening,
        _start(lab),
        _overview(lab),
        *(_task(number, task, sections[task.id]) for number, task in enumerate(lab.tasks, 1)),
    ]
    if LAST in sections:
        parts.append(f"## Hand it in {{#{LAST}}}\n\n{sections[LAST]}")
    return "\n\n".join(part for part in parts if part) + "\n"


def read_brief(lab: Lab) -> tuple[str, dict[str, str]]:
    """The brief's opening, and its sections by task id.

    Raises:
        ValueError: the brief is missing, or its sections are not the manifest's tasks in their order.
    """
    path = lab.folder / "brief.md"
    if not path.is_file():
        raise ValueError(f"{path} is missing. Write one section `## <task id>` for each task of lab.toml.")
    opening, *rest = _split(path.read_text(encoding="utf-8"))
    sections = dict(rest)
    wanted = [task.id for task in lab.tasks]
    found = [name for name, _ in rest if name != LAST]
    if found != wanted:
        raise ValueError(
            f"{path}: the sections are {', '.join(found) or 'missing'}; "
            f"lab.toml has the tasks {', '.join(wanted)}. Write one `## <task id>` for each, in that order."
        )
    return opening[1], sections


def _split(text: str) -> list[tuple[str, str]]:
    """(heading, text) of every `## ` section; the first has no heading. Headings in code do not count."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    fence = ""
    for line in text.splitlines():
        if mark := _FENCE.match(line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        if line.startswith("## ") and not fence:
            sections.append((line.removeprefix("## ").strip(), []))
        else:
            sections[-1][1].append(line)
    return [(heading, "\n".join(lines).strip()) for heading, lines in sections]


def _facts(lab: Lab) -> str:
    before = ", ".join(f"`{need}`" for need in lab.needs)
    later = sum(check.points or 0 for check in lab.checks if check.hidden)
    points = sum(check.points or 0 for check in lab.visible)
    graded = f"{points:g} points to see here" + (f", {later:g} more at grading" if later else "")
    return f"**{lab.minutes} minutes** · {graded}" + (f" · after {before}" if before else "")


def _start(lab: Lab) -> str:
    return (
        "## Start {#start}\n\nIn the course's folder, after [the setup](../setup.md):\n\n"
        f"```console\n$ source .venv/bin/activate\n$ lab start {lab.number}\n$ cd workspace/{lab.id}\n```\n\n"
        "This folder is a Git repository of its own, and everything below happens in it. "
        "Ask how you stand whenever you like with `lab check`, for one task with `lab check TASK`; "
        "`lab hint` gives the next hint, `lab reset` starts over and keeps a copy of what you had."
    )


def _overview(lab: Lab) -> str:
    rows = [
        f"| {number} | [{task.title}](#{task.id}) | {task.minutes} | {_worth(task)} |"
        for number, task in enumerate(lab.tasks, 1)
    ]
    return "\n".join(["| No. | Task | Minutes | Points |", "|---:|---|---:|---:|", *rows])


def _task(number: int, task: Task, text: str) -> str:
    kind = "shown done" if task.worked else f"{_worth(task)} points"
    extra = "" if task.core else " · an extension: nothing later needs it"
    parts = [
        f"## {number} · {task.title} {{#{task.id}}}",
        f"*{task.minutes} minutes · {kind}{extra}*{{.task-facts}}",
        text,
        "**It works when**\n\n" + "\n".join(_promise(task, check) for check in task.checks),
        *(_hints(check) for check in task.checks if check.hints),
    ]
    return "\n\n".join(parts)


def _worth(task: Task) -> str:
    return "–" if task.worked else f"{sum(check.points or 0 for check in task.checks):g}"


def _promise(task: Task, check: Check) -> str:
    points = "" if task.worked else f" ({check.points:g})"
    return f"- {check.says}{points}{' *at grading*' if check.hidden else ''}"


def _hints(check: Check) -> str:
    """Three folded notes, each inside the one before, so that the next step takes a decision."""
    lines = list(_folded(check.hints, depth=0))
    lines[0] = f'??? tip "Stuck on: {_title(check.says)}"'
    return "\n".join(lines)


def _folded(hints: tuple[str, ...], depth: int) -> Iterator[str]:
    indent = "    " * depth
    yield f'{indent}??? tip "{STEPS[depth]}"'
    yield ""
    yield from (f"{indent}    {line}" for line in hints[0].strip().splitlines())
    yield ""
    if len(hints) > 1:
        yield from _folded(hints[1:], depth + 1)


def _title(text: str) -> str:
    """The text as the title of a note, whose quotes must not end it."""
    return text.replace('"', "'")
