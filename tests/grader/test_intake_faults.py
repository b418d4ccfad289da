"""What ends a collect, or goes wrong in the middle of one: nothing half is kept, nothing whole lost."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

import pytest

from grader.classroom import Classroom, read_class
from grader.errors import CourseError, InvalidSubmission
from grader.intake import Outcome, collect, newest
from grader.locks import hold
from grader.manifest import Lab
from grader.opening import open_work
from grader.snapshot import take
from grader.unpack import Caps
from tests.grader.courses import write_files
from tests.grader.handed_in import NOW, batch, class_of_four, learners, left, packed, reasons
from tests.lab_env.disks import fill, small_disk


@pytest.fixture
def room(sound: Lab, tmp_path: Path) -> Classroom:
    """A class of four."""
    return class_of_four(tmp_path / "class", sound)


def test_a_full_disk_ends_the_run_and_a_second_one_goes_on(
    room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    names = ("ana", "ben", "cleo", "dan")
    source = batch(
        tmp_path / "in", {f"{name}.zip": packed(sound, os.urandom(30_000).hex()) for name in names}
    )
    told: list[Outcome] = []
    with small_disk(tmp_path / "disk", kilobytes=260) as disk:
        copytree(room.folder, disk / "class")
        small = read_class(disk / "class")
        with pytest.raises(
            CourseError, match=r"Collecting stopped: No space left on device .* until now stay"
        ):
            collect(small, sound, source, now=NOW, told=told.append)
        done = [one.learner for one in told]
        assert 0 < len(done) < 4
        assert sorted(newest(small, sound.id)) == done
        assert not (small.folder / ".collecting").exists()
        assert all(take(one.work).hash == one.snapshot for one in newest(small, sound.id).values())
        copytree(small.folder, tmp_path / "larger")
    second = collect(read_class(tmp_path / "larger"), sound, source, now=NOW)
    assert (learners(second.already), learners(second.receipts)) == (
        done,
        [n for n in names if n not in done],
    )


def test_a_disk_that_is_full_from_the_start_changes_nothing(
    room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    source = batch(tmp_path / "in", {"ana.zip": packed(sound)})
    with small_disk(tmp_path / "disk", kilobytes=64) as disk:
        copytree(room.folder, disk / "class")
        fill(disk)
        with pytest.raises(
            CourseError, match=r"The 0 collected until now stay\. Mend that, then run the same"
        ):
            collect(read_class(disk / "class"), sound, source, now=NOW)
        assert not list((disk / "class").rglob("work"))


def test_a_class_that_cannot_be_written_says_so(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    source = batch(tmp_path / "in", {"ana.zip": packed(sound)})
    with small_disk(tmp_path / "disk", kilobytes=64) as disk:
        copytree(room.folder, disk / "class")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(CourseError, match=r"Collecting stopped: Read-only file system"):
            collect(read_class(disk / "class"), sound, source, now=NOW)


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from grader.classroom import read_class
from grader.intake import collect
from grader.manifest import read_lab
at = int(sys.argv[4])
count = 0
def trace(frame, event, arg):
    global count
    if event == "call" and "/grader/" in frame.f_code.co_filename:
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
room, lab = read_class(Path(sys.argv[1])), read_lab(Path(sys.argv[2]))
sys.setprofile(trace)
collect(room, lab, Path(sys.argv[3]), now=datetime(2026, 11, 21, tzinfo=UTC))
sys.setprofile(None)
print(count)
"""


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_half_and_a_second_one_goes_on(
    room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    source = batch(
        tmp_path / "in", {"ana.zip": packed(sound), "ben.zip": packed(sound, "b"), "cleo.zip": b"no"}
    )
    said = ""

    def killed(at: int) -> Classroom:
        nonlocal said
        copytree(room.folder, tmp_path / f"class{at}")
        words = [str(tmp_path / f"class{at}"), str(sound.folder), str(source), str(at)]
        script = [sys.executable, "-c", KILLED, *words]
        said = subprocess.run(script, capture_output=True, text=True, check=False).stdout
        return read_class(tmp_path / f"class{at}")

    whole = killed(-1)
    calls = int(said)
    for at in (calls * share // 8 for share in range(1, 8)):
        half = killed(at)
        for receipt in newest(half, sound.id).values():
            assert take(receipt.work).hash == receipt.snapshot
        collect(half, sound, source, now=datetime(2026, 11, 21, tzinfo=UTC))
        assert left(half).keys() == left(whole).keys()
        assert {name: one.snapshot for name, one in newest(half, sound.id).items()} == {
            name: one.snapshot for name, one in newest(whole, sound.id).items()
        }


def test_files_that_changed_in_the_class_are_put_back(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    source = batch(tmp_path / "in", {"ana.zip": packed(sound)})
    [receipt] = collect(room, sound, source, now=NOW).receipts
    (receipt.work / "add.py").write_text("changed")
    [again] = collect(room, sound, source, now=NOW + timedelta(days=1)).already
    assert (again, take(receipt.work).hash) == (receipt, receipt.snapshot)
    (receipt.work / "add.py").unlink()
    (receipt.work / "add.py").symlink_to("/etc/passwd")
    collect(room, sound, source, now=NOW)
    assert take(receipt.work).hash == receipt.snapshot


def test_one_collect_at_a_time(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    source = batch(tmp_path / "in", {"ana.zip": packed(sound)})
    script = (
        "import sys, time; from pathlib import Path; from grader.locks import hold\n"
        "with hold(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    lock = str(room.folder / ".collecting.lock")
    with subprocess.Popen(
        [sys.executable, "-c", script, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdin
        other.stdout.readline()
        with pytest.raises(CourseError, match=r"Another `grader collect` is at work in .*Wait until it ends"):
            collect(room, sound, source, now=NOW)
        other.stdin.close()
        other.wait()
    with hold(room.folder / "free.lock"):
        assert collect(room, sound, source, now=NOW).receipts


def test_the_class_itself_is_no_batch(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    collect(room, sound, batch(tmp_path / "in", {"ana.zip": packed(sound)}), now=NOW)
    with pytest.raises(
        CourseError, match=r"lies in the class's own `submissions`\. Name what you downloaded"
    ):
        collect(room, sound, room.folder / "submissions", now=NOW)


def test_a_receipt_that_was_damaged_is_named(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    source = batch(tmp_path / "in", {"ana.zip": packed(sound), "ben.zip": packed(sound)})
    first, _ = collect(room, sound, source, now=NOW).receipts
    for text in ("{", '{"format": 2}', '{"format": 1}'):
        (first.folder / "receipt.json").write_text(text)
        with pytest.raises(
            CourseError, match=r"receipt\.json cannot be read \(.*Bring it back from a backup, or"
        ):
            newest(room, sound.id)
    (tmp_path / "more").mkdir()
    one = batch(tmp_path / "more", {"ben.zip": packed(sound, "c")})
    assert collect(room, sound, one, now=NOW).receipts[0].sequence == 3


def test_two_snapshots_never_share_a_folder(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    source = batch(tmp_path / "in", {"ana.zip": packed(sound)})
    [receipt] = collect(room, sound, source, now=NOW).receipts
    file = receipt.folder / "receipt.json"
    file.write_text(file.read_text().replace(receipt.snapshot, receipt.snapshot[:16] + "0" * 48))
    [aside] = collect(room, sound, source, now=NOW).aside
    assert aside.reason.startswith("Another snapshot has the same first 16 digits. Change any file")


def test_what_is_set_aside_never_replaces_what_was(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    for number in range(3):
        source = batch(tmp_path / str(number), {"ana.zip": b"no zip %d" % number})
        collect(room, sound, source, now=NOW)
    names = sorted(path.name.removeprefix("20261121T103000Z-") for path in (room.folder / "aside").iterdir())
    assert names == ["ana.zip", "ana.zip-2", "ana.zip-3"]


def test_what_went_away_before_it_was_read_is_named(sound: Lab, tmp_path: Path) -> None:
    with pytest.raises(
        InvalidSubmission, match=r"`gone` cannot be read \(No such file or directory\)\. Mend that"
    ):
        open_work(tmp_path / "gone", sound, tmp_path / "in", Caps())


def test_a_defect_met_by_one_submission_does_not_stop_the_others(
    room: Classroom, sound: Lab, tmp_path: Path
) -> None:
    source = batch(tmp_path / "in", {"ana.zip": packed(sound), "ben.zip": b"no zip"})
    done = collect(room, sound, source, now=NOW, caps=Caps(depth=None))  # type: ignore[arg-type]
    assert reasons(done)["ana.zip"].startswith("It could not be read (TypeError: ")
    assert reasons(done)["ben.zip"].startswith("It is no zip")


def test_names_in_the_class_folder_are_harmless(room: Classroom, sound: Lab, tmp_path: Path) -> None:
    write_files(tmp_path / "in", {"=cmd|' \x1b[2J\u202e.zip": "x", "-rf": "x", "ünï.zip": "x"})
    done = collect(room, sound, tmp_path / "in", now=NOW)
    names = sorted(path.name for path in (room.folder / "aside").iterdir())
    assert names == ["20261121T103000Z--rf", "20261121T103000Z-cmd_2J_.zip", "20261121T103000Z-n_.zip"]
    assert "\x1b" not in "".join(one.reason + (one.folder / "reason.txt").read_text() for one in done.aside)
