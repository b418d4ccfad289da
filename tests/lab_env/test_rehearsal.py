"""`lab world live` and `lab world records`."""

import csv
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab_env.rehearsal import RECORDS
from tests.lab_env.conftest import RunLab

pytestmark = pytest.mark.slow

WAITS = 'def respond(morning):\n    return "wait"\n'


def policy(folder: Path, source: str = WAITS) -> str:
    path = folder / "respond.py"
    path.write_text(source)
    return str(path)


def test_a_life_is_told_and_drawn(run_lab: RunLab, tmp_path: Path) -> None:
    drawn = tmp_path / "life.svg"
    told = run_lab(
        "world", "live", policy(tmp_path), "--scenario", "metres", "--days", "16", "--draw", str(drawn)
    )
    words = " ".join(told.out.split())
    assert "metres, days 80 to 95. Actions: none." in words
    assert "wait costs" in words
    assert "Each such day goes to customers." in words
    assert ElementTree.parse(drawn).getroot().tag.endswith("svg")


def test_half_a_year_can_be_lived_and_no_day_more(run_lab: RunLab, tmp_path: Path) -> None:
    words = ["world", "live", policy(tmp_path), "--scenario", "half-year", "--days"]
    told = " ".join(run_lab(*words, "182").out.split())
    assert "half-year, days 80 to 261. Actions: none." in told
    assert "It does not pass by itself." in told  # the bridge, which opens on day 160
    assert "less than or equal to 182" in " ".join(run_lab(*words, "183").err.split())


def test_a_policy_may_import_what_lies_beside_it(run_lab: RunLab, tmp_path: Path) -> None:
    (tmp_path / "rules_of_mine.py").write_text('WORD = "wait"\n')
    source = "from rules_of_mine import WORD\n\n\ndef respond(morning):\n    return WORD\n"
    told = run_lab("world", "live", policy(tmp_path, source), "--scenario", "quiet", "--days", "5")
    assert "of doing nothing: 0 euros" in " ".join(told.out.split())


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "def respond(morning):\n    return 'stop'\n",
            "respond answered 'stop' on day 80. Answer one of: wait,",
        ),
        ("def respond(morning):\n    return morning['dya']\n", "respond raised on day 80: KeyError: 'dya'"),
        (
            "def respond(morning):\n    return respond(morning)\n",
            "respond raised on day 80: RecursionError: maximum recursion depth exceeded",
        ),
        ("def respond(morning):\n    raise SystemExit\n", "respond raised on day 80: SystemExit"),
        ("def answer(morning):\n    return 'wait'\n", "has no function `respond`"),
        ("def respond(morning)\n", "cannot be imported: SyntaxError"),
    ],
)
def test_a_policy_that_fails_is_told_why(run_lab: RunLab, tmp_path: Path, source: str, says: str) -> None:
    told = run_lab("world", "live", policy(tmp_path, source), "--days", "5")
    assert told.code == 2
    assert says in " ".join(told.err.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere.py"], "There is no nowhere.py. Name the file with your policy, like respond.py."),
        (["README"], "is no Python file"),
        (["respond.py", "--scenario", "metre"], "Did you mean `metres`?"),
        (["respond.py", "--days", "5", "--scenario", "quiet", "--draw", "life.png"], "name it like life.svg"),
    ],
)
def test_what_cannot_be_lived_is_told(run_lab: RunLab, tmp_path: Path, words: list[str], says: str) -> None:
    policy(tmp_path)
    (tmp_path / "README").write_text("no code")
    assert says in " ".join(run_lab("world", "live", *words, cwd=tmp_path).err.split())


def test_records_show_the_mornings_of_three_incidents(run_lab: RunLab, tmp_path: Path) -> None:
    run_lab("world", "records", str(tmp_path / "records"))
    tables = {
        name: list(csv.DictReader((tmp_path / "records" / f"{name}.csv").read_text().splitlines()))
        for name in RECORDS
    }
    assert all(len(table) == 24 for table in tables.values())
    assert {row["version"] for row in tables["a"]} == {"1", "2"}
    assert max(float(row["broken_labels"]) for row in tables["b"]) == 1
    assert [row["alarm"] for row in tables["c"]].count("True") > 10
