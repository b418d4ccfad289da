"""What the guide's reader does in formgrader with a mouse: open a learner's page, type points and a comment.

    python -m tests.docs.clicks LEARNER CHECK POINTS COMMENT

run in the class's folder while formgrader is up; it takes the address from `formgrader.log`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.browser.chromium import chromium

LAB = "02-version-data"
READY = "window.formgrader?.grades?.loaded && formgrader.comments?.loaded"


def main(learner: str, check: str, points: str, comment: str) -> None:
    """Click through as the page says, and type."""
    found = re.search(r"http://127\.0\.0\.1:\d+/formgrader\?token=\w+", Path("formgrader.log").read_text())
    if found is None:
        sys.exit("formgrader.log names no address.")
    with chromium() as browser:
        page = browser.new_page()
        page.goto(found[0])
        for name in ("Manual Grading", LAB):
            page.get_by_role("link", name=name).first.click()
        page.locator("tbody").get_by_role("link", name=LAB).click()
        page.get_by_role("link", name="Submission #1").wait_for()  # until then there are no names to show
        page.get_by_text("Show All Names").click()
        page.get_by_role("link", name=learner).click()
        page.wait_for_function(READY)  # until then a field saves nothing
        panel = page.locator(".nbgrader_cell", has_text=f"# {check}\n")
        _type(page, panel.locator("input.score"), points)
        _type(page, panel.locator("textarea.comment"), comment)


def _type(page: Page, field: Locator, text: str) -> None:
    """Type into a field and leave it, which saves it."""
    with page.expect_response(lambda answer: answer.request.method == "PUT") as saved:
        field.fill(text)
        field.press("Tab")
    assert saved.value.ok


if __name__ == "__main__":
    main(*sys.argv[1:])
