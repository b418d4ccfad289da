"""Checks of lab 10 on what changes production: promote, roll back, and the trail that they leave."""

import hashlib
import json
from itertools import pairwise
from typing import Any

from grader.checks import Evidence, Expect, Finished, Student

PAGE = "modules/10-respond.md"
TRAIL = (
    b'{"day": 76, "act": "promote", "by": "history.py", "because": "first", "before": null, "after": "7"}\n'
)
MODEL, OTHER = b"the model that was looked at", b"another file"


def laid(*, promote: bool = True, model: bytes = MODEL) -> dict[str, bytes]:
    """A challenger, the gate's verdict on it, and a champion that serves."""
    sha = hashlib.sha256(MODEL).hexdigest()
    card = {"version": "8", "run": "0" * 32, "as_of": 111, "features": ["items"], "model_sha256": sha}
    gate = {"promote": promote, "because": "judged", "version": "8", "model_sha256": sha}
    old = card | {"version": "7", "as_of": 76, "features": ["hour"]}
    return {
        "challenger/model.skops": model,
        "challenger/bundle.json": json.dumps(card).encode(),
        "bundles/7/model.skops": b"the seventh",
        "bundles/7/bundle.json": json.dumps(old).encode(),
        "gate.json": json.dumps(gate).encode(),
        "release.json": json.dumps({"champion": "7", "previous": None}).encode(),
        "audit.jsonl": TRAIL,
    }


def test_tested_artifact_is_promoted(student: Student, expect: Expect) -> None:
    for files, says, name, why in (
        (laid(promote=False), "although the gate said no", "gate-ignored", "Then the gate is a report. "
         "What it says "
         "no to must not be served, whoever asks."),
        (laid(model=OTHER), "with another challenger/model.skops than the gate saw",
         "other-artifact-promoted",
         "Between the gate and the promotion somebody trained again: other numbers under the old "
         "verdict. Compare the "
         "file's sha256 with the one in gate.json."),
    ):  # fmt: skip
        done = student.run(["python", "release.py", "promote", "125"], files=files)
        expect.that(
            done.code != 0 and _served(done) == "7" and done.read("audit.jsonl") == TRAIL,
            looked_at=f"`python release.py promote 125` {says}",
            found=f"exit code {done.code}, and {_served(done)} is served",
            expected="an exit code other than 0, 7 goes on serving, and no line on the trail",
            why=why,
            link=f"{PAGE}#the-very-file",
            misconception=name,
        )
    done = student.run(["python", "release.py", "promote", "125"], files=laid())
    looked_at = "`python release.py promote 125` after the gate said yes to this very file"
    expect.that(
        done.code == 0 and _served(done) == "8" and done.read("bundles/8/model.skops") == MODEL,
        looked_at=looked_at,
        found=f"exit code {done.code}, {_served(done)} is served; {_last(done.stderr)}",
        expected="8 is served, and bundles/8/model.skops is the challenger's file",
        why="The gate said yes to exactly this.",
        link=f"{PAGE}#the-very-file",
        misconception="not-promoted",
    )


def test_rollback_takes_the_bundle_back(student: Student, expect: Expect) -> None:
    files = laid() | {
        "release.json": json.dumps({"champion": "8", "previous": "7"}).encode(),
        "bundles/8/model.skops": MODEL,
        "bundles/8/bundle.json": laid()["challenger/bundle.json"],
    }
    done = student.run(["python", "release.py", "rollback", "126", "the error rose"], files=files)
    whole = all(done.read(path) == files[path] for path in files if path.startswith("bundles/"))
    expect.that(
        done.code == 0 and _served(done) == "7" and whole,
        looked_at="`python release.py rollback 126`, with 8 served and 7 before it",
        found=f"exit code {done.code}, {_served(done)} is served"
        + ("" if whole else ", and a file in bundles/ has changed")
        + f"; {_last(done.stderr)}",
        expected="7 is served, and no bundle has changed",
        why="A bundle is written once. Its model goes with its own features, so what goes back is the "
        "name of the "
        "bundle that is served, never a file out of one into another.",
        link=f"{PAGE}#rollback",
        misconception="rollback-of-the-model-alone",
    )
    added = (done.read("audit.jsonl") or b"").removeprefix(TRAIL)
    expect.that(
        _act(added)
        == {"act": "rollback", "before": "8", "after": "7", "day": 126, "because": "the error rose"},
        looked_at="what the rollback added to audit.jsonl",
        found=added.decode(errors="replace") or "nothing",
        expected='one line: "act": "rollback", "day": 126, "before": "8", "after": "7", and the reason given',
        why="At the post-mortem nobody remembers. The trail does, if each act writes its line.",
        link=f"{PAGE}#the-trail",
        misconception="act-without-a-line",
    )


def test_trail_and_store_agree(evidence: Evidence, expect: Expect) -> None:
    trail = [_parsed(line) for line in (evidence.text("audit.jsonl") or "").splitlines() if line.strip()]
    broken = [line for line in trail if not {"day", "act", "by", "because"} <= set(line)]
    acts = [str(line.get("act")) for line in trail]
    expect.that(
        bool(trail) and not broken and {"retrain", "promote"} <= set(acts),
        looked_at="the lines of audit.jsonl",
        found=broken[:1] or acts,
        expected="JSON with day, act, by, because; among them a retrain and a promote",
        why="Each act that changes what customers get has a line: when, what, who, why.",
        link=f"{PAGE}#the-trail",
        misconception="act-without-a-line",
    )
    changes = [line for line in trail if line["act"] in ("promote", "rollback")]
    days = [line["day"] for line in trail]
    served = _parsed(evidence.text("release.json") or "").get("champion")
    chained = all(one.get("after") == two.get("before") for one, two in pairwise(changes))
    expect.that(
        chained and days == sorted(days, key=_number) and changes[-1].get("after") == served,
        looked_at="before, after and day of the promotions and rollbacks in audit.jsonl, and release.json",
        found="; ".join(f"day {line['day']}: {line.get('before')} to {line.get('after')}" for line in changes)
        + f"; served is {served}",
        expected="each begins where the one before ended, days go up, and the last names what is served",
        why="A line is missing or was changed after the fact. A trail with a gap proves nothing: lines "
        "are added, "
        "never edited, and release.json is changed by release.py alone.",
        link=f"{PAGE}#the-trail",
        misconception="trail-rewritten",
    )
    card = _parsed(evidence.text(f"bundles/{served}/bundle.json") or "")
    model = evidence.read(f"bundles/{served}/model.skops") or b""
    run = evidence.mlflow.run(str(card.get("run")))
    expect.that(
        run is not None
        and run.tags.get("model_sha256") == hashlib.sha256(model).hexdigest()
        and run.params.get("alarm") not in (None, "none"),
        looked_at=f"bundles/{served}/model.skops, and the MLflow run that its bundle.json names",
        found=f"sha256 {hashlib.sha256(model).hexdigest()[:12]}; run {str(card.get('run'))[:7]} "
        + (f"has {run.tags.get('model_sha256', 'none')[:12]}" if run else "is not in the store"),
        expected="the file that the run logged, trained because of an alarm",
        why="What serves has to lead back to the run that made it, its data and the alarm. Here it ends "
        "at a file of "
        "which nobody knows where it comes from.",
        link=f"{PAGE}#the-very-file",
        misconception="served-from-nowhere",
    )


def _served(done: Finished) -> Any:
    return _parsed((done.read("release.json") or b"").decode(errors="replace")).get("champion")


def _act(added: bytes) -> dict[str, Any]:
    line = _parsed(added.decode(errors="replace"))
    return {key: line.get(key) for key in ("act", "before", "after", "day", "because")}


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("inf")


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["it printed nothing"])[-1][:200]
