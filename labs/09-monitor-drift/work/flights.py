"""The same watch on a year of real flights. Given.

python flights.py       a line per month: what your detector says of each day

The timetable is the model: it promises the minutes from gate to gate. The label is how long it took from the
planned departure to the gate. The first 90 days are the reference, because there is no other year.
"""

# task: real-flights

import datetime as dt
import sys
from pathlib import Path

import detector
import pandas as pd
from labels import join_labels
from show import SIGNS
from signals import signals

FOLDER = "../flights"  # beside your work, so that what you hand in stays small
NEW_YEAR = dt.date(2013, 1, 1)
QUIET_DAYS = 90
FEATURES = ["distance_km", "promised", "rain_mm", "wind_kmh", "visibility_km", "humidity_pct"]


def main() -> None:
    if not Path(FOLDER).exists():
        sys.exit(f"There is no {FOLDER} yet: `lab world flights {FOLDER}` writes it.")
    detector.FEATURES = FEATURES
    flights, arrivals = (pd.read_parquet(f"{FOLDER}/{name}.parquet") for name in ("predictions", "labels"))
    year = join_labels(flights, arrivals, flights["day"].max() + 1)
    reference, current = year[year["day"] < QUIET_DAYS], year[year["day"] >= QUIET_DAYS]
    first, last = QUIET_DAYS, int(year["day"].max())
    said = detector.watch(reference, current, first, last).set_index("day")
    seen = signals(reference, current, FEATURES, first, last)
    for month in range(4, 13):
        days = [day for day in said.index if (NEW_YEAR + dt.timedelta(days=int(day))).month == month]
        blamed = said.loc[days, "feature"].value_counts().drop("", errors="ignore")
        signs = "".join(SIGNS[kind] for kind in said.loc[days, "kind"])
        columns = ", ".join(f"{name} {count}" for name, count in blamed.items())
        print(f"{dt.date(2013, month, 1):%b}  {signs:31}  {columns}".rstrip())
    print("  . none  i input  F feed  L labels  R relation")
    mute = seen.index[seen["error"].isna()]
    print(f"no word on the error: {len(mute)} of {len(seen)} days")
    lost = current["minutes"].isna().groupby(current["day"]).mean()
    print(f"flights that never came, on those days: {lost[lost.index.isin(mute)].mean():.0%}")
    print(f"flights that never came, on the others: {lost[~lost.index.isin(mute)].mean():.0%}")


if __name__ == "__main__":
    main()
