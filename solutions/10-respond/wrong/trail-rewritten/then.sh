#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

trail = Path("audit.jsonl")
lines = [line.replace('"before": "1"', '"before": "2"') for line in trail.read_text().splitlines()]
trail.write_text("\n".join(lines) + "\n")
PYTHON
