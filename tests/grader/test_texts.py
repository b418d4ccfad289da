"""What a stranger wrote is shown as what it is, and files are whole or absent."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from grader.texts import json_text, lesson, line, plain, write_whole

SPELLED = {
    "plain": "plain",
    "two\nlines\tand a tab": "two\nlines\tand a tab",
    "\x1b[2J": "\\x1b[2J",
    "nul \x00, delete \x7f, bell \a": "nul \\x00, delete \\x7f, bell \\x07",
    "right \u202e to left \u2066": "right \\u202e to left \\u2066",
    "line \u2028 and \x85": "line \\u2028 and \\x85",
    "tag \U000e0041": "tag \\U000e0041",
    "alone \ud800": "alone \\ud800",
    "dos\r\nand mac\r": "dos\nand mac\\x0d",
    "Zoë, 名前, می\u200cخواهم": "Zoë, 名前, می\u200cخواهم",
}


@pytest.mark.parametrize("text", SPELLED)
def test_what_is_not_seen_is_spelled_out(text: str) -> None:
    assert plain(text) == SPELLED[text]
    assert plain(text).encode("utf-8")


@pytest.mark.parametrize("text", SPELLED)
def test_json_can_be_looked_at_and_is_read_as_what_it_was(text: str) -> None:
    written = json_text({"found": text})
    assert json.loads(written) == {"found": text}
    assert plain(written) == written
    assert written.encode("utf-8")


def test_a_long_text_keeps_its_head_and_its_tail() -> None:
    assert plain("a" * 50 + "b" * 50, longest=20) == "aaaaaaaaaa … (100 characters) … bbbbbbbbbb"


def test_a_line_has_no_breaks() -> None:
    assert line("one\n\n two\r\n\tthree\x1b") == "one two three\\x1b"


def test_a_lesson_says_only_what_there_is() -> None:
    empty = dict.fromkeys(("looked_at", "found", "exception", "expected", "why", "misconception", "link"), "")
    assert lesson(empty) == []
    assert lesson(empty | {"found": "ValueError: no", "exception": "ValueError"}) == ["Found: ValueError: no"]
    assert lesson(empty | {"exception": "ValueError", "link": "a.md#b"}) == [
        "Raised: ValueError",
        "Read: docs/a.md#b",
    ]


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    file = tmp_path / "new" / "page.txt"
    assert write_whole(file, "one\n")
    assert not write_whole(file, "one\n")
    with pytest.raises(UnicodeEncodeError, match="surrogates"):
        write_whole(file, "\ud800")
    assert write_whole(file, "two\n")
    assert file.read_text() == "two\n"
    in_the_way = tmp_path / "folder"
    (in_the_way / "page.txt" / "x").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        write_whole(in_the_way / "page.txt", "three")
    assert [one.name for one in in_the_way.iterdir()] == ["page.txt"]


def test_what_a_killed_writer_left_goes_with_the_next_one(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    ours, theirs = tmp_path / f".page.txt.{os.getpid()}.half", tmp_path / f".page.txt.{ended.pid}.half"
    for half in (ours, theirs, tmp_path / ".page.txt.note.half"):
        half.write_text("half")
    write_whole(tmp_path / "page.txt", "whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"page.txt", ours.name, ".page.txt.note.half"}
