import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.arrivals import arrivals, handed_in, whose
from grader.classroom import Learner
from grader.errors import CourseError, InvalidSubmission
from tests.grader.courses import write_files
from tests.grader.zips import WHOLE, a_zip

ROSTER = {
    one.id: one
    for one in (
        Learner("ana", "Ana Doe", "ana@x.org"),
        Learner("ben", "Roe, Ben", "b.roe@x.org"),
        Learner("4711", "Conor O'Brien", ""),
        Learner("s8", "", ""),
        Learner("12", "Zoë Maria van Dijk", "zoe@x.org"),
        Learner("eva1", "Eva Lee", ""),
        Learner("eva2", "Eva  LEE", ""),
        Learner("77", "", ""),
    )
}

NAMES = [
    ("ana.zip", "ana"),
    ("ANA.ZIP", "ana"),
    ("ana", "ana"),
    ("4711.zip", "4711"),
    ("b.roe@x.org.zip", "ben"),
    ("Ana@X.org", "ana"),
    ("Ana Doe.zip", "ana"),
    ("ben roe", "ben"),
    ("Roe, Ben", "ben"),
    ("Zoe\u0308 Maria van Dijk", "12"),
    ("Ana Doe_12345_assignsubmission_file_", "ana"),
    ("Ana Doe_12345_assignsubmission_file", "ana"),
    ("Ben Roe_4711_assignsubmission_file_ana.zip", "ben"),
    ("Conor OBrien_9_assignsubmission_file_work.zip", "4711"),
    ("doeana_12345_67890_work.zip", "ana"),
    ("doeana_LATE_12345_67890_ben.zip", "ana"),
    ("roeben_12345_67890_02-version-data-1.zip", "ben"),
    ("vandijkzoëmaria_5_6_work.zip", "12"),
    ("dijkzoëmariavan_5_6_work.zip", "12"),
    ("obrienconor_5_6_work.zip", "4711"),
    ("anybody_77_6_work.zip", "77"),
    ("ana.bundle", "ana"),
    ("Lab 02_ana_attempt_2026-11-20-23-58-01_work.zip", "ana"),
    ("Lab_02_s8_attempt_2026-11-20-23-58-01_x_attempt_2020-01-01-00-00-00_ben.zip", "s8"),
    ("12345-67890 - Ana Doe - Nov 20, 2026 1158 PM", "ana"),
    ("1-2 - Ana Doe - Nov 20, 2026 1158 PM - Ben Roe - Jan 1, 2020 100 AM - work.zip", "ana"),
    ("doeana_1_2_ben_attempt_2020-01-01-00-00-00_x.zip", "ana"),
]


@pytest.mark.parametrize(("name", "learner"), NAMES)
def test_a_name_is_matched_by_id_mail_or_exact_name(name: str, learner: str) -> None:
    assert whose(name, ROSTER).id == learner


STRANGERS = [
    (
        "mallory.zip",
        r"`mallory\.zip` stands for nobody on the roster\. Add the learner to roster\.csv, name the file",
    ),
    ("Ana.zip.zip", r"stands for nobody"),
    ("Ana Do.zip", r"stands for nobody"),
    (".zip", r"stands for nobody"),
    ("", r"stands for nobody"),
    ("02-version-data-0f3a.zip", r"stands for nobody"),
    ("ana_doe_work.zip", r"stands for nobody"),
    ("ana_5_6_work.zip", r"stands for nobody"),  # a name in Canvas is no id
    ("ana_5_assignsubmission_file_work.zip", r"stands for nobody"),  # nor one in Moodle
    ("Participant_12_assignsubmission_file_ana.zip", r"stands for nobody"),
    ("somebodyelse_12_6_work.zip", r"stands for nobody"),  # Canvas's user 12 is not the school's
    (
        "Eva Lee.zip",
        r"`Eva Lee\.zip` may stand for eva1, eva2\. Name the file like `ID\.zip`, or collect it with",
    ),
    ("leeeva_5_6_x.zip", r"may stand for eva1, eva2"),
    ("Ana Doe_5_assignsubmission_onlinetext_", r"is text typed into Moodle; only files are collected"),
    ("xy_1_2_ana_attempt_2020-01-01-00-00-00_x.zip", r"stands for nobody"),  # of Canvas, not Blackboard
    ("Zed_12_assignsubmission_file_ana_attempt_2020-01-01-00-00-00_x.zip", r"stands for nobody"),
    ("doeana_5_text.html", r"is text typed into Canvas; only files are collected"),
    ("a\x1b[2J\u202e.zip", r"`a\\x1b\[2J\\u202e\.zip` stands for nobody"),
]


@pytest.mark.parametrize(("name", "reason"), STRANGERS)
def test_a_name_that_is_nobodys_or_of_two_is_refused(name: str, reason: str) -> None:
    with pytest.raises(InvalidSubmission, match=reason):
        whose(name, ROSTER)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("Lab 02_ana_attempt_2026-11-20-23-58-01_work.zip", "2026-11-20 23:58:01"),
        ("L_ana_attempt_2026-11-20-23-58-01_attempt_2020-01-01-00-00-00_x.zip", "2026-11-20 23:58:01"),
        ("12345-67890 - Ana Doe - Nov 20, 2026 1158 PM", "2026-11-20 23:58:00"),
        ("1-2 - Ana Doe - Mar 9, 2018 112 AM - x - Jan 1, 2020 100 AM - w.zip", "2018-03-09 01:12:00"),
        ("L_ana_attempt_2026-13-20-23-58-01_work.zip", "None"),
        ("1-2 - Ana Doe - Foo 9, 2018 112 AM", "None"),
        ("doeana_1_2_ben_attempt_2020-01-01-00-00-00_x.zip", "None"),
        ("Ana Doe_1_assignsubmission_file_attempt_2020-01-01-00-00-00_x.zip", "None"),
        ("ana.zip", "None"),
    ],
)
def test_the_time_is_the_one_that_the_lms_wrote(name: str, at: str) -> None:
    assert str(handed_in(name)) == at


def names(source: Path) -> list[str]:
    with arrivals(source, ROSTER) as found:
        return [one.name for one in found]


def test_a_batch_is_a_folder_or_a_zip_of_zips_or_of_folders(tmp_path: Path) -> None:
    files = {
        "ana.zip": "x",
        "ben/work/a.py": "x",
        ".DS_Store": "x",
        "Lab 02_ana_attempt_2026-11-20-23-58-01.txt": "Name: Ana Doe (ana)",
        "__MACOSX/ana.zip": "x",
        "Thumbs.db": "x",
    }
    write_files(tmp_path / "folder", files)
    (tmp_path / "one.zip").write_bytes(a_zip(files))
    (tmp_path / "wrapped.zip").write_bytes(a_zip({f"export/{name}": text for name, text in files.items()}))
    write_files(tmp_path / "outer", {f"export/{name}": text for name, text in files.items()})
    for source in ("folder", "one.zip", "wrapped.zip", "outer"):
        assert names(tmp_path / source) == ["ana.zip", "ben"]


def test_a_batch_of_one_is_not_taken_for_a_wrapper(tmp_path: Path) -> None:
    write_files(tmp_path / "folder", {"ana/work.zip": "x"})
    (tmp_path / "one.zip").write_bytes(a_zip({"ana/work.zip": "x"}))
    assert names(tmp_path / "folder") == names(tmp_path / "one.zip") == ["ana"]


def test_one_submission_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    sources: dict[str, dict[str, str | bytes]] = {
        "ana.zip": WHOLE,
        "ben.zip": {"work-1/.git/HEAD": "x", "work-1/add.py": "x"},
    }
    for name, files in sources.items():
        (tmp_path / name).write_bytes(a_zip(files))
        assert names(tmp_path / name) == [name]
    write_files(tmp_path / "ana", {"receipt.json": "{}", "work/add.py": "x"})
    write_files(tmp_path / "outer", {"ben/.git/HEAD": "x"})
    assert names(tmp_path / "ana") == ["ana"]
    assert names(tmp_path / "outer") == ["ben"]


def test_a_damaged_zip_is_a_submission_only_when_it_is_somebodys(tmp_path: Path) -> None:
    for name in ("ana.zip", "export.zip"):
        (tmp_path / name).write_bytes(b"PK\3\4 and no more")
    assert names(tmp_path / "ana.zip") == ["ana.zip"]
    with pytest.raises(CourseError, match=r"export\.zip: The zip is truncated, or something follows it"):
        names(tmp_path / "export.zip")


def test_a_source_that_is_no_batch_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CourseError, match=r"gone is not there or not readable\. Name a folder or a zip of sub"
    ):
        names(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        CourseError, match=r"empty holds no submissions\. Name the folder or the zip that does"
    ):
        names(tmp_path / "empty")


def test_a_folder_of_too_many_names_is_no_batch(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(20_001):
        os.mknod(tmp_path / "many" / str(number))
    with pytest.raises(
        CourseError, match=r"many: `many` holds more than 20,000 names\. Delete what is not part"
    ):
        names(tmp_path / "many")


UNPRIVILEGED = """
import os, tempfile
from pathlib import Path
from grader.arrivals import arrivals
from grader.errors import CourseError
if os.getuid() == 0:
    os.setuid(65534)  # root can read everything
with tempfile.TemporaryDirectory() as folder:
    inner = Path(folder) / "batch" / "export"
    inner.mkdir(parents=True, mode=0o700)
    inner.chmod(0)
    for source in (inner.parent, inner):
        try:
            arrivals(source, {}).__enter__()
        except CourseError as error:
            print(str(error).replace(folder, ""))
    inner.chmod(0o700)
"""


def test_a_folder_that_cannot_be_read_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", UNPRIVILEGED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "/batch/export: `export` cannot be read (Permission denied). Mend that.",
        "/batch/export is not there or not readable. Name a folder or a zip of submissions.",
    ]
