#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("gate.py")
text = file.read_text()
old = '''    if len(by_day) < LEAST_DAYS:'''
assert old in text
text = text.replace(old, '''    if shadow["day"].nunique() < LEAST_DAYS:''')
file.write_text(text)
PYTHON
