"""A drift report by one's own index: which columns have moved, and by how much.

python report.py decoy-week
"""

# task: read-an-index

import sys

import numpy as np
import pandas as pd
from index import cuts, stability_index

COLUMNS = ["distance_km", "items", "basket_eur", "promotion", "hour"]


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, dict[str, object]]:
    """For each of `COLUMNS`: `{"value": …, "moved": True or False}`.

    The same for a table of 500 rows and of 50,000: a column that moved is said to have moved.
    """
    found = {}
    for name in COLUMNS:
        before, after = (table[name].to_numpy(dtype=float) for table in (reference, current))
        edges = cuts(before)
        counts = [np.bincount(np.searchsorted(edges, of), minlength=len(edges) + 1) for of in (before, after)]
        value = float(stability_index(*counts))
        found[name] = {"value": value, "moved": value > 0.1}
    return found


if __name__ == "__main__":
    quiet = pd.read_parquet("data/quiet/predictions.parquet")
    current = pd.read_parquet(f"data/{sys.argv[1]}/predictions.parquet")
    for size in (800, len(quiet)):
        print(f"a reference of {size} rows")
        for name, said in drift_report(quiet.sample(size, random_state=1), current).items():
            print(f"  {name:12} {said['value']:10.4f}  {'moved' if said['moved'] else ''}")
