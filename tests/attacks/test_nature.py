"""What no box can stop is said wherever a person would look for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grader.doctor import BY_NATURE

PAGE = Path(__file__).parent.parent.parent / "docs" / "honest.md"


@pytest.mark.slow
def test_what_no_box_can_stop_is_on_the_page_and_said_by_the_doctor() -> None:
    page = " ".join(PAGE.read_text().partition("{ #by-nature }")[2].partition("\n## ")[0].split())
    command = [sys.executable, "-m", "grader.cli", "doctor", "--json"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert said["by_nature"] == BY_NATURE
    for name, reason in BY_NATURE.items():
        assert f"**{name[0].upper()}{name[1:]}.** {reason}" in page
    assert page.count("- **") == len(BY_NATURE)
