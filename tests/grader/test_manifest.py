from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from grader.errors import ManifestError
from grader.manifest import Lab, find_course, find_lab, list_labs, read_lab
from tests.grader.courses import MANIFEST, replace, write_files

FIRST_CHECK = 'id = "adds"\nsays = "add(2, 3) is 5"'

# What is broken: the text, what stands there instead, and what the message must name.
BROKEN = {
    "unknown key": ("minutes = 10", "minute = 10", ["unknown key `minute`", "Did you mean `minutes`?"]),
    "unknown key, nothing near": (
        "minutes = 10",
        "zzz = 1",
        ["unknown key `zzz`", "keys here: format, title"],
    ),
    "unknown key of a table": ("cpu_s = 5", "cpus = 5", ["unknown key `limits.cpus`", "`cpu_s`"]),
    "unknown key of a task": (
        'title = "Write add"',
        "tile = 1",
        ["`tasks[2].tile`", "Did you mean `title`?"],
    ),
    "unknown key of a check": ("points = 3", "point = 3", ["`tasks[2].checks[1].point`", "`points`"]),
    "unknown table": ("[limits]", "[limit]", ["unknown key `limit`", "Did you mean `limits`?"]),
    "derived key of the lab": (
        "minutes = 10",
        'minutes = 10\nfolder = "x"',
        ["unknown key `folder`. Take it out"],
    ),
    "derived key of a check": (
        "points = 3",
        'points = 3\ntask = "add"',
        ["`tasks.checks.task`. Take it out"],
    ),
    "missing title": (
        'title = "Add two numbers"\n',
        "",
        ["`title` is missing", 'Write for example `title = "'],
    ),
    "missing check id": (
        'id = "adds"\n',
        "",
        ["`tasks[2].checks[1].id` is missing", '`id = "orders_are_tracked"`'],
    ),
    "empty title": ('"Add two numbers"', '""', ["`title` is ''; it should have at least 1 character."]),
    "text for a number": (
        "minutes = 10",
        'minutes = "10"',
        ["`minutes` is '10'; it should be a whole number."],
    ),
    "number for a text": (
        'title = "Add two numbers"',
        "title = 7",
        ["`title` is 7; it should be a text in quotes."],
    ),
    "no minutes": (
        "minutes = 10",
        "minutes = 0",
        ["`minutes` is 0; it should be greater than 0", "minutes = 60"],
    ),
    "text for a list": (
        '["Add two numbers"]',
        '"Add"',
        ["`objectives` is 'Add'; it should be a list.", "objectives = ["],
    ),
    "empty list": (
        'objectives = ["Add two numbers"]',
        "objectives = []",
        ["it should have at least 1 item."],
    ),
    "number for a table": (
        "[limits]\ncpu_s = 5\nwall_s = 20",
        "limits = 3",
        ["`limits` is 3; it should be a table."],
    ),
    "number in a command": ('"-c",', "5,", ["`prepare[1]` is 5", "Write for example `prepare = [["]),
    "empty command": (
        "prepare = [[",
        "prepare = [[], [",
        ["`prepare[1]` is []; it should have at least 1 item."],
    ),
    "points as text": ("points = 3", 'points = "3"', ["`tasks[2].checks[1].points` is '3'", "`points = 5`"]),
    "no points": ("points = 3", "points = 0", ["points` is 0; it should be greater than 0", "`points = 5`"]),
    "negative points": ("points = 3", "points = -1", ["points` is -1; it should be greater than 0"]),
    "endless points": ("points = 3", "points = inf", ["points` is inf; it should be a finite number"]),
    "points that are no number": ("points = 3", "points = nan", ["points` is nan"]),
    "text for a truth": (
        "hidden = true",
        'hidden = "yes"',
        ["`tasks[2].checks[2].hidden` is 'yes'; it should be true or false.", "hidden = true"],
    ),
    "no TOML": ("minutes = 10", "minutes = ", ["is not TOML", "line 3", "Mend that line."]),
    "another format": (
        "format = 1",
        "format = 2",
        ["`format` is 2; this engine reads 1", "Write `format = 1`."],
    ),
    "need that is no id": (
        "minutes = 10",
        'minutes = 10\nneeds = ["first"]',
        ["`needs` names 'first'", '"01-first-model"'],
    ),
    "task id in capitals": ('id = "look"', 'id = "Look"', ["`tasks.id` is 'Look'", "like `track-orders`"]),
    "check id with dashes": (
        'id = "adds"',
        'id = "adds-up"',
        ["`tasks.checks.id` is 'adds-up'", "`orders_are_tracked`"],
    ),
    "task twice": ('id = "look"', 'id = "add"', ["`tasks.id` `add` stands 2 times", "Give each its own id."]),
    "check twice": ('id = "is_committed"', 'id = "adds"', ["`tasks.checks.id` `adds` stands 2 times"]),
    "points of a worked task": (
        'says = "notes.md is there"',
        'says = "notes.md is there"\npoints = 1',
        ["`look.notes_are_there.points` stands in a worked task", "Take it out"],
    ),
    "points missing": ("points = 3\n", "", ["`add.adds.points` is missing", "`points = 5`"]),
    "two hints": (
        '["Look at add.", "Use +.", "return a + b"]',
        '["a", "b"]',
        ["`add.adds.hints` has 2 steps", "hints = ["],
    ),
    "one hint where worked": (
        'says = "notes.md is there"',
        'says = "notes.md is there"\nhints = ["a"]',
        ["`look.notes_are_there.hints` has 1 steps; a ladder has 3"],
    ),
    "empty hint": ('"Use +."', '""', ["`tasks[2].checks[1].hints[2]` is ''"]),
    "after nothing": (
        'after = ["adds"]',
        'after = ["add"]',
        ["names `add`, which is no check", "Did you mean `adds`?"],
    ),
    "after something far": ('after = ["adds"]', 'after = ["zzz"]', ["Name one of: notes_are_there, adds,"]),
    "after in a circle": (
        FIRST_CHECK,
        f'{FIRST_CHECK}\nafter = ["adds_anything"]',
        ["`after` goes in a circle: adds", "Take one of them out"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_manifest_names_file_key_and_what_to_write(name: str, tmp_path: Path) -> None:
    old, new, wanted = BROKEN[name]
    folder = write_files(tmp_path / "labs" / "01-add", {"lab.toml": MANIFEST})
    replace(folder / "lab.toml", old, new)
    with pytest.raises(ManifestError) as caught:
        read_lab(folder)
    message = str(caught.value)
    assert message.startswith(str(folder / "lab.toml"))
    for part in wanted:
        assert part in message


def test_a_missing_manifest_and_a_binary_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        ManifestError, match=r"lab\.toml is missing\. A lab is a folder with a `lab\.toml` in it"
    ):
        read_lab(tmp_path)
    (tmp_path / "lab.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match=r"lab\.toml is not TOML: .*Mend that line"):
        read_lab(tmp_path)


def test_a_folder_that_is_no_lab_id_is_refused(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "labs" / "First", {"lab.toml": MANIFEST})
    with pytest.raises(ManifestError, match=r"`First` is no lab id\. Name the folder like `02-version-data`"):
        read_lab(folder)


def test_a_lab_knows_its_facts(sound: Lab) -> None:
    assert (sound.id, sound.number, sound.slug) == ("01-add", "01", "add")
    assert sound.solutions == sound.course / "solutions" / "01-add"
    assert [check.id for check in sound.checks] == [
        "notes_are_there",
        "adds",
        "adds_anything",
        "is_committed",
    ]
    assert [check.id for check in sound.visible] == ["notes_are_there", "adds", "is_committed"]
    assert [check.task for check in sound.checks] == ["look", "add", "add", "commit"]
    assert (sound.limits.cpu_s, sound.limits.memory_mb) == (5, 2048)
    assert sound.check("adds").points == 3
    assert sound.task("add").checks[1].after == ("adds",)
    assert len(sound.release) == 64


def test_a_lab_cannot_be_changed(sound: Lab) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        sound.title = "Other"  # type: ignore[misc]  # what is tried


def test_only_tables_that_the_course_names_are_handed_on(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "labs" / "01-add", {"lab.toml": MANIFEST + '\n[world]\nscenario = "x"\n'})
    with pytest.raises(ManifestError, match="unknown key `world`"):
        read_lab(folder)
    write_files(tmp_path, {"pyproject.toml": "[tool.grader]\ntables = ['world']\n"})
    assert read_lab(folder).tables == {"world": {"scenario": "x"}}


@pytest.mark.parametrize("name", ["1", "01", "add", "01-add"])
def test_a_lab_is_found_by_number_slug_and_id(sound: Lab, name: str) -> None:
    assert find_lab(sound.course, name).id == "01-add"


def test_an_unknown_name_says_which_there_are(sound: Lab, tmp_path: Path) -> None:
    with pytest.raises(
        ManifestError, match=r"has no lab `01-ad`\. Did you mean `01-add`\? The labs here: 01-add"
    ):
        find_lab(sound.course, "01-ad")
    with pytest.raises(ManifestError, match=r"has no lab `7`\. The labs here: none\."):
        find_lab(tmp_path, "7")
    with pytest.raises(ManifestError, match=r"Lab 01-add has no task `ad`\. Did you mean `add`\?"):
        sound.task("ad")
    with pytest.raises(ManifestError, match=r"Lab 01-add has no check `add`\. Did you mean `adds`\?"):
        sound.check("add")


def test_a_lab_that_was_never_released_says_how(tiny: Lab) -> None:
    (tiny.folder / "release.txt").unlink()
    with pytest.raises(ManifestError, match=r"release\.txt is missing: .*Run `grader release 01`"):
        _ = tiny.release


def test_labs_come_in_teaching_order_and_may_need_one_that_is_not_there(tmp_path: Path) -> None:
    later = MANIFEST.replace("minutes = 10", 'minutes = 10\nneeds = ["01-add", "09-monitor-drift"]')
    write_files(
        tmp_path, {"labs/02-more/lab.toml": later, "labs/01-add/lab.toml": MANIFEST, "labs/notes.txt": ""}
    )
    assert [lab.id for lab in list_labs(tmp_path)] == ["01-add", "02-more"]


def test_labs_that_need_each_other_are_refused(tmp_path: Path) -> None:
    for lab, need in (("01-add", "02-more"), ("02-more", "01-add")):
        text = MANIFEST.replace("minutes = 10", f'minutes = 10\nneeds = ["{need}"]')
        write_files(tmp_path, {f"labs/{lab}/lab.toml": text})
    with pytest.raises(
        ManifestError, match=r"`needs` goes in a circle: 0\d-\w+ → .*Take one of them out of `needs`"
    ):
        list_labs(tmp_path)


def test_the_course_is_found_from_below_and_nowhere_else(sound: Lab, tmp_path: Path) -> None:
    assert find_course(sound.folder / "checks") == sound.course
    with pytest.raises(ManifestError, match=r"is not inside a course: .*Change into the clone of the course"):
        find_course(tmp_path)


def test_every_key_is_described_with_an_example() -> None:
    inner = [model for name in ("tasks",) for model in get_args(Lab.model_fields[name].annotation)[:1]]
    models = [Lab, *inner, *get_args(inner[0].model_fields["checks"].annotation)[:1]]
    for model in (*models, type(Lab.model_fields["limits"].default)):
        for name, field in model.model_fields.items():
            assert field.exclude or (field.description and field.examples), f"{model.__name__}.{name}"
