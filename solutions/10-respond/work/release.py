"""Promote, roll back, verify: `python release.py promote 125`. What is served stands in release.json."""

# task: act

import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import audit

RELEASE = Path("release.json")
GATE = Path("gate.json")
CHALLENGER = Path("challenger")
BUNDLES = Path("bundles")
LEAST_DAYS = 5
WORSE_MIN = 0.1


def promote(day: int) -> None:
    """Serve the challenger, if the gate let it pass, and if it is the very file that the gate looked at.

    Its folder becomes bundles/VERSION, release.json names it, and the trail gets a line.
    """
    card, gate = json.loads((CHALLENGER / "bundle.json").read_text()), json.loads(GATE.read_text())
    # BEGIN SOLUTION
    found = hashlib.sha256((CHALLENGER / "model.skops").read_bytes()).hexdigest()
    if not gate["promote"]:
        sys.exit(f"The gate says no: {gate['because']}.")
    if found != gate["model_sha256"]:
        sys.exit("challenger/model.skops is not the file that the gate looked at. Run the job again.")
    # INSTEAD: # act: what the gate said, and of which file
    # END SOLUTION
    target = BUNDLES / card["version"]
    if not target.exists():
        part = BUNDLES / f"{card['version']}.part"
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(CHALLENGER, part)
        part.rename(target)
    serve(day, "promote", card["version"], gate["because"])


def rollback(day: int, because: str) -> None:
    """Serve the bundle that was served before, whole."""
    # BEGIN SOLUTION
    before = read()["previous"]
    if before is None:
        sys.exit("release.json names no previous version.")
    serve(day, "rollback", before, because)
    # INSTEAD: raise NotImplementedError("Serve what release.json calls previous.")
    # END SOLUTION


def verify(day: int) -> None:
    """Look at what the last promotion has done by now; take it back when it made things worse."""
    import pandas as pd
    from bundle import said

    since = [line for line in audit.read() if line["act"] in ("promote", "rollback")][-1]
    now, before = BUNDLES / read()["champion"], BUNDLES / str(read()["previous"])
    orders = pd.read_parquet("data/orders.parquet").dropna(subset=["distance_km"])
    there = orders[(orders["day"] >= since["day"]) & (orders["day"] < day)]
    served = there[["day", "minutes"]].assign(now=said(now, there), before=said(before, there))
    served["minutes"] = served["minutes"].where(there["labelled"] <= day)
    verdict = looked_at(served)
    print(f"Day {day}: {verdict}.")
    if verdict == "worse":
        rollback(day, "verified: it made things worse")
    else:
        audit.write(day=day, act="verify", by="release.py", because=verdict)


def looked_at(served: Any) -> str:
    """What the days since a promotion say of it: "holds", "worse" or "too early".

    `served` is a table with a row per order: `day`, `minutes` (NaN where it is not known), what is answered
    `now`, and what the bundle `before` would have answered. Paired by day, luck taken off, as at the gate.
    """
    # BEGIN SOLUTION
    known = served.dropna(subset=["minutes"])
    loss = (known["minutes"] - known["now"]).abs() - (known["minutes"] - known["before"]).abs()
    by_day = loss.groupby(known["day"]).mean()
    if len(by_day) < LEAST_DAYS:
        return "too early"
    error = by_day.std(ddof=1) / len(by_day) ** 0.5
    return "worse" if by_day.mean() - 2.5 * error > WORSE_MIN else "holds"
    # INSTEAD: return "holds"
    # END SOLUTION


def serve(day: int, act: str, version: str, because: str) -> None:
    """Name the version in release.json, in one step, and put the act on the trail. Given."""
    before = read()["champion"]
    part = RELEASE.with_name(f"release.json.{os.getpid()}")
    part.write_text(json.dumps({"champion": version, "previous": before}, indent=2) + "\n")
    part.replace(RELEASE)
    audit.write(day=day, act=act, by="release.py", because=because, before=before, after=version)
    print(f"Day {day}: {act}, {before} -> {version}.")


def read() -> dict[str, Any]:
    """What is served. Given."""
    return dict(json.loads(RELEASE.read_text()))


def main() -> None:
    """Parse, call."""
    parser = argparse.ArgumentParser()
    parser.add_argument("act", choices=["promote", "rollback", "verify"])
    parser.add_argument("day", type=int)
    parser.add_argument("because", nargs="?", default="asked for by hand")
    asked = parser.parse_args()
    if asked.act == "rollback":
        rollback(asked.day, asked.because)
    else:
        {"promote": promote, "verify": verify}[asked.act](asked.day)


if __name__ == "__main__":
    main()
