import pytest

from grader.errors import InvalidSubmission, ManifestError
from lab_env.checking import check, find_check, find_task, verdicts_now
from lab_env.errors import LabError
from lab_env.progress import note_result
from tests.lab_env.tiny import NOW, Tiny


def test_visible_checks_are_judged_and_hidden_ones_are_not(tiny: Tiny) -> None:
    found = check(tiny.started())
    assert found.verdicts == {
        "notes_are_there": "PASS",
        "says_hello": "FAIL",
        "says_it_twice": "BLOCKED",
        "is_tagged": "FAIL",
    }
    assert [failed.id for failed in found.failed] == ["says_hello", "says_it_twice"]
    assert found.to_dict()["lab"] == "01-first"


def test_an_extension_counts_only_when_asked_for(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / "answer.txt").write_text("hello\nhello\n")
    assert check(workspace).failed == ()
    alone = check(workspace, "tag-it")
    assert [failed.id for failed in alone.failed] == ["is_tagged"]
    assert alone.verdicts.keys() == {"is_tagged"}


def test_what_cannot_be_judged_is_named(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(InvalidSubmission, match=r"01-first cannot be judged. link is a link"):
        check(workspace)


def test_half_a_workspace_is_not_judged(tiny: Tiny) -> None:
    workspace = tiny.started()
    (workspace.folder / ".git" / "HEAD").unlink()
    with pytest.raises(LabError, match="has lost its own Git repository"):
        check(workspace)


def test_tasks_and_checks_go_by_many_names(tiny: Tiny) -> None:
    assert find_task(tiny.first, "2").id == "say-hello"
    assert find_check(tiny.first, "Says it-twice").id == "says_it_twice"
    with pytest.raises(ManifestError, match=r"no task `9`"):
        find_task(tiny.first, "9")
    with pytest.raises(ManifestError, match=r"no check `sayshello`. Did you mean `says_hello`"):
        find_check(tiny.first, "sayshello")


def test_verdicts_are_judged_again_only_after_a_change(tiny: Tiny) -> None:
    workspace = tiny.started()
    found = check(workspace)
    note_result(workspace, found.result, now=NOW)
    marked = workspace.notes / "progress.json"
    marked.write_text(marked.read_text().replace('"says_hello": "FAIL"', '"says_hello": "TIMEOUT"'))
    assert verdicts_now(workspace)["says_hello"] == "TIMEOUT", "as noted"
    (workspace.folder / "answer.txt").write_text("hello")
    assert verdicts_now(workspace)["says_hello"] == "PASS"
