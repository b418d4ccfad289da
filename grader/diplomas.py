"""A certificate as a picture: SVG with text in it, no script, no style sheet, nothing that is loaded.

Each text lies in a box of its own that cuts off what would stick out: no name can paint over its neighbours.
"""

import unicodedata
from html import escape
from typing import TYPE_CHECKING

from grader.exports import number
from grader.pages import safe
from grader.texts import line

if TYPE_CHECKING:
    from grader.certificates import Certificate, Shown

WIDE, EDGE, ROW = 1000, 70, 64
INK, SOFT, MARK = "#1a1a1a", "#595959", "#1f66a8"
LONGEST = 160


def draw(one: "Certificate", data: str) -> str:
    """The picture of a certificate, with `data`, its JSON, in `<metadata>`."""
    high = 480 + ROW * len(one.labs)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {high}" width="{WIDE}" height="{high}" '
        'role="img" aria-labelledby="title" font-family="Georgia, \'DejaVu Serif\', serif">\n'
    )
    rows = "".join(_row(lab, 290 + ROW * at) for at, lab in enumerate(one.labs))
    foot = high - 150
    name = one.name or one.learner
    title = safe(f"Certificate: {line(name, longest=LONGEST)}, {line(one.course)}")
    return (
        f'{head}<title id="title">{title}</title>\n'
        f"<metadata>{escape(data)}</metadata>\n"
        f'<rect width="{WIDE}" height="{high}" fill="#ffffff"/>\n'
        f'<rect x="20" y="20" width="{WIDE - 40}" height="{high - 40}" fill="none" stroke="{MARK}" '
        'stroke-width="3"/>\n'
        + _text(one.course, 50, 24, fill=MARK)
        + _text(name, 100, 46, bold=True)
        + (_text(f"({one.learner})", 165, 18, fill=SOFT) if one.name else "")
        + _text("has shown, in work that was handed in under this name and judged:", 215, 20)
        + rows
        + f'<path d="M {EDGE} {foot - 15} H {WIDE - EDGE}" stroke="{SOFT}"/>\n'
        + _text(f"Signed by {one.signed_by}, {one.issued[:10]}", foot, 22)
        + _text(f"Key {one.key}", foot + 40, 14, fill=SOFT)
        + _text("Verify it: grader certificate verify FILE --key signing.pub", foot + 66, 14, fill=SOFT)
        + "</svg>\n"
    )


def _row(lab: "Shown", top: int) -> str:
    """A lab: what it is called, the points, the day, and which release judged which work."""
    points = f"{number(lab.points)} of {number(lab.possible)} points"
    points += f", {number(lab.grade)} count" if lab.grade != lab.points else ""
    facts = f"{lab.lab} · handed in {lab.handed_in[:10]}"
    facts += f" · release {lab.release[:16]} · work {lab.submission[:16]}"
    return (
        _text(lab.title, top, 22, bold=True, width=560)
        + _text(points, top, 20, left=EDGE + 580, width=WIDE - 2 * EDGE - 580)
        + _text(facts, top + 31, 14, fill=SOFT)
    )


def _text(
    text: str,
    top: int,
    size: int,
    *,
    left: int = EDGE,
    width: int = WIDE - 2 * EDGE,
    fill: str = INK,
    bold: bool = False,
) -> str:
    """One line of text that stays in its box: a long one is pressed together, a very long one cut."""
    shown = line(text, longest=LONGEST)
    fit = f' textLength="{width}" lengthAdjust="spacingAndGlyphs"' if _width(shown) * size > width else ""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<svg x="{left}" y="{top}" width="{width}" height="{round(size * 1.4)}" overflow="hidden">'
        f'<text y="{size}" font-size="{size}" fill="{fill}"{weight}{fit}>{safe(shown)}</text></svg>\n'
    )


def _width(text: str) -> float:
    """About how wide a text is, in units of its size: never much too little."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    marks = sum(bool(unicodedata.combining(sign)) for sign in text)
    return 0.56 * (len(text) - wide - marks) + wide
