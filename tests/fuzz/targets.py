"""What is fuzzed, as functions of bytes. Anything that they raise is a defect.

Each reads as the engine does, takes the errors that are documented, and holds to what must be true of
what was read.
"""

import json
import socket
import stat
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from grader import wire
from grader.arrivals import whose
from grader.cells import HELD, Cell
from grader.classroom import Learner
from grader.errors import CourseError, InvalidSubmission
from grader.manifest import Lab
from grader.notebooks import labels, read_submitted, rebuild
from grader.opening import open_work
from grader.receipts import read_receipt
from grader.snapshot import take
from grader.texts import json_text, line, plain
from grader.unpack import Caps, extract
from grader.wire import WireError

RELEASED = (
    Cell("# Promises", "markdown", "head", role="locked"),
    Cell("import numpy as np", id="given", role="given"),
    Cell("def minutes(km):\n    raise NotImplementedError", id="write", title="promise", role="solution"),
    Cell("# checked here", id="check", role="check"),
    Cell("Why?", "markdown", "answer", role="answer"),
)
SMALL = Caps(bytes=256 * 1024, files=64, entries=128, depth=8, path=200, free=64 * 1024)
FEW = wire.Caps(size=1024**2, depth=16, count=2000)
LAB = Lab.model_construct(
    format=1, title="", minutes=1, objectives=(), tasks=(), folder=Path("/nowhere/labs/01-add")
)
ROSTER = {name: Learner(name, full, mail) for name, full, mail in (
    ("anna", "Anna Lee", "anna@example.invalid"),
    ("ben", "Lee, Ben", ""),
    ("123", "Zoë de la Cruz", ""),
)}  # fmt: skip


def message(data: bytes) -> None:
    """A message from a box, as it stands on the line."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        with suppress(BlockingIOError):  # more than the line takes: it breaks off
            theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        with suppress(WireError):
            again(wire.receive(ours, FEW, wait_s=5))


def parts(data: bytes) -> None:
    """The two parts of a message, cut where the first two bytes say."""
    cut = int.from_bytes(data[:2], "big")
    with suppress(WireError):
        again(wire.decode(data[2 : 2 + cut], data[2 + cut :], FEW))


def again(value: object) -> None:
    """What was read can be sent, and is then read as the same."""
    with suppress(WireError):  # a year that ISO 8601 writes with five digits, a key that stands twice
        sent = wire.encode(value)
        assert wire.encode(wire.decode(*split(sent))) == sent


def split(sent: bytes) -> tuple[bytes, bytes]:
    """Text and blob of a message."""
    text, _ = wire.HEAD.unpack(sent[: wire.HEAD.size])
    body = sent[wire.HEAD.size :]
    return body[:text], body[text:]


def archive(data: bytes) -> None:
    """A zip that a learner hands in."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        place = Path(name)
        (place / "it.zip").write_bytes(data)
        try:
            extract(place / "it.zip", place / "out", SMALL)
        except InvalidSubmission as error:
            assert_plain(str(error))
            assert [path.name for path in place.iterdir()] == ["it.zip"]
        else:
            assert {path.name for path in place.iterdir()} == {"it.zip", "out"}
            assert_harmless(place / "out")


def submission(data: bytes) -> None:
    """The same, opened as a collect does: where is the work, what does its receipt say?"""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        place = Path(name)
        (place / "anna.zip").write_bytes(data)
        try:
            opened = open_work(place / "anna.zip", LAB, place / "in", SMALL)
            assert opened is not None
            assert_harmless(opened.work)
            take(opened.work, max_bytes=SMALL.bytes, max_files=SMALL.files)
            hints = opened.reported.pop("hints", {})
            assert all(line(name) == name and step in (1, 2, 3) for name, step in hints.items())
            for value in opened.reported.values():
                assert isinstance(value, int | float) or line(value, longest=10**6) == value
        except InvalidSubmission as error:
            assert_plain(str(error))


def arrival(data: bytes) -> None:
    """The name of a file in a batch."""
    name = data.decode(errors="surrogateescape")
    try:
        assert whose(name, ROSTER).id in ROSTER
    except InvalidSubmission as error:
        assert_plain(str(error))


def receipt(data: bytes) -> None:
    """A receipt of ours that is no longer what was written."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        (Path(name) / "receipt.json").write_bytes(data)
        with suppress(CourseError):
            read = read_receipt(Path(name))
            (Path(name) / "receipt.json").write_text(json.dumps(read.to_dict()))
            assert read_receipt(Path(name)) == read


def notebook(data: bytes) -> None:
    """A notebook that a learner hands in, and the one that is judged instead."""
    try:
        cells = read_submitted("it.ipynb", data).cells
    except InvalidSubmission as error:
        str(error).encode()
    else:
        rebuilt = rebuild(RELEASED, cells)
        assert [cell for cell in rebuilt if cell.role in HELD] == [
            cell for cell in RELEASED if cell.role in HELD
        ]
        assert len(rebuilt) <= len(RELEASED) + len(cells)
        assert len(labels(rebuilt)) == len(rebuilt)


def text(data: bytes) -> None:
    """Anything that is shown."""
    said = data.decode(errors="surrogateescape")
    assert_plain(plain(said))
    assert "\n" not in line(said)
    assert_plain(line(said))
    shown = json_text({"found": said})
    assert_plain(shown)
    assert json.loads(shown) == {"found": said}


def assert_plain(said: str) -> None:
    """A text that a terminal and a file take, and that shows all of itself."""
    assert plain(said, longest=10**9) == said
    said.encode()


def assert_harmless(folder: Path) -> None:
    """Plain files and folders with plain bits, within the caps."""
    found = [path.lstat() for path in folder.rglob("*")]
    files = [info for info in found if stat.S_ISREG(info.st_mode)]
    assert all(stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode) for info in found)
    assert {stat.S_IMODE(info.st_mode) for info in files} <= {0o644, 0o755}
    assert len(files) <= SMALL.files
    assert sum(info.st_size for info in files) <= SMALL.bytes


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (message, parts, archive, submission, arrival, receipt, notebook, text)
}
