#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("respond.py")
text = file.read_text()
old = '''    if known and max(known) > limit and (days is None or days >= 3):
        return "offset"
    return None'''
assert old in text
text = text.replace(old, '''    return "offset"''')
file.write_text(text)
PYTHON
