"""The map: every row whole, linked to its modules and back, and refused where it is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import twins
from docs.generate.modules import Module, modules

COURSE = Path(__file__).parent.parent.parent
MODULES = modules(COURSE / "docs")
ROW = """
[[rows]]
id = "build"
stage = "version"
know = "A build."
twin = "A training."
breaks = "It always succeeds."
modules = ["01"]
"""


def test_every_row_is_on_the_page_under_its_part_of_the_loop(site: Path) -> None:
    page = (site / "map.html").read_text()
    assert len(twins.rows()) > 30
    for stage in twins.STAGES:
        section = page.split(f'<section data-stage="{stage}">')[1].split("</section>")[0]
        own = [row.id for row in twins.rows() if row.stage == stage]
        assert own, stage
        assert re.findall(r'<h3 id="([\w-]+)"', section) == own


def test_every_row_says_what_you_know_its_twin_and_where_it_breaks(site: Path) -> None:
    page = (site / "map.html").read_text()
    for row in twins.rows():
        card = page.split(f'id="{row.id}"')[1].split("</article>")[0]
        parts = re.findall(r'class="map-(\w+)"', card)
        assert parts == ["know", "twin", "breaks", "module"], row.id
        for text in (row.know, row.twin, row.breaks):
            assert text.endswith((".", "?"))
        assert len(row.breaks) > 80, f"{row.id}: the third part is the lesson"


def test_every_row_leads_to_its_modules_and_every_module_back(site: Path) -> None:
    page = (site / "map.html").read_text()
    for module in MODULES:
        own = [row.id for row in twins.rows() if module.number in row.modules]
        assert own, f"no row of twins.toml names module {module.number}"
        for name in own:
            card = page.split(f'id="{name}"')[1].split("</article>")[0]
            assert f'href="{module.page.removesuffix(".md")}.html"' in card, name
        back = (site / module.page).with_suffix(".html").read_text().split('id="on-the-map"')[1]
        assert re.findall(r"map\.html#([\w-]+)", back)[: len(own)] == own, module.id


def test_every_practice_that_the_course_promises_is_a_row() -> None:
    promised = (
        "version-control build artifact artifact-repository dependency-lock unit-test linter code-review ci "
        "cd continuous-training deploy rollback feature-flag uptime log slo incident post-mortem "
        "access-control capacity pipelines-as-code platform-team"
    )
    assert set(promised.split()) <= {row.id for row in twins.rows()}


def test_a_module_without_a_row_gets_no_list_of_them() -> None:
    assert twins.places(Module("99-nothing", "Nothing")) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROW + ROW, r"2 rows of twins\.toml have the id `build`: give each its own"),
        (
            ROW.replace('"version"', '"build"'),
            r"Row `build` of twins\.toml: `build` is none of version, auto",
        ),
    ],
)
def test_a_row_that_is_not_whole_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        twins.read_rows(text)
