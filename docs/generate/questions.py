"""The questions of a module: one file `docs/questions/<module>.toml` with its cards, quizzes and orders.

A page names them: `04-track-experiments/token`. *Cards* are what later modules open with, *quizzes* ask for a
decision, and *orders* are steps to put in their order.
"""

import html
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from docs.generate import quiz

FOLDER = Path(__file__).parent.parent / "questions"
KINDS = {"cards", "quizzes", "orders"}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class Card:
    """A question that is answered aloud; `name` is `<module>/<id>`."""

    name: str
    ask: str
    answer: str


@dataclass(frozen=True)
class Order:
    """Steps in their right order, each with the reason for its place."""

    name: str
    ask: str
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Questions:
    """All that one file asks, by id."""

    cards: dict[str, Card]
    quizzes: dict[str, quiz.Quiz]
    orders: dict[str, Order]


def quiz_html(source: str) -> str:
    """The form for a quiz: written on the page, or named.

    Raises:
        ValueError: what is wrong, and what to write instead.
    """
    name = source.strip()
    return quiz.form(_named("quizzes", name)) if _NAME.fullmatch(name) else quiz.quiz_html(source)


def recall_html(source: str) -> str:
    """Three cards from modules before this one; a script picks others when these are known.

    Raises:
        ValueError: a key is missing or unknown, or a card that is not there or not from before.
    """
    asked = _table(source, "A recall", {"before", "first"})
    before, first = str(asked["before"]), [_named("cards", name) for name in asked["first"]]
    pool = [card for module, each in _all() if module < before for card in each.cards.values()]
    if len(first) != 3 or not set(first) <= set(pool):
        raise ValueError(f"A recall has three cards from modules before {before}; this has {asked['first']}.")
    told = [{"id": card.name, "ask": _inline(card.ask), "answer": _inline(card.answer)} for card in pool]
    cards = json.dumps(told, ensure_ascii=False).replace("</", "<\\/")
    return (
        f'<div class="recall" data-first="{" ".join(card.name for card in first)}">'
        f"{''.join(_card(card) for card in first)}"
        f'<script type="application/json">{cards}</script>'
        '<div class="recall-bar with-script"><p role="status"></p>'
        '<button type="button" data-do="export">Save my answers as a file</button> '
        '<button type="button" data-do="clear">Forget my answers</button></div></div>'
    )


def order_html(source: str) -> str:
    """Steps to put in order, scrambled; without a script the right order is folded under them.

    Raises:
        ValueError: there is no such order.
    """
    order = _named("orders", source.strip())
    rows = "".join(_step(order, place) for place in scrambled(order))
    right = "".join(f"<li>{_inline(text)} <span>{_inline(why)}</span></li>" for text, why in order.steps)
    return (
        f'<form class="parsons" data-order="{order.name}"><fieldset><legend>{_inline(order.ask)}</legend>'
        f'<ol class="parsons-steps">{rows}</ol></fieldset>'
        '<p class="quiz-bar with-script"><button type="submit" class="md-button">Check</button>'
        ' <span role="status"></span></p>'
        '<details class="parsons-key without-script"><summary>The order, and why</summary>'
        f"<ol>{right}</ol></details></form>"
    )


def scrambled(order: Order) -> list[int]:
    """The places of the steps in the order in which they are shown: always the same, never the right one."""
    places = range(len(order.steps))
    shown = sorted(places, key=lambda at: sha256(order.steps[at][0].encode()).digest())
    return shown[1:] + shown[:1] if shown == list(places) else shown


def read(file: Path) -> Questions:
    """The questions of one file.

    Raises:
        ValueError: what is wrong with the file, and what to write instead.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file.name} is not TOML: {error}.") from error
    if odd := sorted(set(data) - KINDS):
        raise ValueError(f"{file.name} has {', '.join(sorted(KINDS))}, not `{odd[0]}`.")
    found: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for kind, make in (("cards", _read_card), ("quizzes", _read_quiz), ("orders", _read_order)):
        for table in data.get(kind, []):
            one = make(file.stem, table)
            if table["id"] in found[kind]:
                raise ValueError(f"{file.name} has two {kind} called `{table['id']}`.")
            found[kind][table["id"]] = one
    return Questions(**found)


def _read_card(module: str, table: dict[str, Any]) -> Card:
    quiz.keys("A card", table, {"id", "ask", "answer"}, required={"id", "ask", "answer"})
    return Card(f"{module}/{table['id']}", table["ask"], table["answer"])


def _read_quiz(module: str, table: dict[str, Any]) -> quiz.Quiz:
    return quiz.from_table(table, prefix=f"{module}-")


def _read_order(module: str, table: dict[str, Any]) -> Order:
    quiz.keys("An order", table, {"id", "ask", "steps"}, required={"id", "ask", "steps"})
    for step in table["steps"]:
        quiz.keys("A step", step, {"text", "why"}, required={"text", "why"})
    if len(table["steps"]) < 3:
        raise ValueError(f"The order `{table['id']}` has {len(table['steps'])} steps: write three or more.")
    steps = tuple((step["text"], step["why"]) for step in table["steps"])
    return Order(f"{module}/{table['id']}", table["ask"], steps)


@cache
def _file(name: str, _changed_ns: int) -> Questions:
    return read(FOLDER / f"{name}.toml")


def _all() -> Iterator[tuple[str, Questions]]:
    for path in sorted(FOLDER.glob("*.toml")):
        yield path.stem, _file(path.stem, path.stat().st_mtime_ns)


def _named(kind: str, name: str) -> Any:
    module, _, one = name.partition("/")
    files = dict(_all())
    if module not in files or one not in getattr(files[module], kind):
        raise ValueError(
            f"docs/questions has no {kind} `{name}`. Write `<module>/<id>` of one that is there."
        )
    return getattr(files[module], kind)[one]


def _table(source: str, what: str, keys: set[str]) -> dict[str, Any]:
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{what} is TOML, and this is not: {error}.") from error
    quiz.keys(what, table, keys, required=keys)
    return table


def _card(card: Card) -> str:
    return (
        f'<details class="question" data-card="{card.name}"><summary>{_inline(card.ask)}</summary>'
        f"<p>{_inline(card.answer)}</p></details>"
    )


def _step(order: Order, place: int) -> str:
    text = order.steps[place][0]
    moves = "".join(
        f'<button type="button" data-move="{move}" aria-label="Move {word}: {html.escape(text, quote=True)}">'
        f"{sign}</button>"
        for move, word, sign in ((-1, "up", "↑"), (1, "down", "↓"))
    )
    return (
        f'<li data-place="{place}"><span class="parsons-step">{_inline(text)}</span>'
        f'<span class="parsons-moves with-script">{moves}</span></li>'
    )


def _inline(text: str) -> str:
    return quiz.inline(text)
