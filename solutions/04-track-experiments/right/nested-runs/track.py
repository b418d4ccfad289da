"""One run of model.py, noted in MLflow, below whatever run is active; the origin is logged as parameters."""

import mlflow
from model import Settings, fit, measure, settings_from_command_line
from origin import origin

mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("promise")


def run(settings: Settings) -> str:
    """Fit and measure as one MLflow run; returns its id."""
    with mlflow.start_run(nested=True) as active:
        mlflow.log_params(vars(settings) | origin())
        for name, error in measure(fit(settings)).items():
            mlflow.log_metric(name, error)
    return active.info.run_id


if __name__ == "__main__":
    print(run(settings_from_command_line()))
