import stat

import pytest

from grader.errors import ReleaseError
from grader.manifest import Lab
from grader.regions import strip_solution
from grader.release import check_release, leaks, release, release_hash, starter_files
from tests.grader.courses import replace, write_files

PYTHON = """import os


def total(a, b):
    # BEGIN SOLUTION
    total_of_both = a + b
    return total_of_both
    # INSTEAD: raise NotImplementedError
    # END SOLUTION
"""

CUT = {
    "a.py": ("x = 1\n# BEGIN SOLUTION\ny = 2\n# INSTEAD: y = ...\n# END SOLUTION\n", "x = 1\ny = ...\n"),
    "nothing instead.py": ("x = 1\n# BEGIN SOLUTION\ny = 2\n# END SOLUTION\n", "x = 1\n"),
    "two lines instead.py": (
        "# BEGIN SOLUTION\ny = 2\n# INSTEAD: # a comment\n# INSTEAD: y = 0\n# END SOLUTION\n",
        "# a comment\ny = 0\n",
    ),
    "empty instead.py": ("# BEGIN SOLUTION\ny = 2\n# INSTEAD:\n# END SOLUTION\n", "\n"),
    "indented.py": (PYTHON, "import os\n\n\ndef total(a, b):\n    raise NotImplementedError\n"),
    "a.yaml": ("a: 1\n# BEGIN SOLUTION\nb: 2\n# END SOLUTION\n", "a: 1\n"),
    "a.yml": ("a:\n  # BEGIN SOLUTION\n  b: 2\n  # INSTEAD: b: 0\n  # END SOLUTION\n", "a:\n  b: 0\n"),
    "a.toml": ("# BEGIN SOLUTION\na = 1\n# INSTEAD: a = 0\n# END SOLUTION\n", "a = 0\n"),
    "a.sh": ("#!/bin/sh\n# BEGIN SOLUTION\nls\n# END SOLUTION\necho\n", "#!/bin/sh\necho\n"),
    "Dockerfile": ("FROM a\n# BEGIN SOLUTION\nUSER b\n# END SOLUTION\n", "FROM a\n"),
    "Dockerfile.serve": ("FROM a\n#BEGIN SOLUTION\nUSER b\n#END SOLUTION\n", "FROM a\n"),
    "a.md": (
        "# Title\n<!-- BEGIN SOLUTION -->\nText.\n<!-- INSTEAD: Your text. -->\n<!-- END SOLUTION -->\n",
        "# Title\nYour text.\n",
    ),
}


@pytest.mark.parametrize("path", CUT)
def test_a_region_is_cut_in_the_file_s_own_comment_syntax(path: str) -> None:
    text, wanted = CUT[path]
    assert strip_solution(text, path).text == wanted


def test_a_cut_keeps_the_regions_that_were_taken_out() -> None:
    assert strip_solution(PYTHON, "a.py").regions == ("    total_of_both = a + b\n    return total_of_both",)


UNPAIRED = {
    "never closed": (
        "x\n# BEGIN SOLUTION\ny\n",
        r"a\.py:2: this solution region is never closed\. Add `END SOL",
    ),
    "opened twice": (
        "# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION",
        r"a\.py:2: .* is opened inside another one",
    ),
    "never opened": (
        "x\n# END SOLUTION\n",
        r"a\.py:2: .*closed but was never opened\. Pair each `BEGIN SOLUTION`",
    ),
}


@pytest.mark.parametrize("name", UNPAIRED)
def test_markers_that_do_not_pair_name_file_and_line(name: str) -> None:
    text, wanted = UNPAIRED[name]
    with pytest.raises(ReleaseError, match=wanted):
        strip_solution(text, "a.py")


IDLE = {
    "words after it": ("add.py", "# BEGIN SOLUTION: the sum\nx = 1\n# END SOLUTION\n", "never opened"),
    "behind code": ("add.py", "x = 1  # BEGIN SOLUTION\n", r"add\.py:1: `BEGIN SOLUTION` is no marker here"),
    "a kind of file without markers": (
        "a.cfg",
        "# BEGIN SOLUTION\nx = 1\n# END SOLUTION\n",
        r"a\.cfg:1: .*\.yaml",
    ),
    "only the end": ("a.cfg", "x\n; END SOLUTION\n", r"a\.cfg:2: `END SOLUTION` is no marker here"),
}


@pytest.mark.parametrize("name", IDLE)
def test_a_marker_that_would_do_nothing_is_refused(tiny: Lab, name: str) -> None:
    path, text, wanted = IDLE[name]
    (tiny.solutions / "work" / path).write_text(text)
    with pytest.raises(ReleaseError, match=wanted):
        release(tiny)


def test_a_master_in_another_encoding_is_named(tiny: Lab) -> None:
    (tiny.solutions / "work" / "add.py").write_bytes(b"# \xe9\n# BEGIN SOLUTION\n# END SOLUTION\n")
    with pytest.raises(
        ReleaseError, match=r"add\.py holds `BEGIN SOLUTION` but is no UTF-8 text: .*Save it as UTF-8"
    ):
        starter_files(tiny)


def test_the_starter_has_what_is_left_and_nothing_of_the_solution(sound: Lab) -> None:
    work = sound.folder / "work"
    assert sorted(path.name for path in work.iterdir()) == ["add.py", "notes.md"]
    assert (work / "add.py").read_text() == "def add(a, b):\n    raise NotImplementedError\n"


def test_release_says_what_changed_and_then_nothing(tiny: Lab) -> None:
    assert release(tiny) == []
    replace(tiny.solutions / "work" / "notes.md", "Add.", "Add two.")
    (tiny.folder / "work" / "left-over.txt").write_text("old")
    assert release(tiny) == ["left-over.txt", "notes.md", "release.txt"]
    assert not (tiny.folder / "work" / "left-over.txt").exists()
    assert release(tiny) == []


def test_the_executable_bit_is_released(tiny: Lab) -> None:
    script = tiny.solutions / "work" / "run.sh"
    script.write_text("echo\n")
    script.chmod(0o755)
    release(tiny)
    released = tiny.folder / "work" / "run.sh"
    assert released.stat().st_mode & stat.S_IXUSR
    released.chmod(0o644)
    assert check_release(tiny) == "labs/01-add/work/run.sh: the executable bit differs.\n"


def test_check_shows_the_difference_and_changes_nothing(tiny: Lab) -> None:
    assert check_release(tiny) == ""
    replace(tiny.solutions / "work" / "notes.md", "Add.", "Add two.")
    diff = check_release(tiny)
    assert "-Add.\n+Add two.\n" in diff
    assert "--- labs/01-add/work/notes.md (there)" in diff
    assert "release.txt is not the hash of this lab as it stands." in diff
    assert (tiny.folder / "work" / "notes.md").read_text() == "Add.\n"


@pytest.mark.parametrize(
    "path",
    [
        "labs/01-add/lab.toml",
        "labs/01-add/checks/test_visible.py",
        "solutions/01-add/checks/test_hidden.py",
        "solutions/01-add/work/notes.md",
        "requirements.lock",
    ],
)
def test_the_release_hash_changes_with_all_that_a_grade_depends_on(tiny: Lab, path: str) -> None:
    before = release_hash(tiny)
    with (tiny.course / path).open("a") as file:
        file.write("\n# more\n")
    assert release_hash(tiny) != before


def test_the_release_hash_does_not_depend_on_the_solution_itself(tiny: Lab) -> None:
    before = release_hash(tiny)
    replace(tiny.solutions / "work" / "add.py", "total_of_both", "both_together")
    assert release_hash(tiny) == before


def test_without_a_master_there_is_nothing_to_cut(tiny: Lab) -> None:
    (tiny.solutions / "work").rename(tiny.solutions / "elsewhere")
    with pytest.raises(ReleaseError, match=r"work is missing, so there is nothing to cut a starter from"):
        release(tiny)


REGION = "# BEGIN SOLUTION\n{}# END SOLUTION\n"
FIVE = [f"step_number_{at} = compute({at})\n" for at in range(5)]

LEAKS = {
    "a whole region in the brief": (
        "brief.md",
        "Do so:\n\n    total_of_both = a + b\n    return total_of_both\n",
    ),
    "a whole region in a visible check": (
        "checks/test_more.py",
        "def add(a, b):\n    total_of_both = a + b\n    return total_of_both\n",
    ),
    "three telling lines of a longer one": ("brief.md", "".join(FIVE[1:4])),
    "three telling lines with a bracket between": (
        "brief.md",
        "".join([FIVE[0], ")\n", FIVE[1], "\n", FIVE[2]]),
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_solution_lines_in_the_lab_are_refused(tiny: Lab, name: str) -> None:
    path, text = LEAKS[name]
    (tiny.solutions / "work" / "steps.py").write_text(REGION.format("".join(FIVE)))
    release(tiny)
    write_files(tiny.folder, {path: "x\n"})
    (tiny.folder / path).write_text(text)
    with pytest.raises(
        ReleaseError, match=rf"labs/01-add/{path} shows solution lines of .*Take it out before"
    ):
        release(tiny)
    with pytest.raises(ReleaseError, match="shows solution lines"):
        check_release(tiny)


def test_two_lines_of_a_longer_region_and_short_ones_are_no_leak(tiny: Lab) -> None:
    (tiny.solutions / "work" / "steps.py").write_text(REGION.format("".join(FIVE)) + REGION.format("x = 1\n"))
    (tiny.folder / "brief.md").write_text("".join(FIVE[:2]) + "x = 1\n")
    assert list(leaks(tiny, starter_files(tiny))) == []


def test_a_hint_may_show_what_the_solution_has(tiny: Lab) -> None:
    replace(tiny.folder / "lab.toml", '"Use +."', '"    return total_of_both"')
    assert list(leaks(tiny, starter_files(tiny))) == []


def test_a_promise_may_not(tiny: Lab) -> None:
    (tiny.solutions / "work" / "one.py").write_text(REGION.format("promise_is_kept = True\n"))
    told = tiny.model_copy(update={"title": "promise_is_kept = True"})
    assert list(leaks(told, starter_files(told))) == [
        "lab.toml shows solution lines of one.py: 'promise_is_kept = True'"
    ]


def test_the_canary_of_a_hidden_check_may_not_be_in_the_lab(tiny: Lab) -> None:
    (tiny.folder / "brief.md").write_text("CANARY-5f0c2a9e")
    with pytest.raises(
        ReleaseError, match=r"labs/01-add/brief\.md holds the canary CANARY-5f0c2a9e of test_hidden"
    ):
        release(tiny)
