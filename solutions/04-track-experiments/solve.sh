#!/usr/bin/env bash
# What is done, not written: the whole lab in one go.
set -euo pipefail

# The prepared workspace was copied here, and MLflow's addresses begin at the disk's root.
python - <<'PYTHON'
import sqlite3
from pathlib import Path

with sqlite3.connect("mlflow.db") as store:
    [[old]] = store.execute("SELECT artifact_location FROM experiments WHERE name = 'archive'")
    moved = (old.rpartition("/mlruns")[0], str(Path.cwd()))
    store.execute("UPDATE experiments SET artifact_location = replace(artifact_location, ?, ?)", moved)
    store.execute("UPDATE runs SET artifact_uri = replace(artifact_uri, ?, ?)", moved)
PYTHON

# log-a-run, search
git add --all
git commit --quiet --allow-empty --message "Track runs, and write down how the winner is chosen"
python search.py

# choose, publish-model
python choose.py
python publish.py

# take-out-the-secret: first make it worthless, then take it out
python rotate.py
python - <<'PYTHON'
import mlflow

mlflow.set_tracking_uri("sqlite:///mlflow.db")
[run_id] = mlflow.search_runs(
    experiment_names=["archive"], filter_string="run_name = 'with-weather'", output_format="list"
)
mlflow.delete_run(run_id.info.run_id)
PYTHON
MLFLOW_TRACKING_URI=sqlite:///mlflow.db mlflow gc --backend-store-uri sqlite:///mlflow.db
python -c 'import sqlite3; sqlite3.connect("mlflow.db").execute("VACUUM")'

git add choice.toml tokens.toml
git commit --quiet --message "Choose by the rule, and rotate the weather token"
