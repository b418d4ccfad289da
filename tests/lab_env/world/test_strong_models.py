"""A strong model comes close to each floor, and never below what luck allows."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from lab_env.world import Columns, World

Vector = NDArray[np.float64]

DELIVERY = (
    "zone",
    "restaurant",
    "distance_km",
    "items",
    "hour",
    "weekday",
    "rain_mm",
    "temperature_c",
    "couriers_free",
    "kitchen_queue",
    "promotion",
    "basket_eur",
)
DEMAND = ("zone", "hour", "weekday", "day", "rain_mm", "temperature_c")
FRAUD = ("amount_eur", "account_days", "new_device", "failed_attempts", "hour", "voucher")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The other core has other tests; two threads that wait for each other are slower than one."""
    with threadpool_limits(1):
        yield


def matrix(columns: Columns, names: tuple[str, ...], rows: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.column_stack([columns[name][rows] for name in names]).astype(np.float32)


def allowed(day: NDArray[np.int64], model: Vector, best: Vector) -> float:
    """How far a model's mean loss may lie under the best predictor's by luck: once in 100,000, by day."""
    apart = np.bincount(day - day.min(), weights=model - best) / np.bincount(day - day.min())
    return float(4.3 * apart.std(ddof=1) / np.sqrt(apart.size))


@pytest.mark.slow
def test_delivery_times_on_a_million_orders() -> None:
    world = World(11, "quiet", orders_per_day=1000)
    orders, law = world.delivered(0, 1150)
    there = ~np.isnan(orders["minutes"])
    learned, judged = there & (orders["day"] < 1050), there & (orders["day"] >= 1050)
    assert learned.sum() > 1_000_000
    model = HistGradientBoostingRegressor(max_iter=60, learning_rate=0.35, max_leaf_nodes=40, random_state=1)
    model.fit(matrix(orders, DELIVERY, learned), np.log(orders["minutes"][learned]))
    predicted = np.exp(model.predict(matrix(orders, DELIVERY, judged)))
    minutes, day = orders["minutes"][judged], orders["day"][judged].astype(np.int64)
    absolute, best_absolute = np.abs(minutes - predicted), np.abs(minutes - law.median[judged])
    assert absolute.mean() < 1.03 * law.absolute_error()[judged].mean()
    assert absolute.mean() > best_absolute.mean() - allowed(day, absolute, best_absolute)
    mean = predicted * np.exp(np.mean((law.sigma[judged]) ** 2) / 2)
    squared, best_squared = (minutes - mean) ** 2, (minutes - law.mean[judged]) ** 2
    assert np.sqrt(squared.mean()) < 1.04 * np.sqrt(law.variance[judged].mean())
    assert squared.mean() > best_squared.mean() - allowed(day, squared, best_squared)


@pytest.mark.slow
def test_demand_of_four_years() -> None:
    world = World(12, "quiet")
    table, law = world.demand(0, 1460), world.demand_law(0, 1460)
    learned, judged = table["day"] % 5 > 0, table["day"] % 5 == 0
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=80, random_state=1)
    model.fit(matrix(table, DEMAND, learned), table["orders"][learned])
    predicted = model.predict(matrix(table, DEMAND, judged))
    orders, day = table["orders"][judged], table["day"][judged].astype(np.int64) // 5
    loss, best = (orders - predicted) ** 2, (orders - law.mean[judged]) ** 2
    assert np.sqrt(loss.mean()) < 1.04 * np.sqrt(law.variance[judged].mean())
    assert loss.mean() > best.mean() - allowed(day, loss, best)


@pytest.mark.slow
def test_frauds_among_the_payments() -> None:
    world = World(13, "quiet", orders_per_day=1000)
    payments, law = world.payments(0, 150), world.payments_law(0, 150)
    there = ~np.isnan(payments["fraud"])
    learned, judged = there & (payments["day"] < 120), there & (payments["day"] >= 120)
    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.1, max_leaf_nodes=8, l2_regularization=5, random_state=1
    )
    model.fit(matrix(payments, FRAUD, learned), payments["fraud"][learned])
    chance = model.predict_proba(matrix(payments, FRAUD, judged))[:, 1]
    fraud, day = payments["fraud"][judged], payments["day"][judged].astype(np.int64)
    loss = -np.log(np.where(fraud > 0, chance, 1 - chance))
    truth = law.probability[judged]
    best = -np.log(np.where(fraud > 0, truth, 1 - truth))
    assert loss.mean() < best.mean() + 0.05 * law.log_loss()[judged].mean()
    assert loss.mean() > best.mean() - allowed(day, loss, best)
