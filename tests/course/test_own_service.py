"""Lab 09's code reads the log of a service that was built in lab 08."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copytree

from lab_env.bundles import ZONES, Bundle, laid
from lab_env.replay.asked import asked_log
from lab_env.world import Scenario, World
from lab_env.world.incidents import Metres
from lab_env.world.prediction_log import write_prediction_log

SOLUTIONS = Path(__file__).parent.parent.parent / "solutions"
WEIGHTS = {"distance_km": 4.5, "items": 0.8} | {f"in_{zone}": 1.0 for zone in ZONES}
BUNDLE = Bundle("102", 12.0, WEIGHTS, dict.fromkeys((*ZONES, "elsewhere"), 30.0))
FIRST, BROKEN, LAST = 30, 33, 36
TELL = """
import json
from show import log, told
now = log("metres")
refused = now["promised"].isna()
print(json.dumps({
    "kinds": told("metres")["kind"].tolist(),
    "versions": sorted(set(now["version"])),
    "refused": sorted(set(now.loc[refused, "day"].tolist())),
    "degraded": int(now["degraded"].sum()),
}))
"""


@contextmanager
def serving(work: Path) -> Iterator[str]:
    """The service of a workspace of lab 08, on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = subprocess.Popen([sys.executable, "-m", "service", "--port", str(port)], cwd=work)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and service.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        service.kill()
        service.wait()


def test_the_watch_of_09_reads_the_log_of_the_service_of_08(tmp_path: Path) -> None:
    own = copytree(SOLUTIONS / "08-deploy" / "work", tmp_path / "08")
    for path, content in laid([BUNDLE], "102").items():
        (own / path).parent.mkdir(parents=True, exist_ok=True)
        (own / path).write_bytes(content)
    work = copytree(SOLUTIONS / "09-monitor-drift" / "work", tmp_path / "09")
    metres = Scenario("metres", "Distances come in metres.", (Metres(start=BROKEN, days=2),))
    world = World(5, metres, orders_per_day=60)
    with serving(own) as to:
        for name, first, days in (("quiet", 0, FIRST), ("metres", FIRST, LAST - FIRST)):
            write_prediction_log(work / "data" / name, asked_log(world, first, days, to))
    done = subprocess.run([sys.executable, "-c", TELL], cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["versions"] == ["", "102"]  # what its door refused has no version
    assert told["refused"] == [BROKEN, BROKEN + 1]
    assert told["kinds"] == ["none", "none", "none", "feed", "feed", "none"]
