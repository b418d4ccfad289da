#!/usr/bin/env bash
set -euo pipefail
# as `mlflow.delete_run` leaves them
python - <<'PYTHON'
import sqlite3

with sqlite3.connect("mlflow.db") as store:
    store.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
PYTHON
