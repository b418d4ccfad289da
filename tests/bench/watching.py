"""`lab watch`, from save to answer."""

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue

SAVES, PATIENCE_S = 5, 120


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
    told: SimpleQueue[float] = SimpleQueue()
    threading.Thread(target=_note, args=(watching.stdout, told), daemon=True).start()
    try:
        told.get(timeout=PATIENCE_S)
        times = []
        for round_ in range(SAVES):
            time.sleep(1)
            while not told.empty():  # a busy machine may see one save as two
                told.get()
            began = time.perf_counter()
            (workspace / file).open("a").write(f"# round {round_}\n")
            times.append(told.get(timeout=PATIENCE_S) - began)
        return statistics.median(times)
    except Empty:
        sys.exit(f"`lab watch` said nothing for {PATIENCE_S} s.")
    finally:
        os.killpg(watching.pid, signal.SIGINT)
        watching.wait()


def _note(lines: Iterable[str] | None, told: SimpleQueue[float]) -> None:
    """Note when each line was said."""
    for _ in lines or ():
        told.put(time.perf_counter())
