import datetime
import math
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grader import wire
from grader.wire import Caps, WireError


def there_and_back(value: object) -> Any:
    message = wire.encode(value)
    text_size, _ = wire.HEAD.unpack(message[:8])
    return wire.decode(message[8 : 8 + text_size], message[8 + text_size :])


class Liar(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


CROSSES = {
    "nothing": (None, None),
    "truth": (True, True),
    "large number": (10**100, 10**100),
    "text": ("Grüße 🍛", "Grüße 🍛"),
    "half a text": ("\ud800", "\ud800"),
    "bytes": (b"\x00\xff", b"\x00\xff"),
    "no bytes": (b"", b""),
    "tuple": ((1, 2), [1, 2]),
    "set": ({1}, [1]),
    "dictionary with number keys": ({1: "a", 2.5: None}, {1: "a", 2.5: None}),
    "dictionary with a dollar": ({"$": "array", "v": [1]}, {"$": "array", "v": [1]}),
    "endless": (math.inf, math.inf),
    "endless below": (-math.inf, -math.inf),
    "day": (datetime.date(2026, 1, 5), datetime.date(2026, 1, 5)),
    "moment": (datetime.datetime(2026, 1, 5, 9, 30), datetime.datetime(2026, 1, 5, 9, 30)),
    "NumPy number": (np.float32(0.5), 0.5),
    "NumPy truth": (np.bool_(True), True),
    "array without a side": (np.array(3), 3),
}


@pytest.mark.parametrize("name", CROSSES)
def test_plain_values_cross(name: str) -> None:
    sent, wanted = CROSSES[name]
    found = there_and_back(sent)
    assert found == wanted
    assert type(found) is type(wanted)


ARRAYS = {
    "whole numbers": np.arange(6).reshape(2, 3),
    "other end first": np.array([1, 2], dtype=">i4"),
    "truths": np.array([True, False]),
    "empty": np.zeros((0, 3)),
    "days": np.array(["2026-01-05"], dtype="M8[s]"),
    "texts": np.array([["a", None], [1, 2.5]], dtype=object),
    "fixed texts": np.array(["a", "bc"]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_cross_with_shape_and_kind(name: str) -> None:
    sent = ARRAYS[name]
    found = there_and_back(sent)
    assert found.shape == sent.shape
    assert found.tolist() == sent.tolist()
    assert found.flags.writeable


def test_not_a_number_crosses() -> None:
    assert math.isnan(there_and_back(math.nan))
    assert there_and_back(np.array([math.nan, "a"], dtype=object)).tolist() == [None, "a"]


def test_tables_cross_without_their_index() -> None:
    frame = pd.DataFrame(
        {"zone": ["a", None], 2: [1.5, 2.5], "day": pd.to_datetime(["2026-01-05"] * 2)}, index=[7, 9]
    )
    found = there_and_back(frame)
    assert list(found.columns) == ["zone", 2, "day"]
    assert found[2].tolist() == [1.5, 2.5]
    assert found["day"].tolist() == frame["day"].tolist()
    assert found.index.tolist() == [0, 1]
    series = there_and_back(pd.Series([1, 2], name="n", index=[3, 4]))
    assert (series.name, series.tolist(), series.index.tolist()) == ("n", [1, 2], [0, 1])
    assert there_and_back(pd.DataFrame({"a": []})).shape == (0, 1)


def test_an_object_that_lies_about_itself_arrives_as_the_number_it_held() -> None:
    found = there_and_back(Liar(2.0))
    assert type(found) is float
    assert found != 3.0


class Own:
    pass


REFUSED = {
    "own class": (Own(), r"a tests\.grader\.test_wire\.Own, which cannot be sent"),
    "function": (len, "builtin_function_or_method, which cannot be sent"),
    "complex array": (np.array([1j]), "an array of complex128, which cannot be sent"),
    "column of objects": (np.array([Own()], dtype=object), "a column that holds a Own"),
    "key that is a pair": ({(1, 2): 3}, "a dictionary with a key that is neither text nor a number"),
    "number too long to write": (10**5000, "a value that cannot be written"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_cross_is_named_when_it_is_sent(name: str) -> None:
    value, wanted = REFUSED[name]
    with pytest.raises(WireError, match=wanted):
        wire.encode(value)


def test_a_value_nested_too_deep_is_refused_when_sent() -> None:
    value: list[Any] = []
    for _ in range(40):
        value = [value]
    with pytest.raises(WireError, match="a value nested more than 32 deep"):
        wire.encode(value)
    round_and_round: list[Any] = []
    round_and_round.append(round_and_round)
    with pytest.raises(WireError, match="nested more than 32 deep"):
        wire.encode(round_and_round)


BAD_TREES = {
    "no JSON": (b"{", "no JSON"),
    "no text": (b"\xff\xfe\x00", "no JSON"),
    "deeper than Python reads": (b"[" * 3900, "no JSON"),
    "more than is ever built": (b"[" + b"{}," * 4000 + b"0]", "of over 1,000 values"),
    "one part twice": (b'[{"$":"bytes","at":[0,8]},{"$":"bytes","at":[0,8]}]', "broken bytes"),
    "number too long to read": (b"9" * 5000, "no JSON"),
    "deep": (b"[" * 40 + b"]" * 40, "deeper than 32"),
    "many": (b"[" + b"0," * 2000 + b"0]", "of over 1,000 values"),
    "object without a kind": (b'{"a":1}', "unknown kind"),
    "unknown kind": (b'{"$":"pickle","v":"x"}', "unknown kind"),
    "kind that is no text": (b'{"$":[1]}', "unknown kind"),
    "no float": (b'{"$":"float","v":"1"}', "broken float"),
    "no time": (b'{"$":"time","v":"NaT"}', "broken time"),
    "time that is a number": (b'{"$":"time","v":5}', "broken time"),
    "bytes without a place": (b'{"$":"bytes"}', "broken bytes"),
    "bytes outside": (b'{"$":"bytes","at":[0,99]}', "broken bytes"),
    "bytes before": (b'{"$":"bytes","at":[-1,1]}', "broken bytes"),
    "bytes at halves": (b'{"$":"bytes","at":[0.5,1]}', "broken bytes"),
    "pairs that are none": (b'{"$":"dict","v":[[1]]}', "broken dict"),
    "key that is a list": (b'{"$":"dict","v":[[[],1]]}', "neither text nor a number"),
    "array of objects": (b'{"$":"array","dtype":"|O","shape":[1],"at":[0,8]}', "broken array"),
    "array of records": (b'{"$":"array","dtype":[["a","<i8"]],"shape":[1],"at":[0,8]}', "broken array"),
    "another shape": (b'{"$":"array","dtype":"<i8","shape":[2],"at":[0,8]}', "broken array"),
    "shape below zero": (b'{"$":"array","dtype":"<i8","shape":[-1],"at":[0,8]}', "broken array"),
    "true for a side": (b'{"$":"array","dtype":"<i8","shape":[true],"at":[0,8]}', "broken array"),
    "many sides": (b'{"$":"array","dtype":"<i8","shape":[' + b"1," * 40 + b'1],"at":[0,8]}', "broken array"),
    "half a number": (b'{"$":"array","dtype":"<i8","shape":[1],"at":[0,7]}', "broken array"),
    "column of lists": (b'{"$":"strings","shape":[1],"v":[[]]}', "broken strings"),
    "column too long": (b'{"$":"strings","shape":[2000],"v":[' + b"0," * 1999 + b"0]}", "broken strings"),
    "series of one number": (b'{"$":"series","name":"a","v":1}', "broken series"),
    "series of a table": (
        b'{"$":"series","name":"a","v":{"$":"strings","shape":[1,1],"v":["a"]}}',
        "broken series",
    ),
    "frame that claims a billion rows": (b'{"$":"frame","rows":1000000000,"v":[["a",1]]}', "broken frame"),
    "frame with a short column": (
        b'{"$":"frame","rows":9,"v":[["a",{"$":"strings","shape":[1],"v":[1]}]]}',
        "frame",
    ),
}


@pytest.mark.parametrize("name", BAD_TREES)
def test_a_forged_message_is_refused_and_builds_nothing(name: str) -> None:
    text, wanted = BAD_TREES[name]
    with pytest.raises(WireError, match=wanted):
        wire.decode(text, bytes(8), Caps(count=1000))


def test_garbage_is_refused_or_read_but_never_worse() -> None:
    rng = random.Random(7)  # a fixed table of garbage
    sound = [wire.encode(value)[8:] for value, _ in CROSSES.values()]
    sound += [wire.encode(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))[8:]]
    for _ in range(1500):
        text = bytearray(rng.choice(sound))
        for _ in range(rng.randint(1, 4)):
            text[rng.randrange(len(text))] = rng.choice(b'{}[]",:$0129aev\xff\x00')
        cut = rng.randint(0, len(text))
        with suppress(WireError):
            wire.decode(bytes(text[:cut]), bytes(text[cut:]), Caps(count=1000))


@contextmanager
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_message_crosses_a_socket_and_the_end_is_nothing() -> None:
    with line() as (ours, theirs):
        wire.send(theirs, {"x": np.arange(3)})
        theirs.close()
        assert wire.receive(ours)["x"].tolist() == [0, 1, 2]
        assert wire.receive(ours) is None


BROKEN_OFF: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "in the lengths": (lambda message: message[:5], "a message that broke off"),
    "in the text": (lambda message: message[:-3], "a message that broke off"),
    "after the lengths": (lambda message: message[:8], "a message that broke off"),
    "a message over the cap": (
        lambda _: struct.pack("!II", 2**31, 2**31),
        "a message of 4,294,967,296 bytes; at most",
    ),
}


@pytest.mark.parametrize("name", BROKEN_OFF)
def test_a_message_that_breaks_off_or_is_too_large_is_refused(name: str) -> None:
    spoil, wanted = BROKEN_OFF[name]
    with line() as (ours, theirs):
        theirs.sendall(spoil(wire.encode("a text")))
        theirs.close()
        with pytest.raises(WireError, match=wanted):
            wire.receive(ours)


def test_a_message_that_drips_does_not_stretch_the_wait() -> None:
    with line() as (ours, theirs):
        done = threading.Event()

        def drip() -> None:
            theirs.sendall(struct.pack("!II", 1000, 0))
            while not done.wait(0.05):
                theirs.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            wire.receive(ours, wait_s=0.3)
        done.set()
        dripping.join()
        assert time.monotonic() - began < 3
