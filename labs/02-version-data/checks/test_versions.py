"""Checks of lab 02: both versions, the number of each, and what only the first one can answer."""

import json
import tomllib
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from grader.checks import Checkout, Evidence, Expect, Out, Student
from lab_env.world import ZONES, Columns, World

PAGE = "modules/02-version-data.md"
V1_DAYS, V2_DAYS = 90, 120

# Run in the box: a learner made the file that it reads.
SUMMARY = """
import json, sys
import pyarrow.parquet as pq
table = pq.read_table(sys.argv[1], columns=["order_id", "day"])
days, ids = table["day"].to_pylist(), table["order_id"].to_pylist()
print(json.dumps([len(ids), len(set(ids)), min(days), max(days)]))
"""


def test_v1_is_kept(evidence: Evidence, student: Student, expect: Expect) -> None:
    clone = _kept("orders-v1", evidence, expect)
    orders, different, first, last = _summary(clone, evidence, student, expect)
    expect.that(
        (orders, different, first, last) == _true_summary(V1_DAYS),
        looked_at="the orders that a clean clone at orders-v1 pulls",
        found=f"{orders} orders ({different} different) of days {first} to {last}",
        expected=_describe(V1_DAYS),
        why="The tag names a commit with newer data. Somebody who reported a number for orders-v1 now "
        "cannot find it again. A tag is set once: put it back on the commit that measured the first 90 "
        "days, and give new data a new tag."
        if last >= V1_DAYS
        else "These are not the orders that you inherited.",
        link=f"{PAGE}#one-commit-one-version",
        misconception="moved-tag" if last >= V1_DAYS else "",
    )


def test_v2_is_kept(evidence: Evidence, student: Student, expect: Expect) -> None:
    clone = _kept("orders-v2", evidence, expect)
    orders, different, first, last = _summary(clone, evidence, student, expect)
    misconception, why = "", "These are not the inherited orders with the batch from incoming/ added."
    if first > 0:
        misconception, why = (
            "replaced-not-appended",
            (
                "The batch has taken the place of the orders that were there. A model fitted on it knows the "
                "monsoon and has forgotten the dry season. Add the batch to the orders: append.py does it."
            ),
        )
    elif last < V1_DAYS:
        misconception, why = (
            "stale-pointer",
            (
                "The file changed, but the pointer in this commit still names the old one: DVC looks at a "
                "file when you run `dvc add`, and not before. Add, measure, commit, and only then tag."
            ),
        )
    expect.that(
        (orders, different, first, last) == _true_summary(V2_DAYS),
        looked_at="the orders that a clean clone at orders-v2 pulls",
        found=f"{orders} orders ({different} different) of days {first} to {last}",
        expected=_describe(V2_DAYS),
        why=why,
        link=f"{PAGE}#one-commit-one-version",
        misconception=misconception,
    )


def _kept(tag: str, evidence: Evidence, expect: Expect) -> Checkout:
    """The clean clone at a tag, with the orders in it."""
    expect.that(
        tag in evidence.git.tags(),
        looked_at="the tags",
        found=", ".join(evidence.git.tags()) or "none",
        expected=tag,
        why="A branch moves on; a tag is the name by which this version can be found again.",
        link=f"{PAGE}#one-commit-one-version",
    )
    path, out = _orders(evidence, tag)
    expect.that(
        out is not None,
        looked_at=f"the commit of {tag}",
        found="no pointer for orders.parquet",
        expected="orders.parquet.dvc",
        why="The tag was set on a commit from before `dvc add` was committed.",
        link=f"{PAGE}#one-commit-one-version",
    )
    clone = evidence.dvc.pull(tag)
    _, newest = _orders(evidence)
    others = newest is not None and newest.md5 in evidence.dvc.store()
    expect.that(
        clone.read(path) is not None,
        looked_at=f"a clean clone at {tag} with an empty cache, after `dvc pull`",
        found="a pointer to {}, and a store without it".format(out.md5[:7] if out else "nothing"),
        expected=f"{path}, pulled from the store",
        why="The store has the newest version and not this one. Either it was never sent (`dvc push` sends "
        f"what the working tree names), or `dvc gc -w` deleted it: that keeps what the working tree names, "
        f"whatever your tags need. If your cache still has it: `git checkout {tag}`, `dvc checkout`, "
        "`dvc push`, and back. If not, `lab reset` gives you the data again."
        if others
        else "The pointer is tagged, the bytes are not in the store. Run `dvc push` while the working tree "
        "is at this version.",
        link=f"{PAGE}#what-gc-deletes" if others else f"{PAGE}#share-every-version",
        misconception="only-the-newest-kept" if others else "not-pushed",
    )
    return clone


def test_v1_number_reproduces(evidence: Evidence, student: Student, expect: Expect) -> None:
    _number_reproduces("orders-v1", evidence, student, expect)


def test_v2_number_reproduces(evidence: Evidence, student: Student, expect: Expect) -> None:
    _number_reproduces("orders-v2", evidence, student, expect)


def _number_reproduces(tag: str, evidence: Evidence, student: Student, expect: Expect) -> None:
    stored = _metrics(evidence.git.read("metrics.json", ref=tag))
    link = f"{PAGE}#the-number-is-measured"
    expect.that(
        stored is not None,
        looked_at=f"metrics.json in the commit of {tag}",
        found="no `orders` and `mae_minutes` in it",
        expected="what `python measure.py` writes",
        why="A version of data that says nothing of what it is good for cannot be compared with the next. "
        "Measure, commit metrics.json, then tag that commit.",
        link=link,
    )
    done = student.at(evidence.dvc.pull(tag)).run(["python", "measure.py"], files={"metrics.json": b""})
    again = _metrics(done.read("metrics.json")) if done.code == 0 else None
    looked_at = f"`python measure.py` in a clean clone at {tag}, beside the metrics.json of that commit"
    expect.that(
        again is not None,
        looked_at=looked_at,
        found=_last_line(done.stderr) or "a run that wrote no metrics",
        expected="a run that writes `orders` and `mae_minutes` to metrics.json",
        why="A number that cannot be made again is a claim, not a measurement.",
        link=link,
    )
    (orders, error), (orders_again, error_again) = stored or (0, 0.0), again or (0, 0.0)
    expect.that(
        orders == orders_again,
        looked_at=looked_at,
        found=f"{orders} orders in the committed metrics.json",
        expected=f"{orders_again} orders, as many as this version has",
        why="The number was measured on other data than the commit names: the working tree had changed, "
        "and the pointer in the commit had not. Check with `dvc status` that nothing differs, measure, "
        "and commit the number with its pointer.",
        link=f"{PAGE}#one-commit-one-version",
        misconception="metric-from-a-dirty-tree",
    )
    expect.that(
        abs(error - error_again) < 0.002,
        looked_at=looked_at,
        found=f"mae_minutes {error:g} in the committed metrics.json",
        expected=f"mae_minutes {error_again:g}",
        why="The number was typed, or rounded, or made by code that is not in this commit. Let measure.py "
        "write it, commit what it wrote, and tag that commit.",
        link=link,
        misconception="metric-typed-by-hand",
    )


def test_answers_are_from_v1(evidence: Evidence, expect: Expect) -> None:
    given = _answers(evidence.text("answers.toml"))
    right, today = _truth(V1_DAYS), _truth(V2_DAYS)
    expect.that(
        _close(given, right),
        looked_at="answers.toml",
        found=", ".join(f"{name} = {value}" for name, value in given.items()) or "nothing that can be read",
        expected="`market_promise` and `mae_minutes` as `python measure.py` prints them at orders-v1",
        why="These are the numbers of today's orders, monsoon and all. Finance asked what Tiffin knew and "
        "promised on day 90. Go back to orders-v1 with Git *and* DVC, measure there, and look."
        if _close(given, today)
        else "Go back to orders-v1 with `git checkout` and `dvc checkout`, run measure.py there, and copy "
        "the two numbers into answers.toml on main.",
        link=f"{PAGE}#go-back",
        misconception="answered-from-today" if _close(given, today) else "",
    )


def _orders(evidence: Evidence, ref: str = "HEAD") -> tuple[str, Out | None]:
    """Where the orders are in a version, and their pointer; None when DVC does not track them."""
    for path, out in evidence.dvc.outs(ref).items():
        if PurePosixPath(path).name == "orders.parquet":
            return path, out
    return "data/orders.parquet", None


def _summary(
    clone: Checkout, evidence: Evidence, student: Student, expect: Expect
) -> tuple[int, int, int, int]:
    """Orders, different ones, first and last day: read in the box, as a learner made the file."""
    path, _ = _orders(evidence, clone.ref)
    done = student.at(clone).run(["python", "-I", "-c", SUMMARY, path])
    expect.that(
        done.code == 0,
        looked_at=f"{path} at {clone.ref}",
        found=_last_line(done.stderr),
        expected="a Parquet file with the columns `order_id` and `day`",
        why="This version cannot be read as orders.",
    )
    orders, different, first, last = json.loads(done.stdout)
    return orders, different, first, last


def _true_summary(days: int) -> tuple[int, int, int, int]:
    count = len(_first(days)["day"])
    return count, count, 0, days - 1


def _describe(days: int) -> str:
    return f"{_true_summary(days)[0]} orders of days 0 to {days - 1}"


def _first(days: int) -> Columns:
    """The first `days` days of the orders as Tiffin's world has them."""
    orders = _both()
    return {name: column[orders["day"] < days] for name, column in orders.items()}


@cache
def _both() -> Columns:
    return World().orders(0, V2_DAYS)


def _truth(days: int) -> dict[str, float]:
    """What measure.py finds in the first `days` days."""
    orders = _first(days)
    age, minutes = days - 1 - orders["day"], orders["minutes"]
    learned, judged = (age >= 14) & (age < 42), age < 14
    promise = np.array([np.nanmedian(minutes[learned & (orders["zone"] == z)]) for z in range(len(ZONES))])
    error = np.nanmean(np.abs(minutes[judged] - promise[orders["zone"][judged]]))
    return {"market_promise": float(promise[ZONES.index("market")]), "mae_minutes": float(error)}


def _answers(text: str | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _close(given: dict[str, Any], truth: dict[str, float]) -> bool:
    """Whether both answers are right to the digits that a person copies."""
    return all(
        isinstance(given.get(name), (int, float)) and abs(given[name] - value) < 0.02
        for name, value in truth.items()
    )


def _metrics(content: bytes | None) -> tuple[int, float] | None:
    """`orders` and `mae_minutes` of a metrics.json; None when it does not have them."""
    try:
        found = json.loads(content or b"")
        return int(found["orders"]), float(found["mae_minutes"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]
