"""A small service that writes down what it is sent, and can misbehave.

Below `/MODE/` it answers in the way of MODE. What reaches it is one line of JSON each in $SEEN.
"""

import asyncio
import json
import os
import threading
import time
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

app = FastAPI()
STARTED_BY = os.getppid()
SEEN = os.open(os.environ["SEEN"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
ASKED: set[tuple[str, int]] = set()
GOOD = {"minutes": 30.0, "model_version": "v1", "degraded": False}
RUBBISH: dict[str, tuple[int, str]] = {
    "html": (200, "<html><body>It works.</body></html>"),
    "nan": (200, '{"minutes": NaN, "model_version": "v1"}'),
    "word": (200, '{"minutes": "soon", "model_version": "v1"}'),
    "yes": (200, '{"minutes": true, "model_version": "v1"}'),
    "huge": (200, '{"minutes": 1e308, "model_version": "v1"}'),
    "nameless": (200, '{"minutes": 30}'),
    "maybe": (200, '{"minutes": 30, "model_version": "v1", "degraded": "maybe"}'),
    "list": (200, "[30]"),
    "deep": (200, "[" * 30_000),
    "long": (200, " " * 100_000),
    "empty": (200, ""),
    "crash": (500, "Internal Server Error"),
    "away": (503, "warming up"),
    "refuses": (422, '{"detail": "unknown zone"}'),
    "login": (401, "who are you?"),
    "moved": (307, ""),
}


def end_with_the_tests() -> None:
    """However they ended, this does not run on."""
    while os.getppid() == STARTED_BY:
        time.sleep(0.5)
    os._exit(0)


threading.Thread(target=end_with_the_tests, daemon=True).start()


class Order(BaseModel):
    """What the small model looks at; the rest is ignored."""

    order_id: int
    distance_km: float | None = None


class Answer(BaseModel):
    minutes: float
    model_version: str
    degraded: bool


def is_new(key: tuple[str, int]) -> bool:
    """Whether this is asked for the first time."""
    new = key not in ASKED
    ASKED.add(key)
    return new


def seen(what: str, value: Any) -> None:
    os.write(SEEN, (json.dumps([what, value]) + "\n").encode())


@app.post("/predict")
async def predict(order: Order) -> Answer:
    seen("order", order.order_id)
    missing = order.distance_km is None
    return Answer(minutes=20 + 4 * (order.distance_km or 2), model_version="v1", degraded=missing)


@app.post("/labels")
async def labels(request: Request) -> Response:
    for label in (await request.json())["labels"]:
        seen("label", label["order_id"])
    return Response(status_code=204)


@app.post("/whole/predict")
async def whole(request: Request) -> dict[str, Any]:
    """Write down all that was sent."""
    seen("order", await request.json())
    return GOOD


@app.post("/whole/labels")
async def whole_labels(request: Request) -> None:
    seen("labels", await request.json())


@app.post("/deaf/predict")
async def deaf() -> dict[str, Any]:
    return GOOD


@app.post("/deaf/labels")
async def deaf_labels() -> Response:
    return Response("no labels please", status_code=422)


@app.post("/forgetful/labels")
async def forgetful_labels(request: Request) -> Response:
    """Take every batch at the second try only."""
    if is_new(("labels", (await request.json())["labels"][0]["order_id"])):
        return Response("again", status_code=500)
    return await labels(request)


@app.post("/forgetful/predict")
async def forgetful(order: Order) -> Response:
    """Answer well at the second try, and at the first in every way there is."""
    if is_new(("order", order.order_id)):
        ways = sorted(set(RUBBISH) - {"refuses", "login", "moved"})
        status, text = RUBBISH[ways[order.order_id % len(ways)]]
        return Response(text, status_code=status)
    seen("order", order.order_id)
    return Response(json.dumps(GOOD))


@app.post("/hangs/predict")
async def hangs() -> None:
    await asyncio.sleep(3600)


@app.post("/dozes/predict")
async def dozes(order: Order) -> dict[str, Any]:
    """Fall asleep over every order that is new."""
    if is_new(("dozed", order.order_id)):
        await asyncio.sleep(3600)
    return GOOD


@app.post("/dozes/labels")
async def dozes_labels() -> None:
    """Take them."""


@app.post("/crowded/predict")
async def crowded(order: Order) -> dict[str, Any]:
    """Write down how many are here at once."""
    ASKED.add(("here", order.order_id))
    seen("crowd", sum(key == "here" for key, _ in ASKED))
    await asyncio.sleep(0.02)
    ASKED.remove(("here", order.order_id))
    return GOOD


@app.post("/crowded/labels")
async def crowded_labels() -> None:
    """Take them."""


@app.post("/{mode}/predict")
async def rubbish(mode: str) -> Response:
    status, text = RUBBISH[mode]
    return Response(text, status_code=status)
