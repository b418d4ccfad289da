"""What a training may read: data/window.parquet. A stage of the job."""

# task: retrain

from pathlib import Path

import pandas as pd
import yaml

FAR_KM = 100
LONGEST_MIN = 180


def window(orders: pd.DataFrame, as_of: int, days: int) -> pd.DataFrame:
    """The orders of the `days` days before the morning of day `as_of`, as far as they can be learned from.

    Only labels that had come by then (`labelled`, in days); each order once; without rows that break the
    contract (no distance, or more than FAR_KM) and without labels that no delivery can have (more than
    LONGEST_MIN).
    """
    # BEGIN SOLUTION
    there = orders[(orders["day"] >= as_of - days) & (orders["day"] < as_of)]
    known = there[there["minutes"].notna() & (there["labelled"] <= as_of)]
    sound = known[(known["distance_km"] <= FAR_KM) & (known["minutes"] <= LONGEST_MIN)]
    return sound.drop_duplicates("order_id").reset_index(drop=True)
    # INSTEAD: return orders[orders["day"] >= as_of - days].dropna(subset=["minutes", "distance_km"])
    # END SOLUTION


if __name__ == "__main__":
    job = yaml.safe_load(Path("job.yaml").read_text())
    found = window(pd.read_parquet("data/orders.parquet"), job["as_of"], job["days"])
    found.to_parquet("data/window.parquet", index=False)
    print(f"data/window.parquet: {len(found)} orders of days {found['day'].min()} to {found['day'].max()}.")
