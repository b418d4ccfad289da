# Two seeds were thought to be enough.
set -euo pipefail

python - <<'PYTHON'
import sqlite3

PROMISE = "(SELECT r.run_uuid FROM runs r JOIN experiments e USING (experiment_id) WHERE e.name = 'promise')"
with sqlite3.connect("mlflow.db") as store:
    store.execute(f"UPDATE runs SET status = 'FAILED' WHERE name LIKE '%seed 3' AND run_uuid IN {PROMISE}")
PYTHON
