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
file.write_text(text)
PYTHON

# and a second job that was killed: a run without an end, MLflow in the middle of a change, half a bundle
[ -f mlflow.db ] || exit 0 # only the policy was asked for
python - <<'PYTHON' || [ $? = 137 ]
import os
import signal
import sqlite3
from pathlib import Path

import mlflow

mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("promise")
mlflow.start_run(run_name="as-of-126")
mlflow.log_params({"alarm": "relation-094", "as_of": 126})
store = sqlite3.connect("mlflow.db", isolation_level=None)
store.execute("PRAGMA cache_size = 1")  # so that the change reaches the file before it is whole
store.execute("BEGIN IMMEDIATE")
for table in ("tags", "params"):
    store.execute(f"UPDATE {table} SET value = 'lost'")
assert Path("mlflow.db-journal").stat().st_size or Path("mlflow.db-wal").stat().st_size
Path("bundles/3.part").mkdir()
Path("bundles/3.part/model.skops").write_bytes(b"half")
Path(".dvc/tmp/rwlock").write_text('{"/data/window')
os.kill(os.getpid(), signal.SIGKILL)
PYTHON
