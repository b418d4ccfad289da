"""How hard each page of the built site is to read: `python -m docs.generate.reading site`.

Prints for every page its words, the mean and the longest sentence, and the automated readability index: about
the school year in which somebody reads such a text with ease. It is made of letters, words and sentences,
4.71 letters/words + 0.5 words/sentences - 21.43, so it is the same wherever it runs. Only running text
counts: paragraphs and list items, no code, no tables, no headings.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

_BLOCKS = frozenset(("p", "li"))
_SILENT = frozenset(("code", "pre", "table", "nav", "svg", "script", "style", "form", "summary", "figure"))
_END = re.compile(r"(?<=[.?!…])[\"”*)]*\s+")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True)
class Reading:
    """What was counted on one page."""

    words: int
    sentences: int
    letters: int
    longest: int

    @property
    def mean(self) -> float:
        """Words in a sentence."""
        return self.words / self.sentences

    @property
    def grade(self) -> float:
        """The automated readability index."""
        return 4.71 * self.letters / self.words + 0.5 * self.mean - 21.43


def read(page: str) -> Reading | None:
    """Count the running text of a page; nothing where it has none.

    >>> read("<article><p>We met. You did not come.</p></article>")
    Reading(words=6, sentences=2, letters=18, longest=4)
    """
    sentences = [_WORD.findall(sentence) for text in running(page) for sentence in _END.split(text)]
    lengths = [len(sentence) for sentence in sentences if sentence]
    if not lengths:
        return None
    letters = sum(len(word) for sentence in sentences for word in sentence)
    return Reading(sum(lengths), len(lengths), letters, max(lengths))


def running(page: str) -> list[str]:
    """The paragraphs and list items of a page's article, as text."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return [" ".join(text.split()) for text in reader.texts if text.strip()]


def report(site: Path) -> Iterator[str]:
    """A line for each page, hardest first."""
    found = {page.relative_to(site).as_posix(): read(page.read_text()) for page in site.rglob("*.html")}
    yield f"{'grade':>5} {'mean':>5} {'longest':>7} {'words':>6}  page"
    counted = [(reading.grade, name, reading) for name, reading in found.items() if reading]
    for grade, name, reading in sorted(counted, reverse=True):
        yield f"{grade:5.1f} {reading.mean:5.1f} {reading.longest:7} {reading.words:6}  {name}"


class _Reader(HTMLParser):
    """Gathers the text of blocks inside the article."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.inside = False
        self.blocks = 0
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = self.inside or tag == "article"
        if tag in _SILENT:
            self.silent.append(tag)
        elif tag in _BLOCKS:
            self.texts.append("")
            self.blocks += 1
        elif ("class", "headerlink") in attrs:
            self.silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.silent and self.silent[-1] == tag:
            self.silent.pop()
        elif tag in _BLOCKS:
            self.blocks -= 1

    def handle_data(self, data: str) -> None:
        if self.inside and self.blocks > 0 and not self.silent:
            self.texts[-1] += data


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("Name the folder of a built site: python -m docs.generate.reading site")
    print("\n".join(report(Path(sys.argv[1]))))
