"""Sound examples of each kind, for a fuzzer to spoil."""

import json
from collections.abc import Mapping
from datetime import date, datetime

import numpy as np
import pandas as pd

from grader import wire
from tests.grader.zips import WHOLE, Raw, a_zip, raw_zip, wide_zip

VALUES = (
    None,
    {"id": 1, "value": [1, 2.5, "text", True, None, float("inf")]},
    {"bytes": b"\x00\xff", 2: date(2026, 1, 5), "at": datetime(2026, 1, 5, 9, 30)},
    np.arange(6.0).reshape(2, 3),
    np.array(["a", None, 1.5], dtype=object),
    pd.Series([1, 2], name="km"),
    pd.DataFrame({"zone": ["a", None], "km": [1.5, 2.5], "day": pd.to_datetime(["2026-01-05"] * 2)}),
)
MESSAGES = tuple(map(wire.encode, VALUES))
REPORTED = {"points": 5, "started": "2026-11-21T08:00:00Z", "hints": {"adds": 2}}
RECEIPT = {"lab": "01-add", "release": "0" * 64, "made": "2026-11-21T09:00:00Z", "reported": REPORTED}
ZIPS = (
    a_zip(WHOLE),
    a_zip({"receipt.json": json.dumps(RECEIPT), "work/add.py": "x", "work/.git/HEAD": "x"}),
    a_zip({"add.py": "x" * 5000, "a/b/": "", "a/c.py": "y"}),
    raw_zip([Raw(b"add.py", b"spam" * 99), Raw(b"link", b"add.py", mode=0o120777)]),
    raw_zip([Raw(b"stored", b"x" * 99, method=0)], comment=b"a comment"),
    wide_zip(b"wide", b"content"),
)
COLLECTED = {
    "format": 1,
    "learner": "anna",
    "lab": "01-add",
    "snapshot": "5" * 64,
    "collected_at": "2026-11-21T09:00:00Z",
    "sequence": 1,
    "late": None,
    "source": "anna.zip",
    "reported": {},
    "notes": ["made for release 0"],
}
NAMES = (
    "anna.zip", "Anna Lee_4711_assignsubmission_file_", "leeanna_123_456_work.zip", "ben", "Lee, Ben.zip",
    "anna@example.invalid.zip", "leeanna_LATE_123_456_text.html", "\x1b[2J\u202e",
)  # fmt: skip
CELLS = [
    {"cell_type": "markdown", "id": "head", "metadata": {}, "source": "# Promises"},
    {
        "cell_type": "code",
        "id": "write",
        "metadata": {},
        "source": ["def minutes(km):\n", "    return 10 + 4 * km"],
    },
    {"cell_type": "code", "metadata": {}, "source": "# checked here", "outputs": [], "execution_count": 1},
    {"cell_type": "raw", "id": "mine", "metadata": {"nbgrader": {"points": 99}}, "source": "x"},
]
KERNEL = {"kernelspec": {"language": "python"}}
NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": KERNEL, "cells": CELLS}
SEEDS: Mapping[str, tuple[bytes, ...]] = {
    "message": MESSAGES,
    "parts": tuple(one[2:4] + one[wire.HEAD.size :] for one in MESSAGES),
    "archive": ZIPS,
    "submission": ZIPS,
    "arrival": tuple(name.encode() for name in NAMES),
    "receipt": (json.dumps(COLLECTED).encode(),),
    "notebook": (json.dumps(NOTEBOOK).encode(), json.dumps(NOTEBOOK, indent=1).encode("utf-8-sig")),
    "text": tuple(name.encode() for name in NAMES),
}
