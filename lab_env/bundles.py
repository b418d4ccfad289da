"""Bundles whose answers can be computed with a pencil, and orders to ask them: what lab 08 is judged with."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
import skops.io
from sklearn.linear_model import LinearRegression

from grader.checks import Expect, Sent, Session, Student

PAGE = "modules/08-deploy.md"
SERVE = ("python", "-m", "service", "--port", "{port}")
ZONES = ("centre", "harbour", "hill", "market", "river", "station")
FIELDS = {
    "distance_km": (0.1, 40, True),
    "items": (1, 20, False),
    "hour": (8, 23, False),
    "weekday": (0, 6, False),
    "rain_mm": (0, 150, True),
    "couriers_free": (0, 60, True),
    "kitchen_queue": (0, 60, True),
}
SETTLED_S = 20.0
NEAR = 1e-6
Order = dict[str, Any]


@dataclass(frozen=True)
class Bundle:
    """A bundle of a straight line: minutes = base + the sum of weight times value.

    Attributes:
        version: its name, and the folder's.
        base: minutes.
        weights: by feature, in the order in which its model takes them.
        fallback: minutes by zone.
        breaks: how it is broken: "cut" (half a file), "nan"; empty when sound.
    """

    version: str
    base: float
    weights: Mapping[str, float]
    fallback: Mapping[str, float]
    breaks: str = ""

    def minutes(self, order: Mapping[str, Any]) -> float:
        """What its model says of a complete order."""
        zone = f"in_{order['zone']}"
        values = {name: float(order[name]) for name in self.weights if not name.startswith("in_")}
        return self.base + sum(w * values.get(name, float(name == zone)) for name, w in self.weights.items())

    @cached_property
    def files(self) -> dict[str, bytes]:
        """As they lie in the work."""
        model = LinearRegression()
        model.coef_, model.n_features_in_ = np.array(list(self.weights.values())), len(self.weights)
        model.intercept_ = math.nan if self.breaks == "nan" else self.base
        content = skops.io.dumps(model)
        facts = {
            "version": self.version,
            "run": "0" * 32,
            "features": list(self.weights),
            "fields": {
                name: {"low": low, "high": high, "optional": optional}
                for name, (low, high, optional) in FIELDS.items()
                if name in self.weights
            },
            "fallback": dict(self.fallback),
            "sample": {"zone": "hill", **{name: 9.0 if name == "hour" else 2.0 for name in self.fields}},
        }
        return {
            f"bundles/{self.version}/bundle.json": json.dumps(facts).encode(),
            f"bundles/{self.version}/model.skops": content[: len(content) // 2]
            if self.breaks == "cut"
            else content,
        }

    @property
    def fields(self) -> tuple[str, ...]:
        """The numbers that it takes of an order."""
        return tuple(name for name in self.weights if not name.startswith("in_"))

    def broken(self, how: str) -> "Bundle":
        """The same, broken in a way."""
        return replace(self, breaks=how)


def bundles(rng: np.random.Generator, count: int = 3, *, without: str = "") -> list[Bundle]:
    """Versions 101, 102, …: each with another order of features and other fallbacks, far apart."""
    made = []
    for number in range(count):
        names = [name for name in (*FIELDS, *(f"in_{zone}" for zone in ZONES)) if name != without]
        weights = {names[at]: round(float(rng.uniform(0.1, 0.9)), 3) for at in rng.permutation(len(names))}
        fallback = {zone: round(float(rng.uniform(20, 60)), 1) + number for zone in (*ZONES, "elsewhere")}
        base = round(10 + 50.0 * number + float(rng.uniform(0, 5)), 3)
        made.append(Bundle(str(101 + number), base, weights, fallback))
    return made


def orders(rng: np.random.Generator, count: int) -> list[Order]:
    """Complete orders, each of another customer."""
    first = int(rng.integers(10_000, 10**6))
    return [
        {
            "order_id": first + number,
            "customer": 3 * first + 7 * number,
            "zone": ZONES[int(rng.integers(len(ZONES)))],
            "distance_km": round(float(rng.uniform(0.2, 8)), 3),
            "items": int(rng.integers(1, 7)),
            "hour": int(rng.integers(8, 24)),
            "weekday": int(rng.integers(0, 7)),
            "rain_mm": round(float(rng.uniform(0, 5)), 2),
            "couriers_free": int(rng.integers(0, 20)),
            "kitchen_queue": int(rng.integers(0, 20)),
            "temperature_c": 21.5,
        }
        for number in range(count)
    ]


def release(champion: str, **also: Any) -> bytes:
    """A release.json."""
    return json.dumps(
        {"champion": champion, "previous": None, "canary": None, "shadow": None, **also}
    ).encode()


def laid(made: Sequence[Bundle], champion: str, **also: Any) -> dict[str, bytes]:
    """Files to lay over the work: bundles and what is served of them."""
    files = {"release.json": release(champion, **also), "log/predictions.jsonl": b""}
    for bundle in made:
        files |= bundle.files
    return files


def started(student: Student, files: Mapping[str, bytes], expect: Expect) -> Session:
    """The learner's service with these files, once it has answered an order."""
    session = student.session(SERVE, files=files)
    [first] = session.load(orders(np.random.default_rng(0), 1)).sent
    looked_at = "the first order after the start"
    expect.that(
        first.reply.status != 0,
        looked_at=looked_at,
        found=first.reply.body.decode(errors="replace"),
        expected="an answer within 20 s",
        why="The service takes the connection and says nothing. Start it yourself (`python -m service --port "
        "8000`), run `python ask.py`, and see what it does instead.",
        link=f"{PAGE}#from-artifact-to-service",
    )
    whole(first, expect, looked_at)
    return session


def answers(
    session: Session, asked: Sequence[Any], expect: Expect, looked_at: str, misconception: str = ""
) -> list[dict[str, Any]]:
    """What the service answers to each, in turn; each has to be 200 with the three keys."""
    sent = sorted(session.load(asked, workers=1).sent, key=lambda one: one.index)
    return [whole(one, expect, looked_at, misconception) for one in sent]


def whole(sent: Sent, expect: Expect, looked_at: str, misconception: str = "") -> dict[str, Any]:
    """An answer as the contract has it."""
    body = sent.reply.body[:200].decode(errors="replace")
    expect.that(
        sent.reply.status != 0,
        looked_at=looked_at,
        found=body,
        expected="an answer",
        why="The connection ended without one. The service was down, hung, or was changed while it had "
        "requests in hand: customers see an error. Load the new one first, let go of the old one last.",
        link=f"{PAGE}#change-it-while-it-answers",
        misconception="swap-drops-requests",
    )
    expect.that(
        sent.reply.status == 200,
        looked_at=looked_at,
        found=f"status {sent.reply.status}: {body}",
        expected="status 200",
        why="The order is sound. The log of the service (stderr) says what it stumbled over.",
        link=f"{PAGE}#a-contract-at-the-door",
        misconception=misconception,
    )
    said = parsed(sent.reply.body)
    expect.that(
        sound(said),
        looked_at=looked_at,
        found=body,
        expected='{"minutes": a number, "model_version": a text, "degraded": true or false}',
        why="Whoever reads the answer reads it by machine: JSON, these three keys, and minutes that are a "
        "number, not NaN.",
        link=f"{PAGE}#a-contract-at-the-door",
    )
    return dict(said)


def parsed(body: bytes) -> Any:
    """JSON as it stands in the standard; None for anything else."""
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def sound(said: Any) -> bool:
    """Whether an answer has its three keys."""
    if not isinstance(said, dict):
        return False
    minutes = said.get("minutes")
    number = isinstance(minutes, int | float) and not isinstance(minutes, bool) and abs(minutes) < 1e6
    return number and isinstance(said.get("model_version"), str) and isinstance(said.get("degraded"), bool)


def agree(said: Mapping[str, Any], order: Mapping[str, Any], made: Sequence[Bundle]) -> bool:
    """Whether an answer is what the version that it names says of the order."""
    named = [bundle for bundle in made if bundle.version == said["model_version"]]
    return bool(named) and not said["degraded"] and abs(said["minutes"] - named[0].minutes(order)) < NEAR


def settled(session: Session, version: str, expect: Expect) -> str:
    """Wait until the service answers with a version; the version that it answers with at last."""
    asked = orders(np.random.default_rng(1), 1)
    end = time.monotonic() + SETTLED_S
    while True:
        [said] = answers(session, asked, expect, f"an order after release.json was changed to {version}")
        if said["model_version"] == version or time.monotonic() > end:
            return str(said["model_version"])
        time.sleep(0.2)


def made(
    count: int, versions: int = 3, *, without: str = "", rng: np.random.Generator | None = None
) -> tuple[list[Bundle], list[Order]]:
    """Bundles and orders: always the same, or by a generator those that nobody has seen."""
    drawn = np.random.default_rng(8) if rng is None else rng
    return bundles(drawn, versions, without=without), orders(drawn, count)
