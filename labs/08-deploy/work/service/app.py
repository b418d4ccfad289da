"""The service: one door for orders, three for whoever runs it."""

# task: contract

import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from service import door
from service.bundle import Bundle
from service.counts import Counts
from service.route import version_for
from service.shelf import Shelf

shelf = Shelf()
counts = Counts()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Load what is served, and look for a new release until the process ends."""
    stop = threading.Event()
    shelf.refresh()
    watcher = threading.Thread(target=shelf.watch, args=(stop,), daemon=True)
    watcher.start()
    yield
    stop.set()
    watcher.join()


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(request: Request) -> JSONResponse:
    """Minutes for one order."""
    body = await request.body()
    served = shelf.served  # taken once: a swap in the middle of this request does not concern it
    if served is None:
        return JSONResponse({"reason": shelf.problem}, 503)
    order = door.read(body)
    customer = order.get("customer")
    bundle = served.bundles[version_for(customer, served.release)]
    minutes, lacks = door.answer(order, bundle)
    counts.add("promise_answers_total", f'version="{bundle.version}"')
    answer = {"minutes": minutes, "model_version": bundle.version, "degraded": bool(lacks)}
    shadow = ask_shadow(order, served.bundles.get(served.release.get("shadow") or ""))
    counts.log(order_id=order.get("order_id"), customer=customer, lacks=lacks, **answer, **shadow)
    return JSONResponse(answer)


# contract: an exception handler for door.Refused: 422 with the reason, counted and logged
# task: canary
def ask_shadow(order: Mapping[str, Any], shadow: Bundle | None) -> dict[str, Any]:
    """What the shadow would have said, for the log: `shadow_version` and `shadow_minutes`.

    Whatever happens to the shadow, the customer's answer does not change.
    """
    return {}


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives. Nothing else: who restarts it on a broken bundle gets the same broken bundle."""
    return {"status": "alive"}


# task: ready
@app.get("/readyz")
async def readyz() -> JSONResponse:
    """Whether a real prediction can be made, and by which version."""
    return JSONResponse({"ready": True})


@app.get("/metrics")
async def metrics() -> PlainTextResponse:
    """The counters, for Prometheus."""
    return PlainTextResponse(counts.text(), media_type="text/plain; version=0.0.4")
