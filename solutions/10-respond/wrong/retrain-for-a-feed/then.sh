#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("alarm.py")
text = file.read_text()
old = '''    if alarm["kind"] != "relation":'''
assert old in text
text = text.replace(old, '''    if alarm["kind"] == "input":''')
file.write_text(text)
PYTHON
