# The settings stand in the name of each run, and nowhere else.
set -euo pipefail

python - <<'PYTHON'
import sqlite3

PROMISE = "(SELECT r.run_uuid FROM runs r JOIN experiments e USING (experiment_id) WHERE e.name = 'promise')"
with sqlite3.connect("mlflow.db") as store:
    store.execute(f"DELETE FROM params WHERE run_uuid IN {PROMISE}")
PYTHON
