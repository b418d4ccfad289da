"""What the model sees of an order. Training, the service and the nightly batch all call this. Given."""

from collections.abc import Mapping, Sequence
from typing import Any

ZONES = ("centre", "harbour", "hill", "market", "river", "station")


def row(order: Mapping[str, Any], features: Sequence[str]) -> list[float]:
    """The numbers of one order, in the order of `features`; `in_hill` is 1 for an order to the hill."""
    return [
        float(order["zone"] == name.removeprefix("in_")) if name.startswith("in_") else float(order[name])
        for name in features
    ]
