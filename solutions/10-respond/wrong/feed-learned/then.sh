#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("window.py")
text = file.read_text()
old = '''(known["distance_km"] <= FAR_KM)'''
assert old in text
text = text.replace(old, '''known["distance_km"].notna()''')
file.write_text(text)
PYTHON
