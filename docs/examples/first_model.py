"""One kitchen, forty days: a first model from table to file.

python docs/examples/first_model.py FOLDER
"""

import json
import sys
from pathlib import Path

# --8<-- [start:table]
import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

rng = np.random.default_rng(1)
n = 2000
day = np.sort(rng.integers(0, 40, n))
dish = rng.choice(["dal", "biryani", "dosa"], n)
queue = rng.poisson(4, n)
usual = pd.Series(dish).map({"dal": 12, "biryani": 25, "dosa": 8})
noise = 3 * rng.standard_normal(n)
minutes = usual + 1.5 * queue + noise
stove_off = minutes + rng.normal(1, 0.5, n)
table = pd.DataFrame(
    {
        "day": day,
        "dish": dish,
        "queue": queue,
        "stove_off": stove_off,
        "minutes": minutes,
    }
)
# --8<-- [end:table]

# --8<-- [start:split]
train, test = table[table["day"] < 30], table[table["day"] >= 30]
# --8<-- [end:split]


# --8<-- [start:measure]
def mae(actual, predicted):
    return float(np.mean(np.abs(actual - predicted)))


baseline = mae(test["minutes"], train["minutes"].median())
# --8<-- [end:measure]


# --8<-- [start:fit]
def fit(numbers):
    steps = make_column_transformer(
        (StandardScaler(), numbers),
        (OneHotEncoder(handle_unknown="ignore"), ["dish"]),
    )
    pipeline = make_pipeline(steps, LinearRegression())
    return pipeline.fit(train[[*numbers, "dish"]], train["minutes"])


model = fit(["queue"])
error = mae(test["minutes"], model.predict(test))
# --8<-- [end:fit]

# --8<-- [start:leak]
leaky = mae(test["minutes"], fit(["queue", "stove_off"]).predict(test))
floor = float(np.mean(np.abs(noise)))
# --8<-- [end:leak]

# --8<-- [start:keep]
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
joblib.dump(model, folder / "model.joblib")
metrics = {"mae": round(error, 2), "baseline_mae": round(baseline, 2)}
(folder / "metrics.json").write_text(json.dumps(metrics))
# --8<-- [end:keep]

print(f"baseline   {baseline:.2f} minutes off")
print(f"model      {error:.2f}")
print(f"with leak  {leaky:.2f}")
print(f"floor      {floor:.2f}")
