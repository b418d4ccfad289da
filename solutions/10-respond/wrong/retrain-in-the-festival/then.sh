#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("respond.py")
text = file.read_text()
old = '''        return "wait" if morning["cover"] == "calendar" else "calendar"'''
assert old in text
text = text.replace(old, '''        return "retrain-recent"''')
file.write_text(text)
PYTHON
