"""The smallest service that a replay can talk to: a rule and a memory.

A replay that got no answer sends the order again: the same `order_id` must
not count twice.
"""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
promised: dict[int, float] = {}
truth: dict[int, float] = {}


class Order(BaseModel):
    """What the rule looks at. The feed sends more, and sometimes less."""

    order_id: int
    distance_km: float | None = None


class Label(BaseModel):
    """How long an order really took."""

    order_id: int
    minutes: float


class Labels(BaseModel):
    """A batch of them."""

    labels: list[Label]


@app.post("/predict")
async def predict(order: Order) -> dict[str, float | str | bool]:
    """Promise a time, and say when that is a guess."""
    minutes = (
        30.0
        if order.distance_km is None
        else 14.0 + 5.0 * order.distance_km
    )
    promised[order.order_id] = minutes
    return {
        "minutes": minutes,
        "model_version": "rule-1",
        "degraded": order.distance_km is None,
    }


@app.post("/labels")
async def learn(batch: Labels) -> dict[str, int]:
    """Keep the truth beside what was promised."""
    truth.update((label.order_id, label.minutes) for label in batch.labels)
    return {"known": len(truth)}
