#!/usr/bin/env bash
# What is done, not written: the whole lab in one go.
set -euo pipefail

python moved.py # the prepared workspace was copied here

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
