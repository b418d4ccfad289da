# The token has another name now.
set -euo pipefail

python moved.py
python - <<'PYTHON'
import hashlib

import mlflow

token = "tfn_live_" + hashlib.sha256(b"weather feed").hexdigest()[:24]
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("archive")
with mlflow.start_run(run_name="with-weather") as run:
    mlflow.log_param("internal_note", token)
PYTHON
