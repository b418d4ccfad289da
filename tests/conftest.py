"""What holds for every test: under CI nothing is skipped in silence, and attacks are counted at the end."""

import os
import signal
from collections.abc import Generator

import pytest

from tests.attacks.nature import pytest_terminal_summary
from tests.containers.boxes import (
    boxes_by_docker,
    boxes_by_podman,
    daemon,
    grading,
    pytest_addoption,
    pytest_collection_modifyitems,
)

__all__ = [
    "boxes_by_docker",
    "boxes_by_podman",
    "daemon",
    "grading",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
]


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a gate in the background; programs would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where CI=true: CI has what the tests need, or the gate is wrong."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped under CI: {reason}"
    return report
