"""Forty hostile strings go in wherever a stranger's text can, and are text in all that comes out."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grader import appeals, cli
from grader.gradebook import rows
from grader.runs import load_results
from lab_env.annotations import annotations, summary
from tests.grader.hostile_class import IDS, World, make_world, typed
from tests.grader.strings import HOSTILE, MARKS
from tests.grader.test_class_report import PLAIN
from tests.grader.test_feedback import Tags

pytestmark = pytest.mark.slow

FORMULA = tuple("=+-@\t\r\n＝＋－＠")
LINK = re.compile(r"(index|01-add|\d{3})\.html|(learners|checks)\.csv|#\w+|https://course\.invalid/\S+#sums")
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "title", "metadata", "rect", "path", "text"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("hostile"))


def unseen(text: str, but: str = "\n\t") -> set[str]:
    """What stands in a text and is not seen as what it is: controls, escapes, overrides, separators."""
    return {repr(sign) for sign in text if not sign.isprintable() and sign not in but}


def told(*texts: str) -> set[str]:
    """The marks that can be found in texts."""
    return {mark for mark in MARKS if any(mark in text for text in texts)}


def test_each_string_is_another_one_with_its_own_mark() -> None:
    assert len(set(HOSTILE)) == len(set(MARKS)) == 40
    assert all(told(text) == {mark} for text, mark in zip(HOSTILE, MARKS, strict=True))


def test_no_page_holds_a_tag_or_a_link_of_theirs(world: World) -> None:
    folders = ("feedback/*/*.html", "report/*.html", "report-anonymous/*.html", "similar/*/*.html")
    for pattern in folders:
        for path, text in world.files(pattern).items():
            tags = Tags(text).tags
            assert {tag for tag, _ in tags} <= PLAIN | {"pre", "mark", "h3"}, path
            names = {name for _, attributes in tags for name in attributes}
            assert not [name for name in names if name.startswith("on")], path
            assert not names & {"src", "style", "srcdoc", "action", "xlink:href", "formaction"}, path
            links = [attributes["href"] or "" for _, attributes in tags if "href" in attributes]
            assert [link for link in links if not LINK.fullmatch(link)] == [], path
            assert text.count("<meta http-equiv") == 1, path
            assert unseen(text) == set(), path


def test_each_page_shows_what_was_written(world: World) -> None:
    def read(pattern: str) -> list[str]:
        return [Tags(text).read for text in world.files(pattern).values()]

    for who, text, mark in zip(IDS, HOSTILE, MARKS, strict=True):
        [page] = read(f"feedback/{who}/*.html")
        assert f"A person says: {text[:9]}" in page or not text[:9].isprintable()
        assert page.count(mark) >= 3
    assert told(*read("feedback/p00/*.html")) == set(MARKS)
    [index] = read("report/index.html")
    where, aside = index.rindex("Who is where"), index.rindex("Set aside")
    assert told(index[where:aside]) == told(index[aside:]) == set(MARKS)
    assert told(*read("report/01-add.html")) == set(MARKS[1:]), "what people believed"
    assert told(*read("similar/*/0*.html")) >= set(MARKS[4:])
    [anonymous] = read("report-anonymous/index.html")
    where, aside = anonymous.rindex("Who is where"), anonymous.rindex("Set aside")
    assert told(anonymous[where:aside]) == set(), "a name or a learner's word"


def tables(world: World) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """Every table: what it is, its text, and the marks that are to be found in it."""
    yield "export", world.said["export"].out, MARKS
    for name in ("canvas", "moodle", "canvas-into", "moodle-into"):
        yield name, (world.out / f"{name}.csv").read_bytes().decode(), MARKS
    [(checks, ideas), (learners, names)] = world.files("report/*.csv").items()
    yield checks, ideas, MARKS[1:]
    yield learners, names, MARKS
    [(checks, ideas), (learners, names)] = world.files("report-anonymous/*.csv").items()
    yield checks, ideas, MARKS[1:]  # the names of mistakes, which are the checks' own
    yield learners, names, ()


def test_no_cell_of_a_table_is_a_formula(world: World) -> None:
    for name, text, wanted in tables(world):
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len({len(line) for line in lines}) == 1, name
        for cell in (cell for line in lines for cell in line):
            for part in re.split(r"[;|\t\n\r]\s*", cell):
                is_number = re.fullmatch(r"-|[+-]?\d+(\.\d+)?", part)
                assert is_number or not part.startswith(FORMULA), (name, cell)
        assert unseen(text, "\r\n\t") == set(), name
        assert text.count("\r") == text.count("\r\n"), name
        assert told(text) == {*wanted}, name


def test_json_is_whole_and_can_be_looked_at(world: World) -> None:
    shown = ("gradescope/*/*/results.json", "results/*/*/*/learner.json", "results/*/*/*/result.json")
    for pattern in (*shown, "certificates/*.json", "audit.jsonl", "autograded/*/*/*.ipynb"):
        files = world.files(pattern)
        for path, text in files.items():
            for one in text.splitlines() if path.endswith("jsonl") else [text]:
                assert isinstance(json.loads(one), dict), path
            assert unseen(text) == set(), path
        assert told(*files.values()) == set(MARKS), pattern
    text = world.said["collect as json"].out
    assert (told(*(one["reason"] for one in json.loads(text)["aside"])), unseen(text)) == (set(MARKS), set())
    with zipfile.ZipFile(world.out / "p05.zip") as taken:
        kept = taken.read("kept.json").decode()
    assert (json.loads(kept)["learner"]["name"], unseen(kept)) == (HOSTILE[5], set())


def test_the_notebooks_of_the_desk_hold_text_outputs_only(world: World) -> None:
    for path, text in world.files("autograded/*/*/*.ipynb").items():
        cells = json.loads(text)["cells"]
        assert {out["output_type"] for cell in cells for out in cell.get("outputs", ())} == {"stream"}, path
        assert not [cell for cell in cells if cell["cell_type"] == "markdown" and "<" in cell["source"]], path
    [p00] = world.files("autograded/p00/*/*.ipynb").values()
    answer = next(cell for cell in json.loads(p00)["cells"] if cell["source"].startswith("# told"))
    assert told(answer["outputs"][0]["text"]) == set(MARKS)


def test_a_certificate_is_a_picture_and_nothing_else(world: World) -> None:
    for path, text in world.files("certificates/*.svg").items():
        who = Path(path).stem
        assert "<!DOCTYPE" not in text
        assert "<!ENTITY" not in text
        read = ""
        for found in ElementTree.fromstring(text).iter():
            assert found.tag.removeprefix(SVG) in DRAWN, path
            assert not [name for name in found.attrib if name.startswith("on") or "href" in name], path
            assert "url(" not in str(found.attrib), path
            read += "" if found.tag == f"{SVG}metadata" else found.text or ""
        assert (unseen(read), unseen(text)) == (set(), set()), path
        assert told(read) == {MARKS[0], MARKS[IDS.index(who)]}, path


def test_a_terminal_is_told_nothing_but_text(world: World) -> None:
    for name, said in world.said.items():
        but = "\r\n\t" if name == "export" else "\n\t"  # a table, printed
        assert unseen(said.out + said.err, but) == set(), name
    assert told(world.said["report of a lab"].out) == set(MARKS[1:])
    assert told(world.said["appeal p00"].out) == set(MARKS)
    assert told(world.said["regrade"].out) == set(MARKS)
    assert told(world.said["collect again"].out) == set(MARKS)
    assert told(*(world.said[f"verify {who}"].out for who in IDS)) == set(MARKS)


def test_texts_that_lie_in_the_class_can_be_looked_at(world: World) -> None:
    for pattern in ("feedback/*/*.txt", "aside/*/reason.txt"):
        files = world.files(pattern)
        assert told(*files.values()) >= set(MARKS), pattern
        for path, text in files.items():
            assert unseen(path + text) == set(), path


def test_every_learner_s_appeal_is_text(world: World) -> None:
    for row in rows(world.classroom):
        text = appeals.evidence(world.classroom, world.lab, row)
        assert unseen(text) == set()
        assert MARKS[IDS.index(row.learner)] in text


def test_an_annotation_is_one_command_and_the_page_of_a_run_is_text(world: World) -> None:
    results = load_results(world.classroom, world.lab)
    commands = {who: annotations(world.lab, result) for who, result in results.items()}
    for who, text in commands.items():
        failed = [one for one in results[who].checks if not one.passed and not one.hidden]
        assert re.fullmatch(r"(::(error|notice) title=[^:]*::[^\n]*\n)*", text), who
        assert text.count("\n") == len(failed) + 1
        assert unseen(text) == set()
        page = summary(world.lab, results[who])
        assert {tag for tag, _ in Tags(page).tags} == {"details", "summary", "pre"}, who
        assert page.count("</pre>") == len(failed)
        assert unseen(page) == set()
    assert told(*commands.values()) == set(MARKS)


def test_trying_an_answer_shows_text(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    cli._print_result(load_results(world.classroom, world.lab)["p00"])
    shown = capsys.readouterr().out
    assert told(shown) == set(MARKS)
    assert unseen(shown) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("learner", "delete", "--dry-run", "--"),
        ("report", "--"),
        ("collect", "01", ".", "--as"),
        ("collect", "01", ".", "--collected-at"),
        ("collect", "01", "--"),
        ("report", "--site"),
        ("certificate", "verify", "--key", "class.toml", "--"),
    ],
    ids=" ".join,
)
def test_what_was_typed_comes_back_as_text(world: World, words: tuple[str, ...]) -> None:
    for text in HOSTILE:
        said = typed(world.folder, *words, text.replace("\x00", "")[:200])
        assert said.code == 2, said
        assert unseen(said.out + said.err) == set(), said
