import pytest

from lab_env.errors import LabError
from lab_env.hints import next_hint, taken
from tests.lab_env.tiny import Tiny


def test_a_ladder_is_climbed_step_by_step_and_remembered(tiny: Tiny) -> None:
    workspace = tiny.started()
    check = tiny.first.check("says_hello")
    steps = [next_hint(workspace, check) for _ in range(4)]
    assert [step.shown[-1] for step in steps] == [*check.hints, check.hints[-1]]
    assert [step.is_last for step in steps] == [False, False, True, True]


def test_each_check_has_its_own_place(tiny: Tiny) -> None:
    workspace = tiny.started()
    next_hint(workspace, tiny.first.check("says_hello"))
    assert next_hint(workspace, tiny.first.check("says_it_twice")).step == 1
    assert next_hint(workspace, tiny.first.check("says_hello")).step == 2


def test_a_note_that_is_no_step_stops_nothing(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.notes / "hints.json").write_text('{"says_hello": "two", "says_it_twice": null}')
    assert next_hint(workspace, tiny.first.check("says_hello")).step == 1
    assert taken(workspace).get("says_hello") == 1
    assert "says_it_twice" not in taken(workspace)


def test_a_worked_task_has_no_hints(tiny: Tiny) -> None:
    with pytest.raises(LabError, match=r"`notes_are_there` has no hints: its task `look` is shown done"):
        next_hint(tiny.started(), tiny.first.check("notes_are_there"))
