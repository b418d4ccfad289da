"""Takes a submission, starts its judge, and makes a whole record of what the judge says.

Never imports learner code. Every check that was asked for is in the record exactly once: what the judge
did not report is a GRADER_ERROR.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from grader.errors import InvalidSubmission
from grader.judge import Job, blank
from grader.manifest import Check, Lab
from grader.results import CheckResult, Result, Verdict
from grader.snapshot import Snapshot, take

PUBLIC_SECRET = b"the public seed"
GRACE_S = 300


def judge(
    lab: Lab,
    work: Path,
    *,
    hidden: bool = False,
    only: Collection[str] | None = None,
    box: str = "local",
    secret: bytes | None = None,
    grace_s: float = GRACE_S,
) -> Result:
    """Judge the work in a folder.

    Args:
        lab: the lab that it is work for.
        work: the folder; it is read, never written.
        hidden: run the hidden checks too; they need `solutions/`.
        only: ids of checks to run, with those that they wait for; all when None.
        box: where learner code runs.
        secret: what `hidden.rng` draws from; the public seed when None.
        grace_s: what the judge may take beside the lab's wall time.

    Returns:
        One result for each check that was asked for, in the manifest's order. Work that cannot be taken
        has the verdict INVALID_SUBMISSION for all of them.
    """
    began = time.monotonic()
    asked = _asked(lab, hidden, only)
    try:
        snapshot = take(work)
        facts = Job(
            str(lab.folder), "", box, tuple(check.id for check in asked), (secret or PUBLIC_SECRET).hex(), ""
        )
        answer = _ask(snapshot, facts, lab.limits.wall_s + grace_s)
    except InvalidSubmission as error:
        invalid = tuple(
            blank(lab, check, Verdict.INVALID_SUBMISSION, box, found=str(error)) for check in asked
        )
        return Result(lab.id, lab.release, "", box, invalid)
    checks = tuple(_one(lab, check, answer, box) for check in asked)
    seconds = round(time.monotonic() - began, 3)
    versions = answer.get("versions", {})
    return Result(
        lab.id, lab.release, snapshot.hash, box, checks, seconds, tuple(answer.get("seeded", ())), versions
    )


def _asked(lab: Lab, hidden: bool, only: Collection[str] | None) -> tuple[Check, ...]:
    wanted = {check.id for check in lab.checks} if only is None else set(only)
    waiting = [lab.check(name) for name in wanted]
    while waiting:
        for name in waiting.pop().after:
            if name not in wanted:
                wanted.add(name)
                waiting.append(lab.check(name))
    return tuple(check for check in lab.checks if check.id in wanted and (hidden or not check.hidden))


def _ask(snapshot: Snapshot, job: Job, timeout_s: float) -> dict[str, Any]:
    """What the judge said; `said` holds its last words when it died."""
    with TemporaryDirectory(prefix="submission-") as folder:
        work, answer = Path(folder) / "work", Path(folder) / "answer.json"
        snapshot.copy_to(work)
        job = replace(job, work=str(work), answer=str(answer))
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "grader.judge"],
                cwd=folder,
                env=_environment() | {"TMPDIR": folder},  # what a killed judge leaves goes with it
                input=json.dumps(asdict(job)).encode(),  # the secret is never on a disk
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"said": f"The judge did not end within {timeout_s:g} s."}
        if done.returncode == 0 and answer.is_file():
            found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
            return found
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return {"said": f"The judge ended with exit code {done.returncode}: {' '.join(last)}"}


def _environment() -> dict[str, str]:
    """The judge's environment: the engine as it runs here, no pytest plugins but its own."""
    engine = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, (engine, os.environ.get("PYTHONPATH", ""))))
    return os.environ | {
        "PYTHONPATH": path,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
        "PYTEST_PLUGINS": "",
    }


def _one(lab: Lab, check: Check, answer: dict[str, Any], box: str) -> CheckResult:
    """The one report of a check; a GRADER_ERROR when there is none, or more than one."""
    reports = [report for report in answer.get("checks", ()) if report["id"] == check.id]
    if len(reports) == 1:
        return CheckResult(**{**reports[0], "verdict": Verdict(reports[0]["verdict"])})
    said = answer.get("said") or f"there is no one function `test_{check.id}`"
    return blank(lab, check, Verdict.GRADER_ERROR, box, found=f"The check did not report once: {said}")
