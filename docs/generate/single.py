"""All written modules on one page, for paper and for a reader that goes from top to bottom."""

import re
from collections.abc import Iterator
from pathlib import Path

from docs.generate.modules import Module, modules

OPENING = """---
hide: [navigation]
search: {exclude: true}
---

# All modules on one page

For printing, or for reading from top to bottom: every written module, as it stands on its own page. In
print all answers are unfolded. The labs stay on their pages.
"""
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_HEADING = re.compile(r"^(#{1,5} )")
_ANCHOR = re.compile(r"\{ ?#([\w-]+) ?\}")
_HERE = re.compile(r"\]\(#([\w-]+)\)")
_UP = re.compile(r"\]\(\.\./")
_BESIDE = re.compile(r"\]\((\d\d-[\w-]+\.md)")


def single_page(docs: Path) -> str:
    """Markdown of the page."""
    written = (module for module in modules(docs) if module.plan is None)
    return "\n\n".join([OPENING, *(_module(module, docs) for module in written)]) + "\n"


def _module(module: Module, docs: Path) -> str:
    return "\n".join(_lines((docs / module.page).read_text(encoding="utf-8"), f"m{module.number}-"))


def _lines(text: str, prefix: str) -> Iterator[str]:
    """The lines with headings one step lower, anchors of their own, and links seen from a folder above."""
    fence = ""
    for line in text.splitlines():
        if mark := _FENCE.match(line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        if fence:
            yield line
            continue
        line = _HERE.sub(rf"](#{prefix}\1)", _ANCHOR.sub(rf"{{ #{prefix}\1 }}", line))
        yield _HEADING.sub(r"#\1", _BESIDE.sub(r"](modules/\1", _UP.sub("](", line)))
