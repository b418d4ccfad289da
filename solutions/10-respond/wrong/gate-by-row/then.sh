#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("gate.py")
text = file.read_text()
old = '''    sure = float(by_day.mean() - LUCK * luck(by_day))'''
assert old in text
text = text.replace(old, '''    sure = float(gain.mean() - LUCK * luck(gain))''')
file.write_text(text)
PYTHON
