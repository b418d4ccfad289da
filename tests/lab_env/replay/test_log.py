import re
import sqlite3
from pathlib import Path

import pytest

from lab_env.replay.errors import ReplayError
from lab_env.replay.log import Answer, Label, Log
from lab_env.replay.service import Kind

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "replay.md"
RUN = {"scenario": "monsoon", "days": "3"}


def answer(row: int) -> Answer:
    return Answer(row, 1000 + row, 3, 3.5, "answered", 31.5, "v1", False, 4.2, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replay.db"


def test_what_was_logged_is_there_when_it_is_opened_again(path: Path) -> None:
    with Log(path, RUN) as log:
        log.answer(answer(0))
        log.fault(3.5, "/predict", "rubbish", "x" * 500)
        log.deliver([Label(1000, 33.0, 3.52, 3.54)])
    with Log(path, RUN) as log:
        assert log.rows("SELECT * FROM answers") == [(0, 1000, 3, 3.5, "answered", 31.5, "v1", 0, 4.2, 1)]
        assert log.rows("SELECT * FROM labels") == [(1000, 33.0, 3.52, 3.54)]
        assert log.rows("SELECT kind, length(said) FROM faults") == [("rubbish", 200)]
    assert sorted(file.name for file in path.parent.glob("replay*")) == ["replay.db", "replay.db.lock"]


def test_no_row_and_no_label_is_logged_twice(path: Path) -> None:
    with Log(path, RUN) as log:
        log.answer(answer(0))
        with pytest.raises(ReplayError, match=r"UNIQUE constraint failed: answers\.row"):
            log.answer(answer(0))
        log.deliver([Label(1000, 33.0, 3.52, 3.54)])
        with pytest.raises(ReplayError, match=r"UNIQUE constraint failed: labels\.order_id"):
            log.deliver([Label(1001, 30.0, 3.52, 3.54), Label(1000, 33.0, 3.52, 3.54)])
        assert log.rows("SELECT order_id FROM labels") == [(1000,)], "a batch is logged whole or not at all"


@pytest.mark.parametrize("table", ["run", "answers", "labels", "faults"])
def test_a_log_only_grows(path: Path, table: str) -> None:
    with Log(path, RUN) as log:
        log.answer(answer(0))
        log.fault(3.5, "/predict", "rubbish", "no JSON")
        log.deliver([Label(1000, 33.0, 3.52, 3.54)])
    base = sqlite3.connect(path)
    column = {"run": "value", "faults": "kind"}.get(table, "minutes")
    for change in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = 0"):
        with pytest.raises(sqlite3.IntegrityError, match="a log only grows"):
            base.execute(change)
    base.close()


def test_a_log_of_another_run_is_refused(path: Path) -> None:
    Log(path, RUN).__exit__(None, None, None)
    before = path.read_bytes()
    with pytest.raises(
        ReplayError, match=r"of another run: scenario monsoon \(now quiet\)\. Go on with that one"
    ):
        Log(path, RUN | {"scenario": "quiet"})
    assert path.read_bytes() == before


def test_a_second_replay_into_one_log_is_refused(path: Path) -> None:
    with Log(path, RUN), pytest.raises(ReplayError, match="Another replay writes to"):
        Log(path, RUN)
    Log(path, RUN).__exit__(None, None, None)


def test_another_program_s_database_is_left_alone(path: Path) -> None:
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE mine (x)")
    base.close()
    with pytest.raises(ReplayError, match="is no log of a replay"):
        Log(path, RUN)
    base = sqlite3.connect(path)
    assert base.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    base.close()


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_text("my notes " * 1000)
    with pytest.raises(ReplayError, match="cannot be used: file is not a database"):
        Log(path, RUN)
    assert path.read_text() == "my notes " * 1000


def test_a_folder_is_no_log(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ReplayError, match=r"is a folder\. Name a file for the log"):
        Log(path, RUN)


def test_a_log_in_no_folder_is_refused(path: Path) -> None:
    with pytest.raises(ReplayError, match="There is no folder"):
        Log(path / "replay.db", RUN)
    assert not path.exists()


@pytest.mark.parametrize("table", ["answers", "labels", "faults"])
def test_every_column_is_on_the_page(path: Path, table: str) -> None:
    with Log(path, RUN) as log:
        columns = [name for (name,) in log.rows(f"SELECT name FROM pragma_table_info('{table}')")]
    section = PAGE.read_text().split(f"**`{table}`**")[1].split("\n\n")[1]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == columns


def test_every_kind_of_fault_is_on_the_page() -> None:
    section = PAGE.read_text().split("## When the service misbehaves")[1].split("## The log")[0]
    assert re.findall(r"^\| `([\w ]+)` \|", section, re.MULTILINE) == [kind.value for kind in Kind]
