"""A dashboard's JSON and what its panels answer, read and asked without a Grafana."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab_env.panels import KINDS, PanelsError, answers, panel_tests, read_dashboard, shown

MASTER = Path(__file__).parents[2] / "solutions" / "09-monitor-drift" / "work" / "dashboard.py"
Board = dict[str, Any]
Change = Callable[[Board], object]


@pytest.fixture(scope="module")
def printed() -> str:
    return subprocess.run([sys.executable, str(MASTER)], capture_output=True, text=True, check=True).stdout


def test_the_master_s_queries_come_in_order_with_their_panels(printed: str) -> None:
    queries = read_dashboard(printed).queries()
    assert [title for title, _ in queries] == ["What was told", "Last day looked at", "Silent"]
    assert queries[0][1] == "last_over_time(tiffin_monitor_kind[26h])"


def _panel(board: Board, number: int = 1) -> Board:
    panel: Board = board["panels"][number]
    return panel


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda board: board.pop("title"), "title: Field required"),
        (lambda board: board.update(schemaVersion="new"), "schemaVersion: Input should be a valid integer"),
        (lambda board: board.update(panels=[]), "panels: List should have at least 1 item"),
        (lambda board: board.update(spec={}), "Export the dashboard in Grafana's classic model"),
        (lambda board: board["templating"].update(list=[]), "`templating` has no variable `datasource`"),
        (
            lambda board: board["templating"]["list"][0].update(query="loki"),
            "with the query `prometheus`",
        ),
        (
            lambda board: _panel(board)["datasource"].update(uid="PBFA97CFB590B2093"),
            "`Last day looked at` asks the data source `PBFA97CFB590B2093`, which exists on the machine",
        ),
        (lambda board: _panel(board).pop("datasource"), "panels.1: it has no `datasource`"),
        (lambda board: _panel(board).update(targets=[]), "panels.1: it has no `targets`"),
        (lambda board: _panel(board).update(type="stats"), "Grafana brings no panel `stats`"),
        (lambda board: _panel(board).update(id=1), "have the same id, 1"),
        (lambda board: _panel(board)["gridPos"].update(x=11), "`What was told` and `Last day looked at` lie"),
        (lambda board: _panel(board)["gridPos"].update(x=19), "x + w is 25, and the grid is 24 wide"),
        (
            lambda board: _panel(board)["targets"].append(_panel(board)["targets"][0]),
            "two of its targets have the same `refId`",
        ),
        (
            lambda board: _panel(board)["targets"][0].update(expr="up{job='$job'}"),
            "`Last day looked at` asks for `$job`",
        ),
        (
            lambda board: _panel(board).update(
                targets=[{"refId": str(number), "expr": "up"} for number in range(50)]
            ),
            "has 52 queries",
        ),
    ],
)
def test_what_grafana_would_not_show_as_meant_is_named(printed: str, change: Change, told: str) -> None:
    board = json.loads(printed)
    change(board)
    with pytest.raises(PanelsError) as wrong:
        read_dashboard(json.dumps(board)).queries()
    assert told in str(wrong.value)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("text", ["", "{", "<html>", "[]", "null", "7", "[" * 100_000])
def test_what_is_no_dashboard_at_all_is_refused(text: str) -> None:
    with pytest.raises(PanelsError):
        read_dashboard(text)


def test_a_text_asks_nothing_and_needs_no_source(printed: str) -> None:
    board = json.loads(printed)
    board["panels"].append(
        {"id": 9, "type": "text", "title": "Who to call", "gridPos": {"x": 0, "y": 8, "w": 24, "h": 3}}
    )
    assert len(read_dashboard(json.dumps(board)).queries()) == 3


def test_variables_that_grafana_fills_in_itself_have_a_value(printed: str) -> None:
    board = json.loads(printed)
    _panel(board)["targets"][0]["expr"] = "max_over_time(tiffin_monitor_day[${__range}]) > $__interval"
    assert read_dashboard(json.dumps(board)).queries()[1][1] == "max_over_time(tiffin_monitor_day[30d]) > 1h"


QUERIES = [
    "last_over_time(tiffin_monitor_kind[26h]) == 1",
    "tiffin_monitor_day",
    "absent_over_time(tiffin_monitor_day[26h]) or vector(0)",
    "tiffin_monitor_day == )",
    'label_replace(vector(1), "x", "} 1E+01, got: \\", time: 1m,", "", "")',
    "vector(1)",
]


def test_each_query_answers_in_six_situations(tmp_path: Path) -> None:
    found = shown(tmp_path, QUERIES)
    for kind in KINDS:
        assert found[kind][0] == f'{{kind="{kind}"}} 1'
        assert found[kind][1] == "", "the sample is 20 hours old"
        assert found[kind][2] == "{} 0"
    assert found["silence"][:3] == ["", "", "{} 1"]
    for said in found.values():
        assert said[3].startswith("error: ")
        assert "parse error" in said[3]
        assert said[4].startswith('{x="} 10') or said[4].startswith('{x="} 1E+01')
        assert said[4].endswith("} 1")
        assert said[5] == "{} 1"


def test_an_answer_of_another_form_is_no_answer() -> None:
    files = panel_tests(QUERIES)
    assert len(files) == 6
    for said in (
        "",
        "Unit Testing:  panels_none.yml\n  SUCCESS\n",
        'expr: "vector(1)", time: 1m,\n got: {} 1E+00',
    ):
        with pytest.raises(PanelsError, match="promtool did not answer"):
            answers(said, len(QUERIES))


def test_at_a_terminal_it_does_not_wait_for_somebody_to_type_json() -> None:
    ours, theirs = os.openpty()
    try:
        command = [sys.executable, "-m", "lab_env.panels"]
        done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False, timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 1
    assert "`python dashboard.py | python -m lab_env.panels`" in done.stderr


def test_from_a_pipe_it_says_what_is_wrong_or_what_would_be_shown(printed: str) -> None:
    def said(text: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "lab_env.panels"]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    good = said(printed)
    assert good.returncode == 0, good.stderr
    assert "Silent: absent_over_time(tiffin_monitor_day[26h]) or vector(0)\n  none      {} 0\n" in good.stdout
    assert "  silence   (nothing)" in good.stdout
    bad = said(printed.replace("${datasource}", "mine"))
    assert bad.returncode == 1
    assert bad.stderr.startswith("Not yet a dashboard. `What was told` asks the data source `mine`")
