"""The pages of `grader similar`: a table of pairs, and each pair side by side.

Static: no script, nothing loaded. Names and code of strangers stand there as text. Numbers and places, and no
word on what they mean.
"""

import re
from html import escape
from pathlib import Path

from grader.classroom import Classroom
from grader.errors import CourseError
from grader.manifest import Lab
from grader.pages import page, safe
from grader.similar import Found, Pair, Side
from grader.texts import plain, write_whole

MOST_PAGES = 200
AROUND = 2  # lines shown before and after a passage
STYLE = (
    "body{max-width:96rem}table{border-collapse:collapse}caption{text-align:left;color:var(--soft)}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;"
    "border-bottom:1px solid var(--line)}.number{text-align:right}"
    ".wide{overflow-x:auto}.both{display:grid;grid-template-columns:1fr 1fr;gap:1.5rem}"
    "@media(max-width:50rem){.both{grid-template-columns:1fr}}"
    "pre{overflow-x:auto;border-left:.25rem solid var(--line);padding-left:.5rem;unicode-bidi:plaintext}"
    "mark{background:var(--track);color:var(--ink);outline:1px solid var(--fill)}"
    "mark:target{outline:2px solid var(--bad)}.soft{color:var(--soft)}li{overflow-wrap:anywhere}"
)
ABOUT = (
    "Alike are runs of tokens, beyond what the starter gives and what many have: names, numbers, comments, "
    "layout and order do not count. Work can be alike for many reasons, so read both and talk with both."
)


def write(classroom: Classroom, lab: Lab, found: Found, folder: Path) -> Path:
    """Write the pages into `folder`, and return the first one. Pages of an earlier run are taken away.

    Raises:
        CourseError: they cannot be written.
    """
    shown = found.pairs[:MOST_PAGES]
    texts = {"index.html": _index(classroom, lab, found)}
    texts |= {_name(at): _pair(classroom, lab, pair) for at, pair in enumerate(shown)}
    try:
        for old in folder.glob("*.html"):
            if re.fullmatch(r"\d{3}\.html", old.name) and old.name not in texts:
                old.unlink(missing_ok=True)  # another run may do the same
        for name, text in texts.items():
            write_whole(folder / name, text)
    except OSError as error:
        raise CourseError(
            f"{error.filename or folder} cannot be written ({error.strerror or error}). Mend that, or name "
            "another folder with `--output`."
        ) from error
    return folder / "index.html"


def _name(at: int) -> str:
    return f"{at + 1:03}.html"


def _who(classroom: Classroom, learner: str) -> str:
    known = classroom.roster.get(learner)
    return f"{known.name} ({learner})" if known and known.name else learner


def _index(classroom: Classroom, lab: Lab, found: Found) -> str:
    rows = []
    for at, pair in enumerate(found.pairs):
        both = " · ".join(_who(classroom, side.work.learner) for side in (pair.left, pair.right))
        link = f'<a href="{_name(at)}">{safe(both)}</a>' if at < MOST_PAGES else safe(both)
        numbers = (
            f"{pair.left.share:.0%}",
            f"{pair.right.share:.0%}",
            str(max(pair.left.alike, pair.right.alike)),
            "all" if pair.is_same else str(len(pair.data)),
            str(len(pair.ids)),
            str(len(pair.commits)),
        )
        cells = "".join(f'<td class="number">{one}</td>' for one in numbers)
        rows.append(f'<tr><th scope="row">{link}</th>{cells}</tr>\n')
    head = ("pair", "of the first's own", "of the second's own", "tokens", "same files", "run ids", "commits")
    data = "".join(
        f"<li>{safe(path)}: {safe(', '.join(_who(classroom, one) for one in who))}</li>\n"
        for path, who in found.data
    )
    more = f"<p>Pages are written for the first {MOST_PAGES} pairs.</p>" if len(rows) > MOST_PAGES else ""
    top = "".join(f'<th scope="col">{one}</th>' for one in head)
    table = (
        '<div class="wide" tabindex="0" role="group" aria-label="Pairs">\n<table>\n'
        f"<caption>Pairs, the most alike first</caption>\n<thead><tr>{top}</tr></thead>\n"
        f"<tbody>\n{''.join(rows)}</tbody>\n</table>\n</div>"
    )
    none = "<p>No two are alike by these rules.</p>"
    body = (
        f"<h1>Alike in {safe(lab.id)}</h1>\n"
        f'<p class="soft">{found.compared} submissions compared. {ABOUT}</p>\n'
        f"<section>\n<h2>Pairs</h2>\n{table if rows else none}\n{more}</section>\n"
        "<section>\n<h2>Files that a few have in common</h2>\n"
        f"{f'<ul>{data}</ul>' if data else '<p>None.</p>'}\n</section>"
    )
    return page(f"Alike in {lab.id}", body, style=STYLE)


def _pair(classroom: Classroom, lab: Lab, pair: Pair) -> str:
    left, right = (_who(classroom, side.work.learner) for side in (pair.left, pair.right))
    traces = [
        *(f"Run or model {one} is in both." for one in pair.ids[:50]),
        *(f"Commit {one} is in both." for one in pair.commits[:50]),
        *(f"{path} has the same content in both." for path in pair.data[:50]),
    ]
    if pair.is_same:
        traces.insert(0, "Every file is the same.")
    listed = "".join(f"<li>{safe(one)}</li>\n" for one in traces)
    body = (
        f'<p><a href="index.html">All pairs</a></p>\n<h1>{safe(left)} · {safe(right)}</h1>\n'
        f'<p class="soft">{safe(lab.id)}. {ABOUT}</p>\n{f"<ul>{listed}</ul>" if listed else ""}\n'
        f'<div class="both">\n{_column(pair.left, left, "l", "r")}\n'
        f"{_column(pair.right, right, 'r', 'l')}\n</div>"
    )
    return page(f"{left} · {right}", body, style=STYLE)


def _column(side: Side, who: str, mine: str, other: str) -> str:
    parts = [
        f"<section>\n<h2>{safe(who)}</h2>\n<p>{side.alike} of {side.own} own tokens, {side.share:.0%}</p>"
    ]
    for number, text in enumerate(side.work.texts):
        marks = [
            (text.tokens[one.first].start, text.tokens[one.last].end, at, one.twin)
            for at, one in enumerate(side.passages, start=1)
            if one.text == number
        ]
        if marks:
            parts.append(
                f"<h3>{safe(text.part.name)}</h3>\n<pre>{_marked(text.part.text, marks, mine, other)}</pre>"
            )
    return "\n".join([*parts, "</section>"])


def _marked(text: str, marks: list[tuple[int, int, int, int]], mine: str, other: str) -> str:
    """The text around its marked stretches, each with a link to its twin; what lies between is left out."""
    found, done = [], 0
    for start, end, number, twin in marks:
        found.append(_between(text[done:start], opening=done == 0))
        link = f' <a href="#{other}{twin}">{twin} {"→" if mine == "l" else "←"}</a>' if twin else ""
        found.append(f'<mark id="{mine}{number}">{_code(text[start:end])}</mark>{link}')
        done = end
    found.append(_between(text[done:], closing=True))
    return "".join(found)


def _between(text: str, *, opening: bool = False, closing: bool = False) -> str:
    lines = text.split("\n")
    head = [] if opening else lines[: AROUND + 1]
    tail = [] if closing else lines[-AROUND - 1 :]
    if len(lines) <= len(head) + len(tail):
        return _code(text)
    return _code("\n".join([*head, "…", *tail]))


def _code(text: str) -> str:
    return escape(plain(text, longest=len(text)), quote=True)
