"""`grader init` and `grader collect`, typed by an instructor."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.classroom import Classroom
from grader.manifest import Lab
from tests.grader.handed_in import batch, class_of_four, packed

LONG_AGO = "2025-01-01T00:00:00Z"
ROOT = Path(__file__).parent.parent.parent


def typed(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """What a command said, typed in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "grader.cli", *map(str, words)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def room(sound: Lab, tmp_path: Path) -> Classroom:
    """A class of four."""
    return class_of_four(tmp_path / "class", sound)


def test_a_class_is_made_and_says_what_comes_next(sound: Lab, tmp_path: Path) -> None:
    done = typed(sound.course / "labs", "init", tmp_path / "class", "--timezone", "Europe/Berlin")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"A class is in {tmp_path / 'class'}. Next, there:\n"
        "  1. roster.csv: a line for each learner, `id,name,email`\n"
        "  2. class.toml: a deadline for each lab, in Europe/Berlin time\n"
        "  3. grader doctor: can this machine run strangers' work?\n"
        "  4. grader collect LAB DOWNLOADS\n"
        "Back up .secret with the rest and show it to nobody: hidden data comes from it.\n"
    )
    elsewhere = typed(tmp_path, "init", "other", "--course", sound.course)
    assert elsewhere.stdout.startswith(f"A class is in {tmp_path / 'other'}.")
    again = typed(sound.course, "init", tmp_path / "class")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == f"{tmp_path / 'class'} is not an empty folder. Name a new one for the class.\n"


def test_a_batch_is_collected_with_a_line_each(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    with (room.folder / "class.toml").open("a") as file:
        file.write("01 = 2025-01-05T12:00:00\n")
    source = batch(
        tmp_path / "in",
        {
            "ana.zip": packed(sound, made=LONG_AGO),
            "Ben Roe.zip": packed(sound, made=LONG_AGO, release="f" * 64),
        },
    )
    at = ("--collected-at", "2025-01-05T11:00")
    first = typed(room.folder, "collect", "01", source, *at)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == (
        f"✓ ben: 2 files, 0.0 MB, made for release ffffffff, graded by {sound.release[:8]} (Ben Roe.zip)\n"
        "✓ ana: 2 files, 0.0 MB (ana.zip)\n"
        "01-add: 2 collected, 0 already there, 0 set aside.\n"
    )
    batch(
        source,
        {
            "mall[b]ory\x1b.zip": packed(sound, made=LONG_AGO),
            "cleo.zip": packed(sound, made=LONG_AGO),
            "dan.zip": b"%PDF",
        },
    )
    second = typed(
        room.folder / "submissions", "collect", "add", source, "--collected-at", "2025-01-07T14:30"
    )
    assert second.returncode == 1
    assert second.stdout == (
        "↷ ben: already there, collected 2025-01-05 11:00 CET (Ben Roe.zip)\n"
        "↷ ana: already there, collected 2025-01-05 11:00 CET (ana.zip)\n"
        "✓ cleo: 2 files, 0.0 MB, late by 2 d 2 h (cleo.zip)\n"
        "✗ dan.zip: set aside. It is a PDF, no zip. Hand in the zip that `lab submit` makes, unchanged.\n"
        "✗ mall[b]ory\\x1b.zip: set aside. `mall[b]ory\\x1b.zip` stands for nobody on the roster. "
        "Add the learner to roster.csv, name the file like `ID.zip`, or collect it with `--as ID`.\n"
        "01-add: 1 collected, 2 already there, 2 set aside.\n"
        f"The reasons and files are in {room.folder / 'aside'}.\n"
    )


@pytest.mark.parametrize(
    ("at", "late"),
    [
        ("2025-01-05T12:00:01", "1 min"),
        ("2025-01-05T11:30Z", "30 min"),
        ("2025-01-05T14:05+01:00", "2 h 5 min"),
    ],
)
def test_lateness_is_said_in_words(at: str, late: str, room: Classroom, sound: Lab, tmp_path: Path) -> None:
    with (room.folder / "class.toml").open("a") as file:
        file.write("01 = 2025-01-05T12:00:00\n")
    source = batch(tmp_path / "in", {"any.zip": packed(sound, made=LONG_AGO)}) / "any.zip"
    done = typed(room.folder, "collect", "01", source, "--as", "ana", "--collected-at", at)
    assert done.stdout.startswith(f"✓ ana: 2 files, 0.0 MB, late by {late} (any.zip)\n")


def test_the_record_is_printed_for_tools(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    source = batch(tmp_path / "in", {"ana.zip": packed(sound, made=LONG_AGO), "ben.zip": b"no"})
    done = typed(room.folder, "collect", "01", source, "--json")
    record = json.loads(done.stdout)
    assert done.returncode == 1
    assert list(record) == ["format", "lab", "collected", "already", "aside", "without"]
    [receipt] = record["collected"]
    assert (receipt["learner"], receipt["sequence"], receipt["late"]) == ("ana", 1, None)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", receipt["collected_at"])
    assert record["aside"][0]["name"] == "ben.zip"
    assert (Path(record["aside"][0]["folder"]) / "reason.txt").is_file()


def test_folders_with_other_labs_only_are_told(room: Classroom, tiny: Lab, tmp_path: Path) -> None:
    (tiny.course / "labs" / "02-more").mkdir()
    settings = room.folder / "class.toml"
    settings.write_text(settings.read_text().replace(str(room.course), str(tiny.course)))
    source = batch(
        tmp_path / "in", {"ana/02-more/work.zip": b"x", "ben/01-add/work.zip": packed(tiny, made=LONG_AGO)}
    )
    done = typed(room.folder, "collect", "01", source)
    assert done.stdout == (
        "· ana: holds other labs only\n✓ ben: 2 files, 0.0 MB (ben)\n"
        "01-add: 1 collected, 0 already there, 0 set aside, 1 with other labs only.\n"
    )


WRONG = [
    (["collect", "7", "."], "has no lab `7`"),
    (["collect", "01", "gone"], "gone is not there or not readable. Name a folder or a zip of submissions."),
    (["collect", "01", ".", "--as", "cloe"], "`cloe` is on no line of roster.csv. Did you mean `cleo`?"),
    (
        ["collect", "01", ".", "--collected-at", "soon"],
        "--collected-at soon is no time. Write it like 2026-12-01T23:59",
    ),
    (
        ["collect", "01", ".", "--collected-at", "2099-01-01"],
        "is in the future. Name when the export was made.",
    ),
    (["collect", "01", ".", "--collected-at", "0001-01-01"], "0001-01-01 is no time."),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_wrong_word_is_one_message(words: list[str], said: str, room: Classroom) -> None:
    done = typed(room.folder, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_class_it_says_so(tmp_path: Path) -> None:
    done = typed(tmp_path, "collect", "01", ".")
    assert done.returncode == 2
    assert "is in no class. Change into one, or make one with `grader init FOLDER`." in done.stderr
