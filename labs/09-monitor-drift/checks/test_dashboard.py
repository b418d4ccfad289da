"""The visible check of lab 09's dashboard; what its panels answer is asked of promtool, hidden."""

from grader.checks import Expect, Student
from lab_env.panels import PanelsError, read_dashboard


def test_dashboard_is_whole(student: Student, expect: Expect) -> None:
    printed = student.run(["python", "dashboard.py"])
    wrong = ""
    try:
        read_dashboard(printed.stdout).queries()
    except PanelsError as error:
        wrong = f"{error} {printed.stderr.strip()[-160:]}".strip()
    expect.that(
        not wrong,
        looked_at="what `python dashboard.py` prints",
        found=wrong,
        expected="a dashboard in Grafana's classic model, whose data source is a variable of its own",
        why="A dashboard is code so that it can be reviewed, and so that the next machine shows the same. A "
        "data source by its number is another one there, or none.",
        link="modules/09-monitor-drift.md#a-dashboard-as-code",
        misconception="source-of-one-machine" if "exists on the machine" in wrong else "",
    )
