"""Show in the terminal what the detector says. Given.

python show.py --log quiet      the first rows of both tables
python show.py today            a sign per day, the episodes, the columns that were blamed
python show.py mine my-quiet    the same, with other quiet days than data/quiet
python show.py --predicted      your predictions beside what was seen, for the four logs
"""

import sys
import tomllib
from pathlib import Path

import pandas as pd
from labels import join_labels

SIGNS = {"none": ".", "input": "i", "feed": "F", "labels": "L", "relation": "R"}


def log(name: str) -> pd.DataFrame:
    """A log of data/, joined with the labels that had come on its last evening."""
    predictions = pd.read_parquet(f"data/{name}/predictions.parquet")
    labels = pd.read_parquet(f"data/{name}/labels.parquet")
    return join_labels(predictions, labels, predictions["day"].max() + 1)


def told(name: str, quiet: str = "quiet") -> pd.DataFrame:
    """What `watch` says of a log of data/, with the log of quiet days as its reference."""
    from detector import watch

    current = log(name)
    return watch(log(quiet), current, int(current["day"].min()), int(current["day"].max()))


def show(name: str, quiet: str = "quiet") -> None:
    from detector import episodes

    said = told(name, quiet)
    print(f"days {said['day'].iloc[0]} to {said['day'].iloc[-1]}, one sign a day:")
    print("".join(SIGNS[kind] for kind in said["kind"]))
    print("  . none  i input  F feed  L labels  R relation")
    print(f"episodes: {episodes(said['kind'] != 'none')}, of which alarms: {episodes(said['alarm'])}")
    blamed = said.loc[said["feature"] != "", "feature"].value_counts()
    if len(blamed):
        print("blamed:", ", ".join(f"{column} ({days} days)" for column, days in blamed.items()))


def head(name: str) -> None:
    predictions, labels = (
        pd.read_parquet(f"data/{name}/{table}.parquet") for table in ("predictions", "labels")
    )
    print(len(predictions), "answers,", len(labels), "labels")
    columns = ["order_id", "day", "zone", "distance_km", "rain_mm", "promised", "version"]
    print(predictions[columns].head(3).to_string(index=False))
    print(labels.head(3).to_string(index=False))


def compare() -> None:
    for name, thought in tomllib.loads(Path("predictions.toml").read_text()).items():
        said = told(name)
        seen = said.loc[said["kind"] != "none", "kind"]
        print(f"{name}")
        print(f"  you: moves {thought['moves'] or 'nothing'}, error rises: {thought['error_rises']}")
        blamed = sorted(set(said.loc[said["feature"] != "", "feature"]))
        print(f"  it:  {seen.mode().get(0, 'none')} on {len(seen)} days, blamed: {blamed or 'no column'}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--predicted"]:
        compare()
    elif sys.argv[1:2] == ["--log"]:
        head(sys.argv[2])
    else:
        show(*(sys.argv[1:] or ["today"]))
