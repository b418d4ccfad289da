"""The hidden check of lab 09's dashboard: what each panel answers, by real promtool."""

# CANARY-9e41c7d08b52

from collections.abc import Mapping, Sequence

from grader.checks import Expect, Student
from lab_env.panels import KINDS, SILENT, PanelsError, answers, panel_tests, read_dashboard
from lab_env.promtool import require_promtool

LINK = "modules/09-monitor-drift.md#a-dashboard-as-code"
STALE = {
    "why": "Prometheus looks back five minutes. A panel that asks for the sample itself is right for five "
    "minutes a day; `last_over_time(…[26h])` remembers it until the next.",
    "misconception": "panels-go-stale",
}
FILTERED = {
    "why": "On the other days the comparison leaves nothing, and *No data* is also what a broken query "
    "shows. Show the number itself, or say `or vector(0)`.",
}
LATER = "20 hours after the evening's sample"


def test_panels_answer(student: Student, expect: Expect) -> None:
    require_promtool()
    titles, shown = _answers(student, expect)
    for title, said in (pair for kind in KINDS for pair in zip(titles, shown[kind], strict=True)):
        expect.that(
            not said.startswith("error: "),
            looked_at=f"the query of `{title}`",
            found=said,
            expected="an answer",
            why="A panel whose query cannot be computed is an empty rectangle, and looks like peace.",
            link=LINK,
        )
    for title in dict.fromkeys(titles):
        empty = [
            kind
            for kind in KINDS
            if not any(said for name, said in zip(titles, shown[kind], strict=True) if name == title)
        ]
        expect.that(
            not empty,
            looked_at=f"`{title}` {LATER}, which said {(empty or KINDS)[0]}",
            found="nothing: *No data*",
            expected="what that evening's sample said",
            link=LINK,
            **(STALE if len(empty) == len(KINDS) else FILTERED),
        )
    _tells(titles, shown, expect)


def _answers(student: Student, expect: Expect) -> tuple[list[str], Mapping[str, Sequence[str]]]:
    """Each query's panel, and what it answers in each situation."""
    try:
        queries = read_dashboard(student.run(["python", "dashboard.py"]).stdout).queries()
        files = panel_tests([query for _, query in queries])
        done = student.run(["promtool", "test", "rules", *files], files=files)
        return [title for title, _ in queries], answers(done.stderr + done.stdout, len(queries))
    except PanelsError as error:
        expect.that(
            False,
            looked_at="the dashboard's queries, asked by promtool",
            found=str(error),
            expected="an answer to each",
            why="`python dashboard.py | python -m lab_env.panels` asks them on your machine.",
            link=LINK,
        )
        raise


def _tells(titles: Sequence[str], shown: Mapping[str, Sequence[str]], expect: Expect) -> None:
    """The kinds look different from each other, and silence looks like none of them."""
    for number, kind in enumerate(KINDS):
        for other in KINDS[:number]:
            expect.that(
                shown[kind] != shown[other],
                looked_at=f"all panels {LATER}, which said {kind}, and after one that said {other}",
                found="the same on every panel",
                expected="a difference that somebody at three in the morning sees",
                why="Who is to act depends on the kind: the owner of the feed, of the labels, of the model, "
                "or nobody.",
                link=LINK,
                misconception="kinds-look-alike",
            )
    alive = [[shown[kind][number] for kind in KINDS] for number in range(len(titles))]
    expect.that(
        any(said and said not in usual for said, usual in zip(shown[SILENT], alive, strict=True)),
        looked_at="all panels two days after the last sample",
        found=", ".join(
            f"{title}: {said or 'No data'}" for title, said in zip(titles, shown[SILENT], strict=True)
        ),
        expected="a panel that says that nothing comes",
        why="*No data* is also what a panel shows whose query has a typing error. A monitor that has died "
        "has to be told by a panel of its own: `absent_over_time(…) or vector(0)`.",
        link=LINK,
        misconception="silence-is-no-data",
    )
