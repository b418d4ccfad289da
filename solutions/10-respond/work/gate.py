"""The gate: may the challenger take the champion's place? A stage of the job; it writes gate.json."""

# task: gate

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bundle import as_of

LEAST_DAYS = 14
MARGIN_MIN = 0.05
"""Minutes by which it has to be better, luck taken off."""

LUCK = 2.5
"""Standard errors, over days, that count as luck."""

WORSE_MIN = 0.5
"""Minutes by which no zone may get worse, luck taken off."""


def decide(shadow: pd.DataFrame, cutoffs: dict[str, int]) -> dict[str, Any]:
    """Whether to promote, and why: {"promote": …, "because": …}.

    `shadow` has a row per order: `day`, `zone`, `minutes` (NaN where it is not known), and what `champion`
    and `challenger` answered. `cutoffs` has for each of the two the day before which it was trained.
    """
    # BEGIN SOLUTION
    later = shadow[shadow["day"] >= max(cutoffs.values())].dropna(subset=["minutes"])
    gain = (later["minutes"] - later["champion"]).abs() - (later["minutes"] - later["challenger"]).abs()
    by_day = gain.groupby(later["day"]).mean()
    if len(by_day) < LEAST_DAYS:
        return {"promote": False, "because": f"{len(by_day)} days, {LEAST_DAYS} are needed"}
    sure = float(by_day.mean() - LUCK * luck(by_day))
    if sure <= MARGIN_MIN:
        return {"promote": False, "because": f"better by {sure:.2f} minutes, luck taken off: too little"}
    for zone, of in gain.groupby(later["zone"]):
        days = of.groupby(later["day"]).mean()
        if days.mean() + LUCK * luck(days) < -WORSE_MIN or days.mean() < -2 * WORSE_MIN:
            return {"promote": False, "because": f"{zone} gets worse by {-days.mean():.2f} minutes"}
    return {
        "promote": True,
        "because": f"better by {sure:.2f} minutes, luck taken off, on {len(by_day)} days",
    }
    # INSTEAD: gain = (shadow["minutes"] - shadow["champion"]).abs()
    # INSTEAD: gain -= (shadow["minutes"] - shadow["challenger"]).abs()
    # INSTEAD: return {"promote": bool(gain.mean() > 0), "because": f"better by {gain.mean():.2f} minutes"}
    # END SOLUTION


def luck(by_day: pd.Series) -> float:
    """The standard error of a mean over days."""
    return float(by_day.std(ddof=1) / np.sqrt(len(by_day))) if len(by_day) > 1 else float("inf")


if __name__ == "__main__":
    served = Path("bundles") / json.loads(Path("release.json").read_text())["champion"]
    cutoffs = {"champion": as_of(served), "challenger": as_of(Path("challenger"))}
    verdict = decide(pd.read_parquet("data/shadow.parquet"), cutoffs)
    card = json.loads((Path("challenger") / "bundle.json").read_text())
    said = {**verdict, "version": card["version"], "model_sha256": card["model_sha256"]}
    Path("gate.json").write_text(json.dumps(said, indent=2) + "\n")
    print(f"{'Promote' if verdict['promote'] else 'Keep the champion'}: {verdict['because']}.")
