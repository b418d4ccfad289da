"""The drift playground in a real browser: its numbers are Python's, and it can be played by keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from docs.generate import playground
from tests.browser.pages import ALLOWED, found_by_axe, opened
from tests.docs.drift import measured

SAME = 1e-6
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def settings() -> list[dict[str, Any]]:
    """Every preset, and twelve settings thrown with a fixed seed."""
    sample = playground.sample()
    rng = np.random.default_rng(9)
    amounts: dict[str, Callable[[dict[str, Any]], float]] = {
        "shift": lambda feature: float(rng.integers(-10, 30)) * feature["step"],
        "scale": lambda _: float(rng.choice([0.0, 0.35, 0.9, 1.5, 7.0])),
        "nulls": lambda _: float(rng.choice([0.05, 0.4, 1.0])),
        "unit": lambda _: float(rng.choice([0.001, 0.62, 1.25, 1000.0])),
        "stuck": lambda feature: float(rng.choice(feature["stuck"])),
    }
    behind = {"none": 0, "rides": 0.7, "wait": 9, "labels": 60, "answers": 1.2}
    thrown = []
    for _ in range(12):
        picked = rng.choice(sample["features"], size=rng.integers(1, 4), replace=False)
        kinds = rng.choice(list(amounts), size=len(picked))
        thrown.append(
            {
                "changes": {
                    each["name"]: {"kind": str(kind), "amount": amounts[str(kind)](each)}
                    for each, kind in zip(picked, kinds, strict=True)
                },
                "behind": (lambda kind: {"kind": kind, "amount": behind[kind]})(
                    str(rng.choice(list(behind)))
                ),
            }
        )
    return [*sample["presets"], *thrown]


def assert_same(python: Any, page: Any, where: str) -> None:
    """The two agree in shape, and in every number to one in a million."""
    if isinstance(python, dict):
        assert python.keys() == page.keys(), where
        for name in python:
            assert_same(python[name], page[name], f"{where}.{name}")
    elif isinstance(python, list):
        assert len(python) == len(page), where
        for at, pair in enumerate(zip(python, page, strict=True)):
            assert_same(*pair, f"{where}[{at}]")
    elif isinstance(python, float) and page is not None:
        assert page == pytest.approx(python, rel=SAME, abs=SAME), where
    else:
        assert python == page, where


def test_the_numbers_are_those_of_numpy_and_scipy(browser: Browser, site: Path) -> None:
    with opened(browser, f"file://{site}/playground.html") as (page, told):
        sample = playground.sample()
        for setting in settings():
            found = page.evaluate("setting => drift.measure(setting)", setting)
            assert_same(measured(sample, setting), found, json.dumps(setting))
    assert told == []


def test_the_playground_is_played_by_keyboard_and_says_what_happened(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/playground.html", ("dark", 360)) as (page, told):
        status = page.locator(".play-status")
        assert not page.locator(".playground-still").is_visible()
        assert not status.is_visible()
        _press(page, "#play-preset", "ArrowDown")
        assert page.locator("#play-preset").input_value() == "decoy-week"
        page.locator("#play-preset").select_option("metres")
        _press(page, ".play-guess [name=contract]", "Space")
        _press(page, ".play-guess button", "Enter")
        assert status.inner_text().startswith(
            "You said 1 of 3 right. The contract rings on day 110, on evening 1."
        )
        assert page.locator(".play-alarms .rings").count() == 3
        words = page.locator(".play-bars svg").get_attribute("aria-label")
        assert words is not None
        assert words.startswith("distance_km: most of the reference lies from 0.")
        _press(page, "#play-amount", "Home")
        page.wait_for_function("document.querySelector('#play-amount-said').textContent === '× 0.001'")
        assert page.locator("#play-amount").get_attribute("aria-valuetext") == "× 0.001"
        page.wait_for_function("!document.querySelector('.play-status').textContent.startsWith('You said')")
        assert "floor 3.7" in status.inner_text()
        assert page.locator("#play-force").inner_text().endswith("distance_km arrives multiplied: × 0.001.")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert found_by_axe(page) - ALLOWED == set()
    assert told == []


def test_without_a_script_the_page_says_what_it_would_show(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/playground.html", script=False) as (page, _):
        assert page.locator(".playground-still svg").is_visible()
        assert "With a script running you would play here" in page.locator("figcaption").inner_text()
        assert not page.locator(".play-form").is_visible()


def _press(page: Page, what: str, key: str) -> None:
    page.locator(what).focus()
    page.keyboard.press(key)
