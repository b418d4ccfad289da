#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("alarm.py")
text = file.read_text()
old = '''    if last is not None and today - last < COOLDOWN_DAYS:'''
assert old in text
text = text.replace(old, '''    if last is not None and today == last:''')
file.write_text(text)
PYTHON
