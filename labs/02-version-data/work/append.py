"""Add a batch of orders to the orders. Given: there is nothing to fill in.

Use: `python append.py incoming/orders.parquet`
"""

# task: keep-versions

import sys
from pathlib import Path

import pandas as pd

ORDERS = Path("data/orders.parquet")

if len(sys.argv) != 2:
    sys.exit("Say which batch: python append.py incoming/orders.parquet")
orders = pd.read_parquet(ORDERS)
batch = pd.read_parquet(sys.argv[1])
if batch["day"].min() <= orders["day"].max():
    sys.exit(f"{ORDERS} already reaches day {orders['day'].max()}: this batch is in it. Nothing changed.")

both = pd.concat([orders, batch], ignore_index=True)
unfinished = ORDERS.with_suffix(".new")
both.to_parquet(unfinished, index=False)
unfinished.replace(ORDERS)
print(f"{ORDERS}: {len(orders)} orders + {len(batch)} = {len(both)}")
