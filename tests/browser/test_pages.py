"""Every page in a real browser: light and dark, wide and narrow, from a server and from a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it publishes no types
from playwright.sync_api import Browser, Page

from docs.generate.modules import planned_pages
from grader.manifest import list_labs

COURSE = Path(__file__).parent.parent.parent
SOURCES = (path.relative_to(COURSE / "docs") for path in (COURSE / "docs").rglob("*.md"))
WRITTEN = [path.with_suffix(".html").as_posix() for path in SOURCES if path.parts[0] != "examples"]
PLANNED = [Path(name).with_suffix(".html").as_posix() for name in planned_pages(COURSE / "docs")]
DECISIONS = ["incidents/metres.html", "incidents/new-bridge.html"]  # the others have the same shape
MADE = ["incidents.html", "reference/data-dictionary.html", *DECISIONS, *PLANNED]
PAGES = sorted([*WRITTEN, *MADE, *(f"labs/{lab.id}.html" for lab in list_labs(COURSE))])
LOOKS: list[tuple[Literal["light", "dark"], int]] = [
    ("light", 1280),
    ("dark", 1280),
    ("light", 390),
    ("dark", 390),
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALLOWED = {("region", "#__drawer")}  # the theme's style sheet needs its switch outside of the landmarks
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSED = "e => [e.id || e.className, e.getBoundingClientRect().right > 0]"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@contextmanager
def opened(
    browser: Browser,
    address: str,
    look: tuple[Literal["light", "dark"], int] = LOOKS[0],
    *,
    script: bool = True,
) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what it asked for or complained of; the list goes on filling."""
    scheme, width = look
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        java_script_enabled=script,
    )
    page = context.new_page()
    home = address.split("/")[0] + "//" + address.split("/")[2]
    told: list[str] = []
    context.on("request", lambda asked: told.append(asked.url) if not _is_ours(asked.url, home) else None)
    page.on("console", lambda said: told.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("requestfailed", lambda failed: told.append(f"failed: {failed.url}"))
    page.goto(address)
    try:
        yield page, told
    finally:
        context.close()


def _found_by_axe(page: Page) -> set[tuple[str, str]]:
    """Rule and place of everything that axe objects to."""
    asked = {"runOnly": RULES, "resultTypes": ["violations"]}  # where a rule holds need not be described
    found = Axe().run(page, options=asked).response["violations"]
    return {(each["id"], str(node["target"][0])) for each in found for node in each["nodes"]}


def _is_ours(url: str, home: str) -> bool:
    return url.startswith((home, "data:", "blob:", "about:"))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_can_be_used_by_everyone(name: str, browser: Browser, served: str) -> None:
    for look in LOOKS:
        with opened(browser, f"{served}/{name}", look) as (page, told):
            page.wait_for_load_state("networkidle")
            assert page.evaluate(TOO_WIDE) <= 0, f"{name} scrolls sideways at {look}"
            assert _found_by_axe(page) - ALLOWED == set(), look
        assert told == [], look


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_a_folder(name: str, browser: Browser, site: Path) -> None:
    with opened(browser, f"file://{site}/{name}") as (page, told):
        page.wait_for_load_state("networkidle")
        assert page.locator("h1").first.is_visible()
    assert told == []


@pytest.mark.parametrize("where", ["served", "folder"])
def test_search_finds_a_page(where: str, browser: Browser, served: str, site: Path) -> None:
    address = served if where == "served" else f"file://{site}"
    with opened(browser, f"{address}/index.html") as (page, told):
        page.keyboard.press("/")
        page.keyboard.type("pointer", delay=20)
        first = page.locator(".md-search-result__link").first
        first.wait_for(timeout=10_000)
        assert "02-version-data" in str(first.get_attribute("href"))
    assert told == []


def test_a_quiz_works_by_keyboard(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/modules/02-version-data.html") as (page, told):
        quiz = page.locator("form.quiz").first
        status, why = quiz.get_by_role("status"), quiz.locator(".quiz-why:visible")
        quiz.get_by_role("button", name="Check").focus()
        page.keyboard.press("Enter")
        assert status.inner_text() == "Choose an answer first."
        quiz.locator("input").first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        assert status.inner_text().startswith("Not yet.")
        assert why.all_inner_texts()[0].startswith("Wrong.")
        assert why.count() == 1
        quiz.locator("input").first.focus()
        page.keyboard.press("ArrowDown")
        assert status.inner_text() == ""
        page.keyboard.press("Enter")
        assert status.inner_text() == "Right."
        assert why.count() == quiz.locator("input").count()
    assert told == []


def test_a_quiz_with_several_right_answers_wants_them_all(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/modules/02-version-data.html") as (page, _):
        quiz = page.locator('form.quiz:has(input[type="checkbox"])').first
        right = quiz.locator('input[data-right="1"]')
        for at in range(right.count()):
            right.nth(at).check()
            quiz.get_by_role("button", name="Check").click()
            expected = "Right." if at == right.count() - 1 else "Not yet."
            assert quiz.get_by_role("status").inner_text().startswith(expected)


def test_a_quiz_without_a_script_still_has_its_answers(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/modules/02-version-data.html", script=False) as (page, _):
        key = page.locator("form.quiz details").first
        assert key.is_visible()
        key.locator("summary").click()
        assert key.locator("li").first.is_visible()
        assert not page.locator("form.quiz button").first.is_visible()


def test_copying_a_block_takes_the_commands_alone(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/modules/02-version-data.html") as (page, _):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        block = page.locator(".highlight:has-text('git log --oneline --decorate')").first
        block.hover()
        block.locator("[data-clipboard-target], .md-code__button").first.click()
        copied = str(page.evaluate("navigator.clipboard.readText()"))
        lines = [line for line in copied.splitlines() if line.strip()]
        assert lines[0] == "source .venv/bin/activate"
        assert lines[-1] == "git log --oneline --decorate"


def test_the_menu_of_a_phone_can_be_reached_by_keyboard(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/modules/02-version-data.html", ("light", 390)) as (page, _):
        seen = []
        for _ in range(6):
            page.keyboard.press("Tab")
            name, on_screen = page.locator(":focus").evaluate(FOCUSED)
            assert on_screen, f"{name} takes the focus off screen"
            seen.append(name)
            if "__drawer" in name:
                page.keyboard.press("Space")
                break
        assert page.locator("#__drawer").is_checked(), seen
        assert page.get_by_role("link", name="Set up").first.is_visible()


def test_the_dark_mode_can_be_chosen(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/index.html") as (page, _):
        assert page.locator("body").get_attribute("data-md-color-scheme") == "default"
        page.get_by_title("Switch to dark mode").click()
        assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"


def test_the_map_can_be_filtered_and_without_a_script_it_is_whole(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/map.html") as (page, told):
        form, shown = page.locator(".map-filter"), page.locator(".map-row:visible")
        status = form.get_by_role("status")
        every = shown.count()
        assert every > 30
        assert status.inner_text() == f"{every} of {every} rows"
        form.get_by_label("Module").select_option("08")
        assert 0 < shown.count() < every
        assert status.inner_text() == f"{shown.count()} of {every} rows"
        form.get_by_label("Word").fill("rollback bundle")
        assert shown.locator("h3").all_inner_texts() == ["Rollback#"]
        form.get_by_label("Part of the loop").select_option("version")
        assert status.inner_text() == "No row has all of this. Take a word away."
    assert told == []
    with opened(browser, f"{served}/map.html", ("light", 390), script=False) as (page, _):
        assert page.locator(".map-row:visible").count() == every
        assert not page.locator(".map-filter").is_visible()
