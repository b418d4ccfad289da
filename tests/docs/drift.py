"""The playground's numbers once more, by NumPy and SciPy: what docs/assets/drift.js is held against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import ks_2samp, wasserstein_distance

Vector = NDArray[np.float64]
GOLDEN = 0.6180339887498949


def quiet_rows(sample: dict[str, Any]) -> tuple[dict[str, Vector], Vector, Vector]:
    """The rows of the sample, with the minutes they took and what the model says, when nothing happens."""
    rows = columns(sample)
    mu, sigma = _law(sample, rows, {"kind": "none", "amount": 0}, rows["day"] < 0)
    return rows, np.exp(mu + sigma * rows["luck"]), _answers(sample, rows)[0]


def columns(sample: dict[str, Any]) -> dict[str, Vector]:
    """The rows of the sample, by column."""
    return {name: np.array(values, dtype=float) for name, values in sample["rows"].items()}


def measured(sample: dict[str, Any], setting: dict[str, Any]) -> dict[str, Any]:
    """Everything that the page shows for one setting."""
    rows, days, behind = columns(sample), sample["days"], setting["behind"]
    late, before = rows["day"] >= days["first"] + days["quiet"], rows["day"] < days["first"]
    lived, read = _changed(sample, rows, setting["changes"], late)
    answer, expected = _answers(sample, read)
    answer = np.where(late & (behind["kind"] == "answers"), answer * behind["amount"], answer)
    mu, sigma = _law(sample, lived, behind, late)
    minutes = np.exp(mu + sigma * rows["luck"])
    labels = np.where(late & (behind["kind"] == "labels"), minutes * behind["amount"], minutes)
    usual = np.nanmean((expected / answer)[before])
    relative = np.where(np.isnan(expected), usual, expected / answer)
    numbers = np.arange(days["reference"], days["first"] + days["count"])
    excess = np.abs(labels - answer) / answer - relative
    watched = {each["name"]: read[each["name"]] for each in sample["features"]}
    count = days["first"] - days["reference"]
    both = [
        _daily(rows["day"], watched, days),
        np.array([excess[rows["day"] == day].mean() for day in numbers]),
    ]
    limits = [float(series[:count].mean() + 3 * series[:count].std()) for series in both]
    over = [series[count:] > limit for series, limit in zip(both, limits, strict=True)]
    contract = _contract(sample, rows["day"], read, labels, before)[count:]

    def parts(values: Vector) -> dict[str, float | None]:
        return {"before": _mean(values[before]), "after": _mean(values[late])}

    return {
        "features": [_compared(name, values[before], values[late]) for name, values in watched.items()],
        "error": parts(np.abs(labels - answer)),
        "expected": parts(expected),
        "floor": parts(np.abs(minutes - np.exp(mu))),
        "limits": limits,
        "series": [series[count:].tolist() for series in both],
        "alarms": [_first(contract, 1, days["first"]), *(_first(each, 2, days["first"]) for each in over)],
    }


def _changed(
    sample: dict[str, Any], rows: dict[str, Vector], changes: dict[str, Any], late: NDArray[np.bool_]
) -> tuple[dict[str, Vector], dict[str, Vector]]:
    """The rows as the city lived them, and as the model reads them."""
    lived, read = dict(rows), dict(rows)
    hit = (np.arange(late.size) * GOLDEN) % 1
    for feature in sample["features"]:
        name = feature["name"]
        change = changes.get(name)
        if not change:
            continue
        values, amount = rows[name], change["amount"]
        if change["kind"] == "shift":
            moved = np.maximum(values + amount, feature["low"])
        elif change["kind"] == "scale":
            least = 1 if name == "items" else 0
            moved = least + (values - least) * amount
            moved = np.maximum(moved, feature["low"])
        else:
            moved = {
                "nulls": np.where(hit < amount, np.nan, values),
                "unit": values * amount,
                "stuck": np.full(values.size, float(amount)),
            }[change["kind"]]
        in_city = change["kind"] in ("shift", "scale")
        if in_city and feature["whole"]:
            moved = np.floor(moved + 0.5)
        read[name] = np.where(late, moved, values)
        lived[name] = read[name] if in_city else values
    return lived, read


def _typical(sample: dict[str, Any], rows: dict[str, Vector], ride: Any, wait: Any) -> Vector:
    city, rain = sample["city"], rows["rain_mm"]
    streets = 1 + city["slows"] * np.minimum(rain, 5) + city["floods"] * np.maximum(rain - 8, 0)
    kitchen = rows["handling"] + city["item"] * (rows["items"] - 1) + city["queue"] * rows["kitchen_queue"]
    return np.asarray(
        kitchen
        + city["courier"] / (1 + rows["couriers_free"])
        + rows["distance_km"] * rows["pace"] * streets * ride
        + wait
    )


def _sigma(sample: dict[str, Any], rows: dict[str, Vector]) -> Vector:
    spread = 0.15 + 0.02 * np.minimum(rows["rain_mm"], 8) + 0.004 * np.minimum(rows["kitchen_queue"], 15)
    return np.asarray(np.sqrt(sample["city"]["luck"] ** 2 + spread**2))


def _law(
    sample: dict[str, Any], rows: dict[str, Vector], behind: dict[str, Any], late: NDArray[np.bool_]
) -> tuple[Vector, Vector]:
    kind, amount = behind["kind"], behind["amount"]
    ride = np.where(late & (rows["crossed"] == 1), amount, 1.0) if kind == "rides" else 1.0
    wait = np.where(late, amount, 0.0) if kind == "wait" else 0.0
    sigma = _sigma(sample, rows)
    return np.log(_typical(sample, rows, ride, wait)) - sample["city"]["loss"] * sigma**2, sigma


def _answers(sample: dict[str, Any], read: dict[str, Vector]) -> tuple[Vector, Vector]:
    """What the model says, and by how much it expects to be off; NaN where it was not asked."""
    model = sample["model"]
    seen = read | {"rain_mm": np.minimum(read["rain_mm"], model["rain"])}
    sigma = _sigma(sample, seen)
    said = _typical(sample, seen, 1.0, 0.0) * np.exp(-sample["city"]["loss"] * sigma**2)
    said = np.clip(said, model["least"], model["most"])
    expected = said * np.exp(sigma**2 / 2) * (2 * ndtr(sigma) - 1)
    lost = np.isnan(said)
    return np.where(lost, model["default"], said), np.where(lost, np.nan, expected)


def _index(edges: Vector, reference: Vector, current: Vector) -> float:
    """Lab 09's stability index, of values."""
    size = edges.size + 1
    known = current[~np.isnan(current)]
    if not known.size:
        return float("nan")
    r, c = (np.bincount(np.searchsorted(edges, each), minlength=size) for each in (reference, known))
    shares = np.maximum(r, 0.5) / r.sum(), np.maximum(c, 0.5) / c.sum()
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _edges(reference: Vector) -> Vector:
    return np.unique(np.quantile(reference, np.linspace(0, 1, 11)[1:-1]))


def _compared(name: str, reference: Vector, current: Vector) -> dict[str, Any]:
    known = current[~np.isnan(current)]
    there = known.size > 0
    return {
        "name": name,
        "psi": _or_none(_index(_edges(reference), reference, current)),
        "ks": float(ks_2samp(reference, known).statistic) if there else None,
        "wasserstein": float(wasserstein_distance(reference, known)) if there else None,
        "nulls": float(np.isnan(current).mean()),
        "mean": [float(reference.mean()), _mean(current)],
    }


def _daily(day: Vector, read: dict[str, Vector], days: dict[str, int]) -> Vector:
    """The largest of the standardised indices of each day."""
    numbers = np.arange(days["reference"], days["first"] + days["count"])
    quiet = days["first"] - days["reference"]
    tables = []
    for values in read.values():
        reference = values[day < days["first"]]
        edges = _edges(reference)
        index = np.array([_index(edges, reference, values[day == number]) for number in numbers])
        tables.append((index - index[:quiet].mean()) / index[:quiet].std())
    return np.asarray(np.max(np.nan_to_num(np.stack(tables), nan=-np.inf), axis=0))


def _contract(
    sample: dict[str, Any], day: Vector, read: dict[str, Vector], labels: Vector, before: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Days on which more than a twentieth of the rows cannot be."""
    days = sample["days"]
    bad = [
        np.isnan(read[each["name"]])
        | (read[each["name"]] < each["low"])
        | (read[each["name"]] > each["high"])
        for each in sample["features"]
    ]
    bad.append(labels > 3 * labels[before].max())
    numbers = np.arange(days["reference"], days["first"] + days["count"])
    return np.array([any(each[day == number].mean() > 0.05 for each in bad) for number in numbers])


def _first(over: NDArray[np.bool_], wanted: int, first_day: int) -> int | None:
    """The first day on which `wanted` of the last three days (or of one) are over."""
    window = 1 if wanted == 1 else 3
    for at in range(over.size):
        if over[at] and over[max(0, at - window + 1) : at + 1].sum() >= wanted:
            return int(first_day + at)
    return None


def _mean(values: Vector) -> float | None:
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else None


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
