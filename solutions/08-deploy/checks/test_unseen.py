"""Hidden checks of lab 08: batch and service alike, a broken bundle kept out, memory, time, another salt."""

# CANARY-4be17c90d2f8

import csv
import io
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from grader.checks import Expect, Sent, Session, Student, at_most
from lab_env import bundles as given

PAGE = "modules/08-deploy.md"
GROWN_MB = 15.0
WAIT_S = 1.5  # within which a service has surely looked at release.json
CUSTOMERS = 200
TIMES_SLOWER = 2.0
ROUNDS = 3
ALONE = """
import json, pathlib, time
import numpy as np, skops.io
folder = pathlib.Path("bundles", json.loads(pathlib.Path("release.json").read_text())["champion"])
columns = len(json.loads((folder / "bundle.json").read_text())["features"])
types = skops.io.get_untrusted_types(file=folder / "model.skops")
model = skops.io.load(folder / "model.skops", trusted=types)
def seconds():
    began = time.perf_counter()
    model.predict(np.zeros((1, columns)))
    return time.perf_counter() - began
print(np.quantile([seconds() for _ in range(100)], 0.95))
"""
RSS = """
import os, pathlib
parents, sizes = {}, {}
for status in pathlib.Path("/proc").glob("[0-9]*/status"):
    try:
        text = status.read_text()
        parents[int(status.parent.name)] = int(text.split("PPid:")[1].split()[0])
        sizes[int(status.parent.name)] = int(text.split("RssAnon:")[1].split()[0])
    except (OSError, IndexError):
        pass
def is_below(pid):
    return pid in parents and pid != os.getpid() and (parents[pid] == os.getppid() or is_below(parents[pid]))
print(sum(size for pid, size in sizes.items() if is_below(pid)))
"""


def test_batch_answers_alike(student: Student, expect: Expect) -> None:
    made, asked = given.made(40)
    for order, gap in zip(asked, ("distance_km", "rain_mm", "couriers_free", "kitchen_queue"), strict=False):
        order[gap] = None
    asked[5]["zone"] = "airport"
    asked[6]["hour"] = 3  # impossible: left out
    table = io.BytesIO()
    pd.DataFrame(asked).to_parquet(table, index=False)
    files = given.laid(made, "102") | {"judged.parquet": table.getvalue()}
    session = given.started(student, files, expect)
    done = session.run(["python", "batch.py", "judged.parquet", "judged.csv"])
    looked_at = "`python batch.py` on 40 orders, one of them impossible, beside the service's answers"
    expect.that(
        done.code == 0,
        looked_at=looked_at,
        found=(done.stderr.strip().splitlines() or ["no reason given"])[-1],
        expected="exit code 0",
        why="One order that cannot be answered must not stop the night's other ones.",
        link=f"{PAGE}#batch-and-online",
        misconception="batch-stops",
    )
    wanted = {}
    for one in session.load(asked, workers=1).sent:
        if one.reply.status != 422:
            said = given.whole(one, expect, "the same orders, one by one, to the service")
            wanted[str(asked[one.index]["order_id"])] = (said["minutes"], said["degraded"])
    found = _table(session.read("judged.csv") or b"")
    apart = [
        f"order {name}: batch {found.get(name, 'nothing')}, service {said}"
        for name, said in wanted.items()
        if name not in found or abs(found[name][0] - said[0]) > given.NEAR or found[name][1] != said[1]
    ]
    expect.that(
        not apart and len(found) == len(wanted),
        looked_at=looked_at,
        found=apart[0] if apart else f"{len(found)} answers",
        expected=f"the same {len(wanted)} answers as the service's",
        why="The same order gets two answers, by the way that it came in. That is training-serving skew, "
        "made at home: two programs that fill a gap each in its own way. Let both call the one function.",
        link=f"{PAGE}#batch-and-online",
        misconception="two-ways-to-fill-a-gap",
    )


def _table(content: bytes) -> dict[str, tuple[float, bool]]:
    """Minutes and `degraded` by order_id, of what the batch wrote."""
    found = {}
    for line in csv.DictReader(content.decode(errors="replace").splitlines()):
        try:
            degraded = (line.get("degraded") or "").lower() in ("true", "1")
            found[str(line.get("order_id"))] = (float(line["minutes"]), degraded)
        except (KeyError, TypeError, ValueError):
            continue
    return found


def test_old_one_serves_on(student: Student, expect: Expect) -> None:
    made, asked = given.made(20, 4)
    broken = [made[1].broken("cut"), made[2].broken("nan")]
    session = given.started(student, given.laid([made[0], *broken, made[3]], "101"), expect)
    for bundle in broken:
        session.run(["python", "release.py", "deploy", bundle.version])
        time.sleep(WAIT_S)
        looked_at = (
            f"20 orders and /readyz, {WAIT_S:g} s after a broken bundle was deployed ({bundle.breaks})"
        )
        for order, said in zip(asked, given.answers(session, asked, expect, looked_at), strict=True):
            expect.that(
                given.agree(said, order, made[:1]),
                looked_at=looked_at,
                found=said,
                expected="101's answers",
                why="Nobody lets go of the rope that holds before the next one does. Load the new one, ask "
                "it, and only then replace the old.",
                link=f"{PAGE}#health-is-not-readiness",
                misconception="broken-one-let-in",
            )
        reply = session.get("/readyz")
        told = given.parsed(reply.body)
        expect.that(
            reply.status == 200 and isinstance(told, dict) and told.get("model_version") == "101",
            looked_at=looked_at,
            found=f"status {reply.status}: {reply.body[:150].decode(errors='replace')}",
            expected='200 with "model_version": "101"',
            why="The service can answer, so it stays in; and it says which version answers, so that whoever "
            f"deployed {bundle.version} sees that it did not take.",
            link=f"{PAGE}#health-is-not-readiness",
            misconception="ready-without-a-prediction",
        )
    session.run(["python", "release.py", "deploy", "104"])
    expect(
        given.settled(session, "104", expect),
        "104",
        looked_at="the model_version after a sound bundle was deployed upon the broken ones",
        why="A bundle that did not take must not stop the next one.",
        link=f"{PAGE}#change-it-while-it-answers",
    )


def test_model_is_loaded_once(student: Student, expect: Expect) -> None:
    made, asked = given.made(500)
    session = given.started(student, given.laid(made, "101"), expect)
    session.run(["python", "-c", "import shutil; shutil.rmtree('bundles/101')"])
    sent = session.load(asked[:50], workers=4).sent
    lost = [one for one in sent if one.reply.status != 200]
    expect.that(
        not lost,
        looked_at="50 orders after the files of the served bundle were taken away",
        found=f"status {lost[0].reply.status}: {lost[0].reply.body[:150].decode(errors='replace')}"
        if lost
        else "",
        expected="answers: what is served is in memory",
        why="The model is read again for each request. That costs a hundred predictions a time, and a disk "
        "that hangs takes the service along.",
        link=f"{PAGE}#from-artifact-to-service",
        misconception="loaded-per-request",
    )
    heavy = [order | {"note": "x" * 20_000} for order in asked]
    session.load(heavy)
    before = _rss_mb(session)
    for _ in range(3):
        for one in session.load(heavy).sent:
            given.whole(one, expect, "2,000 requests of 20 kB each")
    expect(
        round(_rss_mb(session) - before, 1),
        at_most(GROWN_MB),
        looked_at="MB that the service holds after 2,000 requests more than after 500, at 20 kB each",
        why="Whatever is kept of each request is kept until the process is killed for it, at night.",
        link=f"{PAGE}#from-artifact-to-service",
        misconception="requests-kept",
    )


def _rss_mb(session: Session) -> float:
    return int(session.run(["python", "-c", RSS]).stdout or 0) / 1024


def test_answers_are_quick(student: Student, expect: Expect) -> None:
    _, asked = given.made(100)
    session = given.started(student, {"log/predictions.jsonl": b""}, expect)
    bodies = [body for order in asked for body in (order, b"[]")]
    ratios = []
    for _ in range(ROUNDS):
        sent = sorted(session.load(bodies, workers=1).sent, key=lambda one: one.index)
        alone = float(session.run(["python", "-I", "-c", ALONE]).stdout or 0)
        ratios.append(_p95(sent[::2]) / (_p95(sent[1::2]) + alone))
    expect(
        round(min(ratios), 1),
        at_most(TIMES_SLOWER),
        looked_at="the p95 of 100 orders in turn, by that of 100 refusals plus that of the same model in a "
        f"process of its own; the best of {ROUNDS} rounds",
        why="A refusal pays for the connection and the door. What an order costs besides is the prediction, "
        "and nothing that could have been done once, when the bundle was loaded.",
        link=f"{PAGE}#from-artifact-to-service",
        misconception="unpacked-per-request",
    )


def _p95(sent: Sequence[Sent]) -> float:
    return float(np.quantile([one.seconds for one in sent], 0.95))


def test_salt_draws_other_customers(student: Student, expect: Expect) -> None:
    made, asked = given.made(CUSTOMERS)
    groups = []
    for salt in ("77c1e09b52d3", "1f86a4d03ce5"):
        canary = {"version": "102", "share": 0.2, "salt": salt}
        session = given.started(student, given.laid(made, "101", canary=canary), expect)
        said = given.answers(session, asked, expect, f"{CUSTOMERS} customers with a canary of 20 %")
        groups.append(
            {o["customer"] for o, one in zip(asked, said, strict=True) if one["model_version"] == "102"}
        )
    both = len(groups[0] & groups[1]) / max(len(groups[0]), 1)
    expect(
        both,
        at_most(0.5),
        looked_at="the share of one canary's customers who are in the next one's too, with another salt",
        why="Without a salt the same customers try every risky version, and what the last canary did to "
        "them is in the numbers of this one.",
        link=f"{PAGE}#canary-by-a-salted-hash",
        misconception="unsalted-hash",
    )
