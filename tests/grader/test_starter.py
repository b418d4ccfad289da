import os
import sys
from pathlib import Path

import pytest

from grader.errors import CourseError, ReleaseError, ToolMissing
from grader.manifest import Lab
from grader.starter import course_environment, lay_out, prepare, run
from tests.grader.courses import git, write_files


def with_prepare(lab: Lab, *command: str) -> Lab:
    return lab.model_copy(update={"prepare": (command,)})


def test_a_workspace_is_a_repository_whose_first_commit_is_the_starter(sound: Lab, tmp_path: Path) -> None:
    work = tmp_path / "work"
    lay_out(sound, work)
    assert (
        git(work, "log", "--format=%s|%an|%aI", "main")
        == "Starter of 01-add|Course|2026-01-05T09:00:00+00:00"
    )
    assert git(work, "ls-files").splitlines() == ["add.py", "notes.md"]
    assert (work / "add.py").read_text() == (sound.folder / "work" / "add.py").read_text()


def test_what_prepare_writes_stays_uncommitted(sound: Lab, tmp_path: Path) -> None:
    lay_out(sound, tmp_path)
    assert (tmp_path / "data.txt").read_text() == "3 4"
    assert git(tmp_path, "status", "--porcelain") == "?? data.txt"


def test_two_workspaces_have_the_same_commit(sound: Lab, tmp_path: Path) -> None:
    lay_out(sound, tmp_path / "a")
    lay_out(sound, tmp_path / "b")
    assert git(tmp_path / "a", "rev-parse", "HEAD") == git(tmp_path / "b", "rev-parse", "HEAD")


def test_caches_in_the_lab_are_left_behind(tiny: Lab, tmp_path: Path) -> None:
    write_files(tiny.folder / "work", {"__pycache__/add.pyc": "x"})
    lay_out(tiny, tmp_path / "work")
    assert not (tmp_path / "work" / "__pycache__").exists()


def test_a_place_that_is_taken_is_refused_and_kept(sound: Lab, tmp_path: Path) -> None:
    write_files(tmp_path / "full", {"mine.txt": "mine"})
    for place in (tmp_path / "full", tmp_path / "full" / "mine.txt"):
        with pytest.raises(
            CourseError, match=r"is not an empty folder\. Move it away, or name another folder"
        ):
            lay_out(sound, place)
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"


def test_a_lab_without_a_starter_is_refused(tiny: Lab, tmp_path: Path) -> None:
    (tiny.folder / "work").rename(tiny.folder / "elsewhere")
    with pytest.raises(
        ReleaseError, match=r"work is missing: this lab was never released\. Run `grader release 01`"
    ):
        lay_out(tiny, tmp_path / "work")


def test_a_prepare_that_fails_shows_command_place_and_the_end_of_its_output(
    sound: Lab, tmp_path: Path
) -> None:
    code = "for n in range(40): print('line', n)\nexit(3)"
    with pytest.raises(CourseError) as caught:
        prepare(with_prepare(sound, "python", "-c", code), tmp_path)
    message = str(caught.value)
    assert message.startswith("`python -c ")
    assert f"failed with exit code 3 in {tmp_path}. It said:\nline 25\n" in message
    assert message.endswith("line 39")


def test_a_prepare_whose_program_is_missing_says_so(sound: Lab, tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match=r"`no-such-tool` is not on PATH\. Install it, or run `lab doctor`"):
        prepare(with_prepare(sound, "no-such-tool"), tmp_path)


def test_the_course_s_commands_see_none_of_the_user_s_settings(
    sound: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    hook = write_files(tmp_path / "template", {"hooks/post-commit": f"#!/bin/sh\ntouch {trap}\n"})
    (hook / "hooks" / "post-commit").chmod(0o755)
    settings = f"[init]\ntemplateDir = {hook}\n[user]\nname = Me\n[commit]\ngpgsign = true\n"
    write_files(tmp_path / "home", {".gitconfig": settings})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Me")
    lay_out(sound, tmp_path / "work")
    assert not trap.exists()
    assert git(tmp_path / "work", "log", "--format=%an") == "Course"
    assert not (tmp_path / "elsewhere").exists()


def test_python_is_this_environment_s_in_one_thread_and_nothing_phones_home(tmp_path: Path) -> None:
    environment = course_environment(tmp_path)
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["DVC_NO_ANALYTICS"]
    assert environment["DO_NOT_TRACK"]
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["HOME"] == str(tmp_path)
    assert course_environment().get("HOME") == os.environ.get("HOME")
    assert run(["python", "-c", "print('ü')"], tmp_path, environment) == "ü\n"
