"""Ask champion and challenger about the same orders: data/shadow.parquet. A stage of the job. Given."""

import json
from pathlib import Path

import pandas as pd
import yaml
from bundle import as_of, said

if __name__ == "__main__":
    job = yaml.safe_load(Path("job.yaml").read_text())
    served = Path("bundles") / json.loads(Path("release.json").read_text())["champion"]
    orders = pd.read_parquet("data/orders.parquet").dropna(subset=["distance_km"])
    until = job["as_of"] + job["shadow_days"]
    days = orders[(orders["day"] >= as_of(served)) & (orders["day"] < until)].reset_index(drop=True)
    both = days[["order_id", "day", "zone", "minutes"]].assign(
        champion=said(served, days), challenger=said(Path("challenger"), days)
    )
    both["minutes"] = both["minutes"].where(days["labelled"] <= until)
    both.to_parquet("data/shadow.parquet", index=False)
