from datetime import timedelta

from grader.results import CheckResult, Result, Verdict
from lab_env.progress import first_failing, note_result, note_start, standing, tally, utc
from tests.lab_env.tiny import NOW, Tiny

PASSING = {"notes_are_there": "PASS", "says_hello": "PASS", "says_it_twice": "PASS"}


def result(tiny: Tiny, verdicts: dict[str, str], snapshot: str = "s1") -> Result:
    """A judged first lab with these verdicts."""
    checks = tuple(
        CheckResult(check.id, check.task, check.says, check.hidden, Verdict(verdicts[check.id]), 0, 0)
        for check in tiny.first.checks
        if check.id in verdicts
    )
    return Result("01-first", "r1", snapshot, "local", checks)


def test_hidden_and_extra_points_stay_out_of_the_sum(tiny: Tiny) -> None:
    total = tally(tiny.first, PASSING | {"is_tagged": "FAIL", "says_it_well": "PASS"})
    assert (total.points, total.possible) == (5, 5)
    assert (total.extra, total.extra_possible) == (0, 4)
    assert (total.passed, total.checks, total.at_grading) == (3, 4, 1)
    assert total.is_finished


def test_a_lab_goes_from_not_started_to_finished(tiny: Tiny) -> None:
    assert standing(tiny.home, tiny.first).state == "not started"
    workspace = tiny.started()
    assert standing(tiny.home, tiny.first).state == "started"
    note_result(workspace, result(tiny, PASSING | {"is_tagged": "FAIL"}), now=NOW)
    noted = standing(tiny.home, tiny.first)
    assert (noted.state, noted.finished, noted.snapshot) == ("finished", utc(NOW), "s1")


def test_finished_stays_finished_after_a_mistake_and_a_reset(tiny: Tiny) -> None:
    workspace = tiny.started()
    note_result(workspace, result(tiny, PASSING | {"is_tagged": "FAIL"}), now=NOW)
    later = NOW + timedelta(hours=1)
    note_result(workspace, result(tiny, PASSING | {"says_hello": "FAIL", "is_tagged": "FAIL"}), now=later)
    assert standing(tiny.home, tiny.first).finished == utc(NOW)
    note_start(tiny.home, tiny.first, given=False, now=later)
    noted = standing(tiny.home, tiny.first)
    assert (noted.started, noted.finished, noted.verdicts) == (utc(NOW), utc(NOW), {})


def test_one_task_checked_keeps_what_others_said(tiny: Tiny) -> None:
    workspace = tiny.started()
    note_result(workspace, result(tiny, PASSING | {"is_tagged": "FAIL"}), now=NOW)
    note_result(workspace, result(tiny, {"is_tagged": "PASS"}, snapshot="s2"), now=NOW)
    noted = standing(tiny.home, tiny.first)
    assert noted.verdicts["says_hello"] == "PASS"
    assert noted.snapshot == "", "what the others said was said about other files"
    note_result(workspace, result(tiny, PASSING | {"is_tagged": "PASS"}, snapshot="s2"), now=NOW)
    note_result(workspace, result(tiny, {"is_tagged": "PASS"}, snapshot="s2"), now=NOW)
    assert standing(tiny.home, tiny.first).snapshot == "s2"


def test_a_result_without_a_start_is_noted_too(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.notes / "progress.json").unlink()
    note_result(workspace, result(tiny, PASSING | {"is_tagged": "FAIL"}), now=NOW)
    assert standing(tiny.home, tiny.first).started == utc(NOW)


def test_checks_that_left_the_lab_are_forgotten(tiny: Tiny) -> None:
    workspace = tiny.started()
    note_result(workspace, result(tiny, PASSING), now=NOW)
    without = tiny.first.model_copy(update={"tasks": tiny.first.tasks[:1]})
    assert standing(tiny.home, without).verdicts == {"notes_are_there": "PASS"}


def test_the_first_failing_check_is_one_that_can_be_mended(tiny: Tiny) -> None:
    verdicts = {"notes_are_there": "PASS", "says_hello": "BLOCKED", "says_it_twice": "FAIL"}
    first = first_failing(tiny.first, verdicts)
    assert first is not None
    assert first.id == "says_it_twice"
    assert first_failing(tiny.first, PASSING, among=tiny.first.tasks[:2]) is None
