#!/usr/bin/env bash
set -euo pipefail
cat > respond.py <<'PYTHON'
"""What to do this morning."""

from typing import Any


def respond(morning: dict[str, Any]) -> str:
    return "wait"
PYTHON
