"""What the build makes: quizzes, the loop, lab pages, tables of keys; and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from docs.generate import breaks, keys, labs, loop, mends, quiz
from grader.manifest import Check, Lab, Limits, Task, list_labs, read_lab

COURSE = Path(__file__).parent.parent.parent
TINY = COURSE / "docs" / "examples" / "labs" / "01-kitchen-bell"
QUIZ = """
id = "which-first"
ask = "What *first*?"
[[options]]
text = "Look at `git status`"
why = "It costs nothing."
right = true
[[options]]
text = "Guess"
why = "It is <quicker>, and wrong."
"""


def test_a_quiz_gives_a_reason_for_every_option_also_without_a_script() -> None:
    page = quiz.quiz_html(QUIZ)
    assert "<legend>What <em>first</em>?</legend>" in page
    assert page.count('type="radio"') == 2
    assert page.count('data-right="1"') == 1
    assert '<span role="status"></span>' in page
    assert "<summary>Answers and reasons</summary>" in page
    assert "<span>Right. It costs nothing.</span>" in page
    assert "Wrong. It is <quicker>" in page.replace("&lt;", "<").replace("&gt;", ">")


def test_a_quiz_with_two_right_options_has_boxes_to_tick() -> None:
    third = '[[options]]\ntext = "Wait"\nwhy = "Sometimes."\nright = true\n'
    page = quiz.quiz_html(QUIZ + third)
    assert page.count('type="checkbox"') == 3
    assert "(more than one)" in page


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("id = ", "A quiz is TOML, and this is not"),
        (QUIZ.replace("ask", "question"), "A quiz has the keys ask, id, options, not `question`"),
        (QUIZ.replace('ask = "What *first*?"', ""), "A quiz needs `ask`"),
        (QUIZ.replace("which-first", "Which first"), "write lower-case words"),
        (QUIZ.replace('why = "It costs nothing."', ""), "An option needs `why`"),
        (QUIZ.replace("It costs nothing.", " "), "has no reason: write in `why`"),
        (QUIZ.replace("right = true", ""), "has 2 options, 0 right: write at least one of each"),
    ],
)
def test_a_quiz_that_is_not_whole_is_refused(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quiz.quiz_html(source)


def test_a_loop_is_a_list_whose_second_half_goes_back() -> None:
    page = loop.loop_html("One: a\nTwo: b\nThree: c\nFour: <d>\n")
    turns = [part.split('"')[0] for part in page.split('class="')[2:]]
    assert turns == ["right", "down", "left", "up"]
    assert "<strong>Four</strong> &lt;d&gt;" in page


@pytest.mark.parametrize(
    ("source", "message"),
    [("One: a\nTwo: b\nThree: c", "even number of steps, at least 4; this has 3"), ("One", "not 'One'")],
)
def test_a_loop_that_does_not_close_is_refused(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        loop.loop_html(source)


@pytest.mark.parametrize("lab", list_labs(COURSE), ids=lambda lab: lab.id)
def test_a_lab_page_has_every_fact_of_the_manifest(lab: Lab) -> None:
    page = labs.lab_page(lab)
    assert f"# Lab {lab.number} · {lab.title}\n" in page
    for goal in lab.objectives:
        assert f"- {goal}\n" in page
    for task in lab.tasks:
        assert f"· {task.title} {{#{task.id}}}\n" in page
    for check in lab.checks:
        points = "" if check.points is None else f" ({check.points:g})"
        assert f"- {check.says}{points}{' *at grading*' if check.hidden else ''}\n" in page
        for hint in check.hints:
            assert hint in page


def test_hints_are_folded_one_inside_the_other() -> None:
    page = labs.lab_page(read_lab(TINY))
    assert '\n??? tip "Stuck on: The bell counts how often it rang"\n' in page
    assert '\n    ??? tip "Hint 2: what to use"\n' in page
    assert '\n        ??? tip "Hint 3: nearly the line"\n' in page


@pytest.mark.parametrize(
    ("brief", "message"),
    [
        (None, r"brief\.md is missing\. Write one section"),
        ("## ring\n", "the sections are ring; lab.toml has the tasks ring, keep"),
        ("## keep\n\n## ring\n", "the sections are keep, ring"),
        ("## ring\n\n```text\n## keep\n```\n", "the sections are ring; lab.toml"),
        ("words\n", "the sections are missing"),
    ],
)
def test_a_brief_that_is_not_the_manifest_is_refused(tmp_path: Path, brief: str | None, message: str) -> None:
    folder = tmp_path / "labs" / TINY.name
    folder.mkdir(parents=True)
    shutil.copy(TINY / "lab.toml", folder)
    if brief is not None:
        (folder / "brief.md").write_text(brief)
    with pytest.raises(ValueError, match=message):
        labs.lab_page(read_lab(folder))


@pytest.mark.parametrize(
    ("name", "model"), [("lab", Lab), ("limits", Limits), ("task", Task), ("check", Check)]
)
def test_the_tables_have_every_key_that_a_manifest_may_hold(name: str, model: type[Lab]) -> None:
    page = keys.fill(f"before\n<!-- keys: {name} -->\nafter")
    found = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert found == [key for key, field in model.model_fields.items() if not field.exclude]
    assert "<!--" not in page


def test_a_key_says_its_type_and_what_happens_without_it() -> None:
    page = keys.keys_table(Check)
    assert "| `points` | number | none |" in page
    assert "| `hidden` | true or false | `false` |" in page
    assert "| `hints` | list of texts | none |" in page
    assert "| `prepare` | list of lists of texts | none |" in keys.keys_table(Lab)
    assert "| `format` | whole number | **needed** |" in keys.keys_table(Lab)


def test_a_table_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="labs"):
        keys.fill("<!-- keys: labs -->")


def test_the_mends_still_find_what_they_mend(site: Path) -> None:
    for name in ("index.html", "404.html"):
        page = (site / name).read_text()
        for ours in mends.NAMES.values():
            assert ours in page, name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("tests/a_b.py::test_c", "tests/<wbr>a_<wbr>b.py::<wbr>test_<wbr>c"),
        ("feedback/&lt;learner&gt;/", "feedback/<wbr>&lt;learner&gt;/"),
        ("short_name", "short_name"),
        ("a command/of several words", "a command/of several words"),
    ],
)
def test_a_long_name_can_break_between_its_words(name: str, shown: str) -> None:
    assert breaks.breakable(f"<p><code>{name}</code></p>") == f"<p><code>{shown}</code></p>"
    assert breaks.breakable(f'<code class="proof">{name}</code>') == f'<code class="proof">{shown}</code>'


def test_an_option_stays_whole() -> None:
    assert breaks.breakable("<code>--as ID</code>") == '<code class="whole">--as ID</code>'
    inside = breaks.breakable("<code>lab start 08 --given</code>")
    assert inside == '<code>lab start 08 <span class="whole">--given</span></code>'
    short = breaks.breakable("<code>usermod -aG docker</code>")
    assert short == '<code>usermod <span class="whole">-aG</span> docker</code>'
    assert breaks.breakable("<code>a - b</code>") == "<code>a - b</code>"
