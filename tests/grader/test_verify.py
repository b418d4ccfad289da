"""Every rule for a sound lab: kept by the tiny course, and broken on purpose with its message."""

import os
import subprocess
import sys
from dataclasses import replace as changed
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from grader.answers import Answer, find_answer
from grader.manifest import Lab, read_lab
from grader.release import release
from grader.results import CheckResult, Result, Verdict
from grader.verify import (
    ENGINE,
    SEEDS,
    Judged,
    below_full_marks,
    checks_nobody_fails,
    differs_when_repeated,
    missing_functions,
    release_out_of_step,
    untouched_tasks_passed,
    verdict_key,
    verify,
    wrong_not_as_named,
)
from tests.grader.courses import replace, write_files

# --- the sound course, judged for real


def test_a_sound_lab_is_judged_whole_and_then_taken_from_the_cache(tiny: Lab) -> None:
    first: list[Judged] = []
    assert verify(tiny, seeds=3, told=first.append) == []
    assert not any(one.cached for one in first)
    points = {
        one.answer.title: one.result.points for one in first if not one.answer.title.startswith("master/")
    }
    assert points == {
        "starter": 0,
        "master": 6,
        "wrong/minus": 1,
        "wrong/typed": 4,
        "wrong/dirty": 5,
        "wrong/no-notes": 6,
        "right/sum": 6,
    }
    masters = [one for one in first if one.answer.kind == "master"]
    assert len([one for one in masters if not one.answer.name]) == 2  # twice with one seed
    seeds = [one.result for one in masters if one.answer.name.startswith("seed ")]
    assert (len(seeds), SEEDS) == (2, 20)
    assert {tuple(check.id for check in result.checks) for result in seeds} == {("adds", "adds_anything")}

    again: list[Judged] = []
    assert verify(tiny, seeds=3, told=again.append) == []
    assert len(again) == len(first)
    assert all(one.cached for one in again)
    assert verify(tiny, seeds=3, rest=False, told=again.append) == []
    assert all(one.cached for one in again)  # what was judged on all checks was on those that it names
    judged = {one.answer.title: {check.id for check in one.result.checks} for one in again}
    assert "notes_are_there" in judged["wrong/minus"]


def test_without_the_rest_a_wrong_answer_is_judged_on_what_it_names_and_waits_for(tiny: Lab) -> None:
    (tiny.solutions / "wrong" / "minus" / "then.sh").write_text("git rm -q notes.md && git commit -qm away\n")
    told: list[Judged] = []
    assert verify(tiny, seeds=1, rest=False, told=told.append) == []
    judged = {one.answer.title: {check.id for check in one.result.checks} for one in told}
    assert judged["wrong/minus"] == {"adds"}
    assert judged["wrong/typed"] == {"adds", "adds_anything"}
    assert judged["right/sum"] == {check.id for check in tiny.checks}
    [problem] = verify(tiny, seeds=1)
    assert problem.startswith("wrong/minus: `notes_are_there` is not named in expect.toml, but is FAIL")


INPUTS = [
    "labs/01-add/lab.toml",
    "labs/01-add/checks/test_visible.py",
    "labs/01-add/work/notes.md",
    "solutions/01-add/checks/test_hidden.py",
    "solutions/01-add/work/add.py",
    "solutions/01-add/solve.sh",
    "solutions/01-add/wrong/minus/add.py",
    "solutions/01-add/wrong/minus/expect.toml",
    "requirements.lock",
    "lab_env/world/city.py",
    "lab_env/bundles.py",
]


@pytest.mark.parametrize("path", INPUTS)
def test_a_verdict_is_dropped_when_anything_it_depends_on_changes(tiny: Lab, path: str) -> None:
    settings = "[tool.grader]\nenvironment = ['lab_env/world', 'lab_env/bundles.py']\n"
    made = ("lab_env/world/city.py", "lab_env/bundles.py", "requirements.lock")
    write_files(tiny.course, {"pyproject.toml": settings} | dict.fromkeys(made, ""))
    minus = find_answer(tiny, "wrong", "minus")
    before = verdict_key(tiny, minus, 0)
    assert verdict_key(tiny, minus, 0) == before
    with (tiny.course / path).open("a") as file:
        file.write("\n# more\n")
    assert verdict_key(tiny, minus, 0) != before


def test_a_verdict_is_dropped_when_a_file_moves_or_may_be_run(tiny: Lab) -> None:
    minus = find_answer(tiny, "wrong", "minus")
    keys = [verdict_key(tiny, minus, 0)]
    file = tiny.solutions / "work" / "notes.md"
    file.chmod(0o755)
    keys.append(verdict_key(tiny, minus, 0))
    (file.parent / "sub").mkdir()
    file.rename(file.parent / "sub" / "notes.md")
    keys.append(verdict_key(tiny, minus, 0))
    assert len(set(keys)) == 3


KEY = """
import sys
from pathlib import Path
from grader.answers import find_answer
from grader.manifest import read_lab
from grader.verify import verdict_key
lab = read_lab(Path(sys.argv[1]))
print(verdict_key(lab, find_answer(lab, "master"), 0))
"""


def test_a_verdict_is_dropped_when_the_engine_changes(sound: Lab, tmp_path: Path) -> None:
    copytree(ENGINE, tmp_path / "grader", ignore=ignore_patterns("__pycache__"))

    def key() -> str:
        words = [sys.executable, "-P", "-c", KEY, str(sound.folder)]
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout

    before = key()
    assert key() == before
    replace(tmp_path / "grader" / "boxes" / "local.py", "import os\n", "import os\n\n")
    assert key() != before


def test_a_verdict_belongs_to_its_answer_and_seed_and_not_to_other_answers(tiny: Lab) -> None:
    minus, typed = find_answer(tiny, "wrong", "minus"), find_answer(tiny, "wrong", "typed")
    master = find_answer(tiny, "master")
    keys = [verdict_key(tiny, answer, seed) for answer in (minus, typed, master) for seed in (0, -1, 1)]
    assert len(set(keys)) == 9
    write_files(typed.folder, {"more.txt": "x"})
    assert verdict_key(tiny, minus, 0) == keys[0]
    assert verdict_key(tiny, typed, 0) != keys[3]
    assert verdict_key(tiny, master, 0) == keys[6]


# --- a course with every rule of judged answers broken, judged once for real

UNSOUND_MANIFEST = """
format = 1
title = "Unsound"
minutes = 1
objectives = ["None"]
[[tasks]]
id = "shown"
title = "Shown"
minutes = 1
worked = true
[[tasks.checks]]
id = "is_shown"
says = "It is shown"
[[tasks]]
id = "free"
title = "Free"
minutes = 1
[[tasks.checks]]
id = "asks_nothing"
says = "Nothing is asked"
points = 1
hints = ["a", "b", "c"]
[[tasks]]
id = "work"
title = "Work"
minutes = 1
[[tasks.checks]]
id = "is_right"
says = "It is right"
points = 1
hints = ["a", "b", "c"]
[[tasks.checks]]
id = "differs"
says = "It differs"
points = 1
hints = ["a", "b", "c"]
"""

UNSOUND_CHECKS = """
import os
from grader.checks import Evidence, Expect


def test_is_shown(evidence: Evidence, expect: Expect) -> None:
    expect(evidence.text("shown.md") is None, False, looked_at="shown.md", why="w", misconception="hidden")


def test_asks_nothing() -> None:
    pass


def test_is_right(evidence: Evidence, expect: Expect) -> None:
    expect(evidence.text("answer.txt"), "right", looked_at="answer.txt", why="w", misconception="not-right")


def test_differs(expect: Expect) -> None:
    expect(os.urandom(4).hex(), "the same", looked_at="chance", why="w", misconception="chance")
"""


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What verify says of it, without a cache."""
    course = write_files(
        tmp_path_factory.mktemp("unsound"),
        {
            "mkdocs.yml": "",
            "labs/01-bad/lab.toml": UNSOUND_MANIFEST,
            "labs/01-bad/checks/test_visible.py": UNSOUND_CHECKS,
            "solutions/01-bad/work/shown.md": "<!-- BEGIN SOLUTION -->\nShown.\n<!-- END SOLUTION -->\n",
            "solutions/01-bad/work/answer.sh": "# BEGIN SOLUTION\necho right\n# END SOLUTION\n",
            "solutions/01-bad/solve.sh": "printf right > answer.txt\n",
            "solutions/01-bad/wrong/other/then.sh": "printf other > answer.txt\n",
            "solutions/01-bad/wrong/other/expect.toml": '[fails]\nis_right = "a-typo"\ndiffers = "chance"\n',
            "solutions/01-bad/wrong/fine/then.sh": "rm shown.md\n",
            "solutions/01-bad/wrong/fine/expect.toml": '[fails]\nis_right = "not-right"\n',
            "solutions/01-bad/right/not/then.sh": "printf other > answer.txt\n",
        },
    )
    lab = read_lab(course / "labs" / "01-bad")
    release(lab)
    return verify(lab, cache=False)


BROKEN = {
    "the master earns all points": "master does not earn `differs`. FAIL: ",
    "a right answer earns all points": "right/not does not earn `is_right`. FAIL: other (expected: right)",
    "the starter passes what is worked": "The starter fails the worked task `shown`, which is shown done.",
    "the starter fails what is not": "The untouched starter passes task `free`: its checks ask for nothing.",
    "a wrong answer has its message": "wrong/other: `is_right` should fail with `a-typo`; it is FAIL not",
    "a wrong answer fails what it names": "wrong/fine: `is_right` should fail with `not-right`; it is PASS",
    "a wrong answer fails nothing else": "wrong/fine: `is_shown` is not named in expect.toml, but is FAIL",
    "every check is failed by one": "No wrong answer fails `asks_nothing`. Add one to ",
    "twice gives one result": "The master's `differs` came out differently the second time: ",
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_told_with_its_message(problems: list[str], rule: str) -> None:
    assert [problem for problem in problems if problem.startswith(BROKEN[rule])]


def test_a_kept_rule_is_not_told(problems: list[str]) -> None:
    assert not [problem for problem in problems if "task `work`" in problem]
    assert not [problem for problem in problems if problem.startswith("No wrong answer fails `is_right`")]


# --- rules that need no judge


def test_a_missing_function_stops_before_anything_is_judged(tiny: Lab) -> None:
    replace(tiny.folder / "checks" / "test_visible.py", "def test_adds(", "def test_sums(")
    told: list[Judged] = []
    found = verify(tiny, told=told.append)
    place = tiny.folder / "checks"
    assert found[0] == f"{place}: found 0 functions `test_adds`; a check has exactly one."
    assert found[1] == f"{place}: `test_sums` belongs to no check of lab.toml."
    assert "labs/01-add is not in step with its master. Run `grader release 01`." in found[2]
    assert told == []


def test_two_functions_of_one_check_are_told(tiny: Lab) -> None:
    write_files(tiny.folder / "checks", {"test_more.py": "def test_adds() -> None: ...\n"})
    assert list(missing_functions(tiny)) == [
        f"{tiny.folder / 'checks'}: found 2 functions `test_adds`; a check has exactly one."
    ]


@pytest.mark.parametrize("hidden", [True, False])
def test_a_function_in_the_other_room_is_told(tiny: Lab, hidden: bool) -> None:
    checks = tuple(check.model_copy(update={"hidden": hidden}) for check in tiny.tasks[1].checks)
    task = tiny.tasks[1].model_copy(update={"checks": checks})
    moved = tiny.model_copy(update={"tasks": (tiny.tasks[0], task, tiny.tasks[2])})
    place, name = ("labs", "adds") if hidden else ("solutions", "adds_anything")
    said = f"`test_{name}` stands here, but lab.toml says `hidden = {str(hidden).lower()}`."
    assert list(missing_functions(moved)) == [f"{tiny.course / place / tiny.id / 'checks'}: {said}"]


def test_a_release_out_of_step_shows_the_difference(tiny: Lab) -> None:
    replace(tiny.folder / "work" / "notes.md", "Add.", "Changed by hand.")
    [problem] = release_out_of_step(tiny)
    assert problem.startswith("labs/01-add is not in step with its master. Run `grader release 01`.")
    assert "-Changed by hand.\n+Add.\n" in problem


def test_a_leak_is_told_by_verify(tiny: Lab) -> None:
    (tiny.folder / "brief.md").write_text("CANARY-5f0c2a9e")
    [problem] = release_out_of_step(tiny)
    assert problem.startswith(
        "labs/01-add/brief.md holds the canary CANARY-5f0c2a9e of test_hidden.py. Take it out"
    )


# --- rules of judged answers, on hand-made verdicts


def judged(
    kind: str, verdicts: dict[str, Verdict], *, name: str = "", fails: dict[str, str] | None = None
) -> Judged:
    checks = tuple(
        CheckResult(
            check_id, "add", check_id, hidden=False, verdict=verdict, points=0, possible=1, misconception="m"
        )
        for check_id, verdict in verdicts.items()
    )
    return Judged(Answer(kind, name, Path(), fails or {}), Result("01-add", "", "", "local", checks))


def all_of(lab: Lab, verdict: Verdict) -> dict[str, Verdict]:
    return {check.id: verdict for check in lab.checks}


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.PASS])
def test_only_a_pass_earns_full_marks(sound: Lab, verdict: Verdict) -> None:
    assert list(below_full_marks([judged("master", all_of(sound, Verdict.PASS))])) == []
    [problem] = below_full_marks([judged("right", {"adds": verdict}, name="sum")])
    assert problem.startswith(f"right/sum does not earn `adds`. {verdict}: ")


def test_a_starter_may_pass_some_checks_of_a_task_but_not_all(sound: Lab) -> None:
    some = all_of(sound, Verdict.FAIL) | {"notes_are_there": Verdict.PASS, "adds": Verdict.PASS}
    assert list(untouched_tasks_passed(sound, [judged("starter", some)])) == []
    assert list(untouched_tasks_passed(sound, [judged("starter", all_of(sound, Verdict.PASS))])) == [
        "The untouched starter passes task `add`: its checks ask for nothing.",
        "The untouched starter passes task `commit`: its checks ask for nothing.",
    ]


NAMED: list[tuple[dict[str, Verdict], dict[str, str], list[str]]] = [
    ({"a": Verdict.FAIL, "b": Verdict.PASS, "c": Verdict.BLOCKED}, {"a": "m"}, []),
    ({"a": Verdict.TIMEOUT}, {"a": "TIMEOUT"}, []),
    ({"a": Verdict.GRADER_ERROR}, {}, ["wrong/x: `a` is not named in expect.toml, but is GRADER_ERROR m. "]),
    ({"a": Verdict.PASS}, {"a": "m"}, ["wrong/x: `a` should fail with `m`; it is PASS m. "]),
    ({"a": Verdict.PASS}, {"b": "m"}, ["wrong/x: `b` was not judged."]),
]


@pytest.mark.parametrize(("verdicts", "fails", "wanted"), NAMED)
def test_a_wrong_answer_fails_just_what_it_names(
    verdicts: dict[str, Verdict], fails: dict[str, str], wanted: list[str]
) -> None:
    assert list(wrong_not_as_named(judged("wrong", verdicts, name="x", fails=fails))) == wanted


def test_a_check_that_no_wrong_answer_fails_is_told(sound: Lab) -> None:
    every = judged("wrong", {}, fails={check.id: "m" for check in sound.checks})
    assert list(checks_nobody_fails(sound, [every])) == []
    missing = judged("wrong", {}, fails={check.id: "m" for check in sound.checks[1:]})
    folder = sound.solutions / "wrong"
    assert list(checks_nobody_fails(sound, [missing])) == [
        f"No wrong answer fails `notes_are_there`. Add one to {folder}, or drop the check."
    ]


def test_times_may_differ_between_two_runs_but_nothing_else(sound: Lab) -> None:
    first = judged("master", all_of(sound, Verdict.PASS))
    slower = changed(first, result=changed(first.result, seconds=9.0))
    assert list(differs_when_repeated([first, slower])) == []
    assert list(differs_when_repeated([])) == []
    other = judged("master", all_of(sound, Verdict.PASS) | {"adds": Verdict.FAIL})
    seed = changed(other, answer=changed(other.answer, name="seed 3"))
    assert list(differs_when_repeated([first, seed])) == []
    [problem] = differs_when_repeated([first, other])
    assert problem.startswith("The master's `adds` came out differently the second time")


def test_a_preload_that_must_not_be_is_named_before_anything_is_judged(tiny: Lab) -> None:
    replace(tiny.folder / "lab.toml", "minutes = 10\n", 'minutes = 10\npreload = ["no_such_module"]\n')
    lab = read_lab(tiny.folder)
    release(lab)
    [problem] = verify(lab)
    assert "preload: `no_such_module` cannot be imported" in problem
