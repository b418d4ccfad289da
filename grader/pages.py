"""A page for a person: one file, no script, nothing that is loaded or sent, every text escaped."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape

from grader.texts import plain

STYLE = (
    ":root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--soft:#595959;--line:#c8c8c8;--fill:#1f66a8;"
    "--track:#e4e8ee;--bad:#a3261b}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--paper:#16181d;--soft:#b4b4b4;--line:#4a4f59;"
    "--fill:#79b8f2;--track:#2b313b;--bad:#ff9d8f}}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color:var(--ink);background:var(--paper)}h1{font-size:1.5rem}h2{font-size:1.2rem}"
    "h3{font-size:1rem;margin-bottom:0}a{color:var(--fill)}"
    "p{margin:.2rem 0;white-space:pre-wrap;overflow-wrap:anywhere}section{margin:1.5rem 0}"
    ".by-hand{border-left:.25rem solid var(--soft);padding-left:.75rem}"
)


def page(title: str, body: str, *, style: str = "") -> str:
    """A whole page with `body`, which is HTML already; `style` is added to that of every page."""
    styles = STYLE + style
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{safe(title)}</title>\n<style>{styles}</style>\n</head>\n<body>\n<main>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def safe(text: str) -> str:
    """A stranger's text as a page shows it: spelled out where it would not be seen, and never markup."""
    return escape(plain(text), quote=True)


def section(title: str, body: str, name: str = "") -> str:
    """A part of a page with its heading; `name` is what a link goes to."""
    place = f' id="{name}"' if name else ""
    return f"<section{place}>\n<h2>{safe(title)}</h2>\n{body}\n</section>"


def items(texts: Iterable[str], none: str) -> str:
    """A list of texts, or the sentence that says there are none."""
    shown = "".join(f"<li>{safe(item)}</li>\n" for item in texts)
    return f"<ul>\n{shown}</ul>" if shown else f"<p>{safe(none)}</p>"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int]) -> str:
    """A table that scrolls by itself on a narrow screen; the cells are HTML already."""

    def cell(at: int, html: str) -> str:
        style = ' class="number"' if at in numbers else ""
        return f'<th scope="row">{html}</th>' if at == 0 else f"<td{style}>{html}</td>"

    top = "".join(
        f'<th scope="col"{" class=" + chr(34) + "number" + chr(34) if at in numbers else ""}>{safe(one)}</th>'
        for at, one in enumerate(head)
    )
    body = "".join(f"<tr>{''.join(cell(at, html) for at, html in enumerate(row))}</tr>\n" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="{safe(title)}">\n<table>\n'
        f"<caption>{safe(title)}</caption>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n</div>"
    )
