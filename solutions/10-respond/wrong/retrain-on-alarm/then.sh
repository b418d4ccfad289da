#!/usr/bin/env bash
set -euo pipefail
cat > respond.py <<'PYTHON'
"""What to do this morning."""

from typing import Any


def respond(morning: dict[str, Any]) -> str:
    days = morning["learned_days"]
    return "retrain" if morning["alarm"] and (days is None or days >= 7) else "wait"
PYTHON
