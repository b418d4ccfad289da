"""Show in the terminal what the store has. Given.

python show.py archive                    the runs of an experiment, oldest first
python show.py RUN_ID                     all that one run logged
python show.py RUN_ID git_commit leaves   some of it, on one line
"""

import logging
import sys

import mlflow

logging.disable()  # MLflow says each time that it has found the database
mlflow.set_tracking_uri("sqlite:///mlflow.db")
name, *wanted = sys.argv[1:] or ["promise"]
LINE = "{:32}  {:9} {:>6} {:>5} {:>5} {:>9}  {}"

if experiment := mlflow.get_experiment_by_name(name):
    print(LINE.format("run", "status", "leaves", "rate", "seed", "valid_mae", "name"))
    for run in reversed(mlflow.search_runs([experiment.experiment_id], output_format="list")):
        settings = [run.data.params.get(key, "-") for key in ("leaves", "rate", "seed")]
        error = run.data.metrics.get("valid_mae", "-")
        print(LINE.format(run.info.run_id, run.info.status, *settings, error, run.info.run_name))
else:
    try:
        data = mlflow.get_run(name).data
    except mlflow.MlflowException:
        sys.exit(f"show.py: mlflow.db has neither an experiment nor a run {name}.")
    logged = {**data.tags, **data.params, **data.metrics}
    if wanted:
        print(*(logged.get(key, "?") for key in wanted))
    else:
        print(*(f"{key} = {value}" for key, value in sorted(logged.items())), sep="\n")
