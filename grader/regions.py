"""Solution regions: what is cut out of a master, and what a learner gets in its place.

A region between `BEGIN SOLUTION` and `END SOLUTION`, in the file's own comment syntax, is left out;
`INSTEAD:` lines in it are what the learner gets.
"""

from dataclasses import dataclass
from pathlib import Path

from grader.errors import ReleaseError

BEGIN, END, INSTEAD = "BEGIN SOLUTION", "END SOLUTION", "INSTEAD:"
HASH = (".py", ".yaml", ".yml", ".toml", ".sh")


@dataclass(frozen=True)
class Cut:
    """A file without its solution: what the learner gets, and the regions that were taken out."""

    text: str
    regions: tuple[str, ...]


def strip_solution(text: str, path: str) -> Cut:
    """Take the solution regions out of a file.

    Args:
        text: the master's text.
        path: its path; the ending tells the comment syntax.

    Raises:
        ReleaseError: a region is not closed, opened twice, or closed without being opened.

    >>> cut = strip_solution('# BEGIN SOLUTION\\nx = 1\\n# INSTEAD: x = ...\\n# END SOLUTION\\n', "a.py")
    >>> cut.text, cut.regions
    ('x = ...\\n', ('x = 1',))
    """
    kept: list[str] = []
    regions: list[str] = []
    region: list[str] | None = None
    opened = 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        word = _marker(line, path)
        if word == BEGIN and region is None:
            region, opened = [], number
        elif word == END and region is not None:
            regions.append("".join(region).rstrip("\n"))
            region = None
        elif word in (BEGIN, END):
            problem = "opened inside another one" if word == BEGIN else "closed but was never opened"
            raise ReleaseError(
                f"{path}:{number}: this solution region is {problem}. Pair each `{BEGIN}` with one `{END}`."
            )
        elif region is None:
            kept.append(line)
        elif word == INSTEAD:
            kept.append(_instead(line, path))
        else:
            region.append(line)
    if region is not None:
        raise ReleaseError(f"{path}:{opened}: this solution region is never closed. Add `{END}` after it.")
    return Cut("".join(kept), tuple(regions))


def without_markers(text: str, path: str) -> str:
    """A master's text as somebody would write it: the solution without what marks it.

    >>> without_markers('# BEGIN SOLUTION\\nx = 1\\n# INSTEAD: x = ...\\n# END SOLUTION\\n', "a.py")
    'x = 1\\n'
    """
    return "".join(line for line in text.splitlines(keepends=True) if not _marker(line, path))


def comment_syntax(path: str) -> tuple[str, str] | None:
    """Opening and closing of a comment in this kind of file; None where markers mean nothing."""
    name = Path(path).name
    if name.endswith(HASH) or name.startswith("Dockerfile"):
        return "#", ""
    return ("<!--", "-->") if name.endswith(".md") else None


def _marker(line: str, path: str) -> str:
    """The marker word of a line that is a comment with one; empty for any other line."""
    opening, closing = comment_syntax(path) or ("#", "")
    text = line.strip()
    if not text.startswith(opening):
        return ""
    inner = text.removeprefix(opening).removesuffix(closing).strip()
    if inner.startswith(INSTEAD):
        return INSTEAD
    return inner if inner in (BEGIN, END) else ""


def _instead(line: str, path: str) -> str:
    opening, closing = comment_syntax(path) or ("#", "")
    indent = line[: len(line) - len(line.lstrip())]
    inner = line.strip().removeprefix(opening).removesuffix(closing).strip()
    return f"{indent}{inner.removeprefix(INSTEAD).removeprefix(' ')}".rstrip() + "\n"
