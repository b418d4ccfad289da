#!/usr/bin/env bash
set -euo pipefail
python - <<'PYTHON'
from pathlib import Path

file = Path("respond.py")
text = file.read_text()
old = '''return "retrain-recent"'''
assert old in text
text = text.replace(old, '''return "retrain"''')
old = '''days >= 9'''
assert old in text
text = text.replace(old, '''days >= 14''')
file.write_text(text)
PYTHON
python - <<'PYTHON'
from pathlib import Path

file = Path("gate.py")
text = file.read_text()
old = '''    return float(by_day.std(ddof=1) / np.sqrt(len(by_day))) if len(by_day) > 1 else float("inf")'''
assert old in text
text = text.replace(old, '''    if len(by_day) < 2:
        return float("inf")
    drawn = np.random.default_rng(1).choice(by_day.to_numpy(), (2000, len(by_day))).mean(axis=1)
    return float(drawn.std() * np.sqrt(len(by_day) / (len(by_day) - 1)))''')
file.write_text(text)
PYTHON
