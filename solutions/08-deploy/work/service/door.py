"""The contract at the door: what is refused, and what is answered without the model."""

# task: contract

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from service.bundle import Bundle


class Refused(Exception):
    """A request that no bundle can answer; says why, for whoever sent it."""


def read(body: bytes) -> dict[str, Any]:
    """The order in a request's body.

    Raises:
        Refused: it is no JSON object, or holds what JSON has no word for, such as NaN.
    """
    # BEGIN SOLUTION
    try:
        order = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the body is no JSON: {str(error)[:100]}") from None
    if not isinstance(order, dict):
        raise Refused("the body is JSON, but no object")
    return order
    # INSTEAD: return json.loads(body)
    # END SOLUTION


def check(order: Mapping[str, Any], bundle: Bundle) -> None:
    """Hold an order to the fields of a bundle.

    Raises:
        Refused: a required field is missing, or a value is of the wrong kind or impossible.
    """
    # BEGIN SOLUTION
    if not isinstance(order.get("zone"), str):
        raise Refused("zone: a text is needed")
    if not isinstance(order.get("customer"), str | int | None):
        raise Refused("customer: a number or a text")
    for name, rule in bundle.fields.items():
        value = order.get(name)
        if value is None:
            if not rule["optional"]:
                raise Refused(f"{name}: is missing")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(f"{name}: a number is needed")
        elif not rule["low"] <= value <= rule["high"]:
            raise Refused(f"{name}: {rule['low']} to {rule['high']} is possible")
    # INSTEAD: ...
    # END SOLUTION


def lacks(order: Mapping[str, Any], bundle: Bundle) -> str:
    """Why the model cannot be asked about an order that passed `check`; empty when it can."""
    # BEGIN SOLUTION
    if f"in_{order['zone']}" not in bundle.features:
        return "unknown zone"
    missing = [name for name in bundle.fields if order.get(name) is None]
    return f"no {missing[0]}" if missing else ""
    # INSTEAD: return ""
    # END SOLUTION


def answer(order: Mapping[str, Any], bundle: Bundle) -> tuple[float, str]:
    """Minutes, and why they are the fallback's; empty when the model said them.

    Raises:
        Refused: the order cannot be answered.
    """
    check(order, bundle)
    # BEGIN SOLUTION
    if reason := lacks(order, bundle):
        return float(bundle.fallback.get(order["zone"], bundle.fallback["elsewhere"])), reason
    minutes = bundle.minutes(order)
    if not math.isfinite(minutes):
        return float(bundle.fallback.get(order["zone"], bundle.fallback["elsewhere"])), "no answer"
    return minutes, ""
    # INSTEAD: return bundle.minutes(order), ""
    # END SOLUTION


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
