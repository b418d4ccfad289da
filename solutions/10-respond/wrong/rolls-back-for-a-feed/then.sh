#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("respond.py")
text = file.read_text()
old = '''    if morning["cover"] not in ("quarantine", "fallback"):
        return "quarantine"
    return "wait" if morning["mended"] else "mend"
'''
assert old in text
text = text.replace(old, '''    return "wait" if morning["rolled_back"] else "rollback"
''')
file.write_text(text)
PYTHON
