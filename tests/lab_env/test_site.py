from pathlib import Path

import pytest

from lab_env.errors import LabError
from lab_env.site import address, build
from tests.lab_env.tiny import Tiny


def test_the_site_is_built_once_and_again_when_a_page_changes(tiny: Tiny) -> None:
    page = build(tiny.home) / "index.html"
    first = page.stat().st_mtime_ns
    assert build(tiny.home) / "index.html" == page
    assert page.stat().st_mtime_ns == first
    (tiny.course / "docs" / "index.md").write_text("# Other\n")
    assert "Other" in (build(tiny.home) / "index.html").read_text()


def test_a_site_that_cannot_be_built_names_the_log(tiny: Tiny) -> None:
    (tiny.course / "mkdocs.yml").write_text("site_name: Tiny\ntheme: no-such-theme\n")
    with pytest.raises(
        LabError, match=r"The site could not be built. What MkDocs says is in (\S+). Mend"
    ) as error:
        build(tiny.home)
    log = Path(str(error.value).split(" is in ")[1].split(". Mend")[0])
    assert "no-such-theme" in log.read_text()


def test_a_damaged_build_is_made_again(tiny: Tiny) -> None:
    site = build(tiny.home)
    site.rename(site.with_name("gone"))
    assert (build(tiny.home) / "index.html").is_file()


@pytest.mark.parametrize(
    ("link", "served", "expected"),
    [
        ("modules/a.md#b", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/modules/a.html#b"),
        ("modules/a.md", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/modules/a.html"),
        ("reference/index.md#x", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/reference/#x"),
        ("modules/a.md#b", None, "docs/modules/a.md#b"),
    ],
)
def test_a_link_is_an_address_while_the_site_is_up(
    tiny: Tiny, link: str, served: str | None, expected: str
) -> None:
    assert address(tiny.home, link, served).removeprefix(f"{tiny.course}/") == expected
