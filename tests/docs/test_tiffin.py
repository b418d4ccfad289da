"""The pages about Tiffin say what the world does: each incident and column, and measured figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import dictionary, figures, incidents, kept, paths, quiz
from lab_env.world import CATALOGUE, Action, Kind
from lab_env.world.schema import TABLES

COURSE = Path(__file__).parent.parent.parent
WAITING = incidents.WORDS[Action.WAIT]
CACHE = COURSE / ".cache" / "world"


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_incident_has_a_page_with_a_story_a_picture_and_a_decision(name: str, site: Path) -> None:
    page = (site / "incidents" / f"{name}.html").read_text()
    story = incidents.stories()[name]
    assert f"<title>{story['title']} - " in page
    assert page.count('<figure class="picture"') == 1
    assert 'role="img"' in page
    assert f'data-quiz="{name}"' in page
    assert "<em>Taught in</em>" in page


def test_the_list_keeps_an_anchor_for_each_incident_and_leads_to_its_page(site: Path) -> None:
    page = (site / "incidents.html").read_text()
    for name in CATALOGUE:
        assert re.search(rf'<strong id="{name}"><a href="incidents/{name}\.html">', page), name


def test_a_reader_goes_from_incident_to_incident_and_on(site: Path) -> None:
    line = ["incidents", *(f"incidents/{name}" for name in incidents.stories())]
    for at, name in enumerate(line):
        page = (site / f"{name}.html").read_text()
        following = re.search(r'<a href="([^"]+)" class="md-footer__link md-footer__link--next"', page)
        assert following, name
        leads_to = (site / name).parent.joinpath(following[1]).resolve()
        if name == line[-1]:
            assert leads_to.parent == site, "the last one leads out of the incidents"
        else:
            assert leads_to == site / f"{line[at + 1]}.html"


def test_a_picture_is_outside_of_the_search(site: Path) -> None:
    index = (site / "search" / "search_index.js").read_text()
    assert "the usual suspect" in index
    assert "Orders waiting in the kitchen" not in index


def test_every_option_has_the_catalogue_s_reason() -> None:
    text = "\n".join(_incident_pages())
    found = [quiz.read_quiz(block) for block in re.findall(r"```quiz\n(.*?)```", text, re.DOTALL)]
    assert sorted(each.name for each in found) == sorted(CATALOGUE)
    for each in found:
        incident = CATALOGUE[each.name]
        reasons = {option.text: (option.why, option.right) for option in each.options}
        for action, why in zip(incident.right, incident.because, strict=True):
            assert reasons[incidents.WORDS[action]] == (why, True)
        for mistake, why in incident.wrong:
            assert reasons[incidents.WORDS[mistake]] == (why, False)
        assert [option.text for option in each.options] == sorted(option.text for option in each.options)


def test_the_times_that_pages_promise_for_the_incidents_are_those_of_their_words() -> None:
    """Read like any page, and half a minute each for the picture and the decision."""
    pages = (re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL) for text in _incident_pages())
    minutes = sum(len(page.split()) for page in pages) / paths.WORDS_A_MINUTE + len(CATALOGUE) / 2
    for page in (incidents.INDEX, (COURSE / "docs" / "paths.md").read_text()):
        whole, one = re.findall(r"(\d+) minutes\*\* for all, (\d+) for one", page)[0]
        assert int(whole) == pytest.approx(minutes, rel=0.1)
        assert int(one) == round(minutes / len(CATALOGUE)) == 3
    assert "Three minutes for one." in (COURSE / "docs" / "index.md").read_text()
    assert 3 * 3 <= paths.THREE_INCIDENTS <= 3 * 3 + 2


def test_every_action_and_kind_has_its_words() -> None:
    assert set(Action) <= set(incidents.WORDS)
    assert set(incidents.KINDS) == set(Kind)
    assert len(set(incidents.WORDS.values())) == len(incidents.WORDS)


def test_what_gives_the_answer_stands_below_the_decision() -> None:
    pages = incidents.incident_pages(CACHE)
    lessons = {name: story["lesson"] for name, story in incidents.stories().items() if "lesson" in story}
    assert len(lessons) > 8
    for name, lesson in lessons.items():
        above, below = pages[incidents.page_of(name)].split("## Your decision")
        assert lesson in below, name
        assert lesson not in above, name


def test_a_caption_quotes_only_what_was_measured() -> None:
    for name, story in incidents.stories().items():
        look = incidents.shown(name, CACHE)
        told = story["see"].format(**look["numbers"])
        assert "nan" not in told.split(), name
        assert "{" in story["see"], name


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_mistake_is_dearer_than_the_best_right_answer_and_nothing_beats_the_cheapest_plan(
    name: str,
) -> None:
    incident, price = CATALOGUE[name], dict(incidents.priced(name, CACHE))
    assert min(price.values()) == price[incidents.BEST]
    prices = {WAITING if words == incidents.NOTHING else words: each for words, each in price.items()}
    right = min(prices[incidents.WORDS[action]] for action in incident.right)
    for mistake in {mistake for mistake, _ in incident.wrong} & set(Action):
        assert prices[incidents.WORDS[mistake]] > right, mistake


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[metres]\ntitle = 'a'\nstory = 'b'\nsee = 'c'\n", "the catalogue differ in bad-deploy"),
        (None, "`metres` has title, tale; write see, story, title"),
    ],
)
def test_stories_that_do_not_fit_the_catalogue_are_refused(
    tmp_path: Path, text: str | None, message: str
) -> None:
    if text is None:
        text = "".join(
            f"[{name}]\ntitle = 'a'\ntale = 'b'\n" for name in ("metres", *(set(CATALOGUE) - {"metres"}))
        )
    (tmp_path / "incidents.toml").write_text(text)
    with pytest.raises(ValueError, match=re.escape(message)):
        incidents.stories(tmp_path / "incidents.toml")


def test_the_dictionary_s_page_has_every_column_and_its_anchor() -> None:
    text = dictionary.dictionary_page()
    for name, table in TABLES.items():
        section = text.split(f"{{#{name}}}")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)`<br>", section, re.MULTILINE) == [column.name for column in table]
    assert "| `distance_km`<br>feature | 0.1&nbsp;to&nbsp;40&nbsp;km<br>*double* |" in text
    assert "| `minutes`<br>**label**, later | 1&nbsp;to&nbsp;900&nbsp;min<br>*double* |" in text
    assert "| `fraud`<br>**label**, later | yes or no<br>*bool* |" in text
    assert "| `labelled`<br>time, later | from 0<br>*double* |" in text


def test_the_page_of_the_world_quotes_every_figure_and_no_other(site: Path, tmp_path: Path) -> None:
    source = (COURSE / "docs" / "world.md").read_text()
    assert set(re.findall(r"<!-- figure: ([\w-]+) -->", source)) == set(figures.FIGURES)
    assert "figure:" not in (site / "world.html").read_text()
    assert figures.fill("no figure", tmp_path) == "no figure"
    assert not list(tmp_path.iterdir())


def test_the_figures_bear_out_what_the_page_says_of_them() -> None:
    found = figures.measured(CACHE)
    words = {"zones", "worlds", "policies"}
    told = {name: float(found[name].replace(",", "")) for name in set(found) - words}
    assert told["floor-wet"] > told["floor-mae"] + 0.3
    assert told["rings-large"] > told["rings-small"] > 30
    assert told["first-chargeback"] < told["chargeback"] < told["last-chargeback"]
    assert told["one-low"] < told["one-median"] < told["one-high"]
    assert 0.9 < told["frauds"] < 1.3
    regrets = [int(share.replace(",", "")) for share in re.findall(r"\| ([\d,]+) % \|", found["policies"])]
    assert regrets[0] == 100 < regrets[1]
    assert min(regrets[1:-1]) > told["full-marks"] > regrets[-1]


def test_what_was_made_by_the_same_code_is_made_once(tmp_path: Path) -> None:
    made = []

    def make() -> dict[str, object]:
        made.append(1)
        return {"a": 1.5}

    (tmp_path / f"thing-{'0' * 16}.json").write_text("{}")
    assert [kept.kept(tmp_path, "thing", make, __file__) for _ in range(2)] == [{"a": 1.5}] * 2
    assert len(made) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_course_that_cannot_be_written_to_is_built_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert kept.kept(tmp_path / "file", "thing", lambda: {"a": 1}, __file__) == {"a": 1}
    assert (tmp_path / "file").read_text() == "in the way"


def _incident_pages() -> list[str]:
    return list(incidents.incident_pages(CACHE).values())
