"""How good is Tiffin's promise? Given: there is nothing to fill in.

A zone's promise is its median delivery time over four weeks. It is judged on the two weeks after them:
how many minutes was it off, on average (the MAE)? Run it where the data is: `python measure.py`.
"""

# task: keep-versions

import json
from pathlib import Path

import pandas as pd

ORDERS = Path("data/orders.parquet")

orders = pd.read_parquet(ORDERS)
delivered = orders.dropna(subset=["minutes"])  # a cancelled order has no delivery time
age = orders["day"].max() - delivered["day"]  # in days; 0 on the last day

judged_on = delivered[age < 14]
learned_from = delivered[(age >= 14) & (age < 42)]
promise = learned_from.groupby("zone")["minutes"].median()
error = (judged_on["minutes"] - judged_on["zone"].map(promise)).abs().mean()

metrics = {"orders": len(orders), "mae_minutes": round(float(error), 3)}
Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")

for zone, minutes in promise.items():
    print(f"{zone:8} {minutes:6.2f} minutes promised")
print(f"{len(orders)} orders, days {orders['day'].min()} to {orders['day'].max()}")
print(f"The promise is {error:.3f} minutes off. Written to metrics.json.")
