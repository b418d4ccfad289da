"""Pictures: the same bytes each time, well-formed, and nothing in them from elsewhere."""

import doctest
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from lab_env.world import CATALOGUE, World, dashboards, pictures
from lab_env.world.pictures import Panel, draw, in_words, ticks

RAMP = Panel("Rain, mm & more", np.array([0.0, np.nan, 2.0, 4.0]), quiet=(0.0, 1.0), floor=np.ones(4))


def test_the_examples_run() -> None:
    assert doctest.testmod(pictures).failed == 0
    assert doctest.testmod(dashboards).failed == 0


def test_a_picture_is_well_formed_and_alone_in_the_world() -> None:
    text = draw([RAMP, RAMP], 7, [9, 10], alone=True)
    picture = ET.fromstring(text)
    assert picture.attrib["role"] == "img"
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|image|use|foreignObject)|url\(|@import|font-face|href", text)
    assert "<style>" not in draw([RAMP], 7, [])


def test_what_is_drawn_stays_inside_the_picture() -> None:
    text = draw([RAMP, Panel("Flat", np.full(4, 5.0)), Panel("Nothing", np.full(4, np.nan))], 7, [9])
    width, height = map(float, re.findall(r'viewBox="0 0 (\d+) (\d+)"', text)[0])
    spots = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", text)
    assert len(spots) > 12
    assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in spots)
    assert "nan" not in text


def test_a_line_breaks_where_nothing_is_known() -> None:
    line = re.findall(r'class="line" d="([^"]+)"', draw([RAMP], 7, []))[0]
    assert [command for command in line if command.isalpha()] == ["M", "h", "M", "h", "L"]


def test_the_alternative_text_has_the_numbers() -> None:
    words = in_words([RAMP], 7, [9, 10])
    assert words == (
        "Days 7 to 10. Rain, mm & more: 0 on other days, 3 on shaded days;"
        " the floor is 1 on other days, 1 on shaded days."
    )


@pytest.mark.parametrize(("low", "high"), [(0, 0), (-4.9, 0), (3.2, 3.3), (0, 2612), (0.01, 0.02), (5, 5)])
def test_ticks_are_few_and_enclose_what_is_drawn(low: float, high: float) -> None:
    marks = ticks(low, high)
    assert 2 <= len(marks) <= 4
    assert marks[0] <= low <= high <= marks[-1]


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_incident_has_its_picture_the_same_each_time(name: str) -> None:
    one, other = (
        dashboards.picture(World(5, name, orders_per_day=60), 84, 12, alone=False) for _ in range(2)
    )
    assert one == other
    assert one.count('class="incident"') == one.count('class="line"') >= 2
    assert "unknown" not in one


def test_days_without_an_incident_are_drawn_unshaded() -> None:
    assert 'class="incident"' not in dashboards.picture(World(5, "metres", orders_per_day=60), 80, 5)


def test_a_course_of_several_incidents_has_a_panel_for_each() -> None:
    shown = dashboards.panels(World(5, "two-at-once", orders_per_day=60), 90, 40)
    titles = [panel.title for panel in shown]
    assert titles == [
        "Straight-line distance, km",
        "Items per order",
        "distance_km as the feed has it",
        "Mean error of the promise, minutes",
        "The same at river and harbour",
    ]


def _mean(values: np.ndarray, days: slice) -> float:
    return float(np.nanmean(values[days]))


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("quiet", 0.9, 1.1),
        ("decoy-week", 0.9, 1.1),
        ("slow-service", 0.9, 1.1),
        ("order-stacking", 1.4, 3),
        ("bad-deploy", 1.5, 3),
        ("serving-skew", 1.3, 3),
        ("festival", 1.3, 3),
        ("metres", 10, 100),
        ("late-labels", 0.5, 0.9),
    ],
)
def test_the_error_of_a_model_at_rest_is_the_floor_s_but_for_what_it_cannot_know(
    name: str, least: float, most: float
) -> None:
    error = dashboards.panels(World(5, name, orders_per_day=300), 80, 16)[1]
    assert error.floor is not None
    holds = slice(10, 14)
    assert least < _mean(error.values, holds) / _mean(error.floor, holds) < most
    assert 0.9 < _mean(error.values, slice(0, 10)) / _mean(error.floor, slice(0, 10)) < 1.1
