"""The files of questions: whole, with a reason for each option, and no answer given away by how it looks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from docs.generate import incidents, questions, quiz, skills

COURSE = Path(__file__).parent.parent.parent
FILES = sorted(questions.FOLDER.glob("*.toml"))
ASKED = [*(COURSE / "docs" / "modules").glob("*.md"), COURSE / "docs" / "playground.md"]
PAGES = {page.stem: page.read_text() for page in ASKED}
MUCH_LONGER = 1.3
QUIZ = """
[[quizzes]]
id = "first"
ask = "What first?"
[[quizzes.options]]
text = "Look"
why = "It is cheap."
right = true
[[quizzes.options]]
text = "Guess"
why = "It is dear."
"""
CARD = '[[cards]]\nid = "a"\nask = "b"\nanswer = "c"\n'
ORDER = '[[orders]]\nid = "a"\nask = "b"\n' + '[[orders.steps]]\ntext = "c"\nwhy = "d"\n' * 2


def longest(quizzed: quiz.Quiz, right: bool) -> int:
    return max(len(option.text) for option in quizzed.options if option.right is right)


def inline(markdown: str) -> list[quiz.Quiz]:
    """The quizzes that a page itself holds."""
    blocks = re.findall(r"^```quiz\n(id =.*?)^```", markdown, re.MULTILINE | re.DOTALL)
    return [quiz.read_quiz(block) for block in blocks]


def assert_nothing_is_given_away(quizzes: list[quiz.Quiz]) -> None:
    """A right option is never much longer than every wrong one, and mostly not the longest."""
    for each in quizzes:
        assert longest(each, right=True) <= MUCH_LONGER * longest(each, right=False), each.name
    given_away = [each.name for each in quizzes if longest(each, right=True) > longest(each, right=False)]
    assert len(given_away) <= len(quizzes) / 2, given_away
    places = {tuple(at for at, option in enumerate(each.options) if option.right) for each in quizzes}
    assert len(places) > 1 or len(quizzes) < 2, "the right option stands always at the same place"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_no_answer_of_a_file_is_given_away_by_its_length_or_its_place(file: Path) -> None:
    assert_nothing_is_given_away(list(questions.read(file).quizzes.values()))


def test_no_answer_of_an_incident_is_given_away_by_its_length_or_its_place() -> None:
    pages = incidents.incident_pages(COURSE / ".cache" / "world").values()
    asked = [each for page in pages for each in inline(page)]
    assert len(asked) == len(pages) - 1, "each has one, but for their list"
    assert_nothing_is_given_away(asked)


def test_no_answer_on_any_other_page_is_given_away_by_its_length_or_its_place() -> None:
    asked = [each for page in (COURSE / "docs").rglob("*.md") for each in inline(page.read_text())]
    assert asked
    assert_nothing_is_given_away(asked)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_every_quiz_and_order_is_asked_on_its_page_and_every_module_has_cards(file: Path) -> None:
    found, page = questions.read(file), PAGES.get(file.stem, "")
    for kind, fence in (("quizzes", "quiz"), ("orders", "order")):
        for one in getattr(found, kind):
            assert f"```{fence}\n{file.stem}/{one}\n```" in page, f"{file.stem}/{one} is asked nowhere"
    assert len(found.cards) >= 4 or not file.stem[0].isdigit()


def test_a_module_with_a_file_writes_no_quiz_on_its_page() -> None:
    for file in FILES:
        assert not re.search(r"^```quiz\nid =", PAGES.get(file.stem, ""), re.MULTILINE), file.stem


def test_a_recall_shows_three_and_brings_all_cards_from_before() -> None:
    page = questions.recall_html(
        'before = "02-version-data"\nfirst = ["00-before/hash", "00-before/tag", "01-first-model/model"]'
    )
    pool = json.loads(page.partition('type="application/json">')[2].partition("</script>")[0])
    modules = {card["id"].partition("/")[0] for card in pool}
    assert page.count('<details class="question"') == 3
    assert modules == {"00-before", "01-first-model"}


def test_an_order_is_shown_scrambled_and_ends_with_its_reasons() -> None:
    order = questions.read(questions.FOLDER / "08-deploy.toml").orders["take-it-back"]
    shown = questions.scrambled(order)
    assert sorted(shown) == list(range(len(order.steps)))
    assert shown != sorted(shown)
    page = questions.order_html("08-deploy/take-it-back")
    assert [int(place) for place in re.findall(r'data-place="(\d)"', page)] == shown
    assert page.index("The order, and why") < page.index("You roll back what serves")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cards = ", r"01-x\.toml is not TOML"),
        ("[[puzzles]]\n", "has cards, orders, quizzes, not `puzzles`"),
        (CARD * 2, r"01-x\.toml has two cards called `a`"),
        (CARD.replace("answer", "says"), "A card has the keys answer, ask, id, not `says`"),
        (QUIZ.replace("right = true", ""), "Quiz `first` has 2 options, 0 right"),
        (ORDER, "The order `a` has 2 steps: write three or more"),
        (ORDER.replace("why", "because"), "A step has the keys text, why, not `because`"),
        (ORDER.replace('ask = "b"\n', ""), "An order needs `ask`"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "01-x.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        questions.read(file)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("before", "A recall is TOML, and this is not"),
        ('before = "04-x"\n', "A recall needs `first`"),
        ('before = "01-x"\nfirst = ["00-before/tag"]', "three cards from modules before 01-x"),
        (
            'before = "01-x"\nfirst = ["00-before/tag", "00-before/hash", "08-deploy/salt"]',
            "three cards from modules before 01-x",
        ),
        ('before = "04-x"\nfirst = ["00-before/gone"]', "has no cards `00-before/gone`"),
    ],
)
def test_a_recall_that_cannot_be_asked_is_refused(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        questions.recall_html(source)


def test_a_name_that_is_in_no_file_is_refused() -> None:
    with pytest.raises(ValueError, match="docs/questions has no quizzes `08-deploy/gone`"):
        questions.quiz_html("08-deploy/gone")
    with pytest.raises(ValueError, match="docs/questions has no orders `gone`"):
        questions.order_html("gone")


def test_the_self_test_has_three_tasks_in_each_area_with_one_way_to_do_them() -> None:
    source = (COURSE / "docs" / "skills.md").read_text().partition("```skills\n")[2].partition("```")[0]
    page = skills.skills_html(source)
    areas = re.findall(r'<fieldset data-area="([^"]+)">(.*?)</fieldset>', page)
    assert [name for name, _ in areas] == [
        "Linux and systemd",
        "Networking",
        "Git and its hosts",
        "Scripting",
        "Cloud APIs",
        "A little ML",
    ]
    for name, area in areas:
        assert area.count('type="checkbox"') == area.count("<summary>One way</summary>") == 3, name


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("areas", "A self-test is TOML with `\\[\\[areas\\]\\]`, and this is not"),
        ('[[areas]]\nname = "a"\n', "An area needs `tasks`"),
        ('[[areas]]\nname = "a"\nweak = "b"\ntasks = [["c"]]', "The tasks of `a` are pairs"),
    ],
)
def test_a_self_test_that_is_not_whole_is_refused(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        skills.skills_html(source)
