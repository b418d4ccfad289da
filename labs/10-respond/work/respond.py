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
    return None


def labels(morning: Morning) -> str | None:
    """Labels that no delivery can have (`broken_labels`), or that are not in yet (`coverage`)."""
    return None


def release(morning: Morning) -> str | None:
    """A version went out (`version_days`), and since then answers are slow, or worse than `expected`."""
    return None


def city(morning: Morning) -> str | None:
    """Feed, labels and version are sound: what is left is the city itself, which has changed, or not."""
    return "retrain" if morning["alarm"] else None
