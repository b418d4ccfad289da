"""The evening's answer as numbers that Prometheus can scrape, in its text format.

python export.py new-bridge        prints them, from the last day of data/new-bridge
"""

# task: write-the-rules

import pandas as pd
from prometheus_client import CollectorRegistry, Gauge, generate_latest

KINDS = ["feed", "labels", "relation", "input", "none"]


def exposition(told: pd.DataFrame) -> str:
    """The last row of what `watch` returned, as text.

    `tiffin_monitor_day`: the day that was looked at. `tiffin_monitor_kind{kind="…"}`: 1 for the kind that
    was told and 0 for each of the others, so that what has ended is seen to have ended.
    """
    registry = CollectorRegistry()
    last = told.iloc[-1]
    Gauge("tiffin_monitor_day", "The last day that was looked at", registry=registry).set(last["day"])
    kinds = Gauge("tiffin_monitor_kind", "1 for what was told that day", ["kind"], registry=registry)
    kinds.labels(kind=last["kind"]).set(1)
    return generate_latest(registry).decode()


if __name__ == "__main__":
    import sys

    from show import told

    print(exposition(told(sys.argv[1])), end="")
