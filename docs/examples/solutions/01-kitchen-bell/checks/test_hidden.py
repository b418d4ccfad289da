"""A hidden check: the promise is public, the numbers are not."""

from grader.checks import Expect, Hidden, Student


# --8<-- [start:hidden]
def test_any_time_is_counted(
    student: Student, hidden: Hidden, expect: Expect
) -> None:
    rng = hidden.rng("times")
    cooking, passed = int(rng.integers(40, 90)), int(rng.integers(5, 40))
    expect(
        student.call("bell.minutes_left", cooking, passed=passed),
        cooking - passed,
        looked_at=f"minutes_left({cooking}, passed={passed})",
        why="Tomorrow's dishes take other times than today's.",
        misconception="only-the-example",
    )
    # --8<-- [end:hidden]
