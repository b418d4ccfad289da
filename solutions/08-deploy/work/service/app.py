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
    # BEGIN SOLUTION
    if lacks:
        counts.add("promise_degraded_total", f'reason="{lacks}"')
    # END SOLUTION
    answer = {"minutes": minutes, "model_version": bundle.version, "degraded": bool(lacks)}
    shadow = ask_shadow(order, served.bundles.get(served.release.get("shadow") or ""))
    counts.log(order_id=order.get("order_id"), customer=customer, lacks=lacks, **answer, **shadow)
    return JSONResponse(answer)


# BEGIN SOLUTION
@app.exception_handler(door.Refused)
async def refuse(_: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a request, count it and log it."""
    counts.add("promise_refused_total")
    counts.log(refused=str(error))
    return JSONResponse({"reason": str(error)}, 422)


# INSTEAD: # contract: an exception handler for door.Refused: 422 with the reason, counted and logged
# END SOLUTION
# task: canary
def ask_shadow(order: Mapping[str, Any], shadow: Bundle | None) -> dict[str, Any]:
    """What the shadow would have said, for the log: `shadow_version` and `shadow_minutes`.

    Whatever happens to the shadow, the customer's answer does not change.
    """
    # BEGIN SOLUTION
    if shadow is None:
        return {}
    try:
        minutes, _ = door.answer(order, shadow)
    except Exception as error:  # a shadow may fail in any way
        counts.add("promise_shadow_total", 'outcome="failed"')
        return {"shadow_version": shadow.version, "shadow_problem": str(error)}
    counts.add("promise_shadow_total", 'outcome="answered"')
    return {"shadow_version": shadow.version, "shadow_minutes": minutes}
    # INSTEAD: return {}
    # END SOLUTION


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives. Nothing else: who restarts it on a broken bundle gets the same broken bundle."""
    return {"status": "alive"}


# task: ready
@app.get("/readyz")
async def readyz() -> JSONResponse:
    """Whether a real prediction can be made, and by which version."""
    # BEGIN SOLUTION
    served = shelf.served
    if served is None:
        return JSONResponse({"ready": False, "reason": shelf.problem}, 503)
    version = str(served.release["champion"])
    try:
        bundle = served.bundles[version]
        bundle.minutes(bundle.sample)
    except Exception as error:  # whatever it is, this process cannot answer
        return JSONResponse({"ready": False, "reason": str(error)}, 503)
    return JSONResponse({"ready": True, "model_version": version, "problem": shelf.problem})
    # INSTEAD: return JSONResponse({"ready": True})
    # END SOLUTION


@app.get("/metrics")
async def metrics() -> PlainTextResponse:
    """The counters, for Prometheus."""
    return PlainTextResponse(counts.text(), media_type="text/plain; version=0.0.4")
