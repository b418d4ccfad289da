"""How the pages speak: short sentences, counted; none of the words that the course does without."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import reading
from tests.docs.test_site import HYPE

COURSE = Path(__file__).parent.parent.parent
AVOIDED = {
    "a word of an advertisement": re.compile(rf"\b({HYPE}|in today's world)\b", re.IGNORECASE),
    "an exclamation": re.compile(r"\w!"),
    "a picture for a word": re.compile("[\U0001f300-\U0001faff\u2705\u274c\u2728]"),
    "three questions in a row": re.compile(r"\?\s+[^.?]+\?\s+[^.?]+\?"),
}


def _pages(site: Path) -> dict[str, list[str]]:
    return {
        page.relative_to(site).as_posix(): reading.running(page.read_text()) for page in site.rglob("*.html")
    }


def test_no_page_says_what_the_course_does_without(site: Path) -> None:
    pages = _pages(site)
    assert len(pages) > 40
    for name, texts in pages.items():
        for text in texts:
            for what, pattern in AVOIDED.items():
                assert not pattern.search(text), f"{name} has {what}: {text}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("You simply run it.", "a word of an advertisement"),
        ("Well done!", "an exclamation"),
        ("Done \U0001f389", "a picture for a word"),
        ("Why? Who knows? And when? Then go.", "three questions in a row"),
    ],
)
def test_what_is_avoided_is_noticed(text: str, what: str) -> None:
    assert AVOIDED[what].search(text)


def test_sentences_are_short_on_every_page(site: Path) -> None:
    for page in site.rglob("*.html"):
        found = reading.read(page.read_text())
        if found and found.sentences > 5 and page.name != "changes.html":  # it is looked up, not read
            assert found.mean < 20, f"{page.relative_to(site)}: {found.mean:.1f} words in a sentence"
            assert found.grade < 10, f"{page.relative_to(site)}: readability index {found.grade:.1f}"


def test_only_running_text_is_counted() -> None:
    page = (
        "<p>outside</p><article><h1>Head</h1><p>One two. <code>make start</code> Three four five?</p>"
        "<table><tr><td>cell</td></tr></table><ul><li>Six<p>seven.</p></li></ul></article>"
    )
    assert reading.running(page) == ["One two. Three four five?", "Six", "seven."]
    found = reading.read(page)
    assert found == reading.Reading(words=7, sentences=4, letters=27, longest=3)
    assert found.mean == 7 / 4
    assert found.grade == pytest.approx(4.71 * 27 / 7 + 0.5 * 7 / 4 - 21.43)
    assert reading.read("<article><h1>Head</h1></article>") is None


def test_the_command_reports_every_page_hardest_first(site: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate.reading", str(site)],
        cwd=COURSE,
        capture_output=True,
        text=True,
        check=True,
    )
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["grade", "mean", "longest", "words", "page"]
    grades = [float(line.split()[0]) for line in lines]
    assert grades == sorted(grades, reverse=True)
    assert "modules/02-version-data.html" in done.stdout
    assert len(lines) > 40


def test_the_command_without_a_site_says_what_to_type() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate.reading", "nowhere"],
        cwd=COURSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "Name the folder of a built site: python -m docs.generate.reading site"
