"""What the commands print through: colour and tables on a terminal, plain text everywhere else."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

PASSED, FAILED, WAITING, LATER = "✓", "✗", "·", "○"
_ASCII = {PASSED: "+", FAILED: "x", WAITING: ".", LATER: "o", "→": "->", "›": ">", "…": "...", "–": "-"}


class Screen:
    """Where a command's lines go.

    On a terminal they are wrapped at its width, and coloured unless NO_COLOR is set. In a pipe they
    are neither, so that a line stays a line for whatever reads it.
    """

    def __init__(self, out: TextIO | None = None, environment: Mapping[str, str] | None = None) -> None:
        """Print to `out`, standard output by default."""
        self.out = out or sys.stdout
        self.coloured = wants_colour(self.out, os.environ if environment is None else environment)
        self.width = max(20, shutil.get_terminal_size().columns) if self.out.isatty() else None

    def say(self, text: str = "", style: str = "", *, mark: str = "", indent: int = 0) -> None:
        """Print a paragraph; `mark` stands before its first line, further lines hang below the text."""
        first = " " * indent + (f"{mark} " if mark else "")
        rest = " " * len(first)
        for line in text.split("\n"):
            for piece in self._wrap(line, first, rest):
                self._line(piece, style)
            first = rest

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows below their heads; the last column is the one that wraps."""
        if self.coloured:
            self._rich_table(heads, rows)
            return
        widths = [max(len(row[at]) for row in (heads, *rows)) for at in range(len(heads) - 1)]
        for row in (heads, *rows):
            start = "".join(cell.ljust(width) + "  " for cell, width in zip(row, widths, strict=False))
            for piece in self._wrap(row[-1], start, " " * len(start)):
                self._line(piece)

    def json(self, value: Any) -> None:
        """Print one JSON value for tools."""
        print(json.dumps(value, indent=1, ensure_ascii=False), file=self.out, flush=True)

    def json_line(self, value: Any) -> None:
        """Print one JSON value on one line, for a tool that follows along."""
        print(json.dumps(value, ensure_ascii=False), file=self.out, flush=True)

    def _wrap(self, text: str, first: str, rest: str) -> list[str]:
        if self.width is None:
            return [(first + text).rstrip()]
        room = self.width - len(rest)
        return textwrap.wrap(
            text,
            self.width if room >= 20 else len(rest) + 20,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first.rstrip()]

    def _line(self, text: str, style: str = "") -> None:
        text = readable(text, self.out.encoding)
        if not (self.coloured and style):
            print(text, file=self.out, flush=True)
            return
        from rich.text import Text

        self._rich().print(Text(text, style), soft_wrap=True)

    def _rich_table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table(header_style="bold")
        for at, head in enumerate(heads):
            table.add_column(head, overflow="fold", no_wrap=at < len(heads) - 1 and at < 2)
        for row in rows:
            table.add_row(*(Text(readable(cell, self.out.encoding), style_of(cell)) for cell in row))
        self._rich().print(table)

    def _rich(self) -> Any:
        from rich.console import Console

        return Console(file=self.out, highlight=False, width=self.width)


def wants_colour(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to colour: a terminal that can, and nobody who asked for plain text."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def readable(text: str, encoding: str | None) -> str:
    """`text` with the signs that `encoding` lacks spelled in ASCII."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        for sign, plain in _ASCII.items():
            text = text.replace(sign, plain)
        return text.encode(encoding or "ascii", "replace").decode(encoding or "ascii")
    return text


def style_of(cell: str) -> str:
    """The colour of a cell, by the mark that it starts with."""
    return {PASSED: "green", FAILED: "red", LATER: "cyan", WAITING: "dim"}.get(cell[:1], "")


def number(points: float) -> str:
    """Points as people write them: 5, not 5.0.

    >>> number(5.0), number(2.5)
    ('5', '2.5')
    """
    return f"{points:g}"


def count(amount: int, thing: str) -> str:
    """An amount and its noun.

    >>> count(1, "check"), count(2, "check")
    ('1 check', '2 checks')
    """
    return f"{amount:,} {thing}{'' if amount == 1 else 's'}"
