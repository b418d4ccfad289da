import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from shutil import copytree
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest

from grader.classroom import Classroom, read_class
from grader.errors import CourseError
from grader.intake import collect, newest
from grader.manifest import Lab
from grader.snapshot import take
from grader.unpack import Caps
from tests.grader.courses import repository
from tests.grader.handed_in import ADD, NOW, batch, class_of_four, learners, left, packed, reasons
from tests.grader.zips import Raw, a_zip, raw_zip, tree


@pytest.fixture
def room(sound: Lab, tmp_path: Path) -> Classroom:
    """A class of four."""
    return class_of_four(tmp_path / "class", sound)


def test_a_submission_becomes_a_snapshot_with_a_receipt(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    source = batch(
        tmp_path / "in",
        {"ana.zip": packed(sound, snapshot="f" * 64, reported={"points": 6, "x": [], "hints": {"adds": 2}})},
    )
    [receipt] = collect(room, sound, source, now=NOW).receipts
    assert receipt.folder == room.folder / "submissions" / "ana" / "01-add" / receipt.snapshot[:16]
    assert sorted(tree(receipt.folder)) == [
        "receipt.json",
        "work",
        "work/.git",
        "work/.git/HEAD",
        "work/add.py",
    ]
    assert take(receipt.work).hash == receipt.snapshot
    assert json.loads((receipt.folder / "receipt.json").read_text()) == {
        "format": 1,
        "learner": "ana",
        "lab": "01-add",
        "snapshot": receipt.snapshot,
        "collected_at": "2026-11-21T10:30:00Z",
        "sequence": 1,
        "source": "ana.zip",
        "reported": {
            "lab": "01-add",
            "release": sound.release,
            "snapshot": "f" * 64,
            "made": "2026-11-21T09:00:00Z",
            "points": 6,
            "hints": {"adds": 2},
        },
        "notes": ["not the files that `lab submit` packed"],
    }
    assert newest(room, "01-add") == {"ana": receipt}
    assert newest(room, "02-other") == {}


def test_collecting_the_same_again_changes_nothing(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    files = {"ana.zip": packed(sound), "ben.zip": b"Rar!\x1a\x07", "mallory.zip": packed(sound)}
    source = batch(tmp_path / "in", files)
    first = collect(room, sound, source, now=NOW)
    assert (learners(first.receipts), len(first.aside)) == (["ana"], 2)
    before = left(room)
    again = collect(room, sound, source, now=NOW + timedelta(days=1))
    assert (again.receipts, learners(again.already), again.aside) == ((), ["ana"], first.aside)
    assert left(room) == before


def test_the_last_collected_counts(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    for number, text in enumerate((ADD, "# better\n" + ADD, "# best\n" + ADD)):
        source = batch(tmp_path / f"in{number}", {"ana.zip": packed(sound, text)})
        [receipt] = collect(room, sound, source, now=NOW + timedelta(hours=number)).receipts
        assert (receipt.sequence, newest(room, sound.id)["ana"]) == (number + 1, receipt)
    late = collect(room, sound, tmp_path / "in0", now=NOW + timedelta(days=9))
    assert (late.already[0].sequence, newest(room, sound.id)["ana"].sequence) == (1, 3)
    [back] = collect(room, sound, tmp_path / "in0", as_="ana", now=NOW + timedelta(days=9)).receipts
    assert (back.sequence, newest(room, sound.id)["ana"]) == (4, back)
    assert back.snapshot == late.already[0].snapshot


def test_an_older_export_does_not_replace_what_counts(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    collect(room, sound, batch(tmp_path / "new", {"ana.zip": packed(sound)}), now=NOW)
    older = batch(tmp_path / "old", {"ana.zip": packed(sound, "old"), "ben.zip": packed(sound)})
    done = collect(room, sound, older, now=NOW - timedelta(days=7))
    assert learners(done.receipts) == ["ben"]
    assert (
        "collected at 2026-11-14T10:30:00Z, before the one by ana that counts (2026-11-21T"
        in done.aside[0].reason
    )
    assert done.aside[0].reason.endswith("To make this one count, collect it with `--as ana`.")
    [forced] = collect(room, sound, older / "ana.zip", as_="ana", now=NOW - timedelta(days=7)).receipts
    assert newest(room, sound.id)["ana"] == forced


SHAPES: dict[str, Callable[[Path, Lab], Path]] = {
    "folder of zips": lambda at, lab: batch(at, {"ana.zip": packed(lab), "ben.zip": packed(lab, "b")}),
    "zip of zips": lambda at, lab: (
        batch(at, {"all.zip": a_zip({"ana.zip": packed(lab), "x/": "", "ben.zip": packed(lab, "b")})})
        / "all.zip"
    ),
    "moodle folders in a zip": lambda at, lab: (
        batch(
            at,
            {
                "all.zip": a_zip(
                    {
                        "Ana Doe_11_assignsubmission_file/ben.zip": packed(lab),
                        "Ben Roe_12_assignsubmission_file_/work.zip": packed(lab, "b"),
                    }
                )
            },
        )
        / "all.zip"
    ),
    "moodle files": lambda at, lab: batch(
        at,
        {
            "Ana Doe_11_assignsubmission_file_work.zip": packed(lab),
            "Ben Roe_12_assignsubmission_file_work.zip": packed(lab, "b"),
        },
    ),
    "canvas": lambda at, lab: batch(
        at, {"doeana_LATE_1_2_work.zip": packed(lab), "roeben_3_4_work-1.zip": packed(lab, "b")}
    ),
    "nbgrader": lambda at, lab: unzipped(at, {"ana/01-add": packed(lab), "ben/01-add": packed(lab, "b")}),
    "folders": lambda at, lab: unzipped(at, {"ana": packed(lab), "ben": packed(lab, "b")}),
}


def unzipped(at: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        ZipFile(BytesIO(content)).extractall(at / name)
    return at


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_batch_gives_the_same_snapshots(
    shape: str, room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    done = collect(room, sound, SHAPES[shape](tmp_path / "in", sound), now=NOW)
    found = {one.learner: one.snapshot for one in done.receipts}
    plain = SHAPES["folder of zips"](tmp_path / "plain", sound)
    copytree(room.folder, tmp_path / "other", ignore=lambda *_: ["submissions", "aside"])
    other = collect(read_class(tmp_path / "other"), sound, plain, now=NOW)
    assert found == {one.learner: one.snapshot for one in other.receipts}
    assert sorted(found) == ["ana", "ben"]


def test_a_workspace_is_taken_as_it_is(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    work = repository(
        tmp_path / "in" / "ana", {"add.py": ADD, ".lab-workspace.json": "{}", ".dvc/tmp/x": "x"}
    )
    (work / ".venv").mkdir()
    (work / ".venv" / "python").symlink_to("/usr/bin/python3")
    wanted = take(work).hash
    (tmp_path / "mac").mkdir()
    modes = {f"ana/{name}": mode for name, mode in tree(work).items()}
    files = {f"ana/{name}": (work / name).read_bytes() for name in tree(work) if (work / name).is_file()}
    (tmp_path / "mac" / "ana.zip").write_bytes(a_zip(files | {"__MACOSX/ana/._add.py": b"x"}, modes))
    for source in (tmp_path / "in", work, tmp_path / "mac", tmp_path / "mac" / "ana.zip"):
        done = collect(room, sound, source, as_="" if source != work else "ana", now=NOW)
        assert [one.snapshot for one in done.receipts + done.already] == [wanted]
    assert not (done.already[0].work / ".lab-workspace.json").exists()


ASIDE: dict[str, tuple[Callable[[Lab], bytes], str]] = {
    "encrypted": (lambda _: raw_zip([Raw(b"a", flags=1)]), "The zip is encrypted (`a` needs a password)."),
    "corrupt": (lambda lab: packed(lab)[:60] + b"\0" + packed(lab)[61:], "The zip "),
    "empty": (lambda _: a_zip({}), "The zip is empty"),
    "nothing in work": (
        lambda _: a_zip({"receipt.json": "{}", "work/": ""}),
        "There are no files in the work.",
    ),
    "no file": (lambda _: a_zip({"work/": ""}), "There are no files in it."),
    "too many files": (lambda _: a_zip({f"f{n}": "" for n in range(60)}), "It holds more than 50 files."),
    "too large": (lambda _: a_zip({"big": bytes(2 * 1024**2)}), "It unpacks to more than 1 MB (at `big`)."),
    "slip": (lambda _: a_zip({"../../ben/01-add/x": "x"}), "leads out of its folder with `..`"),
    "another lab": (
        lambda lab: packed(lab, lab="02-b"),
        "Its receipt says that it is for 02-b, not for 01-add.",
    ),
    "a zip in a zip": (
        lambda lab: a_zip({"ana.zip": packed(lab)}),
        "It holds nothing but another zip (`ana.zip`).",
    ),
    "git elsewhere": (
        lambda _: a_zip({"work/.git": "gitdir: /", "receipt.json": "{}"}),
        "`.git` is a file that",
    ),
}


@pytest.mark.parametrize("case", ASIDE)
def test_what_cannot_be_taken_is_set_aside_and_stops_nothing(
    case: str, room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    make, said = ASIDE[case]
    content = make(sound)
    source = batch(tmp_path / "in", {"ana.zip": content, "ben.zip": packed(sound)})
    done = collect(room, sound, source, now=NOW, caps=Caps(files=50, bytes=1024**2))
    assert learners(done.receipts) == ["ben"]
    [aside] = done.aside
    assert said in aside.reason
    assert aside.folder.name == "20261121T103000Z-ana.zip"
    assert aside.reason in (aside.folder / "reason.txt").read_text()
    assert (aside.folder / "original.zip").read_bytes() == content
    assert sorted(path.name for path in (room.folder / "submissions").iterdir()) == ["ben"]
    assert not (room.folder / ".collecting").exists()


def test_two_submissions_by_one_learner_are_both_set_aside(
    room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    files = {"ana.zip": packed(sound), "Ana Doe.zip": packed(sound, "b"), "ben.zip": packed(sound)}
    source = batch(tmp_path / "in", files)
    done = collect(room, sound, source, now=NOW)
    assert learners(done.receipts) == ["ben"]
    assert sorted(reasons(done)) == ["Ana Doe.zip", "ana.zip"]
    assert reasons(done)["ana.zip"] == (
        "2 submissions by ana are in this batch: `Ana Doe.zip`, `ana.zip`. Which one counts is not known. "
        "Collect that one with `--as ana`."
    )
    assert learners(collect(room, sound, source / "Ana Doe.zip", as_="ana", now=NOW).receipts) == ["ana"]


def test_text_typed_beside_a_file_does_not_spoil_it(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    files = {
        "Ana Doe_1_assignsubmission_file/work.zip": packed(sound),
        "Ana Doe_1_assignsubmission_onlinetext/onlinetext.html": b"<p>hello",
    }
    done = collect(room, sound, batch(tmp_path / "in", files), now=NOW)
    assert learners(done.receipts) == ["ana"]
    assert "is text typed into Moodle" in done.aside[0].reason


def test_a_learner_folder_must_leave_no_doubt(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    source = batch(
        tmp_path / "in", {"ana/a.zip": packed(sound), "ana/b.pdf": b"%PDF", "cleo/01-add/x.zip": b""}
    )
    (source / "ben").symlink_to("/etc")
    (source / "dan").mkdir()
    done = collect(room, sound, source, now=NOW)
    found = reasons(done)
    assert found["ana"].startswith("It holds 2 files (`a.zip`, `b.pdf`): which one counts is not known.")
    assert found["ben"] == "`ben` is a link or no plain file. Put the file itself there."
    assert found["cleo"].startswith("The file is empty (0 bytes).")
    assert found["dan"].startswith("There are no files in it.")
    assert not (done.aside[1].folder / "original").exists()


def test_a_folder_with_other_labs_only_is_no_submission(room: Classroom, tiny: Lab, tmp_path: Path) -> None:
    copytree(tiny.folder, tiny.course / "labs" / "02-more")
    source = batch(tmp_path / "in", {"ana/02-more/work.zip": b"x", "ben/01-add/work.zip": packed(tiny)})
    done = collect(replace(room, course=tiny.course), tiny, source, now=NOW)
    assert (learners(done.receipts), done.aside, done.without) == (["ben"], (), ("ana",))


def test_a_receipt_of_a_stranger_is_noted_and_never_believed(
    room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    hostile: dict[str, object] = {
        "release": "another\x1b[2J" + "x" * 500,
        "made": "2031-01-01T00:00:00Z",
        "learner": "ben",
        "reported": {
            "points": 1e9,
            "possible": True,
            "started": ["now"],
            "hints": {"adds": 4, "<b>": 1, "is_committed": True, "a" * 101: 1},
        },
    }
    source = batch(tmp_path / "in", {"ana.zip": packed(sound, **hostile)})
    [receipt] = collect(room, sound, source, now=NOW).receipts
    assert (receipt.learner, receipt.collected_at) == ("ana", NOW.replace(microsecond=0))
    assert receipt.reported["release"].startswith("another\\x1b[2J")
    assert len(receipt.reported["release"]) < 200
    assert receipt.reported.keys() == {"lab", "release", "made", "hints"}
    assert receipt.reported["hints"] == {}
    assert receipt.notes == (
        f"made for release {receipt.reported['release'][:8]}, graded by {sound.release[:8]}",
        "its receipt says 2031-01-01T00:00:00Z, which is after it was collected",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[1]",
        '{"lab": NaN, "made": "soon"}',
        "[" * 100_000,
        '{"lab": "\\ud800"}',
        " " * 300_000,
        "9" * 9999,
    ],
)
def test_a_receipt_that_cannot_be_read_says_nothing(
    text: str, room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    source = batch(tmp_path / "in", {"ana.zip": a_zip({"receipt.json": text, "work/add.py": ADD})})
    done = collect(room, sound, source, as_="", now=NOW)
    assert done.receipts or "Its receipt says that it is for \\ud800" in done.aside[0].reason


def test_as_takes_one_submission_whatever_it_is_called(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    source = batch(tmp_path / "in", {"02-b-f00.zip": packed(sound, lab="02-b")}) / "02-b-f00.zip"
    [receipt] = collect(room, sound, source, as_="cleo", now=NOW).receipts
    assert (receipt.learner, receipt.notes) == ("cleo", ("its receipt says 02-b",))
    with pytest.raises(
        CourseError, match=r"`cloe` is on no line of roster\.csv\. Did you mean `cleo`\? Add the"
    ):
        collect(room, sound, source, as_="cloe", now=NOW)


def test_lateness_is_told_by_the_clock_of_the_collector(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Berlin")
    deadline = datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=0)  # the first of two 2:30, 0:30 UTC
    timed = replace(room, deadlines={sound.id: deadline})
    source = batch(tmp_path / "in", {"ana.zip": packed(sound)})
    again = datetime(2026, 10, 25, 2, 10, tzinfo=zone, fold=1)  # later, though its clock shows less
    [receipt] = collect(timed, sound, source, now=again).receipts
    assert receipt.late is True
    for name, now, late in (
        ("ben", datetime(2026, 10, 24, 19, 30, tzinfo=ZoneInfo("America/Bogota")), False),
        ("cleo", datetime(2026, 10, 24, 19, 30, 1, tzinfo=ZoneInfo("America/Bogota")), True),
        ("dan", datetime(2026, 10, 25, 2, 30, 0, 900_000, tzinfo=zone), False),
    ):
        one = batch(tmp_path / name, {f"{name}.zip": packed(sound)})
        assert collect(timed, sound, one, now=now).receipts[0].late is late
    extended = replace(room, deadlines={sound.id: deadline + timedelta(days=1)})
    assert [one.late for one in newest(extended, sound.id).values()] == [False] * 4
    assert [one.late for one in newest(room, sound.id).values()] == [None] * 4


def test_the_time_in_an_lms_name_is_when_it_was_handed_in(
    room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    with (room.folder / "class.toml").open("a") as file:
        file.write("01 = 2026-11-20T23:59:00\n")
    room = read_class(room.folder)
    source = batch(
        tmp_path / "in",
        {
            "Lab_cleo_attempt_2026-11-20-23-58-01_work.zip": packed(sound),
            "Lab_cleo_attempt_2026-11-20-23-58-01.txt": b"Name: Cleo (cleo)",
            "Lab_dan_attempt_2026-11-23-00-00-00_work.zip": packed(sound),
            "1-2 - Ana Doe - Nov 20, 2026 1159 PM - work.zip": packed(sound),
            "1-3 - Ana Doe - Nov 19, 2026 905 AM - work.zip": packed(sound, "x = 1\n"),
            "7-8 - Ben Roe - Nov 19, 2026 905 AM - work.zip": packed(sound),
            "7-9 - Ben Roe - Nov 19, 2026 905 AM - again.zip": packed(sound, "x = 2\n"),
        },
    )
    done = collect(room, sound, source, now=NOW)
    told = {one.snapshot[:4] + one.learner: (one.collected_at.isoformat(), one.late) for one in done.receipts}
    assert sorted(told.values(), key=str) == [
        ("2026-11-19T08:05:00+00:00", False),
        ("2026-11-20T22:58:01+00:00", False),
        ("2026-11-20T22:59:00+00:00", False),
        ("2026-11-21T10:30:00+00:00", True),
    ]
    assert newest(room, sound.id)["ana"].collected_at.hour == 22
    assert newest(room, sound.id)["dan"].notes == (
        "its name says 2026-11-23 00:00:00, which is after it was collected",
    )
    assert {why[:33] for why in reasons(done).values()} == {"2 submissions by ben are in this "}
    again = collect(room, sound, source, now=NOW + timedelta(days=9))
    assert (again.receipts, len(again.already)) == ((), 4)
