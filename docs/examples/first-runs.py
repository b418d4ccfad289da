"""Three runs of one experiment, worked: python first-runs.py FOLDER

The "model" is a mean: small enough to see through.
"""

import hashlib
import os
import sys
from pathlib import Path

import mlflow
import numpy as np

folder = Path(sys.argv[1])
folder.mkdir(parents=True)
os.chdir(folder)

# --8<-- [start:pin]
minutes = np.random.default_rng(1).gamma(9, 3, size=400).round(1)
table = Path("minutes.csv")
table.write_text("\n".join(map(str, minutes)))
data = hashlib.sha256(table.read_bytes()).hexdigest()
# --8<-- [end:pin]

# --8<-- [start:open]
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("kitchens")
# --8<-- [end:open]


# --8<-- [start:log]
def run(share: float, seed: int) -> None:
    with mlflow.start_run(run_name=f"try {seed}"):
        mlflow.log_params({"share": share, "seed": seed})
        mlflow.set_tag("data_sha256", data)
        chosen = np.random.default_rng(seed).random(400) < share
        learned = minutes[chosen].mean()
        error = np.abs(minutes[~chosen] - learned).mean()
        mlflow.log_metric("mae", error)


# --8<-- [end:log]

# --8<-- [start:repeat]
for seed in (1, 2, 3):
    run(share=0.5, seed=seed)
# --8<-- [end:repeat]

found = mlflow.search_runs(experiment_names=["kitchens"])
for _, row in found.sort_values("params.seed").iterrows():
    print(f"seed {row['params.seed']}: mae {row['metrics.mae']:.2f}")
