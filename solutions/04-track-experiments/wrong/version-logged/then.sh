# One version was taken for the environment.
set -euo pipefail

python - <<'PYTHON'
import sqlite3

PROMISE = "(SELECT r.run_uuid FROM runs r JOIN experiments e USING (experiment_id) WHERE e.name = 'promise')"
with sqlite3.connect("mlflow.db") as store:
    store.execute(f"UPDATE tags SET value = 'scikit-learn 1.9.1' WHERE key = 'lock_sha256' AND run_uuid IN {PROMISE}")
PYTHON
