"""The same search as one parent run with a child for each setting and seed."""

import mlflow
from model import Settings
from track import run

with mlflow.start_run(run_name="search of the leaves"):
    for leaves in (15, 20, 30):
        for seed in (1, 2, 3):
            run(Settings(leaves=leaves, seed=seed))
