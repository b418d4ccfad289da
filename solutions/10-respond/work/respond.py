"""What to do this morning. `respond` sees a morning and answers with one word; README.md explains both.

It goes down the steps and takes the first that has an answer. A step that has nothing to say gives None;
"wait" means: wait, and look no further. Try it: `lab world live respond.py --scenario metres`.
"""

# task: respond

from typing import Any

Morning = dict[str, Any]
LOUD = 0.01
"""The share of a morning's rows that is no accident any more."""


def respond(morning: Morning) -> str:
    """One of wait, quarantine, fallback, mend, offset, retrain, retrain-recent, rollback, calendar."""
    for step in (calendar, door, labels, release, city):
        if (action := step(morning)) is not None:
            return action
    return "wait"


def calendar(morning: Morning) -> str | None:
    """Shown done: the calendar knows the festival, and its slice was trained on last year's."""
    if morning["festival"]:
        return "wait" if morning["cover"] == "calendar" else "calendar"
    return None


def door(morning: Morning) -> str | None:
    """Rows break the contract (`violations`), or come twice (`copies`)."""
    # BEGIN SOLUTION
    if max(morning["violations"], morning["copies"]) <= LOUD:
        return None
    if morning["cover"] not in ("quarantine", "fallback"):
        return "quarantine"
    return "wait" if morning["mended"] else "mend"
    # INSTEAD: return None
    # END SOLUTION


def labels(morning: Morning) -> str | None:
    """Labels that no delivery can have (`broken_labels`), or that are not in yet (`coverage`)."""
    # BEGIN SOLUTION
    if morning["broken_labels"] > LOUD:
        return "wait" if morning["mended"] else "mend"
    return "wait" if morning["coverage"] < 0.95 else None
    # INSTEAD: return None
    # END SOLUTION


def release(morning: Morning) -> str | None:
    """A version went out (`version_days`), and since then answers are slow, or worse than `expected`."""
    # BEGIN SOLUTION
    young = morning["version_days"] is not None and morning["version_days"] < 7
    if not young or morning["rolled_back"]:
        return None
    worse = morning["error"] is not None and morning["error"] > 1.15 * morning["expected"]
    return "rollback" if worse or morning["latency_ms"] > 300 else None
    # INSTEAD: return None
    # END SOLUTION


def city(morning: Morning) -> str | None:
    """Feed, labels and version are sound: what is left is the city itself, which has changed, or not."""
    # BEGIN SOLUTION
    days = morning["learned_days"]
    if morning["rolled_back"] and days is None:
        return "retrain"  # the older bundle's model is stale
    worse = morning["error"] is not None and morning["error"] > 1.1 * morning["expected"]
    if morning["strange"] > 0.02 and worse and (days is None or days >= 5):
        if morning["strange_labels"] >= 150:
            return "retrain"
        return None if morning["cover"] == "fallback" else "fallback"
    if morning["learned"] == "offset" and days >= 9:
        return "retrain-recent"
    known = [abs(of) for zone, of in morning["bias"].items() if of is not None and zone != "airport"]
    limit = 0.12 if morning["learned"] == "offset" else 0.16
    if known and max(known) > limit and (days is None or days >= 3):
        return "offset"
    return None
    # INSTEAD: return "retrain" if morning["alarm"] else None
    # END SOLUTION
