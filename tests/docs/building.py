"""Builds the site as the gate does, from another folder, as `lab up` may."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MKDOCS = (sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet")
COURSE = Path(__file__).parent.parent.parent


def build(folder: Path) -> Path:
    """Build the site strictly into `folder`, which is returned."""
    subprocess.run(
        [*MKDOCS, "--config-file", str(COURSE / "mkdocs.yml"), "--site-dir", str(folder)],
        cwd=folder,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    return folder
