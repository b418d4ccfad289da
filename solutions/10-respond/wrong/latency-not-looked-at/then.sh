#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("respond.py")
text = file.read_text()
old = '''return "rollback" if worse or morning["latency_ms"] > 300 else None'''
assert old in text
text = text.replace(old, '''return "rollback" if worse else None''')
file.write_text(text)
PYTHON
