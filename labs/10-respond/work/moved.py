"""Tell the store where it is now. Given.

MLflow notes addresses that begin at the disk's root. After this folder was moved or copied, run this once;
else artifacts are looked for, and written, where the folder was.
"""

import sqlite3
from pathlib import Path

ADDRESSES = {"experiments": "artifact_location", "runs": "artifact_uri", "logged_models": "artifact_location"}

with sqlite3.connect("mlflow.db") as store:
    for table, column in ADDRESSES.items():
        for [old] in store.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall():
            here = f"{Path.cwd()}/mlruns/{old.rpartition('/mlruns/')[2]}"
            store.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (here, old))
