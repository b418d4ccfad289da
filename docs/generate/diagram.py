"""A diagram block: boxes on a grid and ways between them; out comes a drawing that fits a phone.

Four shapes mean the same on every page: a drum is data, a hexagon a model, a box a service or a job, a pill
people. What the drawing says stands beside it in words, for who cannot see it. A line of `---` begins another
drawing beside the first.

title: What is promoted
says: Orders train a model, which a service answers with.
data orders @ 1,1: orders
model eta @ 2,1: version 7
service api @ 3,1: service
orders -> eta
eta -> api
orders ~> api: labels, later
around eta api: the bundle
"""

import html
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

WIDTH, HEIGHT, HALF_W, HALF_H, TOP = 106, 84, 43, 24, 30
"""Of a cell of the grid, half of a shape, and what the title takes, in the drawing's own units."""

COLUMNS = 3
"""That a drawing has at least, so that letters have one size on all; a phone has room for no more."""

LETTERS, OF_A_MODEL = 13, 11
"""That fit into a shape, a line; a hexagon has less room."""

SHAPES = {"data": "a drum is data", "model": "a hexagon a model", "service": "a box a service or a job"}
SHAPES["people"] = "a pill people"
_NODE = re.compile(rf"({'|'.join(SHAPES)}) (\w+) @ (\d),(\d): (.+)")
_WAY = re.compile(r"(\w+) ([-~])> (\w+)(?:: (.+))?")
_AROUND = re.compile(r"around ([\w ]+): (.+)")


@dataclass(frozen=True)
class Node:
    """A shape with its words, a line each, and the middle of it."""

    kind: str
    lines: tuple[str, ...]
    x: float
    y: float


@dataclass(frozen=True)
class Way:
    """An arrow, dashed when what goes along it comes late or goes back."""

    start: Node
    end: Node
    late: bool
    words: str


@dataclass
class Drawing:
    """One drawing, as it is read line by line."""

    title: str = ""
    says: str = ""
    nodes: dict[str, Node] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)
    groups: list[tuple[list[Node], str]] = field(default_factory=list)


def diagram_html(source: str) -> str:
    """The figure with one drawing or several.

    Raises:
        ValueError: a line that is none, a name that no shape has, too many letters, no title or words.
    """
    drawings = [_read(part) for part in re.split(r"^---$", source.strip(), flags=re.MULTILINE)]
    kinds = {node.kind for drawing in drawings for node in drawing.nodes.values()}
    key = ", ".join(words for kind, words in SHAPES.items() if kind in kinds)
    pictures = "".join(_svg(drawing) for drawing in drawings)
    return f'<figure class="diagram">{pictures}<figcaption>{key[0].upper()}{key[1:]}.</figcaption></figure>'


def _read(source: str) -> Drawing:
    drawing = Drawing()
    for line in filter(None, map(str.strip, source.splitlines())):
        _read_line(drawing, line)
    for part in ("title", "says"):
        if not getattr(drawing, part):
            raise ValueError(f"A diagram needs a line `{part}: …`.")
    if not drawing.nodes:
        raise ValueError("A diagram needs a shape, as in `data orders @ 1,1: orders`.")
    return drawing


def _read_line(drawing: Drawing, line: str) -> None:
    name, _, rest = line.partition(": ")
    if name in ("title", "says"):
        setattr(drawing, name, rest)
    elif found := _NODE.fullmatch(line):
        drawing.nodes[found[2]] = _node(drawing, *found.group(1, 3, 4, 5))
    elif found := _AROUND.fullmatch(line):
        drawing.groups.append(([_named(drawing, word) for word in found[1].split()], found[2]))
    elif found := _WAY.fullmatch(line):
        start, end = _named(drawing, found[1]), _named(drawing, found[3])
        drawing.ways.append(Way(start, end, found[2] == "~", found[4] or ""))
    else:
        raise ValueError(f"A line of a diagram is a shape, a way or `around`, not {line!r}.")


def _node(drawing: Drawing, kind: str, column: str, row: str, words: str) -> Node:
    node = Node(
        kind,
        tuple(words.split(" / ")),
        (int(column) - 0.5) * WIDTH,
        TOP + (int(row) - 0.5) * HEIGHT,
    )
    room = OF_A_MODEL if kind == "model" else LETTERS
    if long := [line for line in node.lines if len(line) > room]:
        raise ValueError(f"{long[0]!r} has more than {room} letters: break it with ` / `.")
    if any((node.x, node.y) == (other.x, other.y) for other in drawing.nodes.values()):
        raise ValueError(f"Two shapes of a diagram stand at {column},{row}.")
    return node


def _named(drawing: Drawing, name: str) -> Node:
    if name not in drawing.nodes:
        raise ValueError(f"No shape of the diagram has the name `{name}`; they come before the ways.")
    return drawing.nodes[name]


def _svg(drawing: Drawing) -> str:
    columns = max(COLUMNS, *(node.x / WIDTH + 0.5 for node in drawing.nodes.values()))
    height = max(node.y for node in drawing.nodes.values()) + HEIGHT / 2 + 4
    words = html.escape(f"{drawing.title}. {drawing.says}")
    parts = [
        *(_group(nodes, text) for nodes, text in drawing.groups),
        *(_way(way) for way in drawing.ways),
        *(_shape(node) for node in drawing.nodes.values()),
        *(_label(way) for way in drawing.ways if way.words),
    ]
    return (
        f'<svg viewBox="0 0 {columns * WIDTH:g} {height:g}" role="img" aria-label="{words}">'
        f'<text class="head" x="6" y="18">{html.escape(drawing.title)}</text>{"".join(parts)}</svg>'
    )


def _shape(node: Node) -> str:
    left, right, top, bottom = node.x - HALF_W, node.x + HALF_W, node.y - HALF_H, node.y + HALF_H
    if node.kind == "data":
        drum = f"M{left:g} {top + 6:g}a{HALF_W} 6 0 0 1 {2 * HALF_W} 0V{bottom - 6:g}"
        drum += f"a{HALF_W} 6 0 0 1 {-2 * HALF_W} 0ZM{left:g} {top + 6:g}a{HALF_W} 6 0 0 0 {2 * HALF_W} 0"
        outline = f'<path class="shape" d="{drum}"/>'
    elif node.kind == "model":
        hexagon = f"M{left:g} {node.y:g}L{left + 12:g} {top:g}H{right - 12:g}L{right:g} {node.y:g}"
        outline = f'<path class="shape hot" d="{hexagon}L{right - 12:g} {bottom:g}H{left + 12:g}Z"/>'
    else:
        corner = HALF_H if node.kind == "people" else 5
        outline = f'<rect x="{left:g}" y="{top:g}" width="{2 * HALF_W}" height="{2 * HALF_H}" rx="{corner}"/>'
    first = node.y + 4 - 7.5 * (len(node.lines) - 1) + (3 if node.kind == "data" else 0)
    lines = (
        f'<text class="word" x="{node.x:g}" y="{first + 15 * at:g}">{html.escape(line)}</text>'
        for at, line in enumerate(node.lines)
    )
    return outline + "".join(lines)


def _ends(way: Way) -> Iterator[tuple[float, float]]:
    """Where the way leaves its first shape, and where it meets the second."""
    dx, dy = way.end.x - way.start.x, way.end.y - way.start.y
    reach = min(
        (HALF_W + 2) / abs(dx) if dx else math.inf,
        (HALF_H + 2) / abs(dy) if dy else math.inf,
    )
    yield way.start.x + reach * dx, way.start.y + reach * dy
    yield way.end.x - reach * dx, way.end.y - reach * dy


def _way(way: Way) -> str:
    (x, y), (to_x, to_y) = _ends(way)
    angle = math.atan2(to_y - y, to_x - x)
    wings = [(to_x - 8 * math.cos(angle + turn), to_y - 8 * math.sin(angle + turn)) for turn in (0.5, -0.5)]
    tip = f"M{to_x:.1f} {to_y:.1f}L" + "L".join(f"{a:.1f} {b:.1f}" for a, b in wings) + "Z"
    kind = "back" if way.late else "way"
    tip_kind = "back-tip" if way.late else "tip"
    line = f"M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"
    return f'<path class="{kind}" d="{line}"/><path class="{tip_kind}" d="{tip}"/>'


def _label(way: Way) -> str:
    """Beside a way that goes down, to the inside; above one that goes across, or above its shapes."""
    (x, y), (to_x, to_y) = _ends(way)
    at_x, at_y, anchor = (x + to_x) / 2, (y + to_y) / 2 + 4, "middle"
    if abs(to_y - y) >= 1:
        inside = -5 if at_x > 2 * WIDTH else 5
        at_x, anchor = at_x + inside, "end" if inside < 0 else "start"
    else:
        at_y = y - 7 if abs(to_x - x) > WIDTH / 2 else y - HALF_H - 6
    return (
        f'<text class="label" x="{at_x:.1f}" y="{at_y:.1f}" text-anchor="{anchor}">'
        f"{html.escape(way.words)}</text>"
    )


def _group(nodes: list[Node], words: str) -> str:
    left = min(node.x for node in nodes) - HALF_W - 7
    right = max(node.x for node in nodes) + HALF_W + 7
    top = min(node.y for node in nodes) - HALF_H - 9
    bottom = max(node.y for node in nodes) + HALF_H + 19
    return (
        f'<path class="around" d="M{left:g} {top:g}H{right:g}V{bottom:g}H{left:g}Z"/>'
        f'<text class="label" x="{left + 6:g}" y="{bottom - 6:g}">{html.escape(words)}</text>'
    )
