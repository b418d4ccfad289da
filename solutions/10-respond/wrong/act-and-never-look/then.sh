#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("respond.py")
text = file.read_text()
old = '''    if morning["learned"] == "offset" and days >= 9:
        return "retrain-recent"
'''
assert old in text
text = text.replace(old, '''    if morning["acted"] and morning["day"] - morning["acted"][-1][0] < 30:
        return None  # it was dealt with
''')
file.write_text(text)
PYTHON
