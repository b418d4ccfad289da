# The rows are gone, and SQLite kept the page they were on.
set -euo pipefail

python - <<'PYTHON'
import hashlib
import sqlite3

token = "tfn_live_" + hashlib.sha256(b"weather feed").hexdigest()[:24]
with sqlite3.connect("mlflow.db") as store:
    store.execute("PRAGMA secure_delete = OFF")
    [run] = store.execute("SELECT run_uuid FROM runs LIMIT 1").fetchone()
    store.execute("INSERT INTO params VALUES ('weather_token', ?, ?)", (token, run))
    store.commit()
    store.execute("DELETE FROM params WHERE key = 'weather_token'")
PYTHON
