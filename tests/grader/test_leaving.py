"""What is kept of one learner can be deleted whole, whatever stops it, and nobody else's."""

import json
import os
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree

import pytest

from grader import appeals, audit, takeout
from grader.backup import LOCKS
from grader.classroom import LEAVING, Classroom, find_class, read_class
from grader.errors import CourseError
from grader.gradebook import project, rows
from grader.kept import kept, mentions, settings_without
from grader.leaving import delete
from grader.locks import hold, note
from grader.manifest import Lab
from grader.runs import load_results
from tests.grader.books import Kept
from tests.grader.courses import replace
from tests.grader.traces import EMAIL, EXTENSIONS, NAME, leave_traces, told
from tests.lab_env.disks import fill, small_disk


@pytest.fixture(scope="module")
def whole(sound: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return leave_traces(tmp_path_factory.mktemp("class") / "class", sound)


@pytest.fixture
def class_of(whole: Path, tmp_path: Path, kept_in: Kept) -> Classroom:
    return kept_in(read_class(copytree(whole, tmp_path / "class")))


def others(folder: Path) -> dict[str, bytes]:
    """What is Ben's, as it is."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "ben" in path.as_posix().replace(".", "/").split("/")
    }


def test_after_a_deletion_no_byte_of_the_class_tells_of_the_learner(class_of: Classroom, sound: Lab) -> None:
    before, log = others(class_of.folder), list(audit.entries(class_of))
    grades = [row for row in rows(class_of) if row.learner == "ben"]
    assert len(told(class_of.folder)) > 20
    gone = delete(class_of, "anna")
    assert told(class_of.folder) == []
    assert mentions(class_of, gone.found.learner) == []
    assert not (class_of.folder / LEAVING).exists()

    after = read_class(class_of.folder)
    assert list(after.roster) == ["ben", "hanna"]
    assert list(after.extensions) == [(sound.id, "ben")]
    assert others(class_of.folder) == before
    assert [row for row in rows(after) if row.learner == "ben"] == grades
    assert {row.learner for row in rows(after)} == {"ben", "hanna"}
    kept_aside = {one.name for one in (class_of.folder / "aside").iterdir()}
    assert kept_aside == {"20261116T100000Z-9", "20261116T100000Z-10"}  # Hanna's, and nobody's

    assert audit.first_broken(after) is None
    left = list(audit.entries(after))
    assert [one for one in left if one["learner"] == "ben"] == [one for one in log if one["learner"] == "ben"]
    stones = [one for one in left if one["event"] == audit.DELETED]
    assert [one["code"] for one in left[:-1]] == [one["code"] for one in log]
    assert (len(stones), left[-1]["event"], left[-1]["lines"]) == (2, audit.FORGOTTEN, 2)
    assert all(stone.keys() == {*audit.NOBODY, "event", "code", "seal"} for stone in stones)
    project(after, sound, load_results(after, sound))
    assert told(class_of.folder) == []
    assert audit.first_broken(after) is None
    assert "The log was changed" not in appeals.evidence(after, sound, grades[0])


def test_a_stone_that_somebody_else_puts_into_the_log_shows(class_of: Classroom) -> None:
    delete(class_of, "anna")
    file = class_of.folder / audit.FILE
    whole = file.read_text().splitlines()
    stone = next(one for one in whole if '"deleted"' in one)
    bens = next(at for at, one in enumerate(whole) if '"ben"' in one)
    forged = json.dumps(json.loads(stone) | {"code": json.loads(whole[bens])["code"]})
    for lines in (
        [*whole[:bens], forged, *whole[bens + 1 :]],
        [one for one in whole if one != stone],
        [one.replace('"seal": "', '"seal": "\\u00e9') for one in whole],
    ):
        file.write_text("\n".join(lines) + "\n")
        assert audit.first_broken(class_of) is not None


def test_a_dry_run_says_all_of_it_and_changes_nothing(class_of: Classroom, tmp_path: Path) -> None:
    def all_of_it() -> dict[str, bytes]:
        kept_there = (path for path in class_of.folder.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in kept_there if path.suffix not in (".lock", ".db")}

    before = all_of_it()
    gone = delete(class_of, "anna", dry_run=True)
    takeout.export(class_of, "anna", tmp_path / "anna.zip", dry_run=True)
    assert all_of_it() == before
    assert not (tmp_path / "anna.zip").exists()
    assert len(rows(class_of)) == 3
    said = "\n".join(gone.told)
    assert re.search(r"submissions/anna: \d+ files", said)
    for text in (
        "results/anna: 4 files",
        "feedback/anna: 2 files",
        "autograded/anna: 1 files",
        "certificates/anna.svg",
        "aside/20261116T100000Z-8: set aside",
        "gradebook.db: 1 labs",
        "audit.jsonl: 2 lines",
        "class.toml: an extension in 01-add",
        "roster.csv: a line",
    ):
        assert text in said, said
    assert re.search(r"\n\d+ files, \d+\.\d MB in all\.$", said)


def test_others_work_and_files_of_one_s_own_are_named_not_deleted(class_of: Classroom) -> None:
    folder = class_of.folder
    notes = next((folder / "submissions" / "ben").glob("*/*/work/notes.md"))
    notes.write_text("With anna, and thanks.\n")
    (folder / "grades.csv").write_text(f"name\n{NAME}\n")
    (folder / "hanna.txt").write_text("hanna annabel anna_2 joanna-anna\n")
    with zipfile.ZipFile(folder / "late.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x", f"{EMAIL} " * 9)
    (folder / "broken.zip").write_bytes(b"PK\x03\x04")
    (folder / "link").symlink_to("/nowhere/anna")
    for name in ("x/work.py", "y.txt"):
        (folder / "downloads" / "anna" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "downloads" / "anna" / name).write_text("By anna.")
    (folder / "report" / "notes.txt").write_text("Talk to Ben.")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "page.html").write_text("Mine.")
    (folder / "similar").symlink_to(folder / "elsewhere")
    gone = delete(class_of, "anna")
    mine = [folder / "downloads" / "anna", folder / "grades.csv", folder / "late.zip"]
    assert mentions(class_of, gone.found.learner) == [*mine, notes]
    assert [path.name for path in (folder / "report").iterdir()] == ["notes.txt"]
    assert (folder / "elsewhere" / "page.html").read_text() == "Mine."


def test_one_who_left_the_roster_before_is_deleted_as_well(class_of: Classroom) -> None:
    replace(class_of.folder / "roster.csv", f"anna,{NAME},{EMAIL}\n", "")
    replace(class_of.folder / "class.toml", "anna = {", "hanna = {")
    classroom = read_class(class_of.folder)
    found = kept(classroom, "anna")
    assert (found.on_roster, found.graded, found.learner.email) == (False, 1, EMAIL)
    delete(classroom, "anna")
    left = [name for name in told(class_of.folder) if not name.startswith("aside/")]
    assert left == []  # by the gradebook's spelling of the name what was set aside is nobody's


ROSTERS = {
    "quoted": 'id,name,email\nanna,"A,\nB",\nben,B,\n',
    "other columns": "group,id,name,email\n1,anna,A,\n2,ben,B,x@y\n",
    "a byte order mark, and carriage returns": "\ufeffid,name,email\r\nben,B,\r\nanna,A,\r\n",
    "without an end": "id,name,email\nben,B,\nanna,A,",
    "empty lines": "id,name,email\n\nanna,A,\n\nben,B,\n",
}


@pytest.mark.parametrize("kind", ROSTERS)
def test_of_the_roster_only_the_one_line_goes(kind: str, class_of: Classroom) -> None:
    replace(class_of.folder / "class.toml", EXTENSIONS, "")
    file, text = class_of.folder / "roster.csv", ROSTERS[kind]
    file.write_bytes(text.encode())
    delete(read_class(class_of.folder), "anna")
    line = re.search(r'(1,)?anna,(A|"A,\nB"),(\r?\n|$)', text)
    assert line is not None
    assert file.read_bytes().decode() == text.replace(line[0], "")


SETTINGS = {
    "a line": EXTENSIONS,
    "quoted": EXTENSIONS.replace("anna =", '"anna" ='),
    "a table": '\n[extensions."01-add".anna]\nattempts = 5\n\n[extensions."01-add".ben]\nattempts = 2\n',
    "dotted": '\n[extensions]\n"01-add".anna = { attempts = 5 }\n"01-add".ben = { attempts = 2 }\n',
    "inline": '\n[extensions]\n"01-add" = { anna = { attempts = 5 }, ben = { attempts = 2 } }\n',
    "in two places": '\n[extensions."01-add".anna]\nattempts = 5\n[late]\npolicy = "none"\n'
    '[extensions."01-add".ben]\nattempts = 2\n',
    "deeper": '\n[extensions."01-add"]\nanna.attempts = 5\nanna.because = "ill"\nben.attempts = 2\n',
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_an_extension_goes_from_the_settings_and_the_rest_stays(kind: str, class_of: Classroom) -> None:
    file = class_of.folder / "class.toml"
    replace(file, EXTENSIONS, SETTINGS[kind])
    before = file.read_text().splitlines()
    text = settings_without(read_class(class_of.folder), "anna")
    assert [line for line in text.splitlines() if line not in before and kind != "inline"] == []
    assert "anna" not in text
    file.write_text(text)
    assert [who for _, who in read_class(class_of.folder).extensions] == ["ben"]


def test_who_is_not_there_is_said_and_nothing_happens(class_of: Classroom, tmp_path: Path) -> None:
    for name, said in (
        ("annna", r"Nothing is kept of `annna`: no line of roster\.csv, no folder, no grade\. Did you mean"),
        ("../ben", r"`\.\./ben` is no id\. Name one as it stands in roster\.csv"),
        ("", r"`` is no id"),
    ):
        for act in (delete, lambda room, who: takeout.export(room, who, tmp_path / "x.zip")):
            with pytest.raises(CourseError, match=said):
                act(class_of, name)
    (tmp_path / "elsewhere").mkdir()
    (class_of.folder / "gradescope").mkdir()
    (class_of.folder / "gradescope" / "anna").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CourseError, match=r"gradescope/anna is a link, and what it points to lies elsewhere"):
        delete(class_of, "anna")


def test_nobody_works_on_the_class_meanwhile(class_of: Classroom, tmp_path: Path) -> None:
    for name in LOCKS:
        with hold(class_of.folder / name) as lock:
            note(lock)
            for act in (delete, lambda room, who: takeout.export(room, who, tmp_path / "x.zip")):
                with pytest.raises(
                    CourseError, match=rf"is being worked on \(process {os.getpid()}\)\. Wait"
                ):
                    act(class_of, "anna")
    assert not (tmp_path / "x.zip").exists()


def test_of_two_who_delete_at_once_one_does_and_one_is_told(class_of: Classroom) -> None:
    def outcome(_: int) -> str:
        try:
            return "\n".join(delete(class_of, "anna").told)
        except CourseError as error:
            return str(error)

    kept(class_of, "anna")  # nbgrader is loaded
    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(outcome, range(2)), key=lambda text: "MB in all" in text)
    assert re.search(r"is being worked on|Nothing is kept of `anna`", said[0])
    assert "MB in all" in said[1]
    assert told(class_of.folder) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from grader import audit, leaving
from grader.classroom import read_class
import nbgrader.api
at = 0
def dying(act):
    def called(*words, **named):
        global at
        act(*words, **named)
        at += 1
        if at == stop:
            os.kill(os.getpid(), signal.SIGKILL)
    return called
leaving.write_json, leaving.rmtree = dying(leaving.write_json), dying(leaving.rmtree)
leaving._forget_grades, leaving._write = dying(leaving._forget_grades), dying(leaving._write)
audit.forget = dying(audit.forget)
for stop, folder in enumerate(sys.argv[1:], start=1):
    if os.fork() == 0:
        leaving.delete(read_class(Path(folder)), "anna")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.slow
def test_a_kill_anywhere_leaves_a_class_where_only_the_deletion_goes_on(whole: Path, tmp_path: Path) -> None:
    folders = [copytree(whole, tmp_path / str(at)) for at in range(14)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, folders)], capture_output=True, text=True, check=True
    )
    codes = [int(text) for text in done.stdout.split()]
    killed = [folder for folder, code in zip(folders, codes, strict=True) if code == -9]
    assert len(killed) == codes.index(0) == 13, codes
    for folder in killed:
        with pytest.raises(
            CourseError, match=r"a learner is being deleted, or was when something stopped it"
        ):
            find_class(folder)
        classroom = find_class(folder / "submissions", leaving=True)
        with pytest.raises(
            CourseError, match=r"The deletion of `anna` was stopped\. Finish it first: `grader le"
        ):
            delete(classroom, "ben")
        gone = delete(classroom, "anna")
        assert gone.found.learner.email == EMAIL
        assert told(folder) == []
        after = find_class(folder)
        assert list(after.roster) == ["ben", "hanna"]
        assert audit.first_broken(after) is None
        assert [row.points for row in rows(after) if row.learner == "ben"] == [6]


def test_a_note_that_cannot_be_read_is_named(class_of: Classroom) -> None:
    (class_of.folder / LEAVING).write_text("{")
    with pytest.raises(
        CourseError, match=r"\.leaving\.json cannot be read \(JSONDecodeError\)\. It says whose"
    ):
        delete(class_of, "anna")


def test_a_full_disk_stops_it_with_the_way_on(whole: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=16_384) as disk:
        classroom = read_class(copytree(whole, disk / "class"))
        locks = [classroom.folder / name for name in LOCKS]
        for lock in locks:
            lock.write_text("0" * 200)  # has its room already
        fill(disk)
        with pytest.raises(
            CourseError, match=r"The deletion of `anna` stopped: No space left on device .*goes on"
        ):
            delete(classroom, "anna")
        locks[0].unlink()
        fill(disk)
        with pytest.raises(CourseError, match=r"class cannot be written \(No space left.*Nothing was done"):
            delete(classroom, "anna")
