"""Tables that are kept between submissions: the same as made, bounded, and out of reach of what is judged."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grader.boxes.base import Budget, Session
from grader.boxes.bubblewrap import BubblewrapBox, why_cold
from grader.manifest import Limits
from lab_env.kept import FOLDER, Tables, kept
from lab_env.world import World, as_frame
from lab_env.world.incidents import Metres, RenamedColumn
from lab_env.world.prediction_log import prediction_log
from lab_env.world.scenarios import Scenario


class Maker:
    """Makes a table of some size, and counts how often."""

    def __init__(self, rows: int = 10) -> None:
        self.rows = rows
        self.made = 0

    def __call__(self) -> Tables:
        self.made += 1
        return [pd.DataFrame({"a": np.random.default_rng(self.rows).random(self.rows)})]


def test_what_is_kept_is_what_was_made(tmp_path: Path) -> None:
    broken = Scenario("x", "Something.", (Metres(start=2, days=1), RenamedColumn(start=3, days=1)))
    log = prediction_log(World(5, broken, orders_per_day=50), 0, 5)
    made = [as_frame(log.predictions), as_frame(log.labels)]
    kept(lambda: made, 5, folder=tmp_path)
    for one, other in zip(made, kept(list, 5, folder=tmp_path), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_other_facts_are_made_anew(tmp_path: Path) -> None:
    make = Maker()
    for facts in ((1, Metres(start=2)), (1, Metres(start=3)), (2, Metres(start=2)), (1, Metres(start=2))):
        kept(make, *facts, folder=tmp_path)
    assert make.made == 3


def test_what_is_broken_is_made_anew_and_mended(tmp_path: Path) -> None:
    make = Maker()
    [table] = kept(make, 1, folder=tmp_path)
    [file] = tmp_path.rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:100])
    for _ in range(2):
        pd.testing.assert_frame_equal(kept(make, 1, folder=tmp_path)[0], table)
    assert make.made == 2


def test_what_was_not_read_for_the_longest_time_goes_first(tmp_path: Path) -> None:
    makers, folder = [Maker(1000 + number) for number in range(3)], tmp_path / "worlds"
    for number in (0, 1, 0, 2):  # 1 is the oldest when 2 comes, and two have room
        kept(makers[number], number, folder=folder, most_bytes=25_000)
    assert len(list(folder.iterdir())) == 2
    for number in (0, 2, 1):
        kept(makers[number], number, folder=folder, most_bytes=25_000)
    assert [make.made for make in makers] == [1, 2, 1]


def test_where_nothing_can_be_kept_it_is_made_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    make = Maker()
    for _ in range(2):
        assert len(kept(make, 1, folder=tmp_path / "file")[0]) == 10
    assert make.made == 2


@pytest.mark.skipif(bool(why_cold()), reason="no sandbox on this host")
def test_no_work_that_is_judged_sees_the_folder(tmp_path: Path) -> None:
    kept(Maker(), "seen", folder=FOLDER)
    assert FOLDER.stat().st_mode & 0o077 == 0
    budget = Budget(Limits(cpu_s=5, wall_s=30))
    with closing(Session(BubblewrapBox().start(tmp_path, {}, budget), budget)) as session:
        looked = session.run(["python", "-c", f"import os; os.makedirs({str(FOLDER)!r} + '/x')"])
        seen = session.run(["ls", str(FOLDER)])
    assert looked.code != 0
    assert seen.code != 0
