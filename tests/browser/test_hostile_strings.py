"""The pages of a class of hostile strings in a real browser, scripts on: nothing runs or is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page

from tests.browser.pages import LOOKS, listened, look_at
from tests.grader.hostile_class import World, make_world
from tests.grader.strings import MARKS
from tests.grader.test_formgrader import TOKEN, formgrader

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What of our own pages could act: elements that load, send or run, handlers, links that run or lead away.
ACTIVE = r"""() => [...document.querySelectorAll("*")].flatMap(one => {
  const acts = ["script", "iframe", "object", "embed", "base", "form", "link", "img", "input"];
  const leads = /^\s*(javascript|data):|evil\.invalid/i;
  return [...(acts.includes(one.localName) ? [one.localName] : []), ...[...one.attributes]
    .filter(({name, value}) => /^on|^style$/.test(name) || leads.test(value))
    .map(({name}) => one.localName + " " + name)];
})"""
# The same of formgrader's, which have scripts and handlers of their own: what has a text of theirs in it.
THEIRS = r"""() => [...document.querySelectorAll("*")].flatMap(one => {
  const acts = ["script", "style", "iframe", "object", "base", "form", "link", "meta", "img"];
  const theirs = text => /h\d\dq|evil\.invalid/.test(text);
  const loads = /^on|^(href|src|srcset|srcdoc|action|formaction|style|data|content|xlink:href)$/;
  return [...(acts.includes(one.localName) && theirs(one.outerHTML) ? [one.localName] : []),
    ...[...one.attributes].filter(({name, value}) => loads.test(name) && theirs(value))
      .map(({name}) => one.localName + " " + name)];
})"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("hostile"))


@contextmanager
def watched(browser: Browser, address: str) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what it asked for beyond `address`, complained of and said in a dialog."""
    told: list[str] = []
    context = look_at(browser, LOOKS[0], script=True)
    page = listened(context, told, address)

    def refuse(asked: Dialog) -> None:
        told.append(f"dialog: {asked.message}")
        asked.dismiss()

    page.on("dialog", refuse)
    yield page, told
    context.close()


def marks(page: Page) -> set[str]:
    """The marks that can be read on a page."""
    text = page.evaluate("() => document.documentElement.textContent")
    return {mark for mark in MARKS if mark in text}


def test_no_page_that_is_written_acts(world: World, browser: Browser) -> None:
    shown = {
        "feedback/p00/01-add.html": set(MARKS),
        "report/index.html": set(MARKS),
        "report/01-add.html": set(MARKS[1:]),
        "report-anonymous/index.html": set(MARKS[1:]),  # what the judge says of itself, and names of mistakes
        "similar/01-add/001.html": set(MARKS),
        "certificates/p00.svg": {MARKS[0]},
        "certificates/p20.svg": {MARKS[0], MARKS[20]},
    }
    with watched(browser, "file://") as (page, told):
        for name, wanted in shown.items():
            page.goto(f"file://{world.folder / name}")
            assert page.evaluate(ACTIVE) == [], name
            assert marks(page) == wanted, name
        assert told == []


def test_the_desk_acts_on_nothing_of_theirs(world: World, browser: Browser, tmp_path: Path) -> None:
    with (
        formgrader(world.classroom, tmp_path) as client,
        watched(browser, site := str(client.base_url)) as seen,
    ):
        page, told = seen
        page.context.set_extra_http_headers({"Authorization": f"token {TOKEN}"})
        listed = client.get(f"/formgrader/api/submitted_notebooks/{world.lab.id}/{world.lab.id}").json()
        number = {one["student"]: one["id"] for one in listed}
        for name, wanted in (
            ("manage_students", set(MARKS)),
            (f"gradebook/{world.lab.id}/{world.lab.id}", None),
        ):
            page.goto(f"{site}/formgrader/{name}")
            page.wait_for_selector("tbody td a")
            assert page.evaluate(THEIRS) == [], name
            assert wanted is None or marks(page) == wanted
        for who in ("p00", "p02"):
            page.goto(f"{site}/formgrader/submissions/{number[who]}/")
            page.wait_for_selector("textarea.comment", state="attached")
            page.wait_for_load_state("networkidle")
            assert page.evaluate(THEIRS) == [], who
            assert marks(page) == set(MARKS if who == "p00" else MARKS[2:3]), who
        assert set(told) <= {"MathJax is not defined"}  # which is taken out, as it comes from elsewhere
