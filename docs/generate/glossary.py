"""The glossary's page, and a link from the first use of each of its terms on any other page.

The link is an ordinary one, for a keyboard, a finger and a screen reader; its title is the tooltip.
"""

import html
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser

from mkdocs.utils import get_relative_url

from docs.generate.modules import HERE

PAGE = "glossary.md"
WITHOUT = ("reference/", "labs/", "404", "authors", "benchmarks", "changes", "honest", "instructors")
"""Pages where things are looked up, or whose words are those of the engine: there a gate is a program."""
_SILENT = frozenset(
    (
        "a",
        "button",
        "code",
        "dt",
        "figure",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "kbd",
        "nav",
        "pre",
        "summary",
        "th",
    )
)
_INSIDE = frozenset(("p", "li", "td", "dd"))
_VOID = frozenset(("br", "hr", "img", "input", "wbr"))
_PLACE = "<!-- glossary -->"


@dataclass(frozen=True)
class Term:
    """One term: how it is written, what it means to an operator and to those who train models."""

    id: str
    operator: str
    ml: str
    term: str = ""
    page: str = ""
    also: tuple[str, ...] = ()
    link: bool = True

    @property
    def written(self) -> str:
        """The term as it stands in a text."""
        return self.term or self.id.replace("-", " ")


@cache
def terms() -> tuple[Term, ...]:
    """The glossary's terms by the alphabet.

    Raises:
        TypeError: an entry has a key that no term has, or lacks a sentence.
    """
    entries = tomllib.loads((HERE / "glossary.toml").read_text(encoding="utf-8"))
    found = [Term(name, **entry | {"also": tuple(entry.get("also", ()))}) for name, entry in entries.items()]
    return tuple(sorted(found, key=lambda term: term.written.lower()))


def fill(page: str) -> str:
    """The page with all terms in place of `<!-- glossary -->`."""
    return page.replace(_PLACE, "\n\n".join(_entry(term) for term in terms())) if _PLACE in page else page


def linked(content: str, url: str) -> str:
    """A page's HTML with the first use of each term linked to the glossary at the page's own distance.

    >>> linked("<p>A drift is a drift.</p>", "world.html").count("<a ")
    1
    """
    if url.startswith(WITHOUT) or url == "glossary.html":
        return content
    reader = _Reader(get_relative_url("glossary.html", url))
    reader.feed(content)
    reader.close()
    return "".join(reader.parts)


def _entry(term: Term) -> str:
    comes_up = f"\n\nMore: [{_title(term.page)}]({term.page})" if term.page else ""
    return (
        f"## {term.written} {{ #{term.id} }}\n\n"
        f"**To you:** {term.operator}\n\n**In machine learning:** {term.ml}{comes_up}"
    )


def _title(link: str) -> str:
    """What a page calls itself; a module is called by its number."""
    path = link.partition("#")[0]
    if path.startswith("modules/"):
        return f"module {path[8:10]}"
    page = (HERE.parent / path).read_text(encoding="utf-8")
    return next(line for line in page.splitlines() if line.startswith("# "))[2:]


@cache
def _words() -> tuple[re.Pattern[str], dict[str, Term]]:
    forms = {form.lower(): term for term in terms() if term.link for form in (term.written, *term.also)}
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE), forms


class _Reader(HTMLParser):
    """Copies a page as it is, but for the first use of each term in its running text."""

    def __init__(self, glossary: str) -> None:
        super().__init__(convert_charrefs=False)
        self.glossary = glossary
        self.parts: list[str] = []
        self.open: list[str] = []
        self.used: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.parts.append(self.get_starttag_text() or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        running = not _SILENT & set(self.open) and _INSIDE & set(self.open)
        self.parts.append("".join(self._with_links(data)) if running else data)

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.parts.append(f"<!--{data}-->")

    def _with_links(self, text: str) -> Iterator[str]:
        pattern, forms = _words()
        done = 0
        for found in pattern.finditer(text):
            term = forms[found[0].lower()]
            if term.id not in self.used:
                self.used.add(term.id)
                yield text[done : found.start()]
                yield self._link(term, found[0])
                done = found.end()
        yield text[done:]

    def _link(self, term: Term, word: str) -> str:
        says = html.escape(re.sub(r"[`*]", "", term.operator))
        return f'<a class="term" href="{self.glossary}#{term.id}" title="{says}">{word}</a>'
