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
    # BEGIN SOLUTION
    if canary is not None and customer is not None:
        digest = hashlib.sha256(f"{canary['salt']}:{customer}".encode(errors="replace")).digest()
        if int.from_bytes(digest[:8], "big") / 2**64 < canary["share"]:
            return str(canary["version"])
    # END SOLUTION
    return str(release["champion"])
