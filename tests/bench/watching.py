"""`lab watch`, from save to answer."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

SAVES = 5


def answers(workspace: Path, file: str, environment: Mapping[str, str]) -> float:
    """Median seconds from a save of `file` to the line of JSON that answers it."""
    watching = subprocess.Popen(
        [str(Path(sys.executable).parent / "lab"), "watch", "--json"],
        cwd=workspace,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        if watching.stdout is None or not watching.stdout.readline():
            sys.exit("`lab watch` said nothing.")
        times = []
        for round_ in range(SAVES):
            time.sleep(1)
            began = time.perf_counter()
            (workspace / file).open("a").write(f"# round {round_}\n")
            if not watching.stdout.readline():
                sys.exit("`lab watch` ended early.")
            times.append(time.perf_counter() - began)
        return statistics.median(times)
    finally:
        os.killpg(watching.pid, signal.SIGINT)
        watching.wait()
