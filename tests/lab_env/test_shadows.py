"""Shadow tables say what they were told to say."""

import numpy as np
import pandas as pd
import pytest

from lab_env.shadows import CUTOFFS, ZONES, md5, shadow


def gain(table: pd.DataFrame) -> "pd.Series[float]":
    """Minutes by which the challenger was nearer, order by order."""
    return (table["minutes"] - table["champion"]).abs() - (table["minutes"] - table["challenger"]).abs()


@pytest.mark.parametrize("wanted", [0.0, 1.3, -2.5])
def test_a_challenger_is_as_much_better_as_was_asked(wanted: float) -> None:
    """Days share luck of 0.8 minutes: 200 of them leave a standard error of 0.06."""
    table = shadow(np.random.default_rng(1), gain=wanted, days=200)
    assert gain(table).mean() == pytest.approx(wanted, abs=0.25)
    assert table["day"].min() == CUTOFFS["challenger"]
    assert set(table["zone"]) == set(ZONES)


def test_a_zone_and_the_days_before_may_differ() -> None:
    table = shadow(np.random.default_rng(2), gain=2.0, days=60, by_zone={"hill": -3.0}, before=4.0)
    seen = table["day"] < CUTOFFS["challenger"]
    assert table["day"].min() == CUTOFFS["champion"]
    assert gain(table[seen]).mean() == pytest.approx(4.0, abs=0.6)
    assert gain(table[~seen & (table["zone"] == "hill")]).mean() == pytest.approx(-3.0, abs=0.5)
    assert gain(table[~seen & (table["zone"] != "hill")]).mean() == pytest.approx(2.0, abs=0.5)


def test_orders_of_one_day_share_its_luck() -> None:
    table = shadow(np.random.default_rng(3), gain=0.0, days=100)
    by_day = gain(table).groupby(table["day"]).mean()
    alone = gain(table).std() / np.sqrt(len(table) / 100)
    assert by_day.std() > 3 * alone


def test_a_hash_is_the_one_that_dvc_writes() -> None:
    assert md5(b"dinner") == "ad5acdfacefd7f31104b3d7c9cffad6f"
