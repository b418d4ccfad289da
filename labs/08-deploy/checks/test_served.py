"""Checks of lab 08 on the store, the bundles, and the answers of the service."""

import json
from typing import Any

import numpy as np
import yaml

from grader.checks import Evidence, Expect, Hidden, Run, Student, at_least, at_most, near
from lab_env import bundles as given

PAGE = "modules/08-deploy.md"
PARTS = ("features", "fields", "fallback", "sample")
LONG = b"[" * 100_000
LOG_BYTES = 1_000_000
GAPS = ("distance_km", "rain_mm", "couriers_free", "kitchen_queue")
COUNTERS = ("promise_answers_total", "promise_degraded_total", "promise_refused_total")


def test_models_are_logged(evidence: Evidence, expect: Expect) -> None:
    runs = {run.name: run for run in evidence.mlflow.runs("promise") if run.status == "FINISHED"}
    expect.that(
        all(name in runs and runs[name].models for name in ("spring", "summer")),
        looked_at="the experiment `promise` in mlflow.db",
        found=sorted(runs),
        expected="spring and summer, each with a model",
        why="They are what you deploy. `lab reset` lays the store out again.",
        link=f"{PAGE}#from-artifact-to-service",
        misconception="store-thrown-away",
    )


def test_bundles_hold_their_models(evidence: Evidence, expect: Expect) -> None:
    release = _json(evidence, "release.json")
    names = [release.get("champion"), release.get("previous")]
    runs = {run.id: run for run in evidence.mlflow.runs("promise")}
    found = {}
    for name in filter(None, names):
        told = _json(evidence, f"bundles/{name}/bundle.json")
        run = runs.get(str(told.get("run")))
        found[str(name)] = f"{run.name if run else 'no run'}: {_lacking(evidence, str(name), told, run)}"
    expect.that(
        sorted(found.values()) == ["spring: nothing", "summer: nothing"],
        looked_at="the bundles that release.json names as champion and previous, and what each lacks",
        found="; ".join(f"bundle {name} ({said})" for name, said in found.items())
        or "release.json names none",
        expected="one of spring and one of summer that lack nothing",
        why="A version in the registry serves nobody. What is served is a folder that holds the model with "
        "everything that changes together with it. Build both, deploy spring's, then summer's.",
        link=f"{PAGE}#moving-an-alias-is-not-deploying",
        misconception="alias-taken-for-a-deploy" if None in names or not release else "half-a-bundle",
    )


def _lacking(evidence: Evidence, name: str, told: dict[str, Any], run: Run | None) -> str:
    """What a bundle lacks of its run's model."""
    folder = next((model.folder for model in reversed(run.models) if model.folder), None) if run else None
    if folder is None:
        return "the run's id"
    if (evidence.read(f"bundles/{name}/model.skops") or b"") != evidence.read(f"{folder}/model.skops"):
        return "the run's model"
    try:
        facts = yaml.safe_load(evidence.text(f"{folder}/MLmodel") or "")["metadata"]
        missing = [part for part in PARTS if told.get(part) != facts[part]]
    except (yaml.YAMLError, KeyError, TypeError, RecursionError):
        return "what its model's metadata says"
    return ", ".join(missing) or "nothing"


def _json(evidence: Evidence, path: str) -> dict[str, Any]:
    try:
        found = json.loads(evidence.text(path) or "")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def test_answers_are_the_bundles(student: Student, hidden: Hidden, expect: Expect) -> None:
    made, asked = given.made(60, rng=hidden.rng("bundles"))
    session = given.started(student, given.laid(made, "102"), expect)
    looked_at = "60 orders to a service whose release.json names bundle 102"
    for order, said in zip(asked, given.answers(session, asked, expect, looked_at), strict=True):
        expect.that(
            given.agree(said, order, made) and said["model_version"] == "102",
            looked_at=looked_at,
            found=said,
            expected=f"{made[1].minutes(order):.6g} minutes by model_version 102, not degraded",
            why="The answer has to be the model's of the bundle that release.json names, asked with that "
            "bundle's features in that bundle's order.",
            link=f"{PAGE}#from-artifact-to-service",
            misconception="version-not-from-the-release"
            if said["model_version"] != "102"
            else "features-mixed-up",
        )


def test_bad_bodies_are_refused(student: Student, expect: Expect) -> None:
    made, [order] = given.made(1)
    session = given.started(student, given.laid(made, "101"), expect)
    bad = _bad_bodies(order)
    for one in sorted(session.load([body for _, body in bad], workers=1).sent, key=lambda one: one.index):
        name, _ = bad[one.index]
        said = given.parsed(one.reply.body)
        reason = said.get("reason") if isinstance(said, dict) else None
        crashed = one.reply.status in (0, 500)
        expect.that(
            one.reply.status == 422 and isinstance(reason, str) and reason != "",
            looked_at=f"a request whose body is {name}",
            found=f"status {one.reply.status}: {one.reply.body[:150].decode(errors='replace')}",
            expected='422 with {"reason": a text}',
            why="A 500 says that the service is at fault, pages somebody and is tried again. This is the "
            "sender's mistake: say which, and go on."
            if crashed
            else "An answer to what cannot be an order looks like any other answer, and somebody will "
            "believe it.",
            link=f"{PAGE}#a-contract-at-the-door",
            misconception="crash-for-a-bad-body" if crashed else "impossible-answered",
        )
    [said] = given.answers(session, [order], expect, "a sound order after 30 bad ones")
    expect(
        said["minutes"],
        near(made[0].minutes(order), within=given.NEAR),
        looked_at="the minutes of a sound order after 30 bad ones",
        why="What one sender does wrong must not change what the next one gets.",
        link=f"{PAGE}#a-contract-at-the-door",
    )


def _bad_bodies(order: given.Order) -> list[tuple[str, bytes]]:
    """Thirty bodies that nobody can answer, each with what it is."""

    def changed(**values: Any) -> bytes:
        return json.dumps(order | values).encode()

    def lacking(name: str) -> bytes:
        return json.dumps({key: value for key, value in order.items() if key != name}).encode()

    return [
        ("empty", b""),
        ("no JSON", b"zone=hill"),
        ("half an order", json.dumps(order).encode()[:-9]),
        ("not UTF-8", b"\xff\xfe{\x80}"),
        ("a list", json.dumps([order]).encode()),
        ("null", b"null"),
        ("a number", b"7"),
        ("a text", b'"hill"'),
        ("100,000 brackets", LONG),
        ("an empty object", b"{}"),
        ("without a zone", lacking("zone")),
        ("without items", lacking("items")),
        ("without an hour", lacking("hour")),
        ("an order with items null", changed(items=None)),
        ("an order with zone null", changed(zone=None)),
        ("an order with zone 3", changed(zone=3)),
        ("an order with a list as zone", changed(zone=["hill"])),
        ("an order with distance_km NaN", changed(distance_km=float("nan"))),
        ("an order with rain_mm Infinity", changed(rain_mm=float("inf"))),
        (
            "an order with distance_km 1e999",
            changed(distance_km=0).replace(b'"distance_km": 0', b'"distance_km": 1e999'),
        ),
        ("an order with items of 400 digits", changed(items=10**400)),
        ("an order with distance_km -2", changed(distance_km=-2)),
        ("an order with distance_km 4,100 (metres)", changed(distance_km=4100)),
        ("an order with hour 24", changed(hour=24)),
        ("an order with weekday -1", changed(weekday=-1)),
        ("an order with items 0", changed(items=0)),
        ("an order with the text 2 as items", changed(items="2")),
        ("an order with true as items", changed(items=True)),
        ("an order with an object as hour", changed(hour={"h": 9})),
        ("an order with a list as customer", changed(customer=[1])),
    ]


def test_gaps_get_the_fallback(student: Student, expect: Expect) -> None:
    [made], asked = given.made(12, 1, without="rain_mm")
    session = given.started(student, given.laid([made], "101"), expect)
    cases: list[tuple[str, given.Order, bool]] = []
    for order, name in zip(asked, GAPS * 2, strict=False):
        gap = order | {name: None} if len(cases) < 4 else {k: v for k, v in order.items() if k != name}
        cases.append((f"{name} {'null' if len(cases) < 4 else 'left out'}", gap, name in made.fields))
    cases += [("the unknown zone airport", asked[9] | {"zone": "airport"}, True)]
    cases += [
        ("a zone that is no proper text", asked[10] | {"zone": "\ud800"}, True),
        ("nothing missing", asked[11], False),
    ]
    looked_at = "orders with a gap"
    said = given.answers(session, [order for _, order, _ in cases], expect, looked_at)
    for (name, order, degraded), one in zip(cases, said, strict=True):
        fallback = made.fallback.get(order["zone"], made.fallback["elsewhere"])
        wanted = fallback if degraded else made.minutes(order)
        expect.that(
            one["degraded"] is degraded and abs(one["minutes"] - wanted) < given.NEAR,
            looked_at=f"an order with {name}; the bundle's fields are {', '.join(made.fields)}",
            found=one,
            expected=f"{wanted:.6g} minutes, degraded {str(degraded).lower()}",
            why="The customer still waits for dinner. The median of the zone is an honest answer, as long as "
            "it says what it is; a model that is fed a made-up number is not."
            if degraded
            else "This bundle does not use what is missing: the model can answer, and should.",
            link=f"{PAGE}#a-contract-at-the-door",
            misconception="gap-filled-in-silence" if degraded else "fallback-for-nothing",
        )


def test_refusals_are_counted(student: Student, expect: Expect) -> None:
    made, asked = given.made(9)
    session = given.started(student, given.laid(made, "101"), expect)
    before = _counts(session.get("/metrics").body)
    gaps = [order | {"zone": "airport"} for order in asked[:3]]
    session.load([*asked[3:], *gaps, b"{}", b"[]"], workers=1)
    after = _counts(session.get("/metrics").body)
    expect.that(
        [after[name] - before[name] for name in COUNTERS] == [9, 3, 2],
        looked_at="the three counters at /metrics, before and after 6 orders, 3 with a gap and 2 bad ones",
        found=[f"{after[name] - before[name]:g} more" for name in COUNTERS],
        expected="9, 3 and 2 more",
        why="A contract keeps bad data from the model, and so from everybody's sight. When the feed breaks, "
        "the model's numbers stay green: this count is what rings.",
        link=f"{PAGE}#what-a-contract-hides",
        misconception="refused-in-silence",
    )
    log = session.read("log/predictions.jsonl") or b""
    expect(
        len(log),
        at_most(LOG_BYTES),
        looked_at="bytes of log/predictions.jsonl after those 11 requests",
        why="A log that grows so fast fills the disk by Friday, and then the service stops for it. A line "
        "holds what was asked, what was answered, and by which version.",
        link=f"{PAGE}#what-a-contract-hides",
    )
    expect(
        log.count(b"\n"),
        at_least(11),
        looked_at="lines in log/predictions.jsonl after those 11 requests",
        why="A counter says how many. Which ones, only the log can say.",
        link=f"{PAGE}#what-a-contract-hides",
        misconception="refused-in-silence",
    )


def _counts(text: bytes) -> dict[str, float]:
    """The sum over the labels of each counter; 0 for one that is not there."""
    found = dict.fromkeys(COUNTERS, 0.0)
    for line in text.decode(errors="replace").splitlines():
        words = line.replace("{", " ").split()
        if words and words[0] in found:
            try:
                found[words[0]] += float(words[-1])
            except ValueError:
                found[words[0]] = np.nan
    return found
