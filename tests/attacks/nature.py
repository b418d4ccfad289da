"""What no box can stop, by its nature: counted as tried, never as survived, and printed with the reason."""

import pytest

BY_NATURE = {
    "answers from a lookup, a model file that returns labels": (
        "What a learner knows is an answer like any other. Visible inputs can be looked up, so they prove "
        "little; hidden ones are drawn from the class's secret."
    ),
    "a few bits of a hidden check, through its verdict": (
        "A learner sees whether a hidden check passed, and which of Python's own exceptions it raised. "
        "Code can choose both by what it was asked: some seven bits a check and grading, never a value. "
        "Say how often a lab may be handed in."
    ),
    "timing": (
        "Whoever waits sees how long grading took. A hidden check's seconds are not shown, and other "
        "submissions run in boxes of their own, but one machine has one clock and one cache."
    ),
    "a slow neighbour": (
        "Processors, caches and disks are shared. CPU time decides and wall time is generous, so a verdict "
        "stays what it is; the class is graded later."
    ),
    "asking for a person": (
        "Code can kill its own process in a way that looks like a fault of the host. That is a GRADER_ERROR: "
        "no points, judged once more, then looked at by a person, whose minutes it costs."
    ),
    "a hole in the kernel": (
        "All boxes of a host share its kernel. The system-call filter makes what can be reached small; keep "
        "the kernel up to date, and grade on a machine that holds nothing else."
    ),
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many attacks were survived of those tried, and what cannot be stopped."""
    outcomes: dict[str, bool] = {}
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        names = dict(report.user_properties)
        if report.when == "call" and "attack" in names:
            outcomes[str(names["attack"])] = outcomes.get(str(names["attack"]), True) and report.passed
    if outcomes:
        survived, tried = sum(outcomes.values()), len(outcomes) + len(BY_NATURE)
        terminalreporter.section("attacks on the box bubblewrap")
        terminalreporter.line(f"{survived} survived / {tried} tried. What no box can stop, and why:")
        for name, reason in BY_NATURE.items():
            terminalreporter.line(f"- {name}: {reason}")
