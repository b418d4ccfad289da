import io
import json
import re

import pytest

from lab_env.screen import PASSED, Screen, readable, wants_colour

LONG = "Nobody is greeted by an empty file, and so the first word of it has to be the one that greets."


class Terminal(io.StringIO):
    """A terminal without a system behind it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "60")
    return Terminal()


def test_a_pipe_gets_plain_lines_that_are_not_cut() -> None:
    out = io.StringIO()
    screen = Screen(out, {})
    screen.say(LONG, "red", mark=PASSED, indent=2)
    screen.table(("Lab", "Title"), [("02", LONG)])
    assert out.getvalue() == f"  ✓ {LONG}\nLab  Title\n02   {LONG}\n"


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_nothing_is_wider_than_the_terminal(narrow: Terminal, environment: dict[str, str]) -> None:
    screen = Screen(narrow, environment)
    screen.say(LONG, mark=PASSED, indent=2)
    screen.table(("Lab", "Points", "Title"), [("02", "3/4", LONG), ("03", "-", "short")])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", narrow.getvalue()).splitlines()
    assert max(map(len, lines)) <= 60
    assert all(line.startswith("    ") for line in lines[1 : 1 + len(LONG) // 60])


def test_no_color_is_plain_text(narrow: Terminal) -> None:
    screen = Screen(narrow, {"NO_COLOR": "1"})
    screen.say("Ready", "bold green")
    screen.table(("Lab", "State"), [("02", f"{PASSED} finished")])
    assert narrow.getvalue() == "Ready\nLab  State\n02   ✓ finished\n"


def test_a_terminal_gets_colour_and_a_frame(narrow: Terminal) -> None:
    screen = Screen(narrow, {"TERM": "xterm"})
    screen.say("Ready", "bold green")
    screen.table(("Lab", "State"), [("02", f"{PASSED} finished")])
    assert "\x1b[1;32mReady\x1b[0m" in narrow.getvalue()
    assert "┃" in narrow.getvalue()


def test_colour_needs_a_terminal_that_can() -> None:
    assert wants_colour(Terminal(), {"TERM": "xterm", "NO_COLOR": ""})
    assert not wants_colour(Terminal(), {"TERM": "dumb"})
    assert not wants_colour(io.StringIO(), {"TERM": "xterm"})


def test_an_address_is_never_broken(narrow: Terminal) -> None:
    address = "http://127.0.0.1:8888/lab?token=" + 48 * "a"
    Screen(narrow, {}).say(address, indent=2)
    assert address in narrow.getvalue()


def test_paragraphs_keep_their_lines() -> None:
    out = io.StringIO()
    Screen(out, {}).say("one\n\n  two", indent=2)
    assert out.getvalue() == "  one\n\n    two\n"


def test_signs_are_spelled_where_they_cannot_be_shown() -> None:
    assert readable("✓ Read › here… 5 €", "ascii") == "+ Read > here... 5 ?"
    assert readable("✓ Straße", "utf-8") == "✓ Straße"


def test_json_is_for_tools() -> None:
    out = io.StringIO()
    screen = Screen(out, {})
    screen.json({"a": "ä"})
    screen.json_line({"b": 1})
    first, _, last = out.getvalue().rstrip("\n").rpartition("\n")
    assert (json.loads(first), json.loads(last)) == ({"a": "ä"}, {"b": 1})
