from pathlib import Path

import pytest

from lab_env.replay.errors import ReplayError
from lab_env.replay.log import Answer, Label, Log
from lab_env.replay.report import read_report


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two days, made by hand: each order's error is in the comment."""
    path = tmp_path / "replay.db"
    with Log(path, {}) as log:
        log.answer(Answer(0, 10, 3, 3.1, "answered", 30.0, "v1", False, 2.0, 1))  # 1 minute
        log.answer(Answer(1, 11, 3, 3.2, "answered", 30.0, "v1", True, 4.0, 2))  # 3 minutes
        log.answer(Answer(2, 12, 3, 3.3, "answered", 30.0, "v2", False, 6.0, 1))  # no label
        log.answer(Answer(3, 13, 4, 4.1, "answered", 40.0, "v2", False, 8.0, 1))  # 5 minutes
        log.answer(Answer(4, 14, 4, 4.2, "refused", None, None, None, None, 1))
        log.answer(Answer(5, 15, 5, 5.2, "failed", None, None, None, None, 5))
        log.fault(3.2, "/predict", "cut off", "it ended")
        log.deliver([Label(10, 31.0, 3.12, 3.125), Label(11, 27.0, 3.22, 3.25), Label(13, 45.0, 4.12, 4.125)])
    return path


def test_accuracy_is_by_day_and_against_the_floor(log: Path) -> None:
    report = read_report(log, {3: 1.5, 4: 4.5, 5: 9.0})
    days = [(day.day, day.orders, day.answered, day.labels, day.mae, day.floor) for day in report.days]
    assert days == [(3, 3, 3, 2, 2.0, 1.5), (4, 2, 1, 1, 5.0, 4.5), (5, 1, 0, 0, None, 9.0)]
    assert [day.coverage for day in report.days] == [pytest.approx(2 / 3), 1.0, 0.0]
    assert report.mae == pytest.approx((1 + 3 + 5) / 3)
    assert report.floor == pytest.approx((1.5 * 2 + 4.5) / 3)


def test_a_floor_that_is_not_known_for_all_labels_is_not_made_up(log: Path) -> None:
    assert read_report(log).floor is None
    assert read_report(log, {3: 1.5}).floor is None


def test_what_came_of_the_orders_is_counted(log: Path) -> None:
    report = read_report(log)
    assert (report.orders, report.answered, report.refused, report.failed, report.again) == (6, 4, 1, 1, 2)
    assert report.degraded == 0.25
    assert report.versions == {"v1": 2, "v2": 2}
    assert report.faults == {"cut off": 1}
    assert report.latency_ms["p50"] == 5.0
    assert 7.3 < report.latency_ms["p95"] < report.latency_ms["p99"] < 8.0


def test_an_empty_log_has_an_empty_report(tmp_path: Path) -> None:
    Log(tmp_path / "replay.db", {}).__exit__(None, None, None)
    report = read_report(tmp_path / "replay.db")
    assert (report.days, report.mae, report.latency_ms, report.degraded) == ((), None, {}, 0.0)


def test_a_log_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    with Log(tmp_path / "replay.db", {}) as log:
        log.answer(Answer(0, 10, 3, 3.1, "answered", 30.0, "v1", False, 2.0, 1))
        assert read_report(tmp_path / "replay.db").orders == 1


def test_reading_leaves_nothing_behind(log: Path) -> None:
    before = sorted(log.parent.iterdir())
    read_report(log)
    assert sorted(log.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "There is no log"),
        (b"", "is no log of a replay"),
        (b"my notes" * 200, "cannot be read: file is not"),
    ],
)
def test_what_is_no_log_is_named(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "notes.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReplayError, match=told):
        read_report(path)
    assert not path.exists() if content is None else path.read_bytes() == content
