"""How a page is opened and listened to, and what axe is asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import axe_playwright_python  # type: ignore[import-untyped]  # it publishes no types
from playwright.sync_api import Browser, BrowserContext, Page

Look = tuple[Literal["light", "dark"], int]
LOOKS: tuple[Look, ...] = (("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]  # slow, and all that a dark scheme can change
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
ALLOWED = {("region", "#__drawer")}  # the theme's style sheet needs its switch outside of the landmarks
ASK_AXE = """async ([only, off, without]) => (await axe.run({exclude: ["iframe", ...without]}, {
  runOnly: {type: only[0].startsWith("wcag") ? "tag" : "rule", values: only},
  rules: Object.fromEntries(off.map(rule => [rule, {enabled: false}])),
  resultTypes: ["violations"],
})).violations.flatMap(each => each.nodes.map(node => [each.id, String(node.target[0])]))"""


@contextmanager
def opened(
    browser: Browser, address: str, look: Look = LOOKS[0], *, script: bool = True
) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what it asked for or complained of; the list goes on filling."""
    context = look_at(browser, look, script=script)
    told: list[str] = []
    page = listened(context, told, address)
    page.goto(address)
    try:
        yield page, told
    finally:
        context.close()


def look_at(browser: Browser, look: Look, *, script: bool = True) -> BrowserContext:
    """A window of that width and scheme, without motion."""
    scheme, width = look
    return browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        java_script_enabled=script,
    )


def listened(context: BrowserContext, told: list[str], address: str) -> Page:
    """A page that notes into `told` requests beyond the origin of `address`, failures and complaints."""
    page, ours = context.new_page(), (origin(address), "data:", "blob:", "about:")
    context.on("request", lambda asked: None if asked.url.startswith(ours) else told.append(asked.url))
    page.on("console", lambda said: told.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("requestfailed", lambda failed: told.append(f"failed: {failed.url}"))
    return page


def origin(address: str) -> str:
    """The beginning that every address of the same site shares."""
    return "/".join(address.split("/")[:3])


@cache
def axe_script() -> str:
    """axe-core, as the package brings it."""
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def found_by_axe(
    page: Page, only: Sequence[str] = RULES, *, off: Sequence[str] = (), without: Sequence[str] = ()
) -> set[tuple[str, str]]:
    """Rule and place of everything that axe objects to, by the rules or tags `only`, outside of `without`."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe_script())
    asked = [list(only), list(off), list(without)]
    return {(rule, place) for rule, place in page.evaluate(ASK_AXE, asked)}
