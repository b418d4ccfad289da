"""Every module has the course's shape; a planned one says so, until its page is written by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from docs.generate.modules import in_nav, modules, planned_pages, say_planned
from grader.manifest import list_labs

COURSE = Path(__file__).parent.parent.parent
DOCS = COURSE / "docs"
WRITTEN = [module for module in modules(DOCS) if module.plan is None]
PLANNED = [module for module in modules(DOCS) if module.plan]
NUMBERS = [f"{number:02}" for number in range(1, 15)]


def lacks(article: str, lab: str) -> list[str]:
    """What a module's page has not of the course's shape."""
    recalls = article.partition('id="three-things-from-before"')[2].partition("<h2")[0]
    table = re.search(
        r"<th>You know</th>\s*<th>Its twin</th>\s*<th>Where it breaks</th>.*?</table>", article, re.DOTALL
    )
    predict = article.partition("Predict</p>")[2]
    has = {
        "a story before anything else": re.search(r"</h1>\s*<p>(?!<strong>)", article),
        "what one can do after it": "<strong>After this module you can</strong>" in article,
        "what one needs": "<strong>You need</strong>" in article,
        "how long it takes": re.search(r"<strong>(about )?\d+ minutes</strong>", article),
        "three questions from before": len(re.findall(r"<details class=\"[\w ]*question", recalls)) == 3,
        "what you know, its twin, where it breaks": table and table[0].count("<tr>") >= 3,
        "an example that is worked": re.search(r'class="(gp|language-(bash|python))', article),
        "a prediction before what happened": "<summary>After you " in predict,
        "the lab": f'href="../labs/{lab}.html"' in article,
        "three quizzes": article.count('<form class="quiz"') >= 3,
        "reasons for every option": article.count('class="quiz-option"') == article.count("<li><em>"),
    }
    return [what for what, there in has.items() if not there]


def _article(site: Path, page: str) -> str:
    return (site / page).with_suffix(".html").read_text().partition("<article")[2].partition("</article>")[0]


@pytest.mark.parametrize("module", WRITTEN, ids=lambda module: str(module.id))
def test_a_module_has_the_shape_of_all(module: Any, site: Path) -> None:
    assert lacks(_article(site, module.page), module.id) == []


@pytest.mark.parametrize(
    ("cut", "instead", "lacking"),
    [
        ("</h1>", "</h1><p><strong>First</strong></p>", "a story before anything else"),
        ("After this module you can", "You will", "what one can do after it"),
        ("You need", "First", "what one needs"),
        (" minutes</strong>", "</strong>", "how long it takes"),
        ('<details class="question', '<details class="gone', "three questions from before"),
        ("Its twin", "Its like", "what you know, its twin, where it breaks"),
        ('class="gp', 'class="gone', "an example that is worked"),
        ("<summary>After you ", "<summary>Then ", "a prediction before what happened"),
        ("../labs/", "../gone/", "the lab"),
        ('<form class="quiz"', "<form ", "three quizzes"),
        ('class="quiz-option"', "", "reasons for every option"),
    ],
)
def test_the_shape_is_missed_where_it_is_not(cut: str, instead: str, lacking: str, site: Path) -> None:
    article = _article(site, "modules/10-respond.md")
    assert cut in article
    assert lacking in lacks(article.replace(cut, instead), "10-respond")


def test_every_number_has_a_module_and_every_lab_its_page() -> None:
    assert [module.number for module in modules(DOCS)] == NUMBERS
    assert [lab.id for lab in list_labs(COURSE)] == [module.id for module in WRITTEN]


@pytest.mark.parametrize("module", PLANNED, ids=lambda module: str(module.id))
def test_a_planned_module_says_so_and_what_can_be_done_today(module: Any, site: Path) -> None:
    article = _article(site, module.page)
    assert "This module is planned." in article
    assert re.findall(r'<h2 id="([\w-]+)"', article) == ["teaches", "the-lab", "ready", "today", "on-the-map"]
    assert article.partition('id="today"')[2].count("<li>") >= 2
    assert "<form" not in article


def test_a_link_to_a_planned_module_says_so_on_every_page(site: Path) -> None:
    links = re.compile(
        r'<a (?!class)[^>]*href="(?:[^"#]*modules/)?([\w-]+)\.html[^"]*"[^>]*>.*?</a>( \(planned\))?'
    )
    later, found = {module.id for module in PLANNED}, 0
    for page in site.rglob("*.html"):
        article = page.read_text().partition("<article")[2].rpartition("</article>")[0]
        for line in article.splitlines():
            if not line.startswith("<p><strong>Planned:</strong>"):
                for name, said in links.findall(line):
                    assert (name in later) == bool(said), f"{page.relative_to(site)}: {line[:200]}"
                    found += bool(said)
    assert found > 20 or not later


def test_a_list_of_planned_modules_says_it_once() -> None:
    link = '<a href="modules/99-x.html">99</a>'
    assert say_planned(f"<p>{link}</p>", DOCS) == f"<p>{link}</p>"
    link = f'<a href="../{PLANNED[-1].page[:-3]}.html#ready">it</a>'
    assert say_planned(f"<p>See {link}.</p>", DOCS) == f"<p>See {link} (planned).</p>"
    listed = f"<p><strong>Planned:</strong> {link}, {link}.</p>"
    assert say_planned(listed, DOCS) == listed


def test_a_page_that_is_written_takes_the_place_of_its_plan(tmp_path: Path) -> None:
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "05-test-models.md").write_text("# 05 · Test models so that they are tested\n")
    found = {module.id: module for module in modules(tmp_path)}
    assert found["05-test-models"].title == "Test models so that they are tested"
    assert found["05-test-models"].plan is None
    assert "modules/05-test-models.md" not in planned_pages(tmp_path)
    nav: list[Any] = [{"Modules": [{"04 · x": "y"}, {"05 · Test models": "modules/05-test-models.md"}]}]
    in_nav(nav, tmp_path)
    names = [next(iter(entry)) for entry in nav[0]["Modules"]]
    assert names.count("05 · Test models") == 1
    assert [name[:2] for name in names] == sorted(name[:2] for name in names)


def test_a_page_without_a_heading_is_refused(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "05-test-models.md").write_text("words\n")
    with pytest.raises(ValueError, match=r"05-test-models\.md has no heading\. Begin it with `# 05 · "):
        modules(tmp_path)
