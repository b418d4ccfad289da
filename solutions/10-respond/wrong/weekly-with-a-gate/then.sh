#!/usr/bin/env bash
set -euo pipefail
cat > respond.py <<'PYTHON'
"""What to do this morning."""

from typing import Any


def respond(morning: dict[str, Any]) -> str:
    gains = morning["shadow"]
    if morning["day"] % 7 or len(gains) < 7:
        return "wait"
    mean = sum(gains) / 7
    spread = (sum((gain - mean) ** 2 for gain in gains) / 6) ** 0.5
    return "retrain" if mean > 0.05 and mean > 2 * spread / 7**0.5 else "wait"
PYTHON
