"""Fuzz by coverage, by hand: `python -m tests.fuzz TARGET [SECONDS]`.

Needs atheris, which is no part of the course's environment: `uv pip install atheris`. It runs until the
seconds are over (60) or something comes out that must not; what did lies in a file `crash-…` then.
"""

import sys
import tempfile
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Fuzz one target."""
    try:
        atheris = import_module("atheris")
    except ImportError:
        sys.exit("atheris is missing. Run `uv pip install atheris` in an environment of its own.")
    with atheris.instrument_imports(include=["grader"]):
        from tests.fuzz.seeds import SEEDS
        from tests.fuzz.targets import TARGETS
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"Name what to fuzz: {', '.join(TARGETS)}. Then, if you like, for how many seconds.")
    name, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    with tempfile.TemporaryDirectory(prefix="corpus-") as corpus:
        for number, seed in enumerate(SEEDS[name]):
            (Path(corpus) / str(number)).write_bytes(seed)
        limits = [f"-max_total_time={seconds}", "-rss_limit_mb=1024", "-timeout=10"]
        atheris.Setup([sys.argv[0], *limits, corpus], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
