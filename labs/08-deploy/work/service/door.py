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
    return json.loads(body)


def check(order: Mapping[str, Any], bundle: Bundle) -> None:
    """Hold an order to the fields of a bundle.

    Raises:
        Refused: a required field is missing, or a value is of the wrong kind or impossible.
    """
    ...


def lacks(order: Mapping[str, Any], bundle: Bundle) -> str:
    """Why the model cannot be asked about an order that passed `check`; empty when it can."""
    return ""


def answer(order: Mapping[str, Any], bundle: Bundle) -> tuple[float, str]:
    """Minutes, and why they are the fallback's; empty when the model said them.

    Raises:
        Refused: the order cannot be answered.
    """
    check(order, bundle)
    return bundle.minutes(order), ""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
