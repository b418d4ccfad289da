"""The ways through the course: their hours are those of labs and pages; what is planned is not counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import minutes, paths
from grader.manifest import list_labs

COURSE = Path(__file__).parent.parent.parent
EVERY = paths.parts(COURSE)
LABS = {lab.number: lab for lab in list_labs(COURSE)}
THERE = [part for part in EVERY.values() if part.is_there]


def test_a_lab_s_minutes_are_those_of_its_tasks() -> None:
    assert sorted(part.module.number for part in THERE) == sorted(LABS)
    for part in THERE:
        lab = LABS[part.module.number]
        assert part.whole == lab.minutes
        assert part.core == sum(task.minutes for task in lab.tasks if task.core)
        assert 0 < part.core <= part.whole
        assert 15 <= part.reading <= 60


def test_the_evening_is_one_module_from_its_given_state() -> None:
    page = paths.evening(EVERY)
    number = re.findall(r"lab start (\d\d) --given", page)[0]
    minutes = paths.THREE_INCIDENTS + EVERY[number].reading + EVERY[number].core
    assert f"**{minutes // 60} h {minutes % 60:02}**" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert minutes < 180


def test_the_weeks_have_every_module_and_count_what_is_there() -> None:
    lines = paths.weeks(EVERY).splitlines()
    assert len(lines) == 2 + len(EVERY) + 1
    assert sum(line.endswith("| – | – | – |") for line in lines) == len(EVERY) - len(THERE)
    whole = sum(part.whole for part in THERE)
    assert lines[-1].replace("\N{NO-BREAK SPACE}", " ").endswith(f"**{whole // 60} h {whole % 60:02}** |")


def test_a_day_of_the_workshop_fits_into_a_day() -> None:
    totals = re.findall(r"\*\*(\d+)\sh\s\d\d\*\*", paths.workshop(EVERY))
    assert len(totals) == 2
    assert all(1 <= int(hours) < 8 for hours in totals)


def test_home_names_every_module(site: Path) -> None:
    page = (site / "index.html").read_text()
    for part in EVERY.values():
        assert f'href="{part.module.page.removesuffix(".md")}.html"' in page, part.module.id


def test_a_way_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="night"):
        paths.fill("<!-- path: night -->", COURSE)


def test_a_module_that_does_not_say_how_long_it_takes_is_refused(tmp_path: Path) -> None:
    for name in ("labs", "pyproject.toml"):
        (tmp_path / name).symlink_to(COURSE / name)
    folder = tmp_path / "docs" / "modules"
    folder.mkdir(parents=True)
    for page in (COURSE / "docs" / "modules").glob("*.md"):
        (folder / page.name).write_text(
            page.read_text().replace("about ", "some ").replace("them reading", "")
        )
    with pytest.raises(
        ValueError, match=r"\.md does not say how long it takes\. Write `\*\*about 30 minutes"
    ):
        paths.parts(tmp_path)


def test_minutes_of_reading_are_counted_from_the_words(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("word " * 900)
    (tmp_path / "docs" / "b.md").write_text("word " * 10)
    shown = paths.fill("a <!-- minutes: a.md --> b <!-- minutes: a.md b.md -->", tmp_path)
    assert shown == "a 5 b 10"
    with pytest.raises(FileNotFoundError, match=r"gone\.md"):
        paths.fill("<!-- minutes: gone.md -->", tmp_path)


def test_every_plan_leaves_more_than_half_to_think_and_type() -> None:
    plans = {plan.id: plan for plan in minutes.plans(COURSE)}
    assert list(plans) == [lab.id for lab in LABS.values()]
    for plan in plans.values():
        assert plan.page_left > plan.page_planned / 2, f"{plan.id}: its page has {plan.page_words} words"
        assert plan.lab_left > plan.lab_planned / 2, f"{plan.id}: its lab has {plan.lab_words} words"


def test_what_is_left_to_think_is_the_plan_without_words_and_machine() -> None:
    plan = minutes.Plan("01-x", page_words=900, page_planned=20, lab_words=1800, lab_planned=60, machine=1.5)
    assert (plan.page_left, plan.lab_left) == (15, 48.5)
    assert minutes.words("[Set up](../setup.md) `lab start`{.x}\n|---|:--:|\n<!-- not this --> it's") == 5
    line = "02-version-data           60    3.2         0.8       359        30.5      7.0       339"
    assert minutes.machine_minutes(f"2 cores\n{line}\n") == {"02-version-data": 3.2}


def test_a_page_shows_the_minutes_of_every_lab(site: Path) -> None:
    page = (site / "instructors.html").read_text()
    assert minutes.PLACE not in page
    for lab in LABS.values():
        assert f'href="labs/{lab.id}.html">{lab.minutes}</a>' in page
