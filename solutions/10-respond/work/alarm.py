"""An alarm comes in: is a retraining due? Then the job runs. `python alarm.py alarms/094.json --today 94`."""

# task: retrain

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import audit
import yaml

ENOUGH_DAYS = 14
"""Days since the change began; fewer are mostly their own luck."""

COOLDOWN_DAYS = 14
"""Days between one retraining and the next: what was trained has to be looked at before it is replaced."""


def due(alarm: dict[str, Any], trail: list[dict[str, Any]], today: int) -> tuple[bool, str]:
    """Whether a retraining is due, and why or why not.

    `alarm` has `kind` (feed, labels, relation, input, system) and `since`, the day on which it began; `trail`
    is the audit trail, each line with `act` and `day`.
    """
    # BEGIN SOLUTION
    if alarm["kind"] != "relation":
        return False, f"{alarm['kind']}: what was trained again would be as wrong, or wrong when it is mended"
    if today - alarm["since"] < ENOUGH_DAYS:
        return (
            False,
            f"{today - alarm['since']} days since it began, {ENOUGH_DAYS} are needed: an offset until then",
        )
    last = max((line["day"] for line in trail if line["act"] == "retrain"), default=None)
    if last is not None and today - last < COOLDOWN_DAYS:
        return False, f"the last retraining was on day {last}, {COOLDOWN_DAYS} days have to pass"
    return True, f"the relation has been another for {today - alarm['since']} days"
    # INSTEAD: return True, "the alarm rang"
    # END SOLUTION


def main() -> None:
    """Parse, decide, run the job."""
    parser = argparse.ArgumentParser()
    parser.add_argument("alarm", type=Path)
    parser.add_argument("--today", type=int, required=True)
    asked = parser.parse_args()
    alarm = json.loads(asked.alarm.read_text())
    runs, because = due(alarm, audit.read(), asked.today)
    told = f"Day {asked.today}, {alarm['id']}: {'retrain' if runs else 'no retraining'}, because {because}."
    print(told, flush=True)  # before what the job says
    if not runs:
        return
    job = {"alarm": alarm["id"], "as_of": asked.today, "days": 28, "shadow_days": 14}
    Path("job.yaml").write_text(yaml.safe_dump(job))
    if subprocess.run([sys.executable, "-m", "dvc", "repro"], check=False).returncode:
        sys.exit("The job failed; what is served is as it was.")
    audit.write(day=asked.today, act="retrain", by="alarm.py", because=f"{alarm['id']}: {because}")


if __name__ == "__main__":
    main()
