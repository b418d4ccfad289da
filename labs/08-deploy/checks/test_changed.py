"""Checks of lab 08 on readiness, on changing what is served, on canary and shadow."""

import json

from grader.checks import Expect, Hidden, Student, between
from lab_env import bundles as given

PAGE = "modules/08-deploy.md"
PAUSE = ("python", "-c", "import time; time.sleep(0.6)")
SWAPS = """
import subprocess, sys, time, urllib.request, json
port, order, *turns = sys.argv[1:]
def answers():
    try:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", order.encode())
        return json.load(urllib.request.urlopen(request, timeout=5))["model_version"]
    except Exception as error:
        return type(error).__name__
for turn in turns:
    done = subprocess.run([sys.executable, "release.py", "deploy", turn], capture_output=True, text=True)
    if done.returncode:
        sys.exit(print("release.py failed:", (done.stderr.strip().splitlines() or ["no reason given"])[-1]))
    end = time.monotonic() + 15
    while (said := answers()) != turn:
        if time.monotonic() > end:
            sys.exit(print(f"15 s after the deploy of {turn} it is still {said} that answers"))
        time.sleep(0.1)
print("ten deploys, each followed")
"""
REST_S = 0.02  # of each client between two orders: load enough for a swap to hit some, and no more
CUSTOMERS, AGAIN = 600, 120
BAND = (0.04, 0.16)  # a share of 0.1 among 600 customers misses it twice in a million


def test_broken_bundle_is_not_ready(student: Student, expect: Expect) -> None:
    made, _ = given.made(1)
    for how, said in (("cut", "half a file"), ("nan", "that says NaN")):
        session = student.session(given.SERVE, files=given.laid([made[0].broken(how)], "101"))
        looked_at = f"a service started with a bundle whose model is {said}"
        expect(
            session.get("/healthz").status,
            200,
            looked_at=f"/healthz of {looked_at}",
            why="The process lives. A restart, which is what a failed liveness probe brings, finds the same "
            "bundle and fails again, for ever.",
            link=f"{PAGE}#health-is-not-readiness",
            misconception="liveness-asks-the-model",
        )
        expect(
            session.get("/readyz").status,
            503,
            looked_at=f"/readyz of {looked_at}",
            why="The file is there, and perhaps it can be read. Whether it can answer, only an answer shows: "
            "make a real prediction with the bundle's sample, and look at the number.",
            link=f"{PAGE}#health-is-not-readiness",
            misconception="ready-without-a-prediction",
        )
    session = student.session(given.SERVE, files=given.laid(made, "101"))
    reply = session.get("/readyz")
    expect.that(
        reply.status == 200 and isinstance(reply.json(), dict) and reply.json().get("model_version") == "101",
        looked_at="/readyz of a service with a sound bundle 101",
        found=f"status {reply.status}: {reply.body[:150].decode(errors='replace')}",
        expected='200 with "model_version": "101"',
        why="Whoever rolls out has to see that it is the new one that is ready.",
        link=f"{PAGE}#health-is-not-readiness",
    )


def test_swaps_lose_nothing(student: Student, expect: Expect) -> None:
    made, asked = given.made(200)
    session = given.started(student, given.laid(made, "101"), expect)
    turns = [made[turn % 3].version for turn in range(1, 11)]
    swaps = ("python", "-c", SWAPS, "{port}", json.dumps(asked[0]), *turns)
    done = session.load(asked, workers=4, rest_s=REST_S, meanwhile=[swaps])
    looked_at = f"{len(done.sent):,} requests by 4 clients during ten deploys"
    for one in done.sent:
        said = given.whole(one, expect, looked_at)
        expect.that(
            given.agree(said, asked[one.index], made),
            looked_at=looked_at,
            found=said,
            expected="the minutes that the version it names says of this order",
            why="Label and predictor belong to two versions. A request has to take model, features and "
            "version in one grip, and a swap has to replace them in one step.",
            link=f"{PAGE}#change-it-while-it-answers",
            misconception="versions-mixed",
        )
    expect(
        (done.commands[0].stdout.strip().splitlines() or ["nothing"])[-1],
        "ten deploys, each followed",
        looked_at="`python release.py deploy`, ten times, and which version answers up to 15 s after each",
        why="release.json names another version, and the service goes on with what it read at its start. "
        "Moving a pointer deploys nothing until somebody follows it.",
        link=f"{PAGE}#moving-an-alias-is-not-deploying",
        misconception="resolved-once",
    )


def test_rollback_takes_the_bundle_back(student: Student, expect: Expect) -> None:
    made, asked = given.made(50)
    session = given.started(student, given.laid(made, "102", previous="101"), expect)
    rollback = [("python", "release.py", "rollback"), PAUSE]
    done = session.load(asked, workers=4, rest_s=REST_S, meanwhile=rollback)
    for sent in done.sent:
        given.whole(sent, expect, f"{len(done.sent)} requests during a rollback")
    rolled = done.commands[0]
    expect(
        rolled.code,
        0,
        looked_at=f"`python release.py rollback` ({(rolled.stderr.strip().splitlines() or [''])[-1][:200]})",
        why="At three in the morning it is one command, and it works.",
        link=f"{PAGE}#roll-the-bundle-back",
    )
    expect(
        given.settled(session, "101", expect),
        "101",
        looked_at="the model_version of answers after the rollback from 102 to 101",
        why="Going back is a deploy of what was served before.",
        link=f"{PAGE}#roll-the-bundle-back",
        misconception="nothing-rolled-back",
    )
    gaps = [order | {"zone": "airport"} for order in asked[:5]]
    said = given.answers(session, [*asked, *gaps], expect, "orders after the rollback")
    for order, one in zip([*asked, *gaps], said, strict=True):
        gap = order["zone"] == "airport"
        if gap and not one["degraded"]:
            continue  # gaps_get_the_fallback says so
        wanted = made[0].fallback["elsewhere"] if gap else made[0].minutes(order)
        expect.that(
            abs(one["minutes"] - wanted) < given.NEAR,
            looked_at="an order with a gap after the rollback" if gap else "an order after the rollback",
            found=one,
            expected=f"{wanted:.6g} minutes, as 101 has always said",
            why="The old model is back, and is asked with the new version's features or answered for by the "
            "new one's fallback. No error, no alarm, wrong minutes. What changed together goes back so.",
            link=f"{PAGE}#roll-the-bundle-back",
            misconception="rollback-of-the-model-alone",
        )


def test_canary_is_of_customers(student: Student, hidden: Hidden, expect: Expect) -> None:
    made, asked = given.made(CUSTOMERS, rng=hidden.rng("bundles"))
    canary = {"version": "102", "share": 0.1, "salt": hidden.rng("salt").bytes(6).hex()}
    files = given.laid(made, "101", canary=canary)
    session = given.started(student, files, expect)
    looked_at = f"one order of each of {CUSTOMERS:,} customers, with a canary of 10 %"
    said = given.answers(session, asked, expect, looked_at)
    chosen = [
        order["customer"] for order, one in zip(asked, said, strict=True) if one["model_version"] == "102"
    ]
    expect(
        len(chosen) / CUSTOMERS,
        between(*BAND),
        looked_at=f"the share of customers that 102 answered: {looked_at}",
        why="The canary has to get a share of the customers that is large enough to tell and small enough "
        "to take back.",
        link=f"{PAGE}#canary-by-a-salted-hash",
        misconception="canary-share-missed",
    )
    later = [order | {"order_id": order["order_id"] + 10**7, "hour": 12} for order in asked[:AGAIN]]
    restarted = given.started(student, files, expect)
    for service, when in ((session, "later orders of theirs"), (restarted, "their orders after a restart")):
        for order, one in zip(later, given.answers(service, later, expect, when), strict=True):
            wanted = "102" if order["customer"] in chosen else "101"
            expect.that(
                one["model_version"] == wanted,
                looked_at=f"the version that answers {AGAIN} of the customers: {when}",
                found=f"customer {order['customer']} got {wanted} first and {one['model_version']} then",
                expected="always the same",
                why="A customer who is promised 25 minutes and, on the next tap, 40 calls support. And two "
                "groups that mix cannot be compared. Draw the customer, by a hash that every process "
                "computes alike; never the order, never a dice.",
                link=f"{PAGE}#canary-by-a-salted-hash",
                misconception="canary-by-order",
            )


def test_shadow_touches_nobody(student: Student, expect: Expect) -> None:
    made, asked = given.made(40)
    zones = {f"in_{zone}": 1.0 for zone in given.ZONES}
    hungry = given.Bundle("103", 5.0, {"distance_km": 1.0, "rain_mm": 0.5, **zones}, made[2].fallback)
    session = given.started(student, given.laid([made[0], hungry], "101", shadow="103"), expect)
    said = given.answers(session, asked, expect, "40 orders with 103 as the shadow")
    expect.that(
        all(given.agree(one, order, made[:1]) for one, order in zip(said, asked, strict=True)),
        looked_at="40 orders with 103 as the shadow of 101",
        found=sorted({one["model_version"] for one in said}),
        expected="101's minutes for each",
        why="A shadow is asked and never heard: not one customer may see its answer.",
        link=f"{PAGE}#shadow",
        misconception="shadow-answers",
    )
    logged = {}
    for line in (session.read("log/predictions.jsonl") or b"").splitlines():
        told = given.parsed(line)
        if isinstance(told, dict) and told.get("shadow_version") == "103":
            logged[str(told.get("order_id"))] = told.get("shadow_minutes")
    right = [
        order
        for order in asked
        if isinstance(found := logged.get(str(order["order_id"])), float | int)
        and abs(found - hungry.minutes(order)) < given.NEAR
    ]
    expect(
        len(right),
        len(asked),
        looked_at="lines of log/predictions.jsonl with an order_id of these, shadow_version 103 and 103's "
        "own shadow_minutes",
        why="What the shadow says is only worth something beside what the champion said of the same order.",
        link=f"{PAGE}#shadow",
        misconception="shadow-not-logged",
    )
    poor = json.loads(hungry.files["bundles/103/bundle.json"]) | {"fallback": {}}
    files = given.laid([made[0], hungry], "101", shadow="103")
    files["bundles/103/bundle.json"] = json.dumps(
        poor
    ).encode()  # for an unknown zone it has no answer at all
    session = given.started(student, files, expect)
    looked_at = "an order of an unknown zone, for which the shadow has no fallback"
    gap = [asked[0] | {"zone": "airport"}]
    [one] = given.answers(session, gap, expect, looked_at, "shadow-fails-the-order")
    expect(
        one["model_version"],
        "101",
        looked_at=f"the model_version of {looked_at}",
        why="The shadow raised. That is its own affair, and a line in the log.",
        link=f"{PAGE}#shadow",
        misconception="shadow-fails-the-order",
    )
