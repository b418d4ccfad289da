"""What a check is given by name, judged for real: the learner's code, evidence, hidden data."""

from pathlib import Path

import pytest

from grader.controller import judge
from grader.manifest import Lab
from grader.results import Result, Verdict, learner_view
from tests.grader.courses import git, lab_of, repository, write_files

GIVEN = """
from grader.checks import Evidence, Expect, Hidden, Student


def test_program_measures_other_data(student: Student, expect: Expect) -> None:
    done = student.run(["python", "measure.py"], files={"data.txt": b"1 2 3"})
    expect((done.code, done.stdout, done.read("sum.txt")), (0, "6\\n", b"6"), looked_at="measure.py", why="w")


def test_session_keeps_state(student: Student, expect: Expect) -> None:
    session = student.session()
    expect([session.call("state.count"), session.call("state.count")], [1, 2], looked_at="count()", why="w")
    expect(student.call("state.count"), 1, looked_at="count() in another box", why="w")


def test_service_answers(student: Student, expect: Expect) -> None:
    session = student.session(["python", "-m", "http.server", "--bind", "127.0.0.1", "{port}"])
    expect(session.get("/data.txt").body, b"4 5", looked_at="GET /data.txt", why="w")


def test_files_are_read(evidence: Evidence, expect: Expect) -> None:
    expect(evidence.text("data.txt"), "4 5", looked_at="data.txt", why="w")
"""

HIDDEN_GIVEN = """
from grader.checks import Expect, Hidden, Student


def test_draws(student: Student, hidden: Hidden, expect: Expect) -> None:
    drawn = hidden.rng("a").integers(10**9)
    assert drawn == hidden.rng("a").integers(10**9)
    assert drawn != hidden.rng("b").integers(10**9)
    expect(0, drawn, looked_at="SECRET", why=f"SECRET {drawn}", link="SECRET.md", misconception="zero")


def test_leaks_by_name(student: Student, hidden: Hidden) -> None:
    student.call("state.leak", f"SECRET{hidden.rng('a').integers(10**9)}")


def test_errs_by_value(student: Student) -> None:
    student.call("int", "SECRET")
"""

GIVEN_WORK = {
    "data.txt": "4 5",
    "measure.py": """
        numbers = [int(word) for word in open("data.txt").read().split()]
        open("sum.txt", "w").write(str(sum(numbers)))
        print(sum(numbers))
        """,
    "state.py": """
        calls = 0

        def count():
            global calls
            calls += 1
            return calls

        def leak(word):
            raise type(word, (Exception,), {})(word)
        """,
}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Path]:
    folder = tmp_path_factory.mktemp("given")
    return lab_of(folder / "course", GIVEN, hidden=HIDDEN_GIVEN), write_files(folder / "work", GIVEN_WORK)


@pytest.fixture(scope="module")
def all_given(given: tuple[Lab, Path]) -> Result:
    return judge(*given, hidden=True)


def test_checks_are_given_what_they_ask_for_by_name(all_given: Result) -> None:
    visible = [check for check in all_given.checks if not check.hidden]
    assert [(check.id, check.verdict, check.found) for check in visible] == [
        (check.id, Verdict.PASS, "") for check in visible
    ]


def test_one_secret_draws_one_number_and_another_another(given: tuple[Lab, Path], all_given: Result) -> None:
    same = judge(*given, hidden=True, only=["draws"])
    other = judge(*given, hidden=True, only=["draws"], secret=b"another class")
    assert same.check("draws").expected == all_given.check("draws").expected
    assert other.check("draws").expected != all_given.check("draws").expected
    assert all_given.seeded == ("draws", "leaks_by_name")


def test_the_learner_sees_no_value_of_a_hidden_check(all_given: Result) -> None:
    assert "SECRET" in all_given.check("draws").why
    assert all_given.check("leaks_by_name").exception.startswith("SECRET")
    view = learner_view(all_given)
    assert "SECRET" not in str(view)
    assert all_given.check("draws").expected not in str(view)
    shown = {check["id"]: check for check in view["checks"]}
    assert (shown["draws"]["verdict"], shown["draws"]["misconception"]) == ("FAIL", "zero")
    assert shown["draws"]["says"] == "draws"
    assert shown["leaks_by_name"]["exception"] == "Exception"


AT = """
from grader.checks import Evidence, Expect, Student


def test_versions_differ(student: Student, evidence: Evidence, expect: Expect) -> None:
    old = student.at(evidence.dvc.pull("v1"))
    expect([old.call("work.number"), student.call("work.number")], [1, 2], looked_at="number()", why="w")
    done = old.run(["cat", "given"], files={"given": b"x"})
    expect(done.stdout, "x", looked_at="a file laid over it", why="w")
"""


def test_a_check_can_call_the_code_of_another_version(tmp_path: Path) -> None:
    work = repository(tmp_path / "work", {"work.py": "def number():\n    return 1\n"})
    git(work, "tag", "v1")
    write_files(work, {"work.py": "def number():\n    return 2\n"})
    [check] = judge(lab_of(tmp_path / "course", AT), work).checks
    assert (check.verdict, check.found) == (Verdict.PASS, "")
