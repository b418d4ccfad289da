"""Train a challenger on data/window.parquet, log it, register it. A stage of the job. Given."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import yaml
from bundle import TRUSTED
from features import ZONES, row
from sklearn.ensemble import HistGradientBoostingRegressor

NAMES = ("distance_km", "items", "hour", "weekday", "rain_mm", "couriers_free", "kitchen_queue")
FEATURES = [*NAMES, *(f"in_{zone}" for zone in ZONES)]


def train(orders: pd.DataFrame, data_md5: str, job: dict[str, Any], target: Path) -> None:
    """Fit, log, register; then lay the registered model out in `target`, the very file, with its card."""
    inputs = np.array([row(order, FEATURES) for order in orders.to_dict("records")])
    model = HistGradientBoostingRegressor(max_iter=60, max_leaf_nodes=15, random_state=1)
    model.fit(inputs, np.log(orders["minutes"]))
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("promise")
    with mlflow.start_run(run_name=f"as-of-{job['as_of']}") as run:
        mlflow.log_params({key: job[key] for key in ("alarm", "as_of", "days")})
        mlflow.set_tag("data_md5", data_md5)
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name="promise",
            pip_requirements=["scikit-learn", "skops"],
            skops_trusted_types=TRUSTED,
        )
        files = Path(mlflow.artifacts.download_artifacts(logged.model_uri))
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(files / "model.skops", target / "model.skops")
        digest = hashlib.sha256((target / "model.skops").read_bytes()).hexdigest()
        mlflow.set_tag("model_sha256", digest)
    card = {
        "version": str(logged.registered_model_version),
        "run": run.info.run_id,
        "as_of": job["as_of"],
        "features": FEATURES,
        "model_sha256": digest,
    }
    (target / "bundle.json").write_text(json.dumps(card, indent=2) + "\n")


if __name__ == "__main__":
    data = Path("data/window.parquet")
    told = yaml.safe_load(Path("job.yaml").read_text())
    train(
        pd.read_parquet(data),
        hashlib.md5(data.read_bytes(), usedforsecurity=False).hexdigest(),
        told,
        Path("challenger"),
    )
