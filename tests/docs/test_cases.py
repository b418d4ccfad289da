"""A case says where each statement is from; the day at Tiffin says what the world does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from docs.generate import day

COURSE = Path(__file__).parent.parent.parent
CASES = COURSE / "docs" / "cases"
LONG = ("streaming", "ride-hailing", "search")
PARTS = ["run", "learned", "twin", "home", "course", "unknown"]
SHORT = ("**What they run", "**Its twin.**", "**Take home.**", "**In this course**", "**Not known**")
CACHE = COURSE / ".cache" / "world"


@pytest.mark.parametrize("name", LONG)
def test_a_case_has_its_six_parts_and_a_source_beside_each_statement(name: str) -> None:
    text = (CASES / f"{name}.md").read_text()
    assert re.findall(r"^## .*\{ #([\w-]+) \}$", text, re.MULTILINE) == PARTS
    for part in ("run", "learned"):
        section = text.split(f"{{ #{part} }}\n")[1].split("\n## ")[0]
        statements = section.strip().split("\n- ")
        assert len(statements) > 3
        for statement in statements:
            assert "](https://" in statement, f"{name}: where is this from? {statement}"


def test_a_short_case_has_the_same_parts_in_bold() -> None:
    sections = (CASES / "short.md").read_text().split("\n## ")[1:]
    assert len(sections) == 4
    for section in sections:
        happened = section.replace("**What happened.**", "**What they run")
        for part in SHORT:
            assert part in happened, (section.splitlines()[0], part)
        assert "](https://" in section


def test_the_two_fridays_differ_in_nothing_that_is_known_when_an_order_is_placed() -> None:
    there, quiet = (day.Lived(day._world(name)) for name in (day.SCENARIO, "quiet"))
    assert set(there.orders["weekday"].tolist()) == {4}
    for name in day._columns(there):
        np.testing.assert_array_equal(there.orders[name], quiet.orders[name], err_msg=name)
    assert not np.array_equal(there.late, quiet.late)
    assert there.world.on(day.DAY).latency_ms == quiet.world.on(day.DAY).latency_ms
    before = day.Lived(there.world, day.DAY - 1), day.Lived(quiet.world, day.DAY - 1)
    errors = [each.error(np.ones(each.late.size, dtype=bool)) for each in before]
    assert errors[0] > errors[1] + 1


def test_the_figures_bear_out_what_the_page_says_of_the_day() -> None:
    found = day.measured(CACHE)
    told = {name: float(text.replace(",", "")) for name, text in found.items() if name != "hours"}
    assert told["default"] == 0
    assert told["labels-morning"] < 10 < 300 < told["labels-afternoon"]
    assert told["error-quiet"] + 2 < told["error"]
    assert told["mended"] < told["floor"] + 0.2
    assert told["wet"] > told["error"] + 2
    assert abs(told["wet"] - told["wet-floor"]) < 1
    assert 0 < told["least-late"] < told["late"] < told["most-late"]
    noon = next(row for row in found["hours"].splitlines() if "12:00" in row).split(" | ")
    assert 65 <= int(noon[3]) <= 75, "the page says that three in ten have no label at noon"


def test_the_day_s_page_quotes_every_figure_and_no_other(site: Path, tmp_path: Path) -> None:
    source = (CASES / "day.md").read_text()
    assert set(re.findall(r"<!-- day: ([\w-]+) -->", source)) == set(day.measured(CACHE))
    assert "<!-- day:" not in (site / "cases" / "day.html").read_text()
    assert day.fill("nothing of the day", tmp_path) == "nothing of the day"
    with pytest.raises(KeyError, match="gone"):
        day.fill("<!-- day: gone -->", CACHE)
