"""A quiz: TOML in the page, or in a file of questions; out comes a form with a reason for every option.

id = "which-first"
ask = "What do you do first?"
[[options]]
text = "Look."
why = "You cannot mend what you have not seen."
right = true
[[options]]
text = "Guess."
why = "It is quicker, and wrong more often."
"""

import html
import re
import tomllib
from dataclasses import dataclass
from typing import Any

import markdown  # type: ignore[import-untyped]  # it publishes no types

KEYS = {"id", "ask", "options"}
OPTION_KEYS = {"text", "why", "right"}


@dataclass(frozen=True)
class Option:
    """One answer, whether it is right, and the reason either way."""

    text: str
    why: str
    right: bool


@dataclass(frozen=True)
class Quiz:
    """One question with its options; `name` is unique on its page."""

    name: str
    ask: str
    options: tuple[Option, ...]


def quiz_html(source: str) -> str:
    """The form for one quiz. Without a script the answers are a folded list under it.

    Raises:
        ValueError: what is wrong with the TOML, and what to write instead.
    """
    return form(read_quiz(source))


def form(quiz: Quiz) -> str:
    """The form of a quiz that was read."""
    kind = "radio" if sum(option.right for option in quiz.options) == 1 else "checkbox"
    rows = "".join(_row(quiz, kind, at, option) for at, option in enumerate(quiz.options))
    reasons = "".join(_reason(option) for option in quiz.options)
    hint = "" if kind == "radio" else " <small>(more than one)</small>"
    return (
        f'<form class="quiz" data-quiz="{quiz.name}"><fieldset><legend>{inline(quiz.ask)}{hint}</legend>'
        f"{rows}</fieldset>"
        '<p class="quiz-bar with-script"><button type="submit" class="md-button">Check</button>'
        ' <span role="status"></span></p>'
        '<details class="quiz-key without-script"><summary>Answers and reasons</summary>'
        f"<ol>{reasons}</ol></details></form>"
    )


def read_quiz(source: str) -> Quiz:
    """Read a quiz and hold it to its rules.

    Raises:
        ValueError: what is wrong, and what to write instead.
    """
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"A quiz is TOML, and this is not: {error}.") from error
    return from_table(data)


def from_table(data: dict[str, Any], *, prefix: str = "") -> Quiz:
    """The quiz in a table, its name behind `prefix`.

    Raises:
        ValueError: what is wrong, and what to write instead.
    """
    keys("A quiz", data, KEYS, required=KEYS)
    if not re.fullmatch(r"[a-z][a-z0-9-]*", str(data["id"])):
        raise ValueError(
            f"The quiz id {data['id']!r} goes into the page: write lower-case words, like `which-first`."
        )
    options = tuple(_option(table) for table in data["options"])
    right = sum(option.right for option in options)
    if len(options) < 2 or not 0 < right < len(options):
        raise ValueError(
            f"Quiz `{data['id']}` has {len(options)} options, {right} right: write at least one of each."
        )
    return Quiz(prefix + data["id"], data["ask"], options)


def _option(table: dict[str, Any]) -> Option:
    keys("An option", table, OPTION_KEYS, required={"text", "why"})
    if not table["why"].strip():
        raise ValueError(
            f"The option {table['text']!r} has no reason: write in `why` what makes it right or wrong."
        )
    return Option(table["text"], table["why"], table.get("right", False))


def keys(what: str, table: dict[str, Any], known: set[str], *, required: set[str]) -> None:
    """Hold a table to its keys.

    Raises:
        ValueError: one too many or too few.
    """
    if wrong := sorted(set(table) - known):
        raise ValueError(f"{what} has the keys {', '.join(sorted(known))}, not `{wrong[0]}`.")
    if missing := sorted(required - set(table)):
        raise ValueError(f"{what} needs `{missing[0]}`.")


def _row(quiz: Quiz, kind: str, at: int, option: Option) -> str:
    name = f"quiz-{quiz.name}"
    return (
        f'<div class="quiz-option"><label><input type="{kind}" name="{name}" value="{at}"'
        f' data-right="{int(option.right)}" aria-describedby="{name}-{at}">'
        f" <span>{inline(option.text)}</span></label>"
        f'<div class="quiz-why" id="{name}-{at}" hidden></div></div>'
    )


def _reason(option: Option) -> str:
    verdict = "Right" if option.right else "Wrong"
    return f"<li><em>{inline(option.text)}</em> <span>{verdict}. {inline(option.why)}</span></li>"


def inline(text: str) -> str:
    """Markdown of one paragraph, without the paragraph."""
    page = markdown.markdown(text.strip())
    return page.removeprefix("<p>").removesuffix("</p>") if page.count("<p>") == 1 else html.escape(text)
