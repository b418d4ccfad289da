"""What lab 09 reads of Evidently, by the one module that imports it: a new release breaks this file first."""

import os
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from grader.errors import ToolMissing
from lab_env.flights import DAYS, Flights, flight_log
from lab_env.promtool import install_line, require_promtool
from lab_env.world.prediction_log import write_prediction_log

FILE = Path(__file__).parent.parent.parent / "labs" / "09-monitor-drift" / "work" / "column_drift.py"
MASTER = FILE.parents[3] / "solutions" / "09-monitor-drift" / "work"
COLUMNS = ["items", "promotion", "hour"]


@pytest.fixture(scope="module")
def evidently() -> ModuleType:
    spec = spec_from_file_location("column_drift", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["column_drift"] = module
    spec.loader.exec_module(module)
    return module


def orders(rows: int, more: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    return pd.DataFrame(
        {
            "items": 1 + rng.poisson(1.4 + more, rows),
            "promotion": rng.random(rows) < 0.12 + more / 3,
            "hour": rng.integers(8, 23, rows),
        }
    )


def test_left_alone_it_gives_p_values_of_a_small_reference_and_distances_of_a_large_one(
    evidently: ModuleType,
) -> None:
    small, large = (
        evidently.column_drift(orders(rows), orders(rows, more=1.0), COLUMNS) for rows in (1000, 1001)
    )
    assert all(drift.is_p_value for drift in small.values())
    assert not any(drift.is_p_value for drift in large.values())
    assert small["items"].value < small["hour"].value
    assert large["items"].value > large["hour"].value


@pytest.mark.parametrize("method", ["psi", "wasserstein", "jensenshannon"])
def test_a_named_distance_is_larger_where_more_has_moved_whatever_the_size(
    evidently: ModuleType, method: str
) -> None:
    for rows in (800, 4000):
        found = evidently.column_drift(orders(rows), orders(2000, more=1.0), COLUMNS, method=method)
        assert list(found) == COLUMNS
        assert found["items"].value > 0.1 > found["hour"].value
        assert not found["items"].is_p_value


def test_ks_is_a_p_value_and_of_categories_another_one(evidently: ModuleType) -> None:
    found = evidently.column_drift(orders(2000), orders(2000, more=1.0), COLUMNS, method="ks")
    assert all(drift.is_p_value for drift in found.values())
    assert found["items"].value < 0.001 > found["promotion"].value


def test_what_cannot_be_compared_is_named(evidently: ModuleType) -> None:
    empty = orders(50).assign(items=np.nan)
    with pytest.raises(evidently.DriftError, match="`items` is missing or empty in `current`"):
        evidently.column_drift(orders(50), empty, COLUMNS)
    with pytest.raises(evidently.DriftError, match="`hour` is missing or empty in `reference`"):
        evidently.column_drift(orders(50).drop(columns="hour"), orders(50), COLUMNS)
    with pytest.raises(evidently.DriftError, match=r"no method `entropy`\. There are: psi"):
        evidently.column_drift(orders(50), orders(50), COLUMNS, method="entropy")


ANOTHER_FORM = """
class Report:
    def __init__(self, metrics): pass
    def run(self, *sides): return self
    def dict(self):
        return {"metrics": [{"config": {"type": "x:ValueDrift", "column": "items"}, "found": 0.2}]}

class Dataset:
    @staticmethod
    def from_pandas(table, data_definition): return table

def DataDefinition(**columns): return columns
"""


def test_an_evidently_that_answers_in_another_form_is_named_with_the_way_back(tmp_path: Path) -> None:
    package = tmp_path / "evidently"
    package.mkdir()
    (package / "__init__.py").write_text(ANOTHER_FORM)
    (package / "metrics.py").write_text("def ValueDrift(**words): return words\n")
    code = (
        "import pandas as pd; from column_drift import column_drift; one = pd.DataFrame({'items': [1, 2]});"
        " column_drift(one, one, ['items'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{FILE.parent}"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stderr.splitlines()[-1]
    assert "answers in another form than column_drift.py reads (KeyError: 'value')" in said
    assert "Install the release of requirements.lock: `make setup`." in said


YEAR = """\
Apr  .....F........................   humidity_pct 1
May  ...............................
Jun  .......iiiiiiiiiiiiiiiiiiiiiii   promised 23
Jul  iRiiiiiiRRRiiiiiiiiiiiiiiiiiiii  promised 27
Aug  iiiiiiiiiRiiiiiiiiFiiFiiiiiiiii  promised 28, rain_mm 1, humidity_pct 1
Sep  iiiiiiiiiiiiiiiiiiiiiiiiiiiiii   promised 30
Oct  iii...................F........  promised 3, rain_mm 1
Nov  ..............................
Dec  .....................iiiiiiiiFF  promised 8, rain_mm 2
  . none  i input  F feed  L labels  R relation
no word on the error: 16 of 275 days
flights that never came, on those days: 15%
flights that never came, on the others: 2%
"""


def test_the_flights_say_what_the_instructor_s_text_says_of_them(tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(MASTER, work)
    log = flight_log(Flights(), 0, DAYS)
    write_prediction_log(tmp_path / "flights", log)
    done = subprocess.run(
        [sys.executable, "flights.py"], cwd=work, capture_output=True, text=True, check=False
    )
    assert done.stdout == YEAR, done.stderr

    year = pd.DataFrame(log.predictions)
    route = ["origin", "dest", "carrier"]
    winter = year[year["day"] < 90].groupby(route)["promised"].mean().rename("winter")
    year = year.join(winter, on=route)
    more = (year["promised"] - year["winter"]).groupby(year["month"]).mean().round(1)
    assert (more[7], more[12]) == (-6.9, 0.4)
    mean = year.groupby("month")["promised"].mean()
    assert abs(mean[[6, 7, 8]] - year["promised"][year["day"] < 90].mean()).max() < 1.1
    km = year.groupby("month")["distance_km"].mean()
    assert km[[6, 7, 8]].min() > km[[1, 2, 3]].max() + 70


def test_without_promtool_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "promtool").write_text("#!/bin/sh\n")
    (tmp_path / "promtool").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    require_promtool()
    (tmp_path / "promtool").unlink()
    with pytest.raises(ToolMissing, match="promtool is not on PATH") as missing:
        require_promtool()
    assert install_line() in str(missing.value)
    assert "./usr/bin/promtool" in install_line("Linux")
    assert install_line("Darwin") == "brew install prometheus"
