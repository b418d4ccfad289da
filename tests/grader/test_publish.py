from pathlib import Path

import pytest

from grader.errors import CourseError, ReleaseError, ToolMissing
from grader.manifest import Lab, list_labs
from grader.publish import publish
from tests.grader.courses import commit, git, replace, write_files


@pytest.fixture
def course(tiny: Lab) -> Path:
    """The tiny course as a Git clone with what a class must not get."""
    write_files(
        tiny.course,
        {
            ".gitignore": ".cache/\nworkspace/\n",
            "tests/test_it.py": "x",
            ".ci/run": "x",
            "docs/index.md": "x",
            "docs/solutions/page.md": "about solutions",
            "gone.md": "x",
        },
    )
    git(tiny.course, "init", "--quiet")
    commit(tiny.course, "the course")
    return tiny.course


def test_a_class_gets_the_course_without_what_tells_the_answers(course: Path, tmp_path: Path) -> None:
    write_files(
        course, {"workspace/mine.txt": "x", ".cache/verdicts/a.json": "{}", "new.md": "not yet added"}
    )
    (course / "gone.md").unlink()
    (course / "docs" / "index.md").chmod(0o755)
    count = publish(course, tmp_path / "class")
    found = sorted(
        path.relative_to(tmp_path / "class").as_posix()
        for path in (tmp_path / "class").rglob("*")
        if path.is_file()
    )
    assert found == [
        ".gitignore",
        "docs/index.md",
        "docs/solutions/page.md",
        "labs/01-add/checks/test_visible.py",
        "labs/01-add/lab.toml",
        "labs/01-add/release.txt",
        "labs/01-add/work/add.py",
        "labs/01-add/work/notes.md",
        "mkdocs.yml",
        "new.md",
        "pyproject.toml",
    ]
    assert count == len(found)
    assert (tmp_path / "class" / "docs" / "index.md").stat().st_mode & 0o100
    [lab] = list_labs(tmp_path / "class")
    assert len(lab.release) == 64


def test_an_empty_folder_may_be_named_and_no_other(course: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert publish(course, tmp_path / "empty") > 5
    for place in (tmp_path / "empty", course / "mkdocs.yml"):
        with pytest.raises(
            CourseError, match=r"is not an empty folder\. Name one that is, or that does not exist yet"
        ):
            publish(course, place)
    with pytest.raises(CourseError, match=r"inside lies inside the course\. Name a folder outside"):
        publish(course, course / "inside")


def test_a_lab_out_of_step_is_not_published(course: Path, tmp_path: Path) -> None:
    replace(course / "labs" / "01-add" / "work" / "notes.md", "Add.", "Edited.")
    with pytest.raises(
        ReleaseError, match=r"labs/01-add is not in step with its master\. Run `grader release 01` first"
    ):
        publish(course, tmp_path / "class")
    assert not (tmp_path / "class").exists()


def test_a_folder_that_is_no_clone_is_refused(sound: Lab, tmp_path: Path) -> None:
    with pytest.raises(
        CourseError, match=r"is no Git clone, so its files cannot be told from what is left over there"
    ):
        publish(sound.course, tmp_path / "class")


def test_a_missing_git_is_told(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(course))
    with pytest.raises(ToolMissing, match=r"`git` is not on PATH\. Install it, or run `lab doctor`"):
        publish(course, tmp_path / "class")
