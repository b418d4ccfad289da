"""What is kept of one learner can be handed out whole, with nothing of anybody else."""

import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from grader import audit, formgrader, takeout
from grader.classroom import LEAVING, Classroom, read_class
from grader.cli import main
from grader.errors import CourseError
from grader.gradebook import project
from grader.kept import kept
from grader.leaving import delete, summary
from grader.manifest import Lab
from grader.runs import load_results
from tests.grader.books import Kept, drop
from tests.grader.classes import MINUS, hand_in, judged, record
from tests.grader.traces import EMAIL, NAME, leave_traces, told
from tests.lab_env.disks import fill, small_disk


@pytest.fixture(scope="module")
def whole(sound: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return leave_traces(tmp_path_factory.mktemp("class") / "class", sound)


@pytest.fixture
def class_of(whole: Path, tmp_path: Path, kept_in: Kept) -> Classroom:
    return kept_in(read_class(copytree(whole, tmp_path / "class")))


def unpacked(file: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as packed:
        for name in packed.namelist():
            yield name, packed.read(name)


def test_an_export_has_all_that_is_kept_and_nothing_of_others(class_of: Classroom, tmp_path: Path) -> None:
    file = tmp_path / "anna.zip"
    takeout.export(class_of, "anna", file, hidden=True)
    assert file.stat().st_mode & 0o777 == 0o600
    found = dict(unpacked(file))
    for path in told(class_of.folder):
        place = class_of.folder / path
        if place.is_file() and "anna" in Path(path).parts:
            assert found[path] == place.read_bytes()
    assert {name for name in found if name.startswith("certificates/")} == {
        "certificates/anna.json",
        "certificates/anna.svg",
    }
    assert sum(name.endswith("reason.txt") for name in found) == 2
    assert not [name for name, content in found.items() if re.search(rb"\bben\b|Ben Hur", content)]
    facts = json.loads(found["kept.json"])
    assert facts["roster"] == {"id": "anna", "name": NAME, "email": EMAIL}
    assert facts["extensions"]["01-add"]["because"] == "ill"
    [grade] = facts["grades"]
    assert (grade["points"], grade["possible"], grade["status"]) == (6, 6, "to be looked at")
    assert "says" in grade["marks"]["adds"]
    assert facts["typed_for_other_submissions"][0]["comment"] == "Nearly."
    assert [one["event"] for one in facts["log"]] == ["graded", "graded"]


def test_what_a_learner_gets_tells_no_hidden_data(class_of: Classroom, sound: Lab, tmp_path: Path) -> None:
    hidden = judged(sound, hand_in(class_of, sound, "anna", MINUS), found="canary-90aa", adds_anything="FAIL")
    record(class_of, sound, "anna", hidden)
    results = load_results(class_of, sound)
    project(class_of, sound, results)
    formgrader.write(class_of, sound, results)
    for folder in class_of.results("anna", sound.id).iterdir():  # what `grader grade --again` keeps
        (folder / "earlier-1.json").write_text('{"found": "canary-90aa"}')
    file = tmp_path / "anna.zip"
    takeout.export(class_of, "anna", file)
    found = dict(unpacked(file))
    assert not [name for name, content in found.items() if b"canary-90aa" in content]
    assert b"Left out is what would give hidden checks away" in found["README.txt"]
    assert any(name.endswith("learner.json") for name in found)
    takeout.export(class_of, "anna", file, hidden=True)
    found = dict(unpacked(file))
    assert sum(b"canary-90aa" in content for content in found.values()) >= 3
    assert b"Left out" not in found["README.txt"]


def test_an_export_that_cannot_be_written_leaves_the_one_before(class_of: Classroom, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"lies in the class itself\. Name a place elsewhere"):
        takeout.export(class_of, "anna", class_of.folder / "anna.zip")
    with pytest.raises(CourseError, match=r"cannot be written \(No such file or directory\)\. Mend that"):
        takeout.export(class_of, "anna", tmp_path / "none" / "anna.zip")
    with small_disk(tmp_path / "disk", kilobytes=256) as disk:
        takeout.export(class_of, "anna", disk / "anna.zip")
        before = (disk / "anna.zip").read_bytes()
        fill(disk)
        with pytest.raises(CourseError, match=r"cannot be written \(No space left on device\)"):
            takeout.export(class_of, "anna", disk / "anna.zip")
        assert (disk / "anna.zip").read_bytes() == before
        assert len(list(disk.iterdir())) == 2


def test_a_class_without_a_gradebook_has_less_to_tell(class_of: Classroom, tmp_path: Path) -> None:
    drop(class_of)
    (class_of.folder / audit.FILE).unlink()
    takeout.export(class_of, "anna", tmp_path / "anna.zip")
    facts = json.loads(dict(unpacked(tmp_path / "anna.zip"))["kept.json"])
    assert (facts["grades"], facts["typed_for_other_submissions"], facts["log"]) == ([], [], [])
    assert "gradebook.db" not in "\n".join(summary(kept(class_of, "anna")))
    delete(class_of, "anna")
    assert told(class_of.folder) == []


@pytest.mark.slow
def test_a_learner_is_handed_out_and_deleted_by_command(
    class_of: Classroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(*words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(class_of.folder)
        monkeypatch.setattr(sys, "argv", ["grader", "learner", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    file = tmp_path / "anna.zip"
    code, out, _ = typed("export", "anna", str(file), "--dry-run")
    assert (code, out.splitlines()[-1]) == (0, f"Nothing was written to {file}.")
    code, out, _ = typed("export", "anna", str(file))
    assert (code, out.splitlines()[-1]) == (0, f"In {file}, which only you may read.")
    assert zipfile.ZipFile(io.BytesIO(file.read_bytes())).testzip() is None
    code, out, _ = typed("delete", "anna", "--dry-run")
    assert (code, out.splitlines()[-1].startswith("Nothing was deleted.")) == (0, True)
    for at in range(25):
        (class_of.folder / f"mine-{at:02}.txt").write_text(EMAIL)
    code, out, _ = typed("delete", "anna")
    assert code == 1
    assert "Deleted. 2 lines of audit.jsonl stay" in out
    assert "Backups from before still hold all of it" in out
    assert out.splitlines()[-1] == "- and 5 more"
    code, _, error = typed("delete", "anna")
    assert (code, error.startswith("Nothing is kept of `anna`")) == (2, True)
    code, out, _ = typed("delete", "ben")
    assert (code, "Still named" in out) == (0, False)
    (class_of.folder / LEAVING).write_text('{"id": "hanna", "name": "Hanna", "email": "h@example.org"}')
    code, _, error = typed("export", "hanna", str(file))
    assert (code, "Nothing else is done here before." in error) == (2, True)
    assert typed("delete", "hanna")[0] == 0
