#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("window.py")
text = file.read_text()
old = ''' & (there["labelled"] <= as_of)'''
assert old in text
text = text.replace(old, '''''')
file.write_text(text)
PYTHON
