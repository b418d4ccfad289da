"""A drift report by Evidently: which columns have moved, and by how much.

python report.py decoy-week
"""

# task: read-an-index

import sys

import pandas as pd
from column_drift import column_drift

COLUMNS = ["distance_km", "items", "basket_eur", "promotion", "hour"]


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, dict[str, object]]:
    """For each of `COLUMNS`: `{"value": …, "moved": True or False}`.

    The same for a table of 500 rows and of 50,000: a column that moved is said to have moved.
    """
    found = column_drift(reference, current, COLUMNS)
    return {name: {"value": drift.value, "moved": drift.value > 0.1} for name, drift in found.items()}


if __name__ == "__main__":
    quiet = pd.read_parquet("data/quiet/predictions.parquet")
    current = pd.read_parquet(f"data/{sys.argv[1]}/predictions.parquet")
    for size in (800, len(quiet)):
        print(f"a reference of {size} rows")
        for name, said in drift_report(quiet.sample(size, random_state=1), current).items():
            print(f"  {name:12} {said['value']:10.4f}  {'moved' if said['moved'] else ''}")
