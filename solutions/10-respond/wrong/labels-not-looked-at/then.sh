#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("respond.py")
text = file.read_text()
old = '''for step in (calendar, door, labels, release, city):'''
assert old in text
text = text.replace(old, '''for step in (calendar, door, release, city):''')
file.write_text(text)
PYTHON
