#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("respond.py")
text = file.read_text()
old = '''LOUD = 0.01'''
assert old in text
text = text.replace(old, '''LAST: dict[str, int] = {}
LOUD = 0.01''')
old = '''    if known and max(known) > limit'''
assert old in text
text = text.replace(old, '''    before, LAST["day"] = LAST.get("day"), morning["day"]
    if before == morning["day"] - 1 and known and max(known) > limit''')
file.write_text(text)
PYTHON
