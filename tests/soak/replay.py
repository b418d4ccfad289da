"""A replay under fire: both sides are killed again and again, and nothing is lost or counted twice.

    python -m tests.soak.replay

Part of `make soak`. The feed delivers orders twice besides.
"""

import random
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lab_env.replay.report import Report, read_report
from lab_env.replay.run import Rules
from lab_env.world import World
from tests.lab_env.replay.serving import Serving

SCENARIO, FIRST_DAY, DAYS = "doubled-feed", 92, 6
KILLS, SEED = 12, 20261121
LAB = Path(sys.executable).parent / "lab"


def main() -> int:
    """Print what came of it; 1 when anything is not as it must be."""
    with TemporaryDirectory(prefix="soak-") as folder:
        serving, log = Serving(Path(folder), unix=True), Path(folder, "replay.db")
        serving.start()
        done = threading.Event()
        rain = threading.Thread(target=_kill_the_service, args=(serving, done, random.Random(SEED)))
        rain.start()
        try:
            kills = _replay_under_fire(serving, log, random.Random(SEED + 1))
        finally:
            done.set()
            rain.join()
            serving.kill()
        report = read_report(log)
        problems = _surprises(serving, report, kills)
    print(
        f"replay: killed {kills} times; {report.orders:,} orders, {report.labels:,} labels, {report.faults}"
    )
    print("\n".join(problems) or "As expected: every order logged once, every label delivered once.")
    return 1 if problems else 0


def _kill_the_service(serving: Serving, done: threading.Event, rng: random.Random) -> None:
    """Every few seconds, for up to half a second."""
    while not done.wait(rng.uniform(2, 5)):
        serving.kill()
        done.wait(rng.uniform(0, 0.5))
        serving.start()


def _replay_under_fire(serving: Serving, log: Path, rng: random.Random) -> int:
    """Type the command until it ends by itself and well; up to KILLS times it is not let."""
    words = ["--scenario", SCENARIO, "--first-day", str(FIRST_DAY), "--days", str(DAYS), "--log", str(log)]
    kills = 0
    while True:
        replaying = subprocess.Popen(
            [LAB, "world", "replay", *words, "--to", serving.to],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if replaying.wait(rng.uniform(2, 7) if kills < KILLS else None) == 0:
                return kills
        except subprocess.TimeoutExpired:
            replaying.kill()
            replaying.wait()
            kills += 1


def _surprises(serving: Serving, report: Report, kills: int) -> list[str]:
    columns = World(scenario=SCENARIO).orders(FIRST_DAY, DAYS)
    rows, ids = len(columns["order_id"]), set(columns["order_id"].tolist())
    due = set(columns["order_id"][~np.isnan(columns["minutes"])].tolist())
    again = len(serving.seen("order")) - rows
    in_flight = Rules().workers * kills + sum(report.faults.values())
    wrong = {
        f"{report.answered:,} of {rows:,} rows are answered": report.answered != rows,
        "the service saw other orders": set(serving.seen("order")) != ids,
        f"{report.labels:,} of {len(due):,} labels are delivered": report.labels != len(due),
        "the service got other labels": set(serving.seen("label")) != due,
        f"{again} orders were sent again, more than were in flight ({in_flight})": again > in_flight,
    }
    return [what for what, is_so in wrong.items() if is_so]


if __name__ == "__main__":
    sys.exit(main())
