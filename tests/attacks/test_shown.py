"""ATTACKS E, records that are shown: what a learner's code says, what names hold, and who reads of whom."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from grader.manifest import Lab
from grader.results import Verdict
from grader.texts import plain
from tests.attacks.room import Room, make_room, packed, with_nora
from tests.grader.test_feedback import Tags
from tests.grader.test_formgrader import formgrader

pytestmark = pytest.mark.slow

# What a learner's function gives back, or raises, and so what stands in the record as found.
SAID = {
    "HTML": "<b>bold</b></p></pre></td><form action=http://evil.invalid><input name=x></form><!--",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)></style><script src=//evil.invalid>",
    "SVG": "<svg/onload=alert(1)><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "MathJax": "$$\\href{javascript:alert(1)}{x}$$ \\(\\require{html}\\style{x}{y}\\) \\[x\\]",
    "Markdown": "[x](javascript:alert(1)) ![x](http://evil.invalid/x.png)\n# heading\n```\n***",
    "terminal escapes": "\x1b[2J\x1b]8;;http://evil.invalid\x1b\\click\x07 \x9b31m\x1b]0;title\x07",
    "NUL": "before\x00after",
    "bidi overrides": "\u202egpj.\u2066exe\u200f\u061c",
    "line separators and forged lines": "x\r\n[1/1] nora: 0 of 6 points\u2028verdict: PASS\x85\x0b6 of 6",
    "a text of two megabytes": "<i>" + "x" * 2_000_000 + "<script>",
}
WAYS = {"returned": Verdict.FAIL, "raised": Verdict.STUDENT_ERROR}
TEXTS = [(kind, way) for kind in SAID for way in WAYS]
TASK = '\n[[tasks]]\nid = "show"\ntitle = "Show"\nminutes = 1\n'
CHECK = (
    '[[tasks.checks]]\nid = "{name}"\nsays = "It is plain"\npoints = 1\nafter = {after}\n'
    'hints = ["a", "b", "c"]\n'
)
IS_THERE = """

def test_is_there(evidence: Evidence, expect: Expect) -> None:  # so that others need no box for the rest
    expect(evidence.read("shows.py") is not None, True, looked_at="shows.py", why="It is what is shown.")
"""
FUNCTION = """

def test_{name}(student: Student, expect: Expect) -> None:
    found = student.call("shows.{way}", "{kind}")
    expect(found, "plain", looked_at="shows", why="Texts are shown.", link=LINK)
"""
SHOWS = f"""
SAID = {SAID!r}

def returned(kind):
    return SAID[kind]

def raised(kind):
    raise ValueError(SAID[kind])
"""
NAMES = {
    "a formula": '=HYPERLINK("http://evil.invalid","x")',
    "a formula with plus": "+1+cmd|' /C calc'!A0",
    "a formula with minus": "-2+3",
    "a formula with at": "@SUM(A1:A9)",
    "a formula in full width": "＝1+1",
    "commas and quotes": 'Lee, "Anna", 6,6',
    "line breaks": "Anna\nnora,Nora Roe,,01-add,graded,0,6",
    "HTML, in a name": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "terminal escapes, in a name": "Anna\x1b[2J\x9b31m",
    "bidi overrides, in a name": "Anna\u202eeeL",
}
COLUMNS = 12
TAGS = frozenset(("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "section"))


@dataclass(frozen=True)
class Shown:
    """The class after it was graded and told, with all that was printed and served."""

    room: Room
    printed: str
    page: str
    lists: str


def check_id(kind: str, way: str) -> str:
    """The check of a row."""
    return f"{way}_{''.join(sign if sign.isalnum() else '_' for sign in kind.lower())}"


def with_texts(lab: Lab) -> None:
    """One more check for each text and way."""
    manifest, checks = lab.folder / "lab.toml", lab.folder / "checks" / "test_visible.py"
    names = {check_id(kind, way): (kind, way) for kind, way in TEXTS}
    added = [CHECK.format(name="is_there", after=[])]
    added += [CHECK.format(name=name, after='["is_there"]') for name in names]
    manifest.write_text(manifest.read_text() + TASK + "".join(added))
    functions = [FUNCTION.format(name=name, kind=kind, way=way) for name, (kind, way) in names.items()]
    checks.write_text(checks.read_text() + IS_THERE + "".join(functions))


def quoted(name: str, text: str) -> str:
    """A line of the roster."""
    held = io.StringIO()
    csv.writer(held, lineterminator="").writerow([name, text, ""])
    return held.getvalue()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Mallory, whose name is markup, hands in what shows all of it."""
    top = tmp_path_factory.mktemp("shown")
    people = [quoted(f"n{at}", text) for at, text in enumerate(NAMES.values())]
    room = make_room(top, *people, quoted("mallory", NAMES["HTML, in a name"]), change=with_texts)
    with_nora(room, top / "made")
    room.take_in({"mallory.zip": packed(top / "made", {"shows.py": SHOWS})})
    summary = room.grade()
    assert summary.failed == {}
    room.tell()
    printed = room.typed("report", "01") + room.export()
    with formgrader(room.classroom, top) as client:
        listed = client.get("/formgrader/api/submitted_notebooks/01-add/01-add").json()
        number = next(one["id"] for one in listed if one["student"] == "mallory")
        page = client.get(f"/formgrader/submissions/{number}/").text
        lists = json.dumps(listed) + client.get("/formgrader/api/students").text
    return Shown(room, printed, page, lists)


def texts_of(room: Room) -> dict[str, str]:
    """Every file that is about Mallory."""
    patterns = ("feedback/mallory/*", "results/mallory/*/*/*.json", "autograded/mallory/*/*.ipynb")
    return {path.name: path.read_text() for pattern in patterns for path in room.folder.glob(pattern)}


def unseen(text: str) -> list[str]:
    """What stands in a text and is not seen as what it is, with what is before it."""
    return [repr(text[max(at - 30, 0) : at + 1]) for at, sign in enumerate(text) if not _is_seen(sign)][:9]


def _is_seen(sign: str) -> bool:
    return sign.isprintable() or sign in "\n\r\t"


@pytest.mark.parametrize(("kind", "way"), TEXTS, ids=lambda value: value)
def test_what_a_learner_s_code_says_is_shown_as_text(
    shown: Shown, kind: str, way: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("attack", f"{kind}, {way} and shown")
    files, name = texts_of(shown.room), check_id(kind, way)
    assert files.keys() == {"01-add.html", "01-add.txt", "result.json", "learner.json", "01-add.ipynb"}
    [found] = [check for check in json.loads(files["result.json"])["checks"] if check["id"] == name]
    assert found["verdict"] == WAYS[way]
    head = plain(SAID[kind])[:40].split("\\")[0].split("\n")[0].split("\r")[0]
    assert head in found["found"]
    html = Tags(files["01-add.html"])
    assert head in html.read
    assert head in files["01-add.txt"]
    assert {tag for tag, _ in html.tags} <= TAGS
    assert len(files["01-add.html"]) < 200_000
    texts = [*files.values(), shown.printed, shown.lists]
    for text in texts:
        assert unseen(text) == []
    for active in ("<script>alert", "<img src=x", "<svg", "<form action", "<h1>heading", 'href="javascript'):
        assert active not in shown.page
    assert not {"\x1b", "\x00", "\u202e", "\x9b", "\u2028"} & set(shown.page)
    assert shown.room.leaks(*texts, shown.page) == []


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_stays_in_its_field(
    shown: Shown, kind: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("attack", f"{kind} in a name" if " in a name" not in kind else kind)
    table = list(csv.reader(io.StringIO(shown.room.export(), newline="")))
    [row] = [row for row in table if row[0] == f"n{list(NAMES).index(kind)}"]
    assert len(row) == len(table[0]) == COLUMNS + len(shown.room.lab.checks)
    assert row[3:5] == ["01-add", "missing"]
    assert row[1].removeprefix("'").replace("\n", " ") == plain(NAMES[kind]).replace("\n", " ")
    assert row[1][0] not in "=+-@＝＋－＠\t\r\n"
    assert "<" not in shown.lists
    assert unseen(shown.room.export()) == []


ARRIVALS = {
    "a name in another alphabet": ({"\u0430nna.zip": 1}, r"stands for nobody on the roster"),
    "a name of two": ({"Sam Lee.zip": 1}, r"may stand for sam1, sam2"),
    "two submissions by one": ({"ben.zip": 1, "BEN.zip": 1}, r"2 submissions by ben are in this batch"),
    "a learner who appears in no roster": ({"stranger.zip": 1}, r"stands for nobody on the roster"),
    "terminal escapes in a file's name": ({"\x1b[2J\x1b]0;x\x07.zip": 1}, r"\\x1b\[2J"),
    "bidi overrides in a file's name": ({"nora\u202epiz.zip": 1}, r"nora\\u202epiz"),
    "markup of the console in a file's name": ({"[bold red]x[reset][link=evil].zip": 1}, r"\[bold red\]x"),
    "a formula and markup in a file's name": ({"=1+1<script>.zip": 1}, r"=1\+1<script>"),
}


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Room, str]:
    """A class whose downloads are named to be taken for somebody else's."""
    top = tmp_path_factory.mktemp("arrived")
    room = make_room(top, "anna,Anna Lee,", "ben", "sam1,Sam Lee,", "sam2,Sam Lee,")
    with_nora(room, top / "made")
    batch = top / "batch"
    batch.mkdir()
    zipped = packed(top / "made")
    for names, _ in ARRIVALS.values():
        for name in names:
            (batch / name).write_bytes(zipped)
    done = room.run("collect", "01", str(batch))
    assert (done.returncode, done.stderr) == (1, "")
    room.tell()
    return room, done.stdout


@pytest.mark.parametrize("kind", ARRIVALS)
def test_nobody_gets_what_is_not_theirs(
    arrived: tuple[Room, str], kind: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("attack", kind)
    room, printed = arrived
    names, said = ARRIVALS[kind]
    assert len(re.findall(f"✗ .*{said}", printed)) >= len(names)
    assert unseen(printed) == []
    assert [path.name for path in (room.folder / "submissions").iterdir()] == ["nora"]
    assert [path.name for path in (room.folder / "feedback").iterdir()] == ["nora"]
    assert room.row("nora").split(",")[4:7] == ["graded", "5.5", "6"]
    assert room.leaks(printed, room.export()) == []
    assert room.left() == []
