"""Recall and orders in a real browser: by keyboard, kept in this browser alone, and without a script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import opened

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PICKED = """([known, day]) => recall.pick([..."abcdef"].map(id => ({id})), ["c", "d", "e"], known, day)
  .map(card => card.id).join("")"""


def test_cards_come_back_when_they_are_due_and_can_be_saved_and_forgotten(
    browser: Browser, served: str
) -> None:
    with opened(browser, f"{served}/modules/08-deploy.html") as (page, told):
        for known, day, picked in (
            ({}, 100, "cde"),
            ({"c": {"times": 1, "due": 101}}, 100, "dea"),
            ({"c": {"times": 1, "due": 101}, "b": {"times": 2, "due": 90}}, 101, "bcd"),
            ({each: {"times": 5, "due": 200 - ord(each)} for each in "abcdef"}, 1, "fed"),
        ):
            assert page.evaluate(PICKED, [known, day]) == picked
        waits = page.evaluate(
            """() => { let state = {}; return [true, true, true, true, true, true, false, true].map(knew => {
              state = recall.graded(state, "a", knew, 100); return state.a.due - 100; }); }"""
        )
        assert waits == [1, 3, 7, 21, 60, 60, 1, 1]

        cards = page.locator(".recall details")
        first = cards.first.get_attribute("data-card")
        cards.first.locator("summary").focus()
        page.keyboard.press("Enter")
        cards.first.get_by_role("button", name="I knew it").focus()
        page.keyboard.press("Enter")
        assert cards.first.get_by_role("status").inner_text() == "Comes back in 1 day."
        note = page.locator(".recall-bar [role=status]")
        assert note.inner_text().startswith("This browser remembers 1 of your answers, under “tiffin-recall”")
        page.reload()
        assert first not in [card.get_attribute("data-card") for card in cards.all()]
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save my answers as a file").click()
        assert list(json.loads(Path(saved.value.path()).read_text())) == [first]
        page.get_by_role("button", name="Forget my answers").click()
        assert page.evaluate("localStorage.getItem(recall.KEY)") is None
        page.reload()
        assert cards.first.get_attribute("data-card") == first
    assert told == []


def test_steps_are_put_in_order_by_keyboard(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/modules/08-deploy.html", ("light", 360)) as (page, told):
        form = page.locator("form.parsons")
        steps, status = form.locator(".parsons-steps > li"), form.get_by_role("status")
        form.get_by_role("button", name="Check", exact=True).click()
        assert "are right from the top. Something else has to come before" in status.inner_text()
        for place in range(steps.count()):
            step = form.locator(f'li[data-place="{place}"]')
            step.get_by_role("button", name="Move up").focus()
            while steps.nth(place).get_attribute("data-place") != str(place):
                page.keyboard.press("Enter")
        assert status.inner_text().startswith("Step ")
        steps.first.get_by_role("button", name="Move up").focus()
        page.keyboard.press("Enter")
        assert status.inner_text() == "It is the first step already."
        form.get_by_role("button", name="Check", exact=True).click()
        assert status.inner_text() == "Right."
        assert form.locator(".parsons-steps .quiz-why").count() == steps.count()
    assert told == []


def test_without_a_script_three_cards_and_the_order_are_there(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/modules/08-deploy.html", script=False) as (page, _):
        assert page.locator(".recall details").count() == 3
        assert not page.locator(".recall-bar").is_visible()
        key = page.locator(".parsons-key")
        key.locator("summary").click()
        assert key.locator("li").first.is_visible()
        assert not page.locator(".parsons-moves").first.is_visible()


def test_the_self_test_says_where_to_start(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/skills.html") as (page, told):
        result, ticks = page.locator(".skills-result"), page.locator(".skills input")
        assert result.inner_text().startswith("Tick what you could do")
        ticks.first.check()
        assert result.inner_text().startswith("First Linux and systemd, Git and its hosts, Scripting: ")
        ticks.first.uncheck()
        for tick in ticks.all()[:14]:
            tick.focus()
            page.keyboard.press("Space")
        assert result.inner_text() == "Start with module 01, Train a first model."
        for tick in ticks.all()[14:]:
            tick.check()
        assert result.inner_text() == "Start with module 02, Version data like code."
        for tick in ticks.all()[3:6]:
            tick.uncheck()
        assert result.inner_text().endswith("Before module 08: Networking.")
    assert told == []
