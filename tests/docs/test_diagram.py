"""A diagram's lines become shapes and ways that can be read aloud, and a wrong line is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import diagram

SOURCE = """
title: What is promoted
says: Orders train a model; <nobody> sees it.
data orders @ 1,1: orders
model eta @ 2,1: version 7
service api @ 2,2: service / of dinner
people you @ 1,2: you
orders -> eta
eta -> api
api ~> you: later
around eta api: the bundle
"""


def test_each_kind_has_its_shape_and_the_key_names_those_that_are_there() -> None:
    page = diagram.diagram_html(SOURCE)
    assert page.count('class="shape"') == 1
    assert page.count('class="shape hot"') == 1
    assert page.count("<rect") == 2
    assert "<figcaption>A drum is data, a hexagon a model, a box a service or a job, a pill people." in page
    alone = diagram.diagram_html("title: a\nsays: b\nmodel eta @ 1,1: eta")
    assert "<figcaption>A hexagon a model.</figcaption>" in alone


def test_it_says_in_words_what_it_shows() -> None:
    page = diagram.diagram_html(SOURCE)
    assert 'role="img" aria-label="What is promoted. Orders train a model; &lt;nobody&gt; sees it."' in page
    assert re.findall(r'class="word"[^>]*>([^<]+)', page) == [
        "orders",
        "version 7",
        "service",
        "of dinner",
        "you",
    ]
    assert re.findall(r'class="label"[^>]*>([^<]+)', page) == ["the bundle", "later"]


def test_a_way_ends_at_the_edge_of_its_shapes_and_a_late_one_is_dashed() -> None:
    page = diagram.diagram_html(SOURCE)
    ways = re.findall(r'<path class="(way|back)" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"', page)
    assert [way[0] for way in ways] == ["way", "way", "back"]
    across, down = ([float(place) for place in way[1:]] for way in ways[:2])
    assert across[1] == across[3]
    assert 0 < across[2] - across[0] < diagram.WIDTH - 2 * diagram.HALF_W
    assert down[0] == down[2]
    assert 0 < down[3] - down[1] < diagram.HEIGHT - 2 * diagram.HALF_H


def test_it_fits_a_phone() -> None:
    three = "title: a\nsays: b\n" + "\n".join(f"data d{at} @ {at},1: day {at}" for at in (1, 2, 3))
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', diagram.diagram_html(three))
    assert size
    assert int(size[1]) <= 328, "360 pixels less the margins: a letter keeps its size"


def test_a_line_of_dashes_begins_another_drawing_beside_it() -> None:
    page = diagram.diagram_html(f"{SOURCE}---\n{SOURCE.replace('What is promoted', 'What is not')}")
    assert page.count("<svg") == 2
    assert page.count("<figcaption>") == 1


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("title: What is promoted", "", "A diagram needs a line `title: …`"),
        ("says: Orders train a model; <nobody> sees it.", "", "A diagram needs a line `says: …`"),
        ("orders -> eta", "orders => eta", "is a shape, a way or `around`, not 'orders => eta'"),
        ("orders -> eta", "orders -> gone", "No shape of the diagram has the name `gone`"),
        ("around eta api", "around eta gone", "No shape of the diagram has the name `gone`"),
        ("version 7", "version seven", "'version seven' has more than 11 letters: break it with ` / `"),
        ("people you @ 1,2", "people you @ 1,1", "Two shapes of a diagram stand at 1,1"),
    ],
)
def test_a_diagram_that_is_not_whole_is_refused(right: str, wrong: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        diagram.diagram_html(SOURCE.replace(right, wrong))


def test_a_diagram_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="A diagram needs a shape, as in `data orders @ 1,1: orders`"):
        diagram.diagram_html("title: a\nsays: b")


def test_the_pages_draw_with_it(site: Path) -> None:
    for name, drawings in (
        ("ideas/lifecycles", 2),
        ("ideas/privacy", 1),
        ("modules/08-deploy", 3),
        ("world", 1),
    ):
        assert (site / f"{name}.html").read_text().count('role="img" aria-label=') == drawings, name
