"""Every address outside of the site was seen by somebody, on a day that is written down, or says why not."""

from __future__ import annotations

import html
import re
import tomllib
from datetime import date
from pathlib import Path

COURSE = Path(__file__).parent.parent.parent
FILE = "docs/generate/seen.toml"
LISTED = tomllib.loads((COURSE / FILE).read_text())


def external(page: str) -> set[str]:
    """The addresses of other hosts that a page links to, without their anchors."""
    return {html.unescape(found).partition("#")[0] for found in re.findall(r'href="(https?://[^"]+)"', page)}


def test_every_external_link_has_its_day_in_one_file_and_no_other_has(site: Path) -> None:
    where: dict[str, str] = {}
    for page in site.rglob("*.html"):
        where |= dict.fromkeys(external(page.read_text()), page.relative_to(site).as_posix())
    listed = {*LISTED["seen"], *LISTED["not_opened"]}
    new = {address: page for address, page in where.items() if address not in listed}
    assert not new, f"Open each, then write it into {FILE}: {new}"
    assert listed == set(where), f"No page links to these of {FILE}: {listed - set(where)}"


def test_an_address_is_either_seen_on_a_day_that_has_been_or_has_its_reason() -> None:
    assert set(LISTED) == {"seen", "not_opened"}
    assert not set(LISTED["seen"]) & set(LISTED["not_opened"])
    for address, day in LISTED["seen"].items():
        assert isinstance(day, date), f"{address}: write a date, as in 2026-11-21"
        assert day <= date.today(), address
    for address, why in LISTED["not_opened"].items():
        assert re.fullmatch(r"[A-Z].+\.", why), f"{address}: write a sentence that says why"


def test_a_link_is_found_whole_and_without_its_anchor() -> None:
    page = '<a href="https://a.example/b?c=1&amp;d=2#e">x</a> <a href="https://a.example/b?c=1&amp;d=2">y</a>'
    assert external(page + '<a href="setup.html">here</a>') == {"https://a.example/b?c=1&d=2"}
