#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("gate.py")
text = file.read_text()
old = '''< -WORSE_MIN or'''
assert old in text
text = text.replace(old, '''< -100 * WORSE_MIN or''')
old = '''days.mean() < -2 * WORSE_MIN'''
assert old in text
text = text.replace(old, '''days.mean() < -200 * WORSE_MIN''')
file.write_text(text)
PYTHON
