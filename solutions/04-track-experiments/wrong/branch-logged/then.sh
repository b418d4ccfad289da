# The branch was logged, not the commit.
set -euo pipefail

python - <<'PYTHON'
import sqlite3

PROMISE = "(SELECT r.run_uuid FROM runs r JOIN experiments e USING (experiment_id) WHERE e.name = 'promise')"
with sqlite3.connect("mlflow.db") as store:
    store.execute(f"UPDATE tags SET value = 'main' WHERE key = 'git_commit' AND run_uuid IN {PROMISE}")
PYTHON
