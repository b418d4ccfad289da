"""What a log says: accuracy by day against the floor, latency, errors."""

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab_env.replay.errors import ReplayError
from lab_env.replay.log import APPLICATION
from lab_env.screen import Screen, count


@dataclass(frozen=True)
class Day:
    """One simulated day.

    Attributes:
        day: since the world began.
        orders: logged.
        answered: with a prediction.
        labels: delivered, of its answered orders. Cancelled orders never have one.
        mae: mean absolute error in minutes over those; None without one.
        floor: the smallest that any model can reach, where it is known.
        degraded: share of the answers.
    """

    day: int
    orders: int
    answered: int
    labels: int
    mae: float | None
    floor: float | None
    degraded: float

    @property
    def coverage(self) -> float:
        """Share of the answered orders whose label was delivered."""
        return self.labels / self.answered if self.answered else 0.0


@dataclass(frozen=True)
class Report:
    """A whole log.

    Attributes:
        days: by time.
        orders: logged, each once.
        answered: with a prediction.
        refused: the service answered that it does not take them.
        failed: no usable answer in all tries.
        again: orders that were sent more than once.
        labels: delivered, each once.
        mae: over all labels, in minutes.
        floor: the mean of the days' floors, by labels.
        latency_ms: quantiles of the answered tries: `p50`, `p95`, `p99`.
        faults: how many of each kind, over all tries.
        degraded: share of the answers.
        versions: answers per model version.
    """

    days: tuple[Day, ...]
    orders: int
    answered: int
    refused: int
    failed: int
    again: int
    labels: int
    mae: float | None
    floor: float | None
    latency_ms: dict[str, float]
    faults: dict[str, int]
    degraded: float
    versions: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """For tools."""
        days = [asdict(day) | {"coverage": day.coverage} for day in self.days]
        return asdict(self) | {"days": days}


BY_DAY = """
SELECT day, count(*), sum(outcome = 'answered'), count(l.minutes), avg(abs(a.minutes - l.minutes)),
       coalesce(avg(degraded), 0)
FROM answers a LEFT JOIN labels l ON l.order_id = a.order_id AND outcome = 'answered'
GROUP BY day ORDER BY day
"""


def read_report(path: Path, floors: Mapping[int, float] | None = None) -> Report:
    """Sum a log up; it may still be written to.

    Args:
        path: the log.
        floors: day → the smallest mean absolute error that a model can reach on it.

    Raises:
        ReplayError: it is no log of a replay.
    """
    if not path.is_file():
        raise ReplayError(f"There is no log {path}. `lab world replay --log {path}` makes one.")
    base = sqlite3.connect(path)
    try:
        base.execute("PRAGMA query_only = ON")
        if base.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
            raise ReplayError(f"{path} is no log of a replay. Name the file that `lab world replay` wrote.")
        return _report(base, floors or {})
    except sqlite3.DatabaseError as error:
        raise ReplayError(
            f"{path} cannot be read: {error}. Name the file that `lab world replay` wrote."
        ) from error
    finally:
        base.close()


def show(screen: Screen, report: Report) -> None:
    """The report as a table and a few lines."""
    heads = ["Day", "Orders", "Answered", "Labels", "MAE", "Floor", "Degraded"]
    screen.table(heads, [_row(day) for day in report.days])
    screen.say()
    error = f"Mean absolute error {_minutes(report.mae)} minutes"
    screen.say(f"{error}, floor {_minutes(report.floor)}." if report.floor is not None else f"{error}.")
    screen.say(
        f"{count(report.orders, 'order')}: {report.answered:,} answered, {report.refused:,} refused, "
        f"{report.failed:,} failed; {report.again:,} sent more than once. "
        f"{count(report.labels, 'label')} delivered."
    )
    if report.latency_ms:
        quantiles = ", ".join(f"{name} {value:.1f} ms" for name, value in report.latency_ms.items())
        screen.say(f"Latency: {quantiles}. Degraded: {report.degraded:.1%} of the answers.")
    faults = ", ".join(f"{number:,} {kind}" for kind, number in report.faults.items())
    screen.say(f"Faults: {faults or 'none'}.")
    versions = ", ".join(f"{name} ({number:,})" for name, number in report.versions.items())
    screen.say(f"Versions: {versions or 'none'}.")


def _report(base: sqlite3.Connection, floors: Mapping[int, float]) -> Report:
    days = tuple(
        Day(day, orders, answered, labels, mae, floors.get(day), degraded)
        for day, orders, answered, labels, mae, degraded in base.execute(BY_DAY)
    )
    outcomes = dict(base.execute("SELECT outcome, count(*) FROM answers GROUP BY outcome"))
    ((again,),) = base.execute("SELECT count(*) FROM answers WHERE tries > 1").fetchall()
    ((labels,),) = base.execute("SELECT count(*) FROM labels").fetchall()
    answered = outcomes.get("answered", 0)
    return Report(
        days=days,
        orders=sum(outcomes.values()),
        answered=answered,
        refused=outcomes.get("refused", 0),
        failed=outcomes.get("failed", 0),
        again=again,
        labels=labels,
        mae=_mean([(day.mae, day.labels) for day in days]),
        floor=_mean([(day.floor, day.labels) for day in days]),
        latency_ms=_latency(base),
        faults=dict(base.execute("SELECT kind, count(*) FROM faults GROUP BY kind ORDER BY 2 DESC, 1")),
        degraded=sum(day.degraded * day.answered for day in days) / answered if answered else 0.0,
        versions=dict(
            base.execute(
                "SELECT model_version, count(*) FROM answers WHERE outcome = 'answered' GROUP BY 1 ORDER BY 1"
            )
        ),
    )


def _latency(base: sqlite3.Connection) -> dict[str, float]:
    times = [ms for (ms,) in base.execute("SELECT latency_ms FROM answers WHERE outcome = 'answered'")]
    return {f"p{q}": float(np.percentile(times, q)) for q in (50, 95, 99)} if times else {}


def _mean(weighted: list[tuple[float | None, int]]) -> float | None:
    """The mean by weight; None where something with weight has no value, or nothing has weight."""
    pairs = [(value, weight) for value, weight in weighted if weight]
    values = [value * weight for value, weight in pairs if value is not None]
    return sum(values) / sum(weight for _, weight in pairs) if pairs and len(values) == len(pairs) else None


def _row(day: Day) -> list[str]:
    return [
        f"{day.day}",
        f"{day.orders:,}",
        f"{day.answered:,}",
        f"{day.labels:,} ({day.coverage:.0%})",
        _minutes(day.mae),
        _minutes(day.floor),
        f"{day.degraded:.1%}",
    ]


def _minutes(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f}"
