"""The targets under what hypothesis thinks of: a bounded number of examples, the same in every run.

`python -m tests.fuzz` goes on where this stops.
"""

import json
import signal
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import wire
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS
from tests.grader.zips import Raw, raw_zip

LONGEST_S = 10  # of one example; a hundredth of it is usual
SPARE = 8 * 1024**2  # bytes that a reader may hold whatever it reads: its caps are of that size
bounded = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@contextmanager
def watched(data: bytes) -> Iterator[None]:
    """Stops an example that hangs, and holds to the memory that it took."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"it took over {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST_S)
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < SPARE + 200 * len(data)
    finally:
        tracemalloc.stop()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@st.composite
def spoilt(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A sound example with some of it overwritten, cut out, doubled or put in."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        new = draw(
            st.binary(max_size=8) | st.sampled_from([b"\xff" * 4, b"\0" * 4, b"]", b"{", b'"', b"PK\1\2"])
        )
        match draw(st.sampled_from(["over", "cut", "in", "twice"])):
            case "over":
                data[at : at + len(new)] = new
            case "cut":
                del data[at : at + draw(st.integers(1, 64))]
            case "in":
                data[at:at] = new
            case "twice":
                data += data[at:]
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_sound_is_read_or_refused(name: str) -> None:
    @bounded
    @given(spoilt(SEEDS[name]))
    def one(data: bytes) -> None:
        with watched(data):
            TARGETS[name](data)

    one()


@pytest.mark.parametrize("name", TARGETS)
def test_bytes_are_read_or_refused(name: str) -> None:
    @bounded
    @given(st.binary(max_size=400))
    def one(data: bytes) -> None:
        with watched(data):
            TARGETS[name](data)

    one()


ODD = st.sampled_from(
    [-1, 2**31, 2**63, 2**70, 1e308, "", "$", "NaN", "2026-01-05", "0000-00-00", "9999-12-31T"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | ODD
PLACES = st.lists(st.integers(-2, 40) | LEAVES, max_size=3)
SHAPES = st.lists(st.integers(-1, 9) | LEAVES, max_size=3)
TYPES = st.sampled_from(sorted(wire.DTYPES)) | st.sampled_from(["O", "V8", "<U9", "|S1", ">i4", "<m8", ""])


def kinds(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Every kind of value that the wire knows, with what it should hold and what it should not."""
    pairs = st.lists(st.tuples(LEAVES, inner).map(list) | inner, max_size=4)
    fields = st.fixed_dictionaries(
        {
            "$": st.sampled_from(
                ["float", "bytes", "dict", "time", "array", "strings", "series", "frame", "no"]
            )
        },
        optional={
            "v": inner | pairs | st.sampled_from(["nan", "inf", "2026-01-05", "2026-01-05T09:30:00"]),
            "at": PLACES,
            "dtype": TYPES,
            "shape": SHAPES,
            "rows": st.integers(-1, 10**12),
            "name": LEAVES,
        },
    )
    return fields | st.lists(inner, max_size=5) | pairs.map(lambda held: {"$": "dict", "v": held})


TREES = st.recursive(LEAVES, kinds, max_leaves=25)


@settings(bounded, max_examples=600)
@given(TREES, st.binary(max_size=40))
def test_trees_of_every_kind_are_read_or_refused(tree: Any, blob: bytes) -> None:
    text = json.dumps(tree).encode()
    data = len(text).to_bytes(2, "big") + text + blob
    if len(text) < 2**16:
        with watched(data):
            TARGETS["parts"](data)


MOMENTS = st.datetimes().map(lambda at: at.replace(fold=0))  # ISO 8601 has no word for the later of two
SENDABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | MOMENTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4),
    max_leaves=20,
)


@settings(bounded, max_examples=300)
@given(SENDABLE)
def test_a_plain_value_comes_back_as_it_was(value: Any) -> None:
    sent = wire.encode(value)
    text, _ = wire.HEAD.unpack(sent[:8])
    assert repr(wire.decode(sent[8 : 8 + text], sent[8 + text :])) == repr(value)


SIGNS = st.sampled_from(
    [*"ab./\\:A~ ", "..", "\u0301", "é", "\u202e", "\0", "\n", ".git", ".venv", "con", "ß", "\ud800"]
)
PATHS = st.lists(SIGNS, max_size=8).map("".join)
MODES = st.sampled_from([0, 0o100644, 0o100755, 0o104755, 0o120777, 0o40755, 0o10644, 0o20644, 0o140644])


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    """A zip put together from parts that do not have to agree."""
    entries = []
    for _ in range(draw(st.integers(0, 5))):
        name = draw(PATHS | st.just("receipt.json") | st.just("work/add.py"))
        entries.append(
            Raw(
                name.encode(errors="surrogatepass"),
                content=draw(st.binary(max_size=20) | st.just(bytes(300 * 1024))),
                mode=draw(MODES),
                method=draw(st.sampled_from([8, 8, 8, 0, 12])),
                flags=draw(st.sampled_from([0, 0, 0, 1, 8, 2048])),
                size=draw(st.none() | st.integers(0, 2**32 - 1)),
                inner_size=draw(st.none() | st.just(0)),
                tail=draw(st.just(b"") | st.binary(max_size=4)),
            )
        )
    count = draw(st.none() | st.integers(0, 9))
    return raw_zip(
        entries, count=count, gap=draw(st.sampled_from([0, 0, 0, 1])), comment=draw(st.binary(max_size=5))
    )


@settings(bounded, max_examples=300)
@given(zips(), st.sampled_from(["archive", "submission"]))
def test_zips_of_any_parts_are_taken_whole_or_refused(data: bytes, name: str) -> None:
    with watched(data):
        TARGETS[name](data)


@settings(bounded, max_examples=200)
@given(st.text(max_size=30), st.sampled_from(["arrival", "text"]))
def test_names_and_texts_of_any_signs_are_shown_as_they_are(text: str, name: str) -> None:
    TARGETS[name](text.encode(errors="surrogatepass"))


VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)


@settings(bounded, max_examples=200)
@given(st.data())
def test_a_receipt_with_other_values_is_read_or_named(data: st.DataObject) -> None:
    told = json.loads(SEEDS["receipt"][0])
    for key in data.draw(st.sets(st.sampled_from(sorted(told)), max_size=3)):
        told[key] = data.draw(VALUES)
    TARGETS["receipt"](json.dumps(told).encode())


@settings(bounded, max_examples=200)
@given(st.data())
def test_a_notebook_with_other_values_is_rebuilt_or_refused(data: st.DataObject) -> None:
    told = json.loads(SEEDS["notebook"][0])
    places, cells = [told, *told["cells"]], json.loads(SEEDS["notebook"][0])["cells"][:2]
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.sampled_from(places))
        place[data.draw(st.sampled_from(sorted(place)))] = data.draw(VALUES | st.just(cells))
    TARGETS["notebook"](json.dumps(told).encode())
