"""What a drift index does on days when nothing happens.

    python docs/examples/quiet_days.py FOLDER

FOLDER is what `lab world log` wrote.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

COLUMNS = ["items", "distance_km", "couriers_free", "rain_mm"]


# --8<-- [start:index]
def stability_index(
    reference: np.ndarray, current: np.ndarray, bins: int = 10
) -> float:
    """The PSI over the deciles of the reference; 0 when nothing moved."""
    cuts = np.unique(
        np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1])
    )
    r, c = (
        np.maximum(
            np.bincount(np.searchsorted(cuts, of), minlength=len(cuts) + 1),
            0.5,
        )
        / len(of)
        for of in (reference, current)
    )
    return float(((c - r) * np.log(c / r)).sum())


# --8<-- [end:index]


def main(folder: Path) -> None:
    """Print a line per column: each quiet day against all of them."""
    log = pd.read_parquet(folder / "predictions.parquet")
    print(
        "of 90 quiet days        median   largest   over 0.1   p under 0.05"
    )
    for name in COLUMNS:
        quiet = log[name].to_numpy(dtype=float)
        days = [
            day.to_numpy(dtype=float) for _, day in log.groupby("day")[name]
        ]
        index = [stability_index(quiet, day) for day in days]
        p_values = [ks_2samp(quiet, day).pvalue for day in days]
        over, under = (
            (np.array(index) > 0.1).sum(),
            (np.array(p_values) < 0.05).sum(),
        )
        print(
            f"{name:20} {np.median(index):8.3f} {max(index):9.3f} "
            f"{over:10} {under:14}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
