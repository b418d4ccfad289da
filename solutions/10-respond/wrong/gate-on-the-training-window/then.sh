#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("gate.py")
text = file.read_text()
old = '''shadow[shadow["day"] >= max(cutoffs.values())]'''
assert old in text
text = text.replace(old, '''shadow[shadow["day"] >= min(cutoffs.values())]''')
file.write_text(text)
PYTHON
