#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("release.py")
text = file.read_text()
old = '''    serve(day, "rollback", before, because)'''
assert old in text
text = text.replace(old, '''    shutil.copy(BUNDLES / before / "model.skops", BUNDLES / read()["champion"] / "model.skops")
    audit.write(day=day, act="rollback", by="release.py", because=because, before=read()["champion"], after=before)''')
file.write_text(text)
PYTHON
