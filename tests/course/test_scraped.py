"""Lab 09's numbers and rules in a real Prometheus: it scrapes what the master exports, and rings."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

WORK = Path(__file__).parent.parent.parent / "solutions" / "09-monitor-drift" / "work"
PROMETHEUS = shutil.which("prometheus")
WAIT_S = 60.0
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: monitor
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Monitor(ThreadingHTTPServer):
    """Serves at /metrics what the master's export.py says of a day."""

    kind = "none"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Metrics)
        self.export = _export()


class _Metrics(BaseHTTPRequestHandler):
    server: Monitor

    def do_GET(self) -> None:  # the library's name
        told = pd.DataFrame({"day": [98], "kind": [self.server.kind], "alarm": [True], "feature": [""]})
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(self.server.export.exposition(told).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _export() -> ModuleType:
    spec = spec_from_file_location("lab_09_export", WORK / "export.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[str]:
    """A server that scrapes a port of this machine, with the master's rules; its address."""
    (folder / "prometheus.yml").write_text(CONFIG.format(rules=WORK / "alerts.yml", port=target))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    words += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    assert PROMETHEUS is not None
    process = subprocess.Popen([PROMETHEUS, *words], cwd=folder)
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.terminate()
        process.wait(30)


def firing(api: str) -> set[tuple[str, str]]:
    """Name and severity of each alert that fires now; nothing while the server starts."""
    try:
        with urllib.request.urlopen(f"{api}/alerts", timeout=5) as answer:
            alerts = json.load(answer)["data"]["alerts"]
    except OSError:
        return {("none", "not there yet")}
    rings = (alert["labels"] for alert in alerts if alert["state"] == "firing")
    return {(labels["alertname"], labels["severity"]) for labels in rings}


def comes(api: str, wanted: set[tuple[str, str]]) -> bool:
    """Whether just these alerts fire before the wait is over."""
    end = time.monotonic() + WAIT_S
    while (found := firing(api)) != wanted and time.monotonic() < end:
        time.sleep(0.2)
    return found == wanted


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not on PATH")
def test_a_real_prometheus_scrapes_the_numbers_and_rings_by_the_rules(tmp_path: Path) -> None:
    with ExitStack() as opened:
        monitor = opened.enter_context(Monitor())
        threading.Thread(target=monitor.serve_forever, daemon=True).start()
        opened.callback(monitor.shutdown)
        api = opened.enter_context(prometheus(tmp_path, monitor.server_port))
        for kind, wanted in (
            ("relation", {("ModelHarm", "page")}),
            ("input", {("InputsMoved", "ticket")}),
            ("none", set()),
        ):
            monitor.kind = kind
            assert comes(api, wanted), f"{kind}: {firing(api)}"
