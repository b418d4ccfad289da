"""Counters, the log of predictions, and the text that Prometheus reads. Given."""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

LOG = Path("log/predictions.jsonl")
HELP = {
    "promise_answers_total": "Answers with minutes.",
    "promise_degraded_total": "Answers by the fallback, by reason.",
    "promise_refused_total": "Requests that were refused at the door.",
    "promise_shadow_total": "Answers of the shadow, by outcome.",
}


class Counts:
    """Counts by name and label, and writes a line of JSON for each request."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        LOG.parent.mkdir(exist_ok=True)
        self._log = LOG.open("a", encoding="ascii", buffering=1)

    def add(self, name: str, label: str = "") -> None:
        """One more of `name`; `label` is like `version="2"`."""
        with self._lock:
            self._counts[name, label] += 1

    def log(self, **facts: Any) -> None:
        """A line in log/predictions.jsonl."""
        self._log.write(json.dumps(facts) + "\n")

    def text(self) -> str:
        """The counters in Prometheus's text format."""
        lines = []
        for name, says in HELP.items():
            lines += [f"# HELP {name} {says}", f"# TYPE {name} counter"]
            found = [(label, value) for (of, label), value in sorted(self._counts.items()) if of == name]
            lines += [f"{name}{{{label}}} {value}" if label else f"{name} {value}" for label, value in found]
            lines += [f"{name} 0"] if not found else []
        return "\n".join(lines) + "\n"
