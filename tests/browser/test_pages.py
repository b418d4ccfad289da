"""Every page in a real browser: light and dark, wide and narrow, printed, from a server and from a folder."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, ViewportSize

from docs.generate.modules import planned_pages
from tests.browser.pages import ALLOWED, COLOURS, TOO_WIDE, found_by_axe, listened, look_at, opened

COURSE = Path(__file__).parent.parent.parent
NAV = yaml.safe_load((COURSE / "mkdocs.yml").read_text())["nav"]
TEXT = [".md-content"]  # the same colours at every width: looked at once in light, once in dark
FIRST_PAGE = 120_000
STILL = 0.01  # of a screen that moves; a line that wraps anew is less
PAPER: ViewportSize = {"width": 720, "height": 900}  # A4 in its margins, in the pixels of a style sheet
FOCUSED = "e => [e.id || e.className, e.getBoundingClientRect().right > 0]"
SHIFTS = """window.shifted = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({type: "layout-shift", buffered: true});"""
SCHEME = "scheme => document.body.setAttribute('data-md-color-scheme', scheme)"
CLIPPED = """() => [...document.querySelectorAll(".md-content :is(pre, pre code, table, figure)")]
  .filter(each => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1)
  .map(each => each.outerHTML.slice(0, 80))"""
FOLDED = """() => [...document.querySelectorAll(".md-content details > :not(summary)")]
  .filter(each => !each.checkVisibility({contentVisibilityAuto: true}))
  .map(each => each.outerHTML.slice(0, 80))"""
INK = """() => ["body", "h1", ".md-content a", ".quiz legend", "figure path"].map(each => {
  const style = getComputedStyle(document.querySelector(each));
  return [style.color, style.backgroundColor, style.stroke, style.borderTopColor];
})"""
MOVING = """() => [...document.querySelectorAll("*")].filter(each => {
  const style = getComputedStyle(each);
  return [style.transitionDuration, style.animationDuration].some(text => parseFloat(text) > 0.01)
    || style.scrollBehavior === "smooth";
}).map(each => each.className)"""

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def leaves(nav: Any) -> Iterator[str]:
    """Every page of the menu."""
    if isinstance(nav, str):
        yield nav.removesuffix(".md") + ".html"
    else:
        for each in nav.values() if isinstance(nav, dict) else nav:
            yield from leaves(each)


DECISIONS = ["incidents/metres.html", "incidents/new-bridge.html"]  # the others have the same shape
NOT_THERE = "404.html"  # sent by servers alone
PLANNED = [Path(name).with_suffix(".html").as_posix() for name in planned_pages(COURSE / "docs")]
WHOLE = "whole.html"  # the modules once more, on one page
PAGES = sorted({*leaves(NAV), *DECISIONS, *PLANNED, NOT_THERE} - {WHOLE})


@pytest.fixture(scope="module")
def window(browser: Browser, served: str) -> Iterator[tuple[Page, list[str]]]:
    """One page for all looks at pages from the server, and what it asked for or complained of."""
    told: list[str] = []
    with look_at(browser, ("light", 360)) as context:
        context.add_init_script(SHIFTS)
        yield listened(context, told, served), told


@pytest.fixture(scope="module")
def folder_window(browser: Browser, site: Path) -> Iterator[tuple[Page, list[str]]]:
    """The same for pages from a folder, on a wide screen."""
    told: list[str] = []
    with look_at(browser, ("light", 1280)) as context:
        context.add_init_script(SHIFTS)
        yield listened(context, told, f"file://{site}"), told


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_can_be_used_by_everyone(
    name: str, window: tuple[Page, list[str]], served: str
) -> None:
    page, told = window
    told.clear()
    page.set_viewport_size({"width": 360, "height": 900})
    page.emulate_media(media="screen")
    page.goto(f"{served}/{name}")
    assert page.evaluate("shifted") < STILL, "something comes late and pushes the text down"
    assert page.evaluate(TOO_WIDE) <= 0, f"{name} scrolls sideways at 360"
    assert found_by_axe(page) - ALLOWED == set()
    page.evaluate(SCHEME, "slate")
    assert found_by_axe(page, COLOURS, without=TEXT) == set(), "narrow and dark"
    page.set_viewport_size({"width": 1280, "height": 900})
    assert page.evaluate(TOO_WIDE) <= 0, f"{name} scrolls sideways at 1,280"
    assert found_by_axe(page, COLOURS) == set(), "wide and dark"
    page.evaluate(SCHEME, "default")
    assert found_by_axe(page, off=COLOURS) - ALLOWED == set()
    assert found_by_axe(page, COLOURS, without=TEXT) == set(), "wide and light"
    page.set_viewport_size(PAPER)
    page.emulate_media(media="print")
    assert page.evaluate(CLIPPED) == [], "on paper nobody scrolls"
    assert page.evaluate(FOLDED) == [], "on paper nobody unfolds"
    assert told == []


@pytest.mark.parametrize("name", [name for name in PAGES if name != NOT_THERE])
def test_a_page_opens_from_a_folder(name: str, folder_window: tuple[Page, list[str]], site: Path) -> None:
    page, told = folder_window
    told.clear()
    page.goto(f"file://{site}/{name}")
    assert page.locator("h1").first.is_visible()
    assert page.evaluate("shifted") < STILL, "something comes late and pushes the text down"
    assert told == []


def test_every_page_that_is_built_is_looked_at(site: Path) -> None:
    built = {page.relative_to(site).as_posix() for page in site.rglob("*.html")}
    left = {name for name in built - set(PAGES) if not name.startswith("incidents/")}
    assert left == {WHOLE}


def test_every_incident_fits_on_a_phone_and_asks_for_nothing(
    window: tuple[Page, list[str]], served: str, site: Path
) -> None:
    page, told = window
    told.clear()
    page.set_viewport_size({"width": 360, "height": 900})
    page.emulate_media(media="screen")
    for incident in sorted((site / "incidents").glob("*.html")):
        page.goto(f"{served}/incidents/{incident.name}")
        assert page.evaluate(TOO_WIDE) <= 0, incident.name
        assert page.locator("form.quiz button").is_visible(), incident.name
    cut_off = "failed: "  # what still loads when the next page is opened
    assert [each for each in told if not each.startswith(cut_off)] == []


def test_the_first_page_is_light_and_the_index_of_the_search_waits(browser: Browser, served: str) -> None:
    with look_at(browser, ("light", 360)) as context:
        page = listened(context, [], served)
        came: dict[str, int] = {}
        page.on("response", lambda answer: came.update({answer.url: len(gzip.compress(answer.body()))}))
        page.goto(f"{served}/index.html", wait_until="networkidle")
        assert not [url for url in came if "search_index" in url]
        assert 30_000 < sum(came.values()) < FIRST_PAGE, came
        page.keyboard.press("/")
        page.keyboard.type("pointer", delay=20)
        page.locator(".md-search-result__link").first.wait_for(timeout=10_000)
        assert [url for url in came if url.endswith("search_index.json")]


def test_all_modules_on_one_page_can_be_read_on_a_phone_and_on_paper(
    window: tuple[Page, list[str]], served: str
) -> None:
    page, told = window
    told.clear()
    page.set_viewport_size({"width": 360, "height": 900})
    page.emulate_media(media="screen")
    page.goto(f"{served}/{WHOLE}")
    assert page.evaluate(TOO_WIDE) <= 0
    ids = page.evaluate("[...document.querySelectorAll('.md-content [id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))
    assert page.locator("h1").count() == 1
    assert page.locator("h2 .number").count() == page.locator(".recall").count() >= 4
    assert found_by_axe(page, off=COLOURS) - ALLOWED == set()
    page.set_viewport_size(PAPER)
    page.emulate_media(media="print")
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(FOLDED) == []
    assert told == []


def test_paper_is_light_also_from_a_dark_page(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/incidents/metres.html", ("dark", 1280)) as (page, _):
        dark = page.evaluate(INK)
        page.emulate_media(media="print")
        printed = page.evaluate(INK)
        page.evaluate(SCHEME, "default")
        assert printed == page.evaluate(INK) != dark


def test_nothing_moves_for_whoever_asked_for_that(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/index.html") as (page, _):
        assert page.evaluate(MOVING) == []


@pytest.mark.parametrize("where", ["served", "folder"])
def test_search_finds_a_page(where: str, browser: Browser, served: str, site: Path) -> None:
    address = served if where == "served" else f"file://{site}"
    with opened(browser, "about:blank") as (page, _):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/index.html", wait_until="networkidle")
        assert not [url for url in asked if "search_index" in url], "it waits until somebody searches"
        page.keyboard.press("/")
        page.keyboard.type("pointer", delay=20)
        first = page.locator(".md-search-result__link").first
        first.wait_for(timeout=10_000)
        assert "02-version-data" in str(first.get_attribute("href"))
        assert [url for url in asked if "search_index" in url]
        assert all(url.startswith((address, "data:", "blob:", "about:")) for url in asked), asked


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


def test_the_tools_can_be_filtered_without_a_script(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/tools.html", script=False) as (page, _):
        seen, tracks = page.locator(".tool:visible"), page.locator('.tool[data-place="track"]')
        everything = seen.count()
        page.locator("#only-track").check()
        assert 0 < seen.count() == tracks.count() < everything
        assert page.get_by_role("heading", name="Monitoring").count() == 0, "a job that has none left"


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
    with opened(browser, f"{served}/modules/02-version-data.html", ("light", 360)) as (page, _):
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
    with opened(browser, f"{served}/map.html", ("light", 360), script=False) as (page, _):
        assert page.locator(".map-row:visible").count() == every
        assert not page.locator(".map-filter").is_visible()
