"""A bundle: a folder with model.skops and bundle.json, which belong together. Given."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from features import row

TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


def said(folder: Path, orders: pd.DataFrame) -> np.ndarray:
    """The minutes that a bundle answers to each order."""
    import skops.io

    features = json.loads((folder / "bundle.json").read_text())["features"]
    model = skops.io.load(folder / "model.skops", trusted=TRUSTED)
    return np.exp(model.predict(np.array([row(order, features) for order in orders.to_dict("records")])))


def as_of(folder: Path) -> int:
    """The day before whose morning a bundle's model was trained."""
    return int(json.loads((folder / "bundle.json").read_text())["as_of"])
