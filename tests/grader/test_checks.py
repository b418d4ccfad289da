import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grader.checks import Expect, Failed, Hidden, at_least, at_most, between, empty, near, one_of, show

ACCEPTED: list[tuple[Any, Any]] = [
    (5, 5),
    ("a", "a"),
    ([1, 2], [1, 2]),
    (None, None),
    (np.array([1, 2]), [1, 2]),
    ([[1.0]], np.array([[1.0]])),
    (3, at_most(3)),
    (3, at_least(3)),
    (2.5, between(2, 3)),
    (0.999, near(1, within=0.01)),
    (np.float64(1), near(1, within=0)),
    ("b", one_of("a", "b")),
    ([], empty("no file over 1 MB")),
]

REFUSED: list[tuple[Any, Any, str, str]] = [
    (5, 6, "5", "6"),
    ("a", None, "a", "nothing"),
    (None, 5, "nothing", "5"),
    ([], ["v1", "v2"], "nothing", "v1, v2"),
    ({"a": 1}, {"a": 2}, "{'a': 1}", "{'a': 2}"),
    (b"a", b"b", "b'a'", "b'b'"),
    (0.123456789, 0.2, "0.123457", "0.2"),
    (math.nan, math.nan, "nan", "nan"),
    (np.array([1, 2]), [1, 3], "array([1, 2])", "1, 3"),
    ("text", np.array([1]), "text", "array([1])"),
    (4, at_most(3), "4", "at most 3"),
    (math.nan, at_most(3), "nan", "at most 3"),
    ("many", at_most(3), "many", "at most 3"),
    (None, at_least(3), "nothing", "at least 3"),
    (math.nan, at_least(3), "nan", "at least 3"),
    (4, between(1, 3.5), "4", "1 to 3.5"),
    (1.02, near(1, within=0.01), "1.02", "1, at most 0.01 away"),
    ([1], near(1, within=0.01), "1", "1, at most 0.01 away"),
    ("c", one_of("a", 2), "c", "a or 2"),
    (["big.csv"], empty("no file over 1 MB"), "big.csv", "no file over 1 MB"),
    (5, empty("nothing"), "5", "nothing"),
    (np.array([1, 5]), at_most(3), "array([1, 5])", "at most 3"),
]


@pytest.mark.parametrize(("found", "wanted"), ACCEPTED)
def test_a_promise_that_holds_says_nothing(found: Any, wanted: Any) -> None:
    Expect()(found, wanted, looked_at="it", why="so")


@pytest.mark.parametrize(("found", "wanted", "found_text", "wanted_text"), REFUSED)
def test_a_promise_that_fails_shows_both_sides(
    found: Any, wanted: Any, found_text: str, wanted_text: str
) -> None:
    with pytest.raises(Failed) as caught:
        Expect()(found, wanted, looked_at="it", why="so", link="a.md", misconception="m")
    assert (caught.value.found, caught.value.expected) == (found_text, wanted_text)
    assert caught.value.lesson == ("it", "so", "a.md", "m")
    assert str(caught.value) == f"found {found_text}; expected {wanted_text}"


def test_a_claim_is_put_in_words() -> None:
    Expect().that(True, found=1, expected="x", looked_at="it", why="so")
    with pytest.raises(Failed, match="found v1; expected a tag that stays"):
        Expect().that(False, found="v1", expected="a tag that stays", looked_at="it", why="so")


def test_a_long_value_shows_head_tail_and_length() -> None:
    text = show("a" * 500 + "z" * 500)
    assert text.startswith("aaa")
    assert text.endswith("zzz (1,000 characters)")
    assert len(text) < 300
    assert (
        show(pd.DataFrame({"zone": range(1000)})).endswith("characters)") or len(show(pd.DataFrame())) < 300
    )


def test_hidden_draws_depend_on_secret_lab_check_and_name() -> None:
    def draw(secret: bytes, lab: str, check: str, name: str) -> int:
        return int(Hidden(secret, lab, check).rng(name).integers(10**12))

    first = draw(b"s", "01-add", "adds", "pair")
    assert first == draw(b"s", "01-add", "adds", "pair")
    others = [
        draw(b"t", "01-add", "adds", "pair"),
        draw(b"s", "02-add", "adds", "pair"),
        draw(b"s", "01-add", "sums", "pair"),
        draw(b"s", "01-add", "adds", "other"),
    ]
    assert len({first, *others}) == 5


def test_hidden_knows_whether_it_was_used() -> None:
    hidden = Hidden(b"s", "01-add", "adds")
    assert not hidden.used
    hidden.rng("pair")
    assert hidden.used


class Unprintable:
    def __repr__(self) -> str:
        raise OverflowError("out of range")


@pytest.mark.parametrize("found", [10**400, [1], "a", None, {}, Unprintable()])
def test_what_cannot_be_compared_or_printed_is_found_wanting(found: object) -> None:
    with pytest.raises(Failed) as caught:
        Expect()(found, near(18.0, within=0.01), looked_at="a number", why="It must be one.")
    assert caught.value.found


def test_a_value_that_cannot_be_printed_is_named() -> None:
    assert show([1, Unprintable()]) == "1, a Unprintable that cannot be shown"
