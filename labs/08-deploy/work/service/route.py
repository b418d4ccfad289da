"""Which version answers whom."""

# task: canary

import hashlib
from collections.abc import Mapping
from typing import Any


def version_for(customer: str | int | None, release: Mapping[str, Any]) -> str:
    """The version that answers a customer, by `release.json`: the champion's, or the canary's.

    A share of the *customers* gets the canary: each always the same version while the salt stays, other
    customers with another salt. An order without a customer goes to the champion.
    """
    canary = release.get("canary")
    return str(release["champion"])
