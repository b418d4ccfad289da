"""The class report in a real browser: wide and narrow, light and dark, and nothing that it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from grader.class_report import write
from tests.browser.pages import LOOKS, TOO_WIDE, found_by_axe, opened
from tests.grader.courses import tiny_course
from tests.grader.test_class_report import full_class, hostile, seen

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The pages of an ordinary class, and of one whose learners wrote forty hostile strings."""
    top = tmp_path_factory.mktemp("report")
    lab = tiny_course(top / "course")
    written = write(
        seen(full_class(top / "class", lab), lab), top / "ordinary", site="https://course.invalid"
    )
    written += write(hostile(top / "hostile-class", lab), top / "hostile", site="https://course.invalid")
    return [path for path in written if path.suffix == ".html"]


def test_the_report_can_be_read_by_everyone_and_asks_for_nothing(pages: list[Path], browser: Browser) -> None:
    assert len(pages) == 4
    for path in pages:
        for look in LOOKS:
            with opened(browser, f"file://{path}", look) as (page, told):
                title = page.title()
                assert page.evaluate(TOO_WIDE) <= 0, f"{path} scrolls sideways at {look}"
                assert found_by_axe(page) == set(), (path, look)
                assert page.title() == title
                assert page.locator("script, img, iframe, form, input, base, link").count() == 0
            assert told == [], (path, look)


def test_the_report_is_whole_without_script(pages: list[Path], browser: Browser) -> None:
    with opened(browser, f"file://{pages[0]}", script=False) as (page, told):
        assert page.get_by_role("heading", name="Who is where").is_visible()
        page.get_by_role("link", name="01-add", exact=True).first.click()
        assert page.get_by_role("img", name="Points of 4 learners").is_visible()
        page.get_by_role("link", name="Class report").click()
        assert page.get_by_role("heading", name="Class report").is_visible()
    assert told == []
