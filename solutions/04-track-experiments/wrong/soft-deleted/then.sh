# The run was deleted, and gc was never run.
set -euo pipefail

python moved.py
python - <<'PYTHON'
import hashlib

import mlflow

token = "tfn_live_" + hashlib.sha256(b"weather feed").hexdigest()[:24]
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("archive")
with mlflow.start_run(run_name="with-weather") as run:
    mlflow.log_param("weather_token", token)
    mlflow.log_dict({"weather_token": token}, "request.json")
mlflow.delete_run(run.info.run_id)
PYTHON
