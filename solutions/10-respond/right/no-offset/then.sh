#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("respond.py")
text = file.read_text()
old = '''        return "quarantine"'''
assert old in text
text = text.replace(old, '''        return "fallback"''')
old = '''        return "offset"
    return None'''
assert old in text
text = text.replace(old, '''        return "retrain-recent"
    return None''')
old = '''days >= 3)'''
assert old in text
text = text.replace(old, '''days >= 7)''')
file.write_text(text)
PYTHON
