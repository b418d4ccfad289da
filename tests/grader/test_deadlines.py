"""What lateness costs is one rule, told with its reason, and computed anew whenever somebody asks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from grader.classroom import Classroom, init_class, read_class
from grader.deadlines import Extension, LateRule, Policy, days_late, lateness
from grader.errors import CourseError
from grader.manifest import Lab
from grader.receipts import collected, newest
from tests.grader.classes import MONDAY, RIGHT, a_class, hand_in

BERLIN, BOGOTA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Bogota")
PER_DAY = LateRule(Policy.PER_DAY, 10, 50)
HALF_A_DAY = timedelta(hours=12)


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


# deadline, handed in, days late
CLOCKS = {
    "on the second": ("2026-12-01T23:59", at("2026-12-01T23:59"), 0),
    "a second later": ("2026-12-01T23:59", at("2026-12-01T23:59:01"), 1),
    "the last second of a day late": ("2026-12-01T23:59", at("2026-12-02T23:59"), 1),
    "the second day": ("2026-12-01T23:59", at("2026-12-02T23:59:01"), 2),
    "in time elsewhere": ("2026-12-01T23:59", at("2026-12-01T17:59", BOGOTA), 0),
    "late elsewhere": ("2026-12-01T23:59", at("2026-12-01T18:00", BOGOTA), 1),
    "a day of 25 hours": ("2026-10-24T23:59", at("2026-10-25T23:59"), 1),
    "25 hours and a second": ("2026-10-24T23:59", at("2026-10-25T23:59:01"), 2),
    "a day of 23 hours": ("2026-03-28T23:59", at("2026-03-29T23:59"), 1),
    "23 hours and a second": ("2026-03-28T23:59", at("2026-03-29T23:59:01"), 2),
    "the first of two readings": ("2026-10-25T02:30", at("2026-10-25T02:30"), 0),
    "between two readings": ("2026-10-25T02:30", at("2026-10-25T02:10", fold=1), 0),
    "after both readings": ("2026-10-25T02:30", at("2026-10-25T02:31", fold=1), 1),
    "a day that ends in a doubled hour": ("2026-10-24T02:30", at("2026-10-25T02:30", fold=1), 1),
    "a time that no clock shows": ("2026-03-29T02:30", at("2026-03-29T03:30"), 0),
    "after a time that no clock shows": ("2026-03-29T02:30", at("2026-03-29T03:31"), 1),
    "a year late": ("2026-03-28T23:59", at("2027-03-28T23:59"), 365),
    "centuries late": ("2026-03-28T23:59", datetime(2999, 1, 1, tzinfo=UTC), 355_295),
}


@pytest.mark.parametrize("kind", CLOCKS)
def test_a_day_late_ends_when_the_clock_shows_the_time_again(kind: str, sound: Lab, tmp_path: Path) -> None:
    due, handed_in, days = CLOCKS[kind]
    init_class(tmp_path / "class", sound.course, timezone="Europe/Berlin")
    with (tmp_path / "class" / "class.toml").open("a") as file:
        file.write(f'"01" = {due}:00\n')
    classroom = read_class(tmp_path / "class")
    assert days_late(handed_in, classroom.deadlines[sound.id], BERLIN) == days


def room(sound: Lab, folder: Path, rule: LateRule) -> Classroom:
    """Three labs, due on three Mondays; only the first exists."""
    classroom = a_class(folder, sound, "anna", "ben")
    deadlines = {f"0{week}-x": MONDAY + timedelta(weeks=week) for week in (1, 2, 3)}
    return replace(classroom, deadlines=deadlines, late=rule)


def handed(**days: float) -> Mapping[str, datetime]:
    """When each week's lab was handed in, in days after its deadline."""
    return {f"0{week[1]}-x": MONDAY + timedelta(weeks=int(week[1]), days=late) for week, late in days.items()}


RULES: dict[str, tuple[LateRule, dict[str, float], list[tuple[int, int, float]]]] = {
    "nothing is taken off": (LateRule(), {"w1": 3}, [(3, 0, 1.0)]),
    "a share for each day": (PER_DAY, {"w1": 1.5, "w2": -1, "w3": 0},
                             [(2, 0, 0.8), (0, 0, 1.0), (0, 0, 1.0)]),
    "never more than the most": (PER_DAY, {"w1": 90}, [(90, 0, 0.5)]),
    "grace": (replace(PER_DAY, grace=HALF_A_DAY), {"w1": 0.5}, [(0, 0, 1.0)]),
    "after the grace from the start": (replace(PER_DAY, grace=HALF_A_DAY), {"w1": 0.51}, [(1, 0, 0.9)]),
    "free days": (LateRule(Policy.LATE_DAYS, 25, days=3), {"w1": 2, "w2": 2, "w3": 1},
                  [(2, 2, 1.0), (2, 1, 0.75), (1, 0, 0.75)]),
    "free days by the deadlines' order": (LateRule(Policy.LATE_DAYS, 100, days=1), {"w3": 1, "w2": 1},
                                          [(1, 1, 1.0), (1, 0, 0.0)]),
}  # fmt: skip


@pytest.mark.parametrize("kind", RULES)
def test_a_rule_costs_what_it_says(kind: str, sound: Lab, tmp_path: Path) -> None:
    rule, days, wanted = RULES[kind]
    found = lateness(room(sound, tmp_path / "class", rule), "anna", handed(**days))
    assert [(one.days, one.free, round(one.factor, 6)) for one in found.values()] == wanted
    assert list(found) == sorted(found)


def test_the_reason_stands_beside_the_grade(sound: Lab, tmp_path: Path) -> None:
    classroom = room(
        sound, tmp_path / "class", LateRule(Policy.LATE_DAYS, 25, days=1, grace=timedelta(minutes=5))
    )
    classroom = replace(
        classroom,
        timezone=BERLIN,
        extensions={("03-x", "anna"): Extension(MONDAY + timedelta(weeks=4), because="ill")},
    )
    found = lateness(classroom, "anna", handed(w1=2, w2=0.001, w3=5))
    assert [one.because for one in found.values()] == [
        "Handed in 2026-11-25 11:00 CET; due 2026-11-23 11:00 CET: 2 days late, 1 of 1 free days used, "
        "25 % of the points taken off.",
        "Handed in 2026-11-30 11:01 CET; due 2026-11-30 11:00 CET: within the 5 min of grace.",
        "Handed in 2026-12-12 11:00 CET; due 2026-12-14 11:00 CET, extended (ill): in time.",
    ]
    assert "1 day late, 10 % of the points taken off." in (
        lateness(replace(classroom, late=PER_DAY), "ben", handed(w3=1))["03-x"].because
    )
    assert lateness(classroom, "ben", {"07-none": MONDAY}) == {}


def test_a_second_late_shows(sound: Lab, tmp_path: Path) -> None:
    found = lateness(room(sound, tmp_path / "class", PER_DAY), "anna", handed(w1=1 / 86400))
    assert found["01-x"].because == (
        "Handed in 2026-11-23 10:00:01 UTC; due 2026-11-23 10:00:00 UTC: 1 day late, "
        "10 % of the points taken off."
    )


def test_a_rule_that_changes_counts_at_once_and_is_stored_nowhere(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", "ben")
    for learner in ("anna", "ben"):
        hand_in(classroom, sound, learner, {**RIGHT, "notes.md": learner}, at=MONDAY)
    before = {path: path.read_bytes() for path in classroom.folder.rglob("*.json")}
    strict = replace(classroom, deadlines={sound.id: MONDAY - timedelta(hours=1)})
    more = {(sound.id, "ben"): Extension(MONDAY + timedelta(days=2))}
    for here, wanted in (
        (classroom, [None, None]),
        (strict, [True, True]),
        (replace(strict, extensions=more), [True, False]),
    ):
        assert [one.late for one in newest(here, sound.id).values()] == wanted
    assert {path: path.read_bytes() for path in classroom.folder.rglob("*.json")} == before
    assert not [path for path, text in before.items() if b"late" in text]


def test_only_so_many_attempts_count_unless_one_has_more(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", "ben")
    made = {
        learner: [
            hand_in(classroom, sound, learner, {**RIGHT, "notes.md": f"{learner} {at}"}) for at in range(3)
        ]
        for learner in ("anna", "ben")
    }
    assert {name: one.snapshot for name, one in newest(classroom, sound.id).items()} == {
        name: hashes[2] for name, hashes in made.items()
    }
    limited = replace(
        classroom, attempts={sound.id: 2}, extensions={(sound.id, "ben"): Extension(attempts=3)}
    )
    found = newest(limited, sound.id)
    assert (found["anna"].snapshot, found["ben"].snapshot) == (made["anna"][1], made["ben"][2])
    assert len(collected(limited, "anna", sound.id)) == 3


def test_an_extension_takes_nothing_away(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    made = [hand_in(classroom, sound, "anna", {**RIGHT, "notes.md": str(at)}) for at in range(3)]
    classroom = replace(
        classroom,
        deadlines={sound.id: MONDAY + timedelta(days=7)},
        extensions={(sound.id, "anna"): Extension(MONDAY - timedelta(days=1), attempts=1, because="ill")},
    )
    assert newest(classroom, sound.id)["anna"].snapshot == made[2]
    assert newest(replace(classroom, attempts={sound.id: 2}), sound.id)["anna"].snapshot == made[1]
    found = lateness(classroom, "anna", {sound.id: MONDAY})[sound.id]
    assert (found.late, found.because) == (
        False,
        "Handed in 2026-11-16 10:00 UTC; due 2026-11-23 10:00 UTC: in time.",
    )


WRONG = [
    (
        "[late]\npolicy = 'sometimes'",
        r'`late\.policy` is \'sometimes\'\. Write one of "none", "per day", "late d',
    ),
    ("[late]\npolicy = 'per day'", r"`late\.percent` is missing\. Write `percent = 10`, the loss for a day"),
    ("[late]\npercent = 101", r"`late\.percent` is 101\. Write a number from 0 to 100"),
    ("[late]\npercent = true", r"`late\.percent` is True\. Write a number from 0 to 100"),
    ("[late]\nfree_days = 3", r'`late\.free_days` goes with `policy = "late days"`, and only with it'),
    ("[late]\npolicy = 'late days'\npercent = 5", r"`late\.free_days` goes with"),
    (
        "[late]\npolicy = 'late days'\npercent = 5\nfree_days = 1.5",
        r"`late\.free_days` is 1\.5\. Write a whole number of days\.",
    ),
    ("[late]\npercents = 5", r"`late` has an unknown key `percents`\. The keys: policy, percent, at_most"),
    ("[attempts]\n01 = 0", r"the attempts of `01` is 0\. Write a whole number from 1"),
    ("[attempts]\n01 = 3\n'add' = 4", r"01-add has two counts of attempts\. Take one of them out"),
    ("[attempts]\n07 = 3", r"`attempts`: .*has no lab `07`"),
    ("[extensions]\nanna = 2026-12-01T10:00:00", r"`extensions`: .*has no lab `anna`"),
    (
        "[extensions]\n01 = 3",
        r"`extensions\.01` is a table: `\[extensions\.01\]`, then lines like `anna = 2026",
    ),
    (
        "[extensions.01]\nana = 2026-12-01T10:00:00",
        r"`extensions` names `ana`, who is on no line of roster\.csv\. Did you mean",
    ),
    (
        "[extensions.01]\nanna = 2026-12-01",
        r"the extension of `anna` in `01` is 2026-12-01\. Write it with a t",
    ),
    (
        "[extensions.01]\nanna = 9999-12-31T23:59:59-05:00",
        r"the extension of `anna` in `01` is 9999-12-31 23:59:59-05:00, where the calendar ends\. Write",
    ),
    (
        "[extensions.01]\nanna = {}",
        r"the extension of `anna` in `01` gives nothing\. Write `until = 2026-12-01T",
    ),
    (
        "[extensions.01]\nanna = { til = 3 }",
        r"the extension of `anna` in `01` has an unknown key `til`\. The keys: until, attem",
    ),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_rule_that_cannot_be_read_is_named(text: str, said: str, sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    with (classroom.folder / "class.toml").open("a") as file:
        file.write(f"\n{text}\n")
    with pytest.raises(CourseError, match=rf"class\.toml: {said}"):
        read_class(classroom.folder)


def test_a_whole_set_of_rules_is_read(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", "ben")
    with (classroom.folder / "class.toml").open("a") as file:
        file.write(
            '[late]\npolicy = "late days"\npercent = 20\nat_most = 60\ngrace_minutes = 15\nfree_days = 4\n'
            '[attempts]\n"add" = 3\n[extensions."01-add"]\nanna = 2026-12-04T23:59:00Z\n'
            'ben = { attempts = 5, because = "ill" }\n'
        )
    found = read_class(classroom.folder)
    assert found.late == LateRule(Policy.LATE_DAYS, 20, 60, timedelta(minutes=15), 4)
    assert found.attempts == {sound.id: 3}
    assert found.extensions == {
        (sound.id, "anna"): Extension(datetime(2026, 12, 4, 23, 59, tzinfo=UTC)),
        (sound.id, "ben"): Extension(None, 5, "ill"),
    }
