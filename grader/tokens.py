"""What a learner wrote, as tokens: the same when names, comments and layout are others.

One pattern reads every language of the labs, in one pass: each of its alternatives, once begun, takes what it
can and never gives back. A lexer made for colours may need minutes for a file made to stall it.
"""

import builtins
import json
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.errors import InvalidSubmission
from grader.notebooks import read_submitted

MAX_BYTES = 512 * 1024  # of one file that is read as text
CODE = frozenset((".py", ".sh", ".sql", ".toml", ".yaml", ".yml", ".rules", ".cfg", ".ini"))
PROSE = frozenset((".md", ".txt", ".rst"))
NAMED = ("Dockerfile", "Containerfile", "Makefile")
PYTHON, OTHER, WORDS = "python", "other", "words"
_TOKEN = re.compile(
    r"(?P<space>\s++)"
    r"|(?P<comment>\#[^\n]*+)"
    r"|(?P<text>[rRbBuUfF]{0,2}+(?:"
    r'"""(?:[^\\"]|\\.|"(?!""))*+(?:"""|\\?\Z|"{1,2}\Z)'
    r"|'''(?:[^\\']|\\.|'(?!''))*+(?:'''|\\?\Z|'{1,2}\Z)"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'(?:[^'\\\n]|\\.)*+'?))"
    r"|(?P<number>\d[\w.]*+)"
    r"|(?P<name>[^\W\d]\w*+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_WORD = re.compile(r"\w++")
_KEPT = frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins))


@dataclass(frozen=True)
class Token:
    """What counts of a piece of text, and where it stands."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Part:
    """One text that a learner wrote: a file, or what a notebook has of one kind of cell, put together."""

    name: str
    language: str
    text: str

    @property
    def tokens(self) -> list[Token]:
        """The tokens, in order."""
        return list(_words(self.text) if self.language == WORDS else _code(self.text, self.language))


def parts(path: str, content: bytes) -> list[Part]:
    """The texts in a submitted file; none where it is of no kind that people write, or cannot be read."""
    if len(content) > MAX_BYTES:
        return []
    name = PurePosixPath(path)
    if name.suffix == ".ipynb":
        return _notebook(path, content)
    text = content.decode("utf-8", errors="replace")
    if name.suffix in PROSE:
        return [Part(path, WORDS, text)]
    if name.suffix in CODE or name.name.startswith(NAMED):
        return [Part(path, PYTHON if name.suffix == ".py" else OTHER, text)]
    return []


def _notebook(path: str, content: bytes) -> list[Part]:
    """A notebook's code and its words, each in one piece: how it is cut into cells does not matter."""
    try:
        cells = read_submitted(path, content).cells
    except (InvalidSubmission, json.JSONDecodeError):
        return []
    found = []
    for kinds, language in ((("code",), PYTHON), (("markdown", "raw"), WORDS)):
        text = "\n\n".join(cell.source for cell in cells if cell.kind in kinds)
        if text.strip():
            found.append(Part(path, language, text))
    return found


def _words(text: str) -> Iterator[Token]:
    for match in _WORD.finditer(text):
        yield Token(match[0].casefold(), match.start(), match.end())


def _code(text: str, language: str) -> Iterator[Token]:
    """Tokens of code. A name that can be chosen is any name; what stands behind a dot keeps its own."""
    before, fresh = "", True
    for match in _TOKEN.finditer(text):
        group, found = match.lastgroup, match[0]
        if group == "space":
            fresh = fresh or "\n" in found
            continue
        if group == "comment" or (group == "text" and fresh and before in ("", ":")):  # a docstring
            continue
        kind = found
        if group == "text" or group == "number":
            kind = f"a {group}" if language == PYTHON else found
        elif group == "name" and language == PYTHON and found not in _KEPT and before != ".":
            kind = "a name"
        yield Token(kind, match.start(), match.end())
        before, fresh = found, False
