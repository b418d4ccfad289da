"""The page of all modules: every written module once, with anchors and links that still lead somewhere."""

from __future__ import annotations

from pathlib import Path

from docs.generate.modules import modules
from docs.generate.single import single_page

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = """# 05 · Test models

See [below](#why), [set up](../setup.md) and [data](02-version-data.md#what-a-pointer-is).

```sh
# a comment, and [no link](#why)
```

## Why { #why }
"""


def test_headings_anchors_and_links_fit_the_page_above(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "05-test-models.md").write_text(PAGE)
    page = single_page(tmp_path)
    assert "\n## 05 · Test models\n" in page
    assert "[below](#m05-why), [set up](setup.md) and [data](modules/02-version-data.md#what" in page
    assert "\n# a comment, and [no link](#why)\n" in page
    assert "\n### Why { #m05-why }\n" in page


def test_every_written_module_is_on_it_and_no_planned_one() -> None:
    page = single_page(DOCS)
    for module in modules(DOCS):
        assert (f"\n## {module.number} · " in page) == (module.plan is None), module.id
