"""The table that Tiffin's warehouse offers for training: the orders with all that is known of them by now.

Made for lab 01: to the orders of the feed it adds two columns that nobody knows when an order is placed,
and it loses the kitchen's queue where the kitchen was too busy to tell. `python -m lab_env.warehouse FILE`
does it to a file, in place.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

RIDE = "ride_km"
"""What the courier's phone measured from kitchen to door: null where nobody rode. Detours take time."""

PACE = "restaurant_minutes"
"""The mean of `minutes` of the restaurant on that day, over all its orders: of the evening too."""

LEAKS = (RIDE, PACE)
LATER = ("minutes", "labelled", *LEAKS)
"""Every column of the table that nobody knows when the order is placed."""

BUSY, LOST = 4, 0.5
"""Half of the orders that find more than so many others waiting come without `kitchen_queue`."""


def joined(orders: pd.DataFrame) -> pd.DataFrame:
    """The orders with `LEAKS`, and without some of `kitchen_queue`; in the order of the rows.

    Which are lost and how far each courier strayed is drawn from the orders' own ids.
    """
    rng = np.random.default_rng([len(orders), *orders["order_id"].iloc[[0, -1]]])
    minutes = orders["minutes"]
    usual = minutes.groupby(orders["zone"]).transform("median")
    detour = 1.3 + 0.3 * (minutes / usual - 1)
    ride = orders["distance_km"] * detour * np.exp(0.04 * rng.standard_normal(len(orders)))
    pace = minutes.groupby([orders["day"], orders["restaurant"]]).transform("mean")
    lost = (orders["kitchen_queue"] > BUSY) & (rng.random(len(orders)) < LOST)
    added = {RIDE: ride.round(2), PACE: pace.round(1)}
    return orders.assign(kitchen_queue=orders["kitchen_queue"].mask(lost), **added)


def main(file: Path) -> None:
    """Do it to a file of orders, in place."""
    joined(pd.read_parquet(file)).to_parquet(file, index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
