"""A page that lies must fail, and one that tells the truth must pass."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.docs.replay import read_blocks, read_steps, replay

ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def page(folder: Path, *blocks: str) -> Path:
    path = folder / "page.md"
    path.write_text(
        "# A page\n\n" + "\n\nText.\n\n".join(f"```console\n{block}\n```" for block in blocks) + "\n"
    )
    return path


def test_folder_and_variables_hold_until_the_page_ends(tmp_path: Path) -> None:
    blocks = ("$ mkdir out && cd out\n$ export MODEL=eta", "$ basename $PWD\nout\n$ echo $MODEL\neta")
    assert replay(page(tmp_path, *blocks), cwd=tmp_path, env=ENV) == 4


def test_a_command_may_go_over_several_lines(tmp_path: Path) -> None:
    loop = "$ for day in 1 2; do\n>   echo day $day\n> done\nday 1\nday 2"
    heredoc = "$ cat > note.txt <<'EOF'\n> first\n>\n> last\n> EOF\n$ cat note.txt\nfirst\n\nlast"
    assert replay(page(tmp_path, loop, heredoc), cwd=tmp_path, env=ENV) == 3


def test_dots_stand_for_any_text_or_any_lines(tmp_path: Path) -> None:
    block = "$ seq 1 100\n1\n...\n99\n100\n$ echo took 0.31 s\ntook ... s\n$ echo none\n...\nnone\n..."
    assert replay(page(tmp_path, block), cwd=tmp_path, env=ENV) == 3


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("$ echo one\ntwo", "expected:\ntwo\ngot (exit 0):\none"),
        ("$ echo one; echo two\none", "got (exit 0):\none\ntwo"),
        ("$ seq 1 3\n1\n...\n4", "expected:\n1\n...\n4"),
        ("$ false", "expected: success\ngot (exit 1)"),
        ("$ ls nowhere\n...", "expected: success"),
        ("$ echo bye; exit 3", "ended the shell"),
        ("$ if; then", "syntax error"),
        ("echo one", "put `$ ` before it"),
        ("", "has no command"),
    ],
)
def test_a_page_that_lies_fails(tmp_path: Path, block: str, message: str) -> None:
    with pytest.raises(AssertionError) as failed:
        replay(page(tmp_path, block), cwd=tmp_path, env=ENV)
    assert message in str(failed.value)


def test_a_failure_that_the_page_shows_is_part_of_the_page(tmp_path: Path) -> None:
    assert (
        replay(
            page(tmp_path, "$ echo broken >&2; exit_code() { return 2; }; exit_code\nbroken"),
            cwd=tmp_path,
            env=ENV,
        )
        == 1
    )


def test_a_command_cannot_eat_the_next_one_from_standard_input(tmp_path: Path) -> None:
    assert replay(page(tmp_path, "$ cat\n$ echo still here\nstill here"), cwd=tmp_path, env=ENV) == 2


def test_a_command_that_hangs_is_stopped(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(AssertionError, match=r"took over 0\.5 s"):
        replay(page(tmp_path, "$ sleep 60"), cwd=tmp_path, env=ENV, timeout_s=0.5)
    assert time.monotonic() - begun < 20


def test_blocks_in_notes_and_of_other_languages_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(
        '??? note "After"\n\n    ```console title="lab"\n    $ echo a\n    a\n    ```\n\n'
        "````markdown\n```console\n$ false\n```\n````\n\n```toml\nx = 1\n```\n"
    )
    assert [(block.language, block.line) for block in read_blocks(path)] == [
        ("console", 4),
        ("markdown", 9),
        ("toml", 15),
    ]
    assert [step.command for step in read_steps(path)] == ["echo a"]
    assert replay(path, cwd=tmp_path, env=ENV) == 1


def test_a_block_that_is_never_closed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("text\n\n```console\n$ true\n")
    with pytest.raises(AssertionError, match=r"page\.md:3: this block is never closed"):
        read_blocks(path)


def test_output_may_stand_in_a_block_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    text = '```console\n$ echo one\n```\n\n??? note "After"\n\n    ```output\n    {}\n    ```\n'
    path.write_text(text.format("one"))
    assert replay(path, cwd=tmp_path, env=ENV) == 1
    path.write_text(text.format("two"))
    with pytest.raises(AssertionError, match=r"expected:\ntwo\ngot \(exit 0\):\none"):
        replay(path, cwd=tmp_path, env=ENV)


def test_output_of_no_command_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("```console\n$ echo one\none\n```\n\n```output\none\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:7: no command without output stands before this"):
        read_steps(path)


def test_a_page_without_commands_runs_none(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("# Only words\n")
    assert replay(path, cwd=tmp_path, env=ENV) == 0
