"""Values between judge and box: length-prefixed JSON and flat typed arrays. Standard library only.

A message is two big-endian lengths, the JSON text, then the bytes of the arrays it refers to. Nothing in
it can run code when read: no pickle, no Arrow. What comes from a box is read under caps and rebuilt as
plain types, so an object with a lying `__eq__` arrives as the numbers it held.

This file and `agent.py` are all that a box gets of the engine.
"""

import datetime
import json
import math
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

HEAD = struct.Struct("!II")
STRUCTURE = 4  # commas and brackets per value, at most: an entry of a dictionary is a pair in a list
DTYPES = frozenset(
    ["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8"]
    + [f"<{kind}8[{unit}]" for kind in "Mm" for unit in ("s", "ms", "us", "ns")]
)


class WireError(Exception):
    """Bytes that are no message, a message over its caps, or a value that cannot cross."""


@dataclass(frozen=True)
class Caps:
    """What a reader accepts of one message."""

    size: int = 64 * 1024**2
    depth: int = 32
    count: int = 1_000_000


def send(channel: socket.socket, value: object) -> None:
    """Write one value as a message.

    Raises:
        WireError: the value, or something in it, cannot cross; names its type.
    """
    channel.sendall(encode(value))


def receive(
    channel: socket.socket,
    caps: Caps = Caps(),  # an immutable default
    *,
    wait_s: float | None = None,
) -> Any:
    """Read one message; None when the other side closed before it began.

    Raises:
        WireError: it broke off, or is over the caps, or is no message.
        TimeoutError: the whole of it did not come within `wait_s`.
    """
    end = None if wait_s is None else time.monotonic() + wait_s
    head = _exactly(channel, HEAD.size, end)
    if not head:
        return None
    if len(head) < HEAD.size:
        raise WireError("a message that broke off")
    text_size, blob_size = HEAD.unpack(head)
    if text_size + blob_size > caps.size:
        raise WireError(f"a message of {text_size + blob_size:,} bytes; at most {caps.size:,} are read")
    body = _exactly(channel, text_size + blob_size, end)
    if len(body) < text_size + blob_size:
        raise WireError("a message that broke off")
    return decode(body[:text_size], body[text_size:], caps)


def encode(value: object) -> bytes:
    """One value as the bytes of a message. See `decode` for what it comes back as."""
    blobs: list[bytes] = []
    try:
        text = json.dumps(_pack(value, blobs, 0), allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise WireError(f"a value that cannot be written: {error}") from error
    blob = b"".join(blobs)
    return HEAD.pack(len(text), len(blob)) + text + blob


def decode(text: bytes, blob: bytes, caps: Caps = Caps()) -> Any:  # an immutable default
    """The value of a message: plain types, NumPy arrays, pandas Series and DataFrames.

    Tuples and sets come back as lists, NumPy scalars as Python's, a frame without its index.

    Raises:
        WireError: it is no message, or over the caps.
    """
    if sum(map(text.count, (b",", b"[", b"{"))) > STRUCTURE * caps.count:  # before any of it is built
        raise WireError(f"a message of over {caps.count:,} values")
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("a message that is no JSON") from error
    return _Reader(blob, caps).read(tree, 0)


def _exactly(channel: socket.socket, size: int, end: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        if end is not None:  # for the message, not for each piece of it
            channel.settimeout(max(end - time.monotonic(), 0.001))
        part = channel.recv(min(size - len(parts), 1 << 20))
        if not part:
            break
        parts += part
    return bytes(parts)


def _at(blobs: list[bytes], data: bytes) -> list[int]:
    offset = sum(len(blob) for blob in blobs)
    blobs.append(data)
    return [offset, len(data)]


def _pack(value: Any, blobs: list[bytes], depth: int) -> Any:
    if depth > Caps().depth:
        raise WireError(f"a value nested more than {Caps().depth} deep")
    if value is None or isinstance(value, bool):
        return value if value is None else bool(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        number = float.__float__(value)
        return number if math.isfinite(number) else {"$": "float", "v": repr(number)}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$": "bytes", "at": _at(blobs, bytes(value))}
    if isinstance(value, list | tuple | set | frozenset):
        return [_pack(item, blobs, depth + 1) for item in value]
    if isinstance(value, dict):
        pairs = [[_pack_key(k), _pack(v, blobs, depth + 1)] for k, v in value.items()]
        return {"$": "dict", "v": pairs}
    if isinstance(value, datetime.datetime | datetime.date):
        return {"$": "time", "v": value.isoformat()}
    return _pack_table(value, blobs, depth)


def _pack_key(key: Any) -> Any:
    packed = _pack(key, [], 0)
    if not isinstance(packed, str | int | float | bool | None):
        raise WireError("a dictionary with a key that is neither text nor a number")
    return packed


def _pack_table(value: Any, blobs: list[bytes], depth: int) -> Any:
    """Arrays, series and frames, told by their type's home so that nothing is imported for them."""
    home = (type(value).__module__ or "").partition(".")[0]
    if home == "pandas" and hasattr(value, "columns"):
        columns = [
            [_pack(name, blobs, depth + 1), _pack_array(value.iloc[:, at].to_numpy(), blobs)]
            for at, name in enumerate(value.columns)
        ]
        return {"$": "frame", "rows": len(value), "v": columns}
    if home == "pandas" and hasattr(value, "to_numpy"):
        return {
            "$": "series",
            "name": _pack(value.name, blobs, depth + 1),
            "v": _pack_array(value.to_numpy(), blobs),
        }
    if home == "numpy" and hasattr(value, "dtype"):
        return (
            _pack_array(value, blobs)
            if getattr(value, "shape", ())
            else _pack(value.item(), blobs, depth + 1)
        )
    raise WireError(f"a {type(value).__module__}.{type(value).__qualname__}, which cannot be sent")


def _pack_array(array: Any, blobs: list[bytes]) -> Any:
    if array.dtype.kind in "OUT":
        cells = [_cell(item) for item in array.ravel().tolist()]
        return {"$": "strings", "shape": list(array.shape), "v": cells}
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    if little.dtype.str not in DTYPES:
        raise WireError(f"an array of {array.dtype}, which cannot be sent")
    return {
        "$": "array",
        "dtype": little.dtype.str,
        "shape": list(array.shape),
        "at": _at(blobs, little.tobytes()),
    }


def _cell(item: Any) -> str | int | float | bool | None:
    if item is None or (isinstance(item, float) and math.isnan(item)):
        return None
    if isinstance(item, str):
        return str.__str__(item)
    if isinstance(item, bool | int) or (isinstance(item, float) and math.isfinite(item)):
        return item
    raise WireError(f"a column that holds a {type(item).__qualname__}, which cannot be sent")


class _Reader:
    """Rebuilds one message, counting what it makes."""

    def __init__(self, blob: bytes, caps: Caps) -> None:
        self.blob = blob
        self.caps = caps
        self.count = 0
        self.taken = 0
        self.kinds: Mapping[str, Callable[[dict[str, Any], int], Any]] = {
            "float": self._float,
            "bytes": self._bytes,
            "dict": self._dict,
            "time": self._time,
            "array": self._array,
            "strings": self._strings,
            "series": self._series,
            "frame": self._frame,
        }

    def read(self, tree: Any, depth: int) -> Any:
        self.count += 1
        if depth > self.caps.depth or self.count > self.caps.count:
            raise WireError(f"a message deeper than {self.caps.depth} or of over {self.caps.count:,} values")
        if isinstance(tree, list):
            return [self.read(item, depth + 1) for item in tree]
        if isinstance(tree, dict):
            kind = tree.get("$")
            if not isinstance(kind, str) or kind not in self.kinds:
                raise WireError("a message with an unknown kind of value")
            try:
                return self.kinds[kind](tree, depth)
            except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
                raise WireError(f"a message with a broken {kind}") from error
        return tree

    def _part(self, tree: dict[str, Any]) -> bytes:
        offset, size = tree["at"]
        if not (
            isinstance(offset, int)
            and isinstance(size, int)
            and 0 <= offset <= offset + size <= len(self.blob)
        ):
            raise ValueError("outside the message")
        self.taken += size
        if self.taken > len(self.blob):
            raise ValueError("one part of the message used twice")
        return self.blob[offset : offset + size]

    def _float(self, tree: dict[str, Any], depth: int) -> float:  # noqa: ARG002  # one form for all kinds
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[tree["v"]]

    def _bytes(self, tree: dict[str, Any], depth: int) -> bytes:  # noqa: ARG002
        return self._part(tree)

    def _dict(self, tree: dict[str, Any], depth: int) -> dict[Any, Any]:
        return {self._key(key): self.read(value, depth + 1) for key, value in tree["v"]}

    def _key(self, tree: Any) -> Any:
        if not isinstance(tree, str | int | float | bool | None):
            raise WireError("a dictionary with a key that is neither text nor a number")
        return tree

    def _time(self, tree: dict[str, Any], depth: int) -> datetime.datetime | datetime.date:  # noqa: ARG002
        text = tree["v"]
        if len(text) == len("2026-01-05"):
            return datetime.date.fromisoformat(text)
        return datetime.datetime.fromisoformat(text)

    def _shape(self, tree: dict[str, Any]) -> tuple[int, ...]:
        shape = tuple(tree["shape"])
        if len(shape) > self.caps.depth or not all(type(side) is int and side >= 0 for side in shape):
            raise ValueError("no shape")
        return shape

    def _array(self, tree: dict[str, Any], depth: int) -> Any:  # noqa: ARG002
        import numpy as np

        if tree["dtype"] not in DTYPES:
            raise ValueError("no dtype that crosses")
        return np.frombuffer(self._part(tree), dtype=tree["dtype"]).reshape(self._shape(tree)).copy()

    def _strings(self, tree: dict[str, Any], depth: int) -> Any:  # noqa: ARG002
        import numpy as np

        cells = tree["v"]
        self.count += len(cells)
        if self.count > self.caps.count or not all(
            isinstance(c, str | int | float | bool | None) for c in cells
        ):
            raise ValueError("no column of texts")
        array = np.empty(len(cells), dtype=object)
        array[:] = cells
        return array.reshape(self._shape(tree))

    def _column(self, tree: Any, depth: int) -> Any:
        column = self.read(tree, depth + 1)
        if getattr(column, "ndim", 0) != 1:
            raise ValueError("no column")
        return column

    def _series(self, tree: dict[str, Any], depth: int) -> Any:
        import pandas as pd

        return pd.Series(self._column(tree["v"], depth), name=self._key(tree["name"]))

    def _frame(self, tree: dict[str, Any], depth: int) -> Any:
        import pandas as pd

        columns = [(self._key(name), self._column(column, depth)) for name, column in tree["v"]]
        if any(len(column) != tree["rows"] for _, column in columns):
            raise ValueError("columns of other lengths")
        frame = pd.DataFrame(dict(enumerate(column for _, column in columns)), index=range(tree["rows"]))
        frame.columns = [name for name, _ in columns]
        return frame
