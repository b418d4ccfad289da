"""Takes a submission, starts its judge, and makes a whole record of what the judge says.

Never imports learner code. Every check that was asked for is in the record exactly once: what the judge
did not report is a GRADER_ERROR.
"""

import json
import subprocess
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
from grader.warm import JUDGE, WarmJudge, judge_environment

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
    warm: WarmJudge | None = None,
    scratch: Path | None = None,
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
        warm: the template that the judge is forked from, for this lab and box; a cold judge when None.
        scratch: where its copy of the work lies meanwhile; the system's place for such things when None.

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
        answer = _ask(snapshot, facts, lab.limits.wall_s + grace_s, warm, scratch)
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


def _ask(
    snapshot: Snapshot, job: Job, timeout_s: float, warm: WarmJudge | None, scratch: Path | None
) -> dict[str, Any]:
    """What the judge said; `said` holds its last words when it died."""
    with TemporaryDirectory(prefix="submission-", dir=scratch) as folder:
        work, answer = Path(folder) / "work", Path(folder) / "answer.json"
        snapshot.copy_to(work)
        facts = asdict(replace(job, work=str(work), answer=str(answer)))
        try:
            ran = warm.run(facts, timeout_s) if warm is not None else None
            code, said = ran or _cold(facts, Path(folder), timeout_s)
        except TimeoutError:
            return {"said": f"The judge did not end within {timeout_s:g} s."}
        if code == 0 and answer.is_file():
            found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
            return found
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        return {"said": f"The judge ended with exit code {code}: {' '.join(last)}"}


def _cold(facts: dict[str, Any], folder: Path, timeout_s: float) -> tuple[int, bytes]:
    """Exit code and last words of a judge in a process of its own."""
    try:
        done = subprocess.run(
            JUDGE,
            cwd=folder,
            env=judge_environment() | {"TMPDIR": str(folder)},  # what a killed judge leaves goes with it
            input=json.dumps(facts).encode(),  # the secret is never on a disk
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    return done.returncode, done.stderr


def _one(lab: Lab, check: Check, answer: dict[str, Any], box: str) -> CheckResult:
    """The one report of a check; a GRADER_ERROR when there is none, or more than one."""
    reports = [report for report in answer.get("checks", ()) if report["id"] == check.id]
    if len(reports) == 1:
        return CheckResult(**{**reports[0], "verdict": Verdict(reports[0]["verdict"])})
    said = answer.get("said") or f"there is no one function `test_{check.id}`"
    return blank(lab, check, Verdict.GRADER_ERROR, box, found=f"The check did not report once: {said}")
