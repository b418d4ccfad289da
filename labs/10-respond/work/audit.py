"""The audit trail: audit.jsonl, a line for each act. Lines are added, and never changed. Given."""

import json
from pathlib import Path
from typing import Any

TRAIL = Path("audit.jsonl")


def write(**line: Any) -> None:
    """Add a line: `day`, `act`, `by`, `because`, and for a change of what is served `before` and `after`."""
    with TRAIL.open("a") as trail:
        trail.write(json.dumps(line) + "\n")


def read() -> list[dict[str, Any]]:
    """All lines, the oldest first."""
    return [json.loads(line) for line in TRAIL.read_text().splitlines()] if TRAIL.is_file() else []
