"""The glossary: two sentences a term, and one link to it from each page that uses it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import glossary

LINK = re.compile(r'<a class="term" href="([^"]*)glossary\.html#([\w-]+)" title="([^"]+)">')


def test_every_term_has_a_sentence_for_each_side(site: Path) -> None:
    page = (site / "glossary.html").read_text()
    assert len(glossary.terms()) > 40
    for term in glossary.terms():
        entry = page.partition(f'<h2 id="{term.id}"')[2].partition("<h2")[0]
        assert "To you:" in entry, term.id
        assert "In machine learning:" in entry
        assert term.operator.endswith(".")
        assert term.ml.endswith(".")
        assert term.operator != term.ml


def test_no_word_leads_to_two_terms() -> None:
    forms = [form.lower() for term in glossary.terms() for form in (term.written, *term.also)]
    assert len(forms) == len(set(forms))


def test_a_page_links_each_term_once_and_to_where_it_stands(site: Path) -> None:
    anchors = set(re.findall(r'<h2 id="([\w-]+)"', (site / "glossary.html").read_text()))
    linked = set()
    for page in site.rglob("*.html"):
        found = LINK.findall(page.read_text())
        names = [name for _, name, _ in found]
        assert len(names) == len(set(names)), page
        assert set(names) <= anchors, page
        for way, _, _ in found:
            assert (page.parent / way / "glossary.html").resolve() == (site / "glossary.html").resolve(), page
        linked |= set(names)
    assert len(linked) > 25


@pytest.mark.parametrize(
    "quiet",
    [
        "<h2>Drift</h2>",
        "<p><code>drift</code> and <a href='x'>drift</a></p>",
        "<details><summary>Drift</summary></details>",
        "<form><p>drift</p></form>",
        "<p>a drifting boat</p>",
        "<div>drift</div>",
    ],
)
def test_a_term_is_not_linked_outside_of_running_text(quiet: str) -> None:
    assert glossary.linked(quiet, "world.html") == quiet


def test_a_link_has_the_operator_s_sentence_and_leaves_the_page_as_it_was() -> None:
    page = '<p>Is it <em>Drift</em>?<br>&nbsp;&#8211; <!-- no --><img src="x"/> Then a drift, a canary.</p>'
    shown = glossary.linked(page, "modules/09.html")
    assert (
        '<em><a class="term" href="../glossary.html#drift" title="The world or the data moved away' in shown
    )
    assert shown.count('class="term"') == 2
    assert re.sub(r'<a class="term"[^>]*>|</a>', "", shown) == page


def test_reference_pages_and_the_glossary_itself_are_left_as_they_are() -> None:
    page = "<p>drift</p>"
    for url in ("reference/lab.html", "labs/02-version-data.html", "honest.html", "glossary.html"):
        assert glossary.linked(page, url) == page
