"""Prometheus's rule tester, which comes from no package index: is it here, and how to get it."""

import platform
from shutil import which

from grader.errors import ToolMissing

APT = (
    'cd "$(mktemp -d)" && apt-get download prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb'
    " | sudo tar --extract --directory /usr/local --strip-components 2 ./usr/bin/promtool"
)
"""Debian, Ubuntu and WSL: that program alone. The whole package starts a server that nobody needs here."""


def install_line(system: str = platform.system()) -> str:
    """The line to type for `promtool`."""
    return "brew install prometheus" if system == "Darwin" else APT


def require_promtool() -> None:
    """Go on when `promtool` is on PATH.

    Raises:
        ToolMissing: it is not; says how to get it.
    """
    if which("promtool") is None:
        raise ToolMissing(
            "promtool is not on PATH. It is a part of Prometheus, and tests alert rules. Get it with\n"
            f"    {install_line()}\n"
            "or do the lab in the course's container, which has it."
        )
