"""One run of model.py, noted in MLflow: python track.py --leaves 15 --rate 0.1 --seed 1"""

# task: log-a-run

from dataclasses import asdict

import mlflow
from model import Settings, fit, measure, settings_from_command_line
from origin import origin

mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("promise")


def run(settings: Settings) -> str:
    """Fit and measure as one MLflow run; returns its id."""
    tags = origin()
    with mlflow.start_run(run_name=f"{settings.leaves} leaves, seed {settings.seed}") as active:
        # BEGIN SOLUTION
        mlflow.log_params(asdict(settings))
        mlflow.set_tags(tags)
        mlflow.log_metrics(measure(fit(settings)))
        # INSTEAD: ...  # parameters, tags and metrics of this run
        # END SOLUTION
    return active.info.run_id


if __name__ == "__main__":
    print(run(settings_from_command_line()))
