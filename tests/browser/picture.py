"""Makes docs/assets/picture.png for the README: a page of the site, and a real check that failed.

python -m tests.browser.picture
"""

from __future__ import annotations

import base64
import html
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.browser.chromium import chromium
from tests.docs.building import COURSE, build

TARGET = COURSE / "docs" / "assets" / "picture.png"
FRAME = """
<body style="margin:0;background:#dfe9e9;font-family:DejaVu Sans,sans-serif">
<img src="data:image/png;base64,{page}" style="position:absolute;left:24px;top:24px;width:880px;
 border-radius:8px;box-shadow:0 4px 18px #0e303555">
<pre style="position:absolute;right:24px;bottom:24px;width:640px;margin:0;padding:16px 20px;border-radius:8px;
 background:#10262a;color:#dde6e8;font:13px/1.5 DejaVu Sans Mono,monospace;white-space:pre-wrap;
 box-shadow:0 6px 22px #0e3035aa"><span style="color:#86d3da">$ lab check track-orders</span>
{check}</pre>
"""


def main() -> None:
    """Build the site, fail a check, and photograph both."""
    with TemporaryDirectory() as folder, chromium() as browser:
        site = Path(folder) / "site"
        site.mkdir()
        build(site)
        page = browser.new_page(viewport={"width": 1180, "height": 900})
        page.goto(f"file://{site}/modules/02-version-data.html")
        shown = base64.b64encode(page.screenshot()).decode()
        frame = browser.new_page(viewport={"width": 1080, "height": 720})
        frame.set_content(FRAME.format(page=shown, check=html.escape(_failed_check(Path(folder)))))
        frame.screenshot(path=TARGET)
    print(f"{TARGET.relative_to(COURSE)}: {TARGET.stat().st_size // 1024} KiB")


def _failed_check(folder: Path) -> str:
    """What `lab check track-orders` says in a fresh workspace, from its first cross to where to read."""
    lab = [str(Path(sys.executable).with_name("lab"))]
    environment = os.environ | {"LAB_HOME": str(folder / "home"), "NO_COLOR": "1", "COLUMNS": "76"}
    subprocess.run([*lab, "start", "02"], cwd=COURSE, env=environment, capture_output=True, check=True)
    words = [*lab, "check", "track-orders", "--lab", "02"]
    done = subprocess.run(words, cwd=COURSE, env=environment, capture_output=True, text=True, check=False)
    text = "  ✗" + done.stdout.partition("✗")[2].partition("\n\n")[0]
    return text.replace(str(COURSE), "").replace("    Read: /docs/", "    Read: docs/")


if __name__ == "__main__":
    main()
