"""Log the chosen run's model into that run, so that another process can load it and knows what it takes."""

# task: publish-model

import tomllib
from pathlib import Path

import mlflow
from mlflow.models import infer_signature
from model import Settings, features, fit, weeks

mlflow.set_tracking_uri("sqlite:///mlflow.db")

run_id = tomllib.loads(Path("choice.toml").read_text())["run_id"]
told = mlflow.get_run(run_id).data.params
model = fit(Settings(leaves=int(told["leaves"]), rate=float(told["rate"]), seed=int(told["seed"])))
example = features(weeks(5, 5)).head(3)

with mlflow.start_run(run_id=run_id):
    mlflow.sklearn.log_model(
        model,
        name="promise",
        # what goes in and what comes out, and three orders as an example
        pip_requirements=["-r environment.lock"],
        skops_trusted_types=["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"],
    )
print(f"Logged with run {run_id}.")
