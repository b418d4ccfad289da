from pathlib import Path

import pytest

from grader.answers import Kitchen, find_answer, list_answers
from grader.errors import CourseError
from grader.manifest import Lab
from tests.grader.courses import git, write_files


def test_answers_come_starter_first_then_master_wrong_and_right(sound: Lab) -> None:
    answers = list_answers(sound)
    assert [answer.title for answer in answers] == [
        "starter",
        "master",
        "wrong/dirty",
        "wrong/minus",
        "wrong/no-notes",
        "wrong/typed",
        "right/sum",
    ]
    assert answers[2].fails == {"is_committed": "dirty-tree"}
    assert answers[1].fails == answers[6].fails == {}


def test_an_answer_is_found_by_name_or_the_names_are_listed(sound: Lab) -> None:
    assert find_answer(sound, "wrong", "minus").folder.name == "minus"
    assert find_answer(sound, "master").title == "master"
    with pytest.raises(
        CourseError, match=r"no wrong answer `plus`\. There are: dirty, minus, no-notes, typed\."
    ):
        find_answer(sound, "wrong", "plus")


def test_no_answer_of_a_kind_is_told(tiny: Lab) -> None:
    (tiny.solutions / "right").rename(tiny.solutions / "gone")
    with pytest.raises(CourseError, match=r"Lab 01-add has no right answer `sum`\. There are: none\."):
        find_answer(tiny, "right", "sum")


EXPECT = {
    "missing": (
        None,
        r"expect\.toml: a wrong answer says what it fails, and this one cannot be read .*Write `\[fails\]`",
    ),
    "no TOML": ("[fails", r"expect\.toml: a wrong answer says what it fails"),
    "no table": ("", r"expect\.toml: write one table `\[fails\]` with lines like"),
    "empty": ("[fails]\n", r"expect\.toml: write one table `\[fails\]`"),
    "another table": ('[fails]\nadds = "x"\n[passes]\n', r"expect\.toml: write one table `\[fails\]`"),
    "a text": ('fails = "adds"', r"expect\.toml: write one table `\[fails\]`"),
    "unknown check": (
        '[fails]\nadd = "x"',
        r"minus/expect\.toml: Lab 01-add has no check `add`\. Did you mean `adds`\?",
    ),
}


@pytest.mark.parametrize("name", EXPECT)
def test_a_wrong_answer_must_say_what_it_fails(tiny: Lab, name: str) -> None:
    text, wanted = EXPECT[name]
    file = tiny.solutions / "wrong" / "minus" / "expect.toml"
    file.unlink()
    if text is not None:
        file.write_text(text)
    with pytest.raises(CourseError, match=wanted):
        list_answers(tiny)


@pytest.fixture
def kitchen(tiny: Lab, tmp_path: Path) -> Kitchen:
    (tmp_path / "kitchen").mkdir()
    return Kitchen(tiny, tmp_path / "kitchen")


def made(kitchen: Kitchen, kind: str, name: str = "") -> Path:
    return kitchen.make(find_answer(kitchen.lab, kind, name))


def test_the_starter_and_the_master_are_workspaces(kitchen: Kitchen) -> None:
    starter, master = made(kitchen, "starter"), made(kitchen, "master")
    assert "raise NotImplementedError" in (starter / "add.py").read_text()
    assert "return total_of_both" in git(master, "show", "HEAD:add.py")
    assert git(master, "log", "--format=%s").splitlines() == ["done", "Starter of 01-add"]
    assert (master / "data.txt").read_text() == "3 4"
    assert not (master / "solve.sh").exists()
    assert made(kitchen, "master") == master


def test_files_of_an_answer_are_laid_over_the_master_s_and_solved(kitchen: Kitchen) -> None:
    minus = made(kitchen, "wrong", "minus")
    assert git(minus, "show", "HEAD:add.py").endswith("return a - b")
    assert (minus / "only_in_the_master.py").is_file()
    assert not (minus / "expect.toml").exists()


def test_an_own_solve_is_run_instead(kitchen: Kitchen) -> None:
    dirty = made(kitchen, "wrong", "dirty")
    assert git(dirty, "log", "--format=%s") == "Starter of 01-add"
    assert "total_of_both" in (dirty / "add.py").read_text()


def test_what_is_done_after_starts_from_the_finished_master(kitchen: Kitchen) -> None:
    away = made(kitchen, "wrong", "no-notes")
    assert git(away, "log", "--format=%s").splitlines() == ["away", "done", "Starter of 01-add"]
    assert git(made(kitchen, "master"), "log", "--format=%s").splitlines() == ["done", "Starter of 01-add"]


def test_answers_come_out_the_same_each_time(kitchen: Kitchen, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Kitchen(kitchen.lab, tmp_path / "other")
    assert git(made(kitchen, "master"), "rev-parse", "HEAD") == git(
        made(other, "master"), "rev-parse", "HEAD"
    )


def test_scripts_have_a_home_of_their_own(kitchen: Kitchen) -> None:
    write_files(kitchen.lab.solutions, {"solve.sh": "touch ~/left-here\n"})
    made(kitchen, "master")
    assert (kitchen.folder / "master.home" / "left-here").is_file()


@pytest.mark.parametrize("script", ["solve.sh", "then.sh"])
def test_a_script_that_fails_is_named_with_its_output(kitchen: Kitchen, script: str) -> None:
    write_files(kitchen.lab.solutions / "wrong" / "minus", {script: "echo no such tag\nexit 2\n"})
    with pytest.raises(
        CourseError, match=rf"minus/{script}: `bash .*failed with exit code 2 in .*\nno such tag"
    ):
        made(kitchen, "wrong", "minus")


def test_a_prepare_that_fails_is_told(kitchen: Kitchen) -> None:
    broken = Kitchen(kitchen.lab.model_copy(update={"prepare": (("false",),)}), kitchen.folder)
    with pytest.raises(CourseError, match=r"`false` failed with exit code 1"):
        made(broken, "master")
