"""Delivery time: how long an order takes to the door, and the whole law of it."""

import numpy as np

from lab_env.world.city import RUSH, Vector
from lab_env.world.columns import Columns, merged
from lab_env.world.conditions import ZONES
from lab_env.world.laws import LogNormal
from lab_env.world.orders import Day, Draw, batches
from lab_env.world.streams import Part

LUCK = 0.05
"""A zone has its good and bad days: orders of one day share that luck. Standard deviation of its log."""

PATIENCE_MIN, LOSS = 5.0, 0.02
"""Of the customers who still wait after m minutes, (m / 5) to the power -0.02 have not cancelled."""

COURIER_MIN = 9.0


def delivered_on(day: Day) -> tuple[Columns, LogNormal]:
    """All orders of a day in the order of time, with what became of them, and the law of it.

    `minutes` is from order to door; `labelled` is when it becomes known, in days since the world began.
    Both are NaN where an order was cancelled: nobody will ever know. The law is that of the minutes of an
    order that was not cancelled, given what was known when it was placed.
    """
    columns = merged([_deliver(orders, day, draw) for orders, draw in batches(day)])
    return columns, LogNormal(columns.pop("mu"), columns.pop("sigma"))


def _deliver(orders: Columns, day: Day, draw: Draw) -> Columns:
    """The orders with their outcome and the two numbers of its law."""
    typical, spread = typical_minutes(orders, day), spread_of(orders)
    luck = LUCK * draw(Part.ZONE_LUCK).standard_normal(len(ZONES))[orders["zone"]]
    minutes = typical * np.exp(luck + spread * draw(Part.RIDES).standard_normal(typical.size))
    kept = draw(Part.CANCELLATIONS).random(typical.size) < (minutes / PATIENCE_MIN) ** -LOSS
    minutes = np.where(kept, np.maximum(np.round(minutes, 1), 0.1), np.nan)
    lag = minutes / 1440 + day.now.label_lag_days * (minutes / 30) ** 2
    told = law(typical, spread)
    return orders | {
        "minutes": minutes,
        "labelled": orders["placed"] + lag,
        "mu": told.mu,
        "sigma": told.sigma,
    }


def law(typical: Vector, spread: Vector) -> LogNormal:
    """The law of a delivered order's minutes.

    Luck and spread are independent normals on the log scale. Who cancels leaves the short waits: keeping
    y with a probability that falls as y ** -LOSS turns a log-normal law into another one, moved by
    -LOSS * sigma ** 2.
    """
    sigma = np.sqrt(LUCK**2 + spread**2)
    return LogNormal(np.log(typical) - LOSS * sigma**2, sigma)


def typical_minutes(orders: Columns, day: Day) -> Vector:
    """The median of all orders' minutes: kitchen, wait for a courier, ride. This is the *relation*."""
    city, now, hour = day.city, day.now, orders["hour"]
    zone, rain = orders["zone"], orders["rain_mm"]
    kitchen = city.handling_min[orders["restaurant"]] + city.item_min * (orders["items"] - 1.0)
    kitchen += city.queue_min * orders["kitchen_queue"]
    streets = 1 + city.rain_slows * np.minimum(rain, 5) + city.flood_slows * np.maximum(rain - 8, 0)
    streets *= RUSH[hour] * (1 + 0.01 * np.maximum(orders["temperature_c"] - 32, 0))
    pace = (city.pace_min_per_km * np.array(now.ride_factors))[zone]
    ride = orders["distance_km"] * pace * streets
    wait = COURIER_MIN / (1.0 + orders["couriers_free"])
    return np.asarray(kitchen * now.kitchen_factor + wait + ride + now.stacking_min)


def spread_of(orders: Columns) -> Vector:
    """Standard deviation of the log of the minutes around a zone's day: more in rain and under load."""
    return np.asarray(
        0.15 + 0.02 * np.minimum(orders["rain_mm"], 8) + 0.004 * np.minimum(orders["kitchen_queue"], 15)
    )
