"""What was copied is found under other names, in another order, in other cells; what was not is not."""

import json
import re
import sqlite3
from pathlib import Path
from shutil import copytree

import pytest

from grader.classroom import Classroom
from grader.errors import CourseError
from grader.manifest import Lab
from grader.similar import Found, Pair, compare, given, read
from grader.similar_report import write
from grader.snapshot import take
from grader.starter import lay_out
from grader.tokens import Part, parts
from grader.traces import traces
from tests.grader.classes import a_class, hand_in
from tests.grader.courses import commit, git, repository, write_files
from tests.grader.strings import HOSTILE
from tests.grader.test_class_report import PLAIN
from tests.grader.test_cli_class import typed
from tests.grader.test_feedback import Tags

GIVEN = """
    import csv
    from pathlib import Path


    def orders(path):
        with Path(path).open(newline="") as file:
            return list(csv.DictReader(file))


    def slow_zones(path, most):
        raise NotImplementedError


    def worst_day(path):
        raise NotImplementedError
"""
ONE = """
    import csv
    from pathlib import Path


    def orders(path):
        with Path(path).open(newline="") as file:
            return list(csv.DictReader(file))


    def slow_zones(path, most):
        # the mean of each zone, then those above the bound
        totals, counts = {}, {}
        for order in orders(path):
            zone = order["zone"]
            totals[zone] = totals.get(zone, 0.0) + float(order["minutes"])
            counts[zone] = counts.get(zone, 0) + 1
        means = {zone: totals[zone] / counts[zone] for zone in totals}
        return sorted(zone for zone, mean in means.items() if mean > most)


    def worst_day(path):
        late = {}
        for order in orders(path):
            if float(order["minutes"]) > float(order["promised"]):
                late.setdefault(order["day"], []).append(order)
        ranked = sorted(late.items(), key=lambda item: (-len(item[1]), item[0]))
        return ranked[0][0] if ranked else None
"""
DISGUISED = '''
    """My own work."""

    import csv
    from pathlib import Path


    def orders(path):
        with Path(path).open(newline="") as file:
            return list(csv.DictReader(file))


    def worst_day(p):
        """Finds the day that was worst."""
        bad = {}

        for row in orders(p):  # every row
            if float(row['minutes']) > float(row['promised']):
                bad.setdefault(row['day'], []).append(row)

        listing = sorted(
            bad.items(), key=lambda pair: (-len(pair[1]), pair[0])
        )
        return listing[0][0] if listing else None


    def slow_zones(p, limit):
        sums, number = {}, {}
        for row in orders(p):
            area = row['zone']
            sums[area] = sums.get(area, 0.0) + float(row['minutes'])
            number[area] = number.get(area, 0) + 1
        # divide
        average = {area: sums[area] / number[area] for area in sums}
        return sorted(area for area, value in average.items() if value > limit)
'''
OTHER = """
    import csv
    from collections import Counter, defaultdict
    from pathlib import Path
    from statistics import fmean


    def orders(path):
        with Path(path).open(newline="") as file:
            return list(csv.DictReader(file))


    def slow_zones(path, most):
        by_zone = defaultdict(list)
        for row in orders(path):
            by_zone[row["zone"]].append(float(row["minutes"]))
        slow = []
        for zone in by_zone:
            if fmean(by_zone[zone]) > most:
                slow.append(zone)
        slow.sort()
        return slow


    def worst_day(path):
        def is_late(row):
            return float(row["minutes"]) - float(row["promised"]) > 0

        days = Counter(row["day"] for row in orders(path) if is_late(row))
        if not days:
            return None
        top = max(days.values())
        return min(day for day, count in days.items() if count == top)
"""


def compared(folder: Path, starter: dict[str, str], **works: dict[str, str]) -> Found:
    """What is found among works of these files, where all were given `starter`."""
    made = {name: write_files(folder / name, files) for name, files in {"": starter, **works}.items()}
    read_ones = [read(take(made[name]), name) for name in works]
    return compare(read_ones, read(take(write_files(folder / "given", starter)), ""))


def notebook(*cells: str) -> str:
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def names(found: Found) -> list[tuple[str, str]]:
    return [(pair.left.work.learner, pair.right.work.learner) for pair in found.pairs]


def test_renamed_reordered_and_commented_work_is_found(tmp_path: Path) -> None:
    found = compared(
        tmp_path, {"a.py": GIVEN}, ann={"a.py": ONE}, bea={"a.py": OTHER}, cy={"mine.py": DISGUISED}
    )
    assert names(found) == [("ann", "cy")]
    assert found.pairs[0].left.share > 0.85
    assert found.pairs[0].right.share > 0.85


def test_two_honest_answers_and_two_untouched_starters_are_not_found(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {"a.py": GIVEN},
        ann={"a.py": ONE},
        bea={"a.py": OTHER},
        cy={"a.py": GIVEN},
        di={"a.py": GIVEN},
    )
    assert (found.compared, found.pairs, found.data) == (4, (), ())


def test_a_notebook_is_found_in_other_cells_and_as_a_file(tmp_path: Path) -> None:
    head, first, second = ONE.partition("def slow_zones")[0], *ONE.split("\n\n\n    def ")[2:]
    whole = notebook(ONE.replace("\n    ", "\n"))
    cut = [part.replace("\n    ", "\n") for part in (head, "def " + first, "def " + second)]
    split = notebook(*cut[:2], "", "# mine", cut[2])
    found = compared(
        tmp_path, {"n.ipynb": notebook()}, ann={"n.ipynb": whole}, bea={"n.ipynb": split}, cy={"n.py": ONE}
    )
    assert names(found) == [("ann", "bea"), ("ann", "cy"), ("bea", "cy")]
    assert min(pair.share for pair in found.pairs) > 0.9


def test_words_are_compared_as_words(tmp_path: Path) -> None:
    text = " ".join(f"reason{at}" for at in range(60))
    found = compared(
        tmp_path,
        {"why.md": "# Why\n"},
        ann={"why.md": text},
        bea={"because.md": text.upper().replace(" ", "\n")},
    )
    assert (names(found), found.pairs[0].share) == ([("ann", "bea")], 1)


def test_what_many_have_is_nobodys_own(tmp_path: Path) -> None:
    crowd = {f"l{at:02}": {"a.py": ONE} for at in range(11)}
    crowd |= {"x": {"a.py": ONE + OTHER}, "y": {"b.py": OTHER}}
    found = compared(tmp_path, {"a.py": GIVEN}, **crowd)
    assert names(found) == [("x", "y")]


def test_given_is_what_lab_start_lays_out(tiny: Lab, tmp_path: Path) -> None:
    lay_out(tiny, tmp_path / "mine")
    mine, starter = read(take(tmp_path / "mine"), "ann"), given(tiny)
    assert (mine.traces, mine.runs) == (starter.traces, starter.runs)
    assert {text.part.name for text in starter.texts} == {"add.py", "notes.md", "data.txt"}
    assert len(starter.traces.commits) == 1


def with_store(folder: Path, *runs: str) -> Path:
    """A work with MLflow's tables of these runs."""
    with sqlite3.connect(folder / "mlflow.db") as store:
        store.execute("create table runs (run_uuid text, name text, artifact_uri text)")
        store.execute("create table params (key text, value text, run_uuid text)")
        for run in runs:
            store.execute(
                "insert into runs values (?, 'bold-cat', ?)", (run, f"/home/me/mlruns/1/{run}/artifacts")
            )
            store.execute("insert into params values ('depth', '3', ?)", (run,))
    store.close()
    return folder


def test_the_same_run_the_same_commit_and_the_same_file_are_found(tmp_path: Path) -> None:
    starter = repository(tmp_path / "given", {"a.py": GIVEN})
    ann, bea, cy = (copytree(starter, tmp_path / name) for name in ("ann", "bea", "cy"))
    write_files(ann, {"a.py": ONE, "metrics.csv": "mae,5.25\nrmse,7.125\n"})
    commit(ann, "mine")
    git(bea, "fetch", "--quiet", str(ann), "main")
    git(bea, "reset", "--quiet", "--hard", "FETCH_HEAD")
    git(bea, "gc", "--quiet")
    write_files(bea, {"a.py": OTHER})
    commit(bea, "rewritten")
    write_files(
        cy, {"a.py": GIVEN, "table.csv": "mae,5.25\nrmse,7.125\n", "x.dvc": f"outs:\n- md5: {'9' * 32}\n"}
    )
    with_store(ann, "a" * 32, "b" * 32)
    with_store(cy, "b" * 32, "c" * 32)
    works = [read(take(one), one.name) for one in (ann, bea, cy)]
    found = compare(works, read(take(starter), ""))
    pairs = dict(zip(names(found), found.pairs, strict=True))
    assert pairs.keys() == {("ann", "bea"), ("ann", "cy")}
    assert pairs["ann", "bea"].commits == (git(ann, "rev-parse", "HEAD"),)
    assert pairs["ann", "cy"].ids == ("b" * 32,)
    assert found.data == (("metrics.csv", ("ann", "bea", "cy")),)
    assert "9" * 32 in works[2].traces.data


def test_what_is_no_repository_leaves_no_commits(tmp_path: Path) -> None:
    odd = write_files(
        tmp_path / "odd", {f"objects/ab/{'c' * 38}": "no zlib", "objects/pack/x.idx": "no index"}
    )
    (odd / "objects/pack/y.idx").write_bytes(b"\xfftOc\x00\x00\x00\x02" + b"\xff" * 2000)
    (odd / "objects/pack/y.pack").write_bytes(b"PACK")
    assert traces(take(odd)).commits == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        " \n" * 200_000,
        "'''" * 100_000,
        '"\\"' * 100_000,
        '"""\\' * 100_000,
        "f'{" * 100_000,
        "(" * 500_000,
        "#" * 500_000,
    ],
    ids=["blank", "triple", "escaped", "both", "braces", "parentheses", "comment"],
)
def test_a_file_made_to_stall_a_reader_is_read(text: str) -> None:
    assert len(Part("a.py", "python", text).tokens) <= len(text)


def test_what_cannot_be_read_as_text_has_no_parts() -> None:
    assert parts("a.py", b"x" * (512 * 1024 + 1)) == []
    assert parts("a.ipynb", b"{") == []
    assert parts("a.parquet", b"PAR1") == []
    assert [part.language for part in parts("Dockerfile.api", b"FROM x\n")] == ["other"]
    assert [part.language for part in parts("a.ipynb", notebook("x = 1").encode())] == ["python"]


@pytest.fixture
def alike(sound: Lab, tmp_path: Path) -> Classroom:
    """A class in which ann and bea handed in the same under hostile names, and cy something else."""
    room = a_class(tmp_path / "class", sound, "ann,<script>alert(1)</script>,", "bea,Bea \u202eB,", "cy")
    evil = "\n".join(f"    evil.append({text!r})  # {' '.join(text.split())}" for text in HOSTILE)
    code = f"def add(a, b):\n    evil = []\n{evil}\n    return a + b\n"
    hand_in(
        room, sound, "ann", {"add.py": code, "<img src=x onerror=alert(1)>.py": ONE, "notes.md": "Add.\n"}
    )
    hand_in(
        room,
        sound,
        "bea",
        {"add.py": code, "<img src=x onerror=alert(1)>.py": DISGUISED, "notes.md": "Add.\n"},
    )
    hand_in(room, sound, "cy", {"add.py": "def add(a, b):\n    return sum((a, b))\n", "notes.md": "Add.\n"})
    return room


def test_the_pages_show_both_and_judge_neither(alike: Classroom) -> None:
    done = typed(alike.folder, "similar", "01")
    assert (done.returncode, done.stderr) == (0, "")
    index = alike.folder / "similar" / "01-add" / "index.html"
    assert done.stdout == f"01-add: 3 compared, 1 pairs to look at. Open {index}.\n"
    page = index.with_name("001.html").read_text()
    assert page.count("<mark ") >= 4
    for number in re.findall(r'href="#(\w+)"', page):
        assert f'id="{number}"' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; (ann)" in page
    for text in (index.read_text(), page):
        assert not re.search(r"(?i)plagiar|cheat|copied|copy|suspect|guilt|dishonest|fraud|verdict", text)
    assert not re.search(
        r"(?i)plagiar|cheat|suspect|verdict", typed(alike.folder, "similar", "--help").stdout
    )


def test_nothing_in_the_pages_is_active(alike: Classroom) -> None:
    typed(alike.folder, "similar", "01")
    for file in (alike.folder / "similar" / "01-add").glob("*.html"):
        text = file.read_text()
        seen = Tags(text)
        assert {tag for tag, _ in seen.tags} <= PLAIN | {"pre", "mark", "h3"}
        for _, attributes in seen.tags:
            assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
            assert re.fullmatch(r"(index|\d{3})\.html|#[lr]\d+", attributes.get("href") or "index.html")
        assert not set(text) & set("\x00\x1b\x9b\u202e\u2066\u2028")


def test_earlier_pages_are_taken_away_and_others_left(alike: Classroom, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "pages", {"007.html": "old", "mine.html": "mine"})
    assert typed(alike.folder, "similar", "01", "--output", folder).returncode == 0
    assert sorted(file.name for file in folder.iterdir()) == ["001.html", "index.html", "mine.html"]


def test_too_few_submissions_and_a_folder_that_cannot_be_written_are_said(
    alike: Classroom, sound: Lab, tmp_path: Path
) -> None:
    empty = a_class(tmp_path / "empty", sound, "ann")
    done = typed(empty.folder, "similar", "01")
    assert (done.returncode, done.stderr) == (
        2,
        "0 submissions of 01-add are here, and two are needed. Run `grader collect 01 DOWNLOADS` first.\n",
    )
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match=r"cannot be written .* `--output`"):
        write(alike, sound, Found(2, (), ()), tmp_path / "file" / "below")


def test_a_page_is_written_for_the_first_pairs_only(alike: Classroom, sound: Lab, tmp_path: Path) -> None:
    works = [
        read(take(one), one.name)
        for one in (write_files(tmp_path / name, {"a.py": ONE}) for name in ("ann", "bea"))
    ]
    pair = compare(works, read(take(write_files(tmp_path / "given", {"a.py": GIVEN})), "")).pairs[0]
    assert isinstance(pair, Pair)
    assert pair.is_same
    page = write(alike, sound, Found(2, (pair,) * 201, ()), tmp_path / "pages")
    assert len(list(page.parent.iterdir())) == 201
    assert "Pages are written for the first 200 pairs." in page.read_text()
    assert "Every file is the same." in page.with_name("200.html").read_text()
