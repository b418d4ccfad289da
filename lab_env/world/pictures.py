"""Pictures: panels over days as SVG text, with no font, script or file from elsewhere.

Colours come from classes, so that a page can set them for light and dark. The same panels give the same
bytes.
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab_env.world.city import Vector

WIDTH, HEIGHT, LEFT, RIGHT, TITLE, GAP, FOOT = 480, 84, 46, 8, 26, 16, 24
"""Of a panel's plot and what stands around it, in the picture's own units."""

STYLE = (
    "svg{color-scheme:light dark;background:light-dark(#fff,#10191b);font-family:sans-serif}"
    "text{font-size:12.5px;fill:light-dark(#333,#dde6e8)}"
    ".band{fill:light-dark(#dbe7e8,#22383d)}"
    ".incident{fill:light-dark(#a4480a,#f5b878);opacity:.14}"
    "path{fill:none;stroke-width:1.8;stroke-linecap:round}"
    ".grid{stroke:light-dark(#d5dcdd,#34464a);stroke-width:1}"
    ".line{stroke:light-dark(#17434a,#86d3da)}"
    ".floor{stroke:light-dark(#a4480a,#f5b878);stroke-dasharray:3 4}"
)


@dataclass(frozen=True)
class Panel:
    """One number a day, over days.

    Attributes:
        title: what it is, with its unit.
        values: one a day; NaN where nothing is known.
        quiet: between which values nine quiet days in ten lie.
        floor: what no model can stay below, a day each.
    """

    title: str
    values: Vector
    quiet: tuple[float, float] | None = None
    floor: Vector | None = None


def draw(panels: Sequence[Panel], first_day: int, shaded: Sequence[int], *, alone: bool = False) -> str:
    """The panels one above the other, on the same days.

    Args:
        panels: at least one, all over the same days.
        first_day: the day of each panel's first value.
        shaded: the days on which something happens.
        alone: for a file of its own, with colours in it; a page brings its own.
    """
    height = len(panels) * (TITLE + HEIGHT + GAP) - GAP + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="{html.escape(in_words(panels, first_day, shaded))}">'
    ]
    if alone:
        parts.append(f"<style>{STYLE}</style>")
    for at, panel in enumerate(panels):
        parts += _panel(panel, first_day, shaded, top=at * (TITLE + HEIGHT + GAP) + TITLE)
    parts += _days(first_day, panels[0].values.size, height - FOOT)
    return "\n".join([*parts, "</svg>\n"])


def in_words(panels: Sequence[Panel], first_day: int, shaded: Sequence[int]) -> str:
    """What the picture shows, for who cannot see it."""
    days = panels[0].values.size
    there = np.isin(np.arange(first_day, first_day + days), shaded)
    facts = [f"{panel.title}: {_in_words(panel, there)}." for panel in panels]
    return " ".join([f"Days {first_day} to {first_day + days - 1}.", *facts])


def _in_words(panel: Panel, there: NDArray[np.bool_]) -> str:
    told = _before_and_then(panel.values, there)
    return told if panel.floor is None else f"{told}; the floor is {_before_and_then(panel.floor, there)}"


def _before_and_then(values: Vector, there: NDArray[np.bool_]) -> str:
    means = {"on other days": mean_of(values[~there]), "on shaded days": mean_of(values[there])}
    told = [f"{number(mean)} {when}" for when, mean in means.items() if not np.isnan(mean)]
    return ", ".join(told) or "unknown"


def mean_of(values: Vector) -> float:
    """The mean of what is known; NaN when nothing is."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else math.nan


def number(value: float) -> str:
    """Three digits that count, for a person.

    >>> number(4.8213), number(0.0104), number(2612.4), number(0.0)
    ('4.82', '0.0104', '2,612', '0')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{float(f'{value:.3g}'):g}"


def ticks(low: float, high: float) -> list[float]:
    """Two to four round numbers around `low` to `high`: steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 7.3), ticks(0.93, 1.0)
    ([0.0, 5.0, 10.0], [0.9, 0.95, 1.0])
    """
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 2))
    step = next(power * k for k in (1, 2, 5, 10) if span / (power * k) <= 2)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * k, 12) for k in range(first, max(last, first + 1) + 1)]


def _panel(panel: Panel, first_day: int, shaded: Sequence[int], *, top: int) -> list[str]:
    days = panel.values.size
    marks = ticks(*_range(panel))

    def x(day: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (day - first_day) / days

    def y(value: float) -> float:
        return top + HEIGHT * (1 - (value - marks[0]) / (marks[-1] - marks[0]))

    parts = [f'<text x="0" y="{top - 12}">{html.escape(panel.title)}</text>', *_key(panel, top - 12)]
    if panel.quiet:
        low, high = (y(value) for value in panel.quiet)
        parts.append(_box("band", x(first_day), high, x(first_day + days), low))
    parts += [
        _box("incident", x(max(begin, first_day)), top, x(min(end, first_day + days)), top + HEIGHT)
        for begin, end in spells(shaded)
    ]
    for mark in marks:
        parts.append(f'<path class="grid" d="M{LEFT} {y(mark):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">{number(mark)}</text>')
    for kind, values in (("line", panel.values), ("floor", panel.floor)):
        if values is None:
            continue
        spots = [(x(first_day + at + 0.5), y(value)) for at, value in enumerate(values.tolist())]
        parts.append(f'<path class="{kind}" d="{_path(spots)}"/>')
    return parts


def _key(panel: Panel, at: int) -> list[str]:
    """What the dashed line, or else the band, stands for."""
    if panel.floor is None and panel.quiet is None:
        return []
    word, left = ("quiet days", WIDTH - 116) if panel.floor is None else ("the floor", WIDTH - 104)
    sign = _box("band", left, at - 9, left + 22, at) if panel.floor is None else _dash(left, at - 4)
    return [sign, f'<text x="{WIDTH - RIGHT}" y="{at}" text-anchor="end">{word}</text>']


def _dash(left: float, middle: float) -> str:
    return f'<path class="floor" d="M{left:.1f} {middle:.1f}h22"/>'


def _range(panel: Panel) -> tuple[float, float]:
    """Between which values everything that is drawn lies; from zero where that is near."""
    known = np.concatenate([panel.values, panel.quiet or (), () if panel.floor is None else panel.floor])
    known = known[~np.isnan(known)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return (0.0 if 0 <= low < 0.8 * high or low == high >= 0 else low), high


def _box(kind: str, left: float, top: float, right: float, bottom: float) -> str:
    width, height = right - left, max(bottom - top, 1)
    return f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def spells(days: Sequence[int]) -> list[tuple[int, int]]:
    """Days in a row, as (first, one after the last).

    >>> spells([3, 4, 5, 9])
    [(3, 6), (9, 10)]
    """
    found: list[tuple[int, int]] = []
    for day in sorted(days):
        if found and found[-1][1] == day:
            found[-1] = (found[-1][0], day + 1)
        else:
            found.append((day, day + 1))
    return found


def _path(spots: Sequence[tuple[float, float]]) -> str:
    """A line through the spots that breaks where nothing is known; a lone spot is a dot."""
    drawn, pen = [], "M"
    for x, y in spots:
        if math.isnan(y):
            pen = "M"
            continue
        drawn.append(f"{pen}{x:.1f} {y:.1f}" + ("h0" if pen == "M" else ""))
        pen = "L"
    return "".join(drawn)


def _days(first_day: int, days: int, bottom: int) -> list[str]:
    """The axis under the last panel: five to ten days with their numbers."""
    step = next(k for k in (1, 2, 5, 10, 15, 30, 60, 90, 180, 365, days) if days / k <= 8)
    first = math.ceil(first_day / step) * step
    parts = []
    for day in range(first, first_day + days, step):
        x = LEFT + (WIDTH - LEFT - RIGHT) * (day - first_day + 0.5) / days
        word = f"day {day}" if day == first else f"{day}"
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{word}</text>')
    return parts
