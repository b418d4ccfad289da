"""A loop block: one step a line, `Name: what happens`; out comes a list that the stylesheet draws as a ring.

It is real text: it can be read aloud, searched, and it stacks on a phone.
"""

import html
from collections.abc import Iterator


def loop_html(source: str) -> str:
    """The figure for one loop: the first half of the steps in a row, the second half on the way back.

    Raises:
        ValueError: a line is not `Name: what happens`, or the number of steps is odd.
    """
    steps = [_step(line) for line in source.strip().splitlines()]
    if len(steps) < 4 or len(steps) % 2:
        raise ValueError(f"A loop has an even number of steps, at least 4; this has {len(steps)}.")
    columns = len(steps) // 2
    items = "".join(
        f'<li class="{turn}" style="--row:{row};--column:{column}"><strong>{name}</strong> {note}</li>'
        for (name, note), (row, column, turn) in zip(steps, _places(columns), strict=True)
    )
    return f'<figure class="loop"><ol style="--columns:{columns}">{items}</ol></figure>'


def _step(line: str) -> tuple[str, str]:
    name, colon, note = (html.escape(part.strip()) for part in line.partition(":"))
    if not (name and colon and note):
        raise ValueError(f"A step of a loop is `Name: what happens`, not {line!r}.")
    return name, note


def _places(columns: int) -> Iterator[tuple[int, int, str]]:
    """Row, column and the way the arrow leaves, for each step."""
    for column in range(1, columns + 1):
        yield 1, column, "right" if column < columns else "down"
    for column in range(columns, 0, -1):
        yield 2, column, "left" if column > 1 else "up"
