"""The hidden check of lab 09's alert rules: real promtool, samples that the learner has not seen."""

# CANARY-9e41c7d08b52

from collections.abc import Iterator

from grader.checks import Expect, Student
from lab_env.panels import KINDS
from lab_env.promtool import require_promtool

PAGE = "modules/09-monitor-drift.md"
HARM = ["labels", "relation", "feed"]


def test_rules_ring(student: Student, expect: Expect) -> None:
    require_promtool()
    tests = {f"judged_{number}.yml": test for number, test in enumerate(_rule_tests(2))}
    files = {name: _file(series, rings) for name, (_, series, rings, _, _) in tests.items()}
    if student.run(["promtool", "test", "rules", *files], files=files).code == 0:
        return
    for name, (what, _, _, why, misconception) in tests.items():
        done = student.run(["promtool", "test", "rules", name], files=files)
        expect.that(
            done.code == 0,
            looked_at=f"promtool test rules, with a sample a day of its own, on alerts.yml: {what}",
            found=(done.stderr + done.stdout).strip()[-280:],
            expected="SUCCESS",
            why=why,
            link=f"{PAGE}#alert-rules-with-tests",
            misconception=misconception,
        )


Series = dict[str, list[str]]
Rings = dict[tuple[str, str], bool]


def _rule_tests(begins: int) -> Iterator[tuple[str, Series, Rings, str, str]]:
    """What is tested, the samples, which expression counts an alert when, and the lesson of it.

    The sample of day d stands at d days sharp.
    """
    ends = begins + 3
    holds = ["0"] * begins + ["1"] * 3 + ["0", "0"]
    never = ["0"] * len(holds)
    days = {"tiffin_monitor_day": [str(90 + day) for day in range(len(holds))]}
    kinds = {_kind(name): never for name in KINDS}
    times = {
        f"{begins - 1}d20h": False,
        f"{begins}d6h": True,
        f"{begins}d22h": True,
        f"{begins + 1}d20h": True,
        f"{ends}d6h": False,
    }
    for kind in HARM:
        yield (
            f"{kind} on day {begins} to {ends - 1}",
            days | kinds | {_kind(kind): holds},
            {("alertname='ModelHarm',severity='page'", at): said for at, said in times.items()},
            "A sample a day, and Prometheus looks back five minutes: for the rest of the day the series is "
            "not there, the expression is empty, and whatever waited `for:` begins again. "
            "`last_over_time(…[26h])` remembers the last sample of a day.",
            "daily-gauge-goes-stale",
        )
    yield (
        f"input on day {begins} to {ends - 1}",
        days | kinds | {_kind("input"): holds},
        {("alertname='InputsMoved'", at): said for at, said in times.items()}
        | {("severity='page'", f"{begins + 1}d6h"): False},
        "Inputs that moved are a note for the morning: InputsMoved, and nothing with the severity page.",
        "inputs-page",
    )
    silent = "alertname='MonitorSilent',severity='page'"
    yield (
        f"nothing after day {begins}",
        {name: [*values[: begins + 1], "_", "_", "_"] for name, values in (days | kinds).items()},
        {(silent, f"{begins}d20h"): False, (silent, f"{ends - 1}d"): True, (silent, f"{ends - 1}d20h"): True},
        "The monitor has died, and every rule about its numbers is content. Only a rule that asks whether "
        "they are there, with `absent`, can tell.",
        "silent-monitor",
    )


def _kind(name: str) -> str:
    return f"tiffin_monitor_kind{{kind='{name}'}}"


def _file(series: Series, rings: Rings) -> bytes:
    """A test file: of each selection of alerts at a time, whether any of them fires."""

    def lines() -> Iterator[str]:
        yield "rule_files: [alerts.yml]"
        yield "evaluation_interval: 1h"
        yield "tests:"
        yield "  - interval: 1d"
        yield "    input_series:"
        for name, values in series.items():
            yield f'      - {{series: "{name}", values: "{" ".join(values)}"}}'
        yield "    promql_expr_test:"
        for (alerts, at), said in rings.items():
            expression = f"count(ALERTS{{alertstate='firing',{alerts}}}) > bool 0"
            found = '[{labels: "{}", value: 1}]' if said else "[]"
            yield f'      - {{expr: "{expression}", eval_time: {at}, exp_samples: {found}}}'

    return "\n".join(lines()).encode()
