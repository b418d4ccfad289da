import json
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.csv  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from lab_env.world import CATALOGUE, SCENARIOS, World, floors
from tests.lab_env.conftest import RunLab


def test_every_scenario_is_listed(run_lab: RunLab) -> None:
    lines = run_lab("world", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["scenario", *SCENARIOS]
    listed = json.loads(run_lab("world", "list", "--json").out)
    assert {each["name"]: each["says"] for each in listed} == {
        each.name: each.says for each in SCENARIOS.values()
    }


def test_a_scenario_is_described_with_its_timeline(run_lab: RunLab) -> None:
    out = run_lab("world", "describe", "half-year").out
    assert "a sign is ten days, the last one ends before day 180" in out
    assert "courier-shortage  ............~##..." in out
    assert CATALOGUE["new-bridge"].told_by in out
    assert "size     0.55, factor on the minutes per kilometre" in out
    mistake, why = CATALOGUE["new-bridge"].wrong[0]
    assert f"wrong    {mistake}: {why}" in out


def test_a_scenario_is_described_for_tools(run_lab: RunLab) -> None:
    found = json.loads(run_lab("world", "describe", "half-year", "--days", "100", "--json").out)
    festival, _, monsoon, _, bridge = found["incidents"]
    assert festival["holds"] == {"first": 40, "last": 43, "days": 4}
    assert (monsoon["kind"], monsoon["ramp_days"]) == ("inputs", 6)
    assert bridge["holds"] is None
    assert bridge["wrong"]["roll back"].endswith(".")


def test_a_quiet_scenario_has_no_timeline(run_lab: RunLab) -> None:
    assert run_lab("world", "describe", "quiet").out == f"quiet: {SCENARIOS['quiet'].says}\n"


@pytest.mark.parametrize("word", ["orders", "demand", "payments"])
def test_any_table_is_written_in_both_formats(run_lab: RunLab, tmp_path: Path, word: str) -> None:
    rows = []
    for ending in ("parquet", "csv"):
        path = tmp_path / f"{word}.{ending}"
        answer = run_lab("world", "write", "--table", word, "--days", "2", "--first-day", "3", str(path))
        assert answer.code == 0, answer.err
        assert "days 3 to 4 of `monsoon`." in answer.out
        read = pq.read_table if ending == "parquet" else pyarrow.csv.read_csv
        rows.append(read(path).num_rows)
    assert rows[0] == rows[1] > 100


def test_a_larger_sample_has_more_orders(run_lab: RunLab, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    run_lab("world", "write", "--days", "1", "--orders-per-day", "4000", str(path))
    assert 3000 < pq.read_table(path).num_rows < 5000


def test_the_floor_of_some_days_is_written_day_by_day(run_lab: RunLab, tmp_path: Path) -> None:
    path = tmp_path / "floor.csv"
    answer = run_lab("world", "floor", "--scenario", "quiet", "--days", "3", "--first-day", "5", str(path))
    assert "the floor of delivery, days 5 to 7 of `quiet`." in answer.out
    found, wanted = pyarrow.csv.read_csv(path), floors(World(scenario="quiet"), "delivery", 5, 3)
    assert found["day"].to_pylist() == [5, 6, 7]
    assert found["mae"].to_pylist() == pytest.approx(wanted["mae"].tolist())


def test_a_picture_is_svg_with_the_incident_in_it(run_lab: RunLab, tmp_path: Path) -> None:
    path = tmp_path / "bridge.svg"
    answer = run_lab("world", "draw", "--scenario", "new-bridge", "--days", "40", str(path))
    assert "days 60 to 99 of `new-bridge`. Open it in a browser." in answer.out
    classes = {each.get("class") for each in ElementTree.parse(path).iter()}
    assert {"incident", "floor", "line"} <= classes


REFUSED = [
    (("describe", "new-bridg"), "Did you mean `new-bridge`?"),
    (("write", "--scenario", "monsun", "orders.parquet"), "Did you mean `monsoon`?"),
    (("write", "--table", "couriers", "orders.parquet"), "There are: orders, demand, payments."),
    (("write", "orders.xlsx"), "orders.xlsx ends in neither .parquet nor .csv"),
    (("write", "--orders-per-day", "-5", "orders.parquet"), "Take more than 0 and at most 200,000."),
    (("write", "."), "is a folder. Name the file to write"),
    (("floor", "floor.xlsx"), "floor.xlsx ends in neither .parquet nor .csv"),
    (("floor", "--problem", "rain", "floor.csv"), "There are: delivery, demand, fraud."),
    (("draw", "bridge.png"), "name it like bridge.svg"),
    (("draw", "--scenario", "quite", "bridge.svg"), "Did you mean `quiet`?"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
def test_what_the_world_has_not_is_refused(
    run_lab: RunLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = run_lab("world", *words)
    assert answer.code == 2
    assert told in answer.err
    assert list(tmp_path.glob("*.*")) == []
