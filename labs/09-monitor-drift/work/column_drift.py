"""Evidently's numbers: the one place that imports it. Given.

Evidently is a library of reports. Its answers come as a nested dictionary, and its form changes from release
to release: what is read of it is here, and a new release breaks this file alone.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pandas as pd

METHODS = {"psi": "psi", "jensenshannon": "jensenshannon", "wasserstein": "jensenshannon", "ks": "chisquare"}
"""What can be asked for, and what a column of categories gets instead where it has no such thing."""


class DriftError(Exception):
    """Two tables that cannot be compared, or an Evidently that answers in another form."""


@dataclass(frozen=True)
class Drift:
    """What Evidently says of one column.

    Attributes:
        value: the number; how far the column moved, or a p-value.
        method: Evidently's name of it: "psi", "K-S p_value", "Wasserstein distance (normed)".
        is_p_value: then a *small* value means that the column moved; else a large one does.
    """

    value: float
    method: str
    is_p_value: bool


def column_drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: Sequence[str],
    *,
    method: str | None = None,
) -> dict[str, Drift]:
    """How far each of `columns` in `current` is from `reference`, as Evidently's drift report has it.

    Args:
        reference: rows to compare with. Columns of words, and yes-or-no ones, count as categories.
        current: rows to look at.
        columns: which of them; no other column counts.
        method: one of `METHODS`. None lets Evidently choose, by the *size* of the reference: up to 1,000
            rows it gives p-values, above that distances.

    Raises:
        DriftError: no such method; a column is missing or holds nothing; or this release of Evidently answers
            in another form.
    """
    if method is not None and method not in METHODS:
        raise DriftError(f"column_drift: no method `{method}`. There are: {', '.join(METHODS)}.")
    for name in columns:
        for table, which in ((reference, "reference"), (current, "current")):
            if name not in table or not table[name].notna().any():
                raise DriftError(
                    f"column_drift: `{name}` is missing or empty in `{which}`. An empty column cannot be"
                    " compared: look at the feed before you look at drift."
                )
    metrics = _run(reference[list(columns)], current[list(columns)], method)
    try:
        found = {
            metric["config"]["column"]: Drift(
                float(metric["value"]), metric["config"]["method"], _is_p_value(metric["config"]["method"])
            )
            for metric in metrics
            if metric["config"]["type"].rpartition(":")[2] == "ValueDrift"
        }
        return {name: found[name] for name in columns}
    except (KeyError, TypeError, ValueError) as error:
        raise DriftError(
            f"Evidently {version('evidently')} answers in another form than column_drift.py reads"
            f" ({type(error).__name__}: {error}). Install the release of requirements.lock: `make setup`."
        ) from error


def _run(reference: pd.DataFrame, current: pd.DataFrame, method: str | None) -> Sequence[Mapping[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, of the libraries it stands on
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift

        categories = [name for name in reference if reference[name].dtype.kind not in "iuf"]
        numbers = [name for name in reference if name not in categories]
        definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
        sides = [
            Dataset.from_pandas(table.astype(dict.fromkeys(categories, str)), data_definition=definition)
            for table in (current, reference)
        ]
        methods = dict.fromkeys(numbers, method) | dict.fromkeys(categories, METHODS.get(method or ""))
        asked = [ValueDrift(column=name, method=methods[name]) for name in reference]
        metrics: Sequence[Mapping[str, Any]] = Report(asked).run(*sides).dict()["metrics"]
        return metrics


def _is_p_value(method: str) -> bool:
    return method in ("ks", "chisquare") or method.endswith("p_value")
