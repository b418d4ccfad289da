"""Names in running text: long ones break between their words, options not at all."""

import re

_LONG = re.compile(r'<code(?P<kind> class="proof")?>(?P<name>[^<\s]{16,})</code>')
_AFTER = re.compile(r"(::|&gt;/|[/_])(?=.)")
_OPTION = re.compile(r"<code>(?=--)")
_COMMAND = re.compile(r"<code>[^<]* --?\w[^<]*</code>")
_INSIDE = re.compile(r"(?<= )--?\w[\w-]*")


def breakable(page: str) -> str:
    """The page with a place to break after each part of a path or a name; what is copied stays the same.

    >>> breakable("<code>tests/docs/test_pages.py</code>")
    '<code>tests/<wbr>docs/<wbr>test_<wbr>pages.py</code>'
    """
    page = _COMMAND.sub(lambda command: _INSIDE.sub(r'<span class="whole">\g<0></span>', command[0]), page)
    return _LONG.sub(_long, _OPTION.sub('<code class="whole">', page))


def _long(found: re.Match[str]) -> str:
    return f"<code{found['kind'] or ''}>{_AFTER.sub(lambda sign: f'{sign[0]}<wbr>', found['name'])}</code>"
