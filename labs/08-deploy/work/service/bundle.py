"""A bundle: a model and everything that has to change together with it."""

# task: ready

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from features import row

TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


class BrokenBundle(Exception):
    """A bundle that must not be served."""


@dataclass(frozen=True)
class Bundle:
    """One version, as it lies in `bundles/VERSION/`.

    Attributes:
        version: of the registered model.
        features: what the model takes, in its order.
        fields: of each number that an order must or may have: low, high, optional.
        fallback: minutes by zone when the model cannot be asked; `elsewhere` for a zone not in the list.
        sample: an order that the model must be able to answer.
        model: takes rows of `features`, gives minutes.
    """

    version: str
    features: tuple[str, ...]
    fields: Mapping[str, Mapping[str, Any]]
    fallback: Mapping[str, float]
    sample: Mapping[str, Any]
    model: Any

    def minutes(self, order: Mapping[str, Any]) -> float:
        """What the model says of an order that has everything it needs."""
        return float(self.model.predict(np.array([row(order, self.features)]))[0])


def load(version: str, folder: Path = Path("bundles")) -> Bundle:
    """Read a version's bundle and ask it once.

    Raises:
        BrokenBundle: it cannot be read, or cannot answer.
    """
    try:
        told = json.loads((folder / version / "bundle.json").read_text())
        model = skops.io.load(folder / version / "model.skops", trusted=TRUSTED)
        bundle = Bundle(
            version, tuple(told["features"]), told["fields"], told["fallback"], told["sample"], model
        )
        # ready: a file that can be read is not yet a model that can answer
    except Exception as error:  # whatever is wrong with it, it is not served
        raise BrokenBundle(f"bundle {version}: {type(error).__name__}: {error}") from error
    return bundle
