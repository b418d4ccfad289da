"""The count of the attacks that were tried, and of those survived. What no box can stop counts as tried."""

import pytest

from grader.doctor import BY_NATURE

WAYS = {
    "cold": "bubblewrap, cold",
    "warm": "bubblewrap, warm",
    "podman": "container by podman",
    "docker": "container by docker",
    "": "submissions and records",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many attacks were survived of those tried, and what cannot be stopped."""
    outcomes: dict[tuple[str, str], bool] = {}
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        names = {str(name): str(value) for name, value in report.user_properties}
        if report.when == "call" and "attack" in names:
            row = (names["attack"], names.get("way", ""))
            outcomes[row] = outcomes.get(row, True) and report.passed
    if outcomes:
        terminalreporter.section("attacks on boxes")
        for way, title in WAYS.items():
            if here := [survived for (_, found), survived in outcomes.items() if found == way]:
                terminalreporter.line(f"{title}: {sum(here)} survived / {len(here)} tried.")
        rows = {name for name, _ in outcomes}
        held = {name for name in rows if all(passed for (one, _), passed in outcomes.items() if one == name)}
        tried = len(rows) + len(BY_NATURE)
        terminalreporter.line(f"{len(held)} survived / {tried} tried. What no box can stop, and why:")
        for name, reason in BY_NATURE.items():
            terminalreporter.line(f"- {name}: {reason}")
