"""A certificate says what was shown and by whose word, and nothing in it can be changed unseen."""

import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace as with_
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grader.certificates import (
    Certificate,
    NotGenuine,
    Shown,
    certificate,
    course_title,
    signed_json,
    signed_svg,
    standing,
    verify,
)
from grader.classroom import Classroom, Learner, read_class
from grader.cli import main
from grader.errors import CourseError
from grader.gradebook import project, rows
from grader.manifest import Lab
from grader.marks import Row
from grader.receipts import newest
from grader.runs import load_results
from grader.signing import PrivateKey, fingerprint, make_key, read_key, read_public
from tests.grader.classes import MINUS, MONDAY, RIGHT, a_class, hand_in, judged, record
from tests.grader.courses import replace
from tests.grader.strings import HOSTILE

KEY = PrivateKey.generate()
PUBLIC = KEY.public_key()
SVG = "{http://www.w3.org/2000/svg}"
ONE = Certificate(
    "Tiny",
    "anna",
    "Anna Lee",
    (
        Shown("01-add", "Add two numbers", ("Add",), 6, 6, 5.4, "2026-11-16T10:00:00Z", "a" * 64, "b" * 64),
        Shown("02-sub", "Take away", ("Take",), 5, 6, 5, "2026-11-17T10:00:00Z", "c" * 64, "d" * 64),
    ),
    "2026-11-22T04:00:00Z",
    "Ada Byron, School of Lace",
    fingerprint(PUBLIC),
)
WRITERS = {"json": signed_json, "svg": signed_svg}
Writer = Callable[[Certificate, PrivateKey], str]


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest) -> Writer:
    return WRITERS[request.param]


def is_genuine(content: bytes) -> bool:
    try:
        return verify(content, PUBLIC) == ONE
    except CourseError:
        return False


def test_what_was_signed_is_what_is_read(write: Writer) -> None:
    assert verify(write(ONE, KEY).encode(), PUBLIC) == ONE
    assert write(ONE, KEY) == write(ONE, KEY)


def test_no_byte_of_a_certificate_can_be_another(write: Writer) -> None:
    whole = write(ONE, KEY).encode()
    for at in range(len(whole)):
        other = whole[at] ^ (1 if at % 2 else 0x20)
        assert not is_genuine(whole[:at] + bytes([other]) + whole[at + 1 :]), (at, other)
    assert is_genuine(whole)


def test_no_byte_can_go_or_come(write: Writer) -> None:
    whole, draw = write(ONE, KEY).encode(), random.Random(7)
    for at in [*draw.sample(range(len(whole)), 300), len(whole) - 1]:
        for bent in (whole[:at] + whole[at + 1 :], whole[:at] + b" " + whole[at:], whole[:at]):
            assert not is_genuine(bent), at
    for bent in (whole + b"\n", whole + whole, whole.replace(b"\n", b"\r\n"), whole.rstrip()):
        assert not is_genuine(bent)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("Anna Lee", "Ben Okafor"),
        ("01-add", "02-sub"),
        ("Add two numbers", "Take away"),
        ("2026-11-16", "2026-11-15"),
        ("2026-11-22", "2025-11-22"),
        ("Ada Byron", "Eve Byron"),
        ("a" * 16, "c" * 16),
    ],
)
def test_a_name_a_lab_or_a_date_that_is_swapped_is_found(write: Writer, was: str, becomes: str) -> None:
    text = write(ONE, KEY)
    assert was in text
    with pytest.raises(NotGenuine, match=r"It is not what was signed: a byte of it was changed"):
        verify(text.replace(was, becomes).encode(), PUBLIC)


def test_the_end_of_one_certificate_makes_no_other_genuine(write: Writer) -> None:
    mine, theirs = write(ONE, KEY), write(with_(ONE, name="Ben Okafor"), KEY)
    cut = mine.rindex("signature")
    with pytest.raises(NotGenuine):
        verify((theirs[: theirs.rindex("signature")] + mine[cut:]).encode(), PUBLIC)


def test_another_s_key_is_named_and_nobody_s_certificate_is_refused(write: Writer) -> None:
    stranger = PrivateKey.generate()
    text = write(ONE, KEY)
    said = rf"It does not verify by this public key \({fingerprint(stranger.public_key())[:16]}…\): it says"
    with pytest.raises(NotGenuine, match=said) as raised:
        verify(text.encode(), stranger.public_key())
    assert fingerprint(PUBLIC)[:16] in str(raised.value)
    with pytest.raises(NotGenuine, match="the signature is nobody's"):  # it only claims to be by our key
        verify(write(ONE, stranger).encode(), PUBLIC)
    for content in (b"", b"PK\x03\x04", b"{}", b"<svg/>", text.encode().ljust(2**20 + 1)):
        with pytest.raises(CourseError, match=r"This is no certificate: it ends with no signature as"):
            verify(content, PUBLIC)
    odd = b'{"format": "grader certificate 2"' + b',\n "signature": "' + b"A" * 88 + b'"\n}\n'
    with pytest.raises(NotGenuine):
        verify(odd, PUBLIC)


def test_a_certificate_of_another_format_is_said_to_be_one() -> None:
    from grader.signing import signature

    head = b'{"format": "grader certificate 2", "key": "x"'
    seal = b',\n "signature": "' + signature(KEY, head).encode() + b'"\n}\n'
    with pytest.raises(CourseError, match=r"of no format that this engine reads \(grader certificate 1\)"):
        verify(head + seal, PUBLIC)


def drawn(one: Certificate) -> Iterator[ElementTree.Element]:
    return ElementTree.fromstring(signed_svg(one, KEY)).iter()


def test_forty_hostile_strings_and_a_long_name_are_text_in_the_picture() -> None:
    long = ("A" * 5000, "\u0e4a" * 300, "漢" * 400, "אבג " * 200)
    for text in (*HOSTILE, *long):
        lab = with_(ONE.labs[0], title=text, objectives=(text,))
        bad = with_(ONE, name=text, course=text, signed_by=text, labs=(lab,), learner="anna")
        for found in drawn(bad):
            assert found.tag.removeprefix(SVG) in ("svg", "title", "metadata", "rect", "path", "text"), text
            assert not [name for name in found.attrib if name.startswith("on") or "href" in name], text
            if found.tag != f"{SVG}metadata":
                shown = found.text or ""
                assert len(shown) < 500
                assert not [sign for sign in shown if not sign.isprintable() and sign != "\n"], repr(text)
                assert "url(" not in str(found.attrib)
        assert verify(signed_svg(bad, KEY).encode(), PUBLIC) == bad
        assert signed_json(bad, KEY).isascii()
        assert verify(signed_json(bad, KEY).encode(), PUBLIC) == bad


def test_the_picture_says_what_was_shown() -> None:
    said = [found.text for found in drawn(ONE) if found.tag == f"{SVG}text"]
    for text in (
        "Anna Lee",
        "Add two numbers",
        "6 of 6 points, 5.4 count",
        "5 of 6 points",
        f"02-sub · handed in 2026-11-17 · release {'c' * 16} · work {'d' * 16}",
        "Signed by Ada Byron, School of Lace, 2026-11-22",
        f"Key {ONE.key}",
    ):
        assert text in said


def test_a_text_never_leaves_its_box() -> None:
    boxes = [
        found
        for found in drawn(with_(ONE, name="W" * 120))
        if found.tag == f"{SVG}svg" and "x" in found.attrib
    ]
    assert {box.get("overflow") for box in boxes} == {"hidden"}
    [name] = [box[0] for box in boxes if box[0].text == "W" * 120]
    assert name.get("textLength") == "860"


@pytest.fixture
def class_of(sound: Lab, tmp_path: Path) -> Classroom:
    """Anna passed, late; Ben has half of it; Cleo waits for a person; Dora handed nothing in."""
    classroom = a_class(tmp_path / "class", sound, "anna,Anna Lee,", "ben", "cleo", "dora")
    for name, files, verdicts in (
        ("anna", RIGHT, {}),
        ("ben", MINUS, {"adds": "FAIL", "adds_anything": "FAIL"}),
        ("cleo", RIGHT, {"adds": "GRADER_ERROR"}),
    ):
        snapshot = hand_in(classroom, sound, name, files)
        record(classroom, sound, name, judged(sound, snapshot, **verdicts))
    return classroom


def shown(
    classroom: Classroom, lab: Lab, whose: str, at_least: float = 50, **facts: object
) -> tuple[int, str]:
    """How many labs would stand on a certificate, and what is left out."""
    snapshot = newest(classroom, lab.id)[whose].snapshot
    row = Row(whose, lab.id, "graded", 4, 6, False, snapshot, lab.release)
    found, left = standing(classroom, [with_(row, **facts), row], Learner(whose), at_least)  # type: ignore[arg-type]
    return len(found) - 1, "".join(left)


def test_only_grades_that_stand_are_on_it(class_of: Classroom, sound: Lab) -> None:
    assert shown(class_of, sound, "anna") == (1, "")
    for status in ("to be looked at", "older release", "to be judged"):
        assert shown(class_of, sound, "anna", status=status) == (0, f"anna, 01-add: {status}")
    assert shown(class_of, sound, "anna", status="missing") == (0, "")
    assert shown(class_of, sound, "anna", learner="ben") == (0, "")
    assert shown(class_of, sound, "anna", points=3) == (1, "")
    gone = "the work is not in `submissions` any more"
    assert shown(class_of, sound, "anna", snapshot="f" * 64) == (0, f"anna, 01-add: {gone}")
    assert shown(class_of, sound, "anna", points=2) == (0, "anna, 01-add: 2 of 6 points, under 50 %")


def test_it_says_what_the_class_knows(class_of: Classroom, sound: Lab) -> None:
    snapshot = newest(class_of, sound.id)["anna"].snapshot
    row = Row("anna", sound.id, "graded", 6, 6, False, snapshot, sound.release)
    labs, _ = standing(class_of, [row], class_of.roster["anna"], 50)
    now = datetime(2026, 11, 22, 4, tzinfo=UTC)
    one = certificate(class_of, class_of.roster["anna"], labs, by=" Ada\nByron ", key=KEY, now=now)
    assert one == Certificate(
        "Tiny",
        "anna",
        "Anna Lee",
        (
            Shown(
                sound.id,
                "Add two numbers",
                ("Add two numbers",),
                6,
                6,
                6,
                MONDAY.strftime("%Y-%m-%dT%H:%M:%SZ"),
                sound.release,
                snapshot,
            ),
        ),
        "2026-11-22T04:00:00Z",
        "Ada Byron",
        fingerprint(PUBLIC),
    )
    assert course_title(class_of.folder) == class_of.folder.name


def test_no_key_is_kept_in_a_class_and_so_in_no_backup(class_of: Classroom, tmp_path: Path) -> None:
    for file in (class_of.folder / "signing.key", class_of.folder / "feedback" / "my.key"):
        with pytest.raises(
            CourseError, match=r"lies in the class .*so every backup of it would hold your key"
        ):
            make_key(file)
    make_key(tmp_path / "signing.key")
    (class_of.folder / "signing.key").write_bytes((tmp_path / "signing.key").read_bytes())
    with pytest.raises(CourseError, match=r"lies in the class"):
        read_key(class_of.folder / "signing.key")


def said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    """Exit code and text of `grader certificate`, typed in a folder, without a process of its own."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["grader", "certificate", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


@pytest.mark.slow
def test_a_class_is_certified_and_anybody_verifies_it_by_command(
    class_of: Classroom,
    sound: Lab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    settings, here = class_of.folder / "class.toml", class_of.folder
    replace(settings, "[deadlines]", f'[deadlines]\n"{sound.id}" = 2026-11-14T12:00:00\n')
    replace(settings, "# [late]", '[late]\npolicy = "per day"\npercent = 10 #')
    classroom = read_class(here)
    project(classroom, sound, load_results(classroom, sound))
    assert {row.learner: row.status for row in rows(classroom)}["cleo"] == "to be looked at"
    key, public = tmp_path / "settings/grader/signing.key", tmp_path / "settings/grader/signing.pub"

    def typed(*words: str, folder: Path = here) -> tuple[int, str, str]:
        return said(folder, capsys, monkeypatch, *words)

    code, _, error = typed("sign", "--by", "Ada Byron")
    assert (code, "Make one with `grader certificate key`" in error) == (2, True)
    code, out, _ = typed("key")
    assert out.startswith(f"Your key is {key}. Only you may read it; no backup of a class holds it")
    assert f"Fingerprint: {fingerprint(read_public(public))}\n" in out
    assert typed("sign", "--by", "Ada Byron") == (
        0,
        f"1 certificates in {here / 'certificates'}, each as JSON and as SVG.\n",
        "Left out: ben, 01-add: 1 of 6 points, under 50 %\nLeft out: cleo, 01-add: to be looked at\n"
        "Left out: dora: handed in nothing\n",
    )
    file = here / "certificates" / "anna.json"
    assert json.loads(file.read_text())["labs"][0]["grade"] == 4.8
    assert typed("sign", "ben", "--by", "Ada", "--at-least", "10", "--output", str(tmp_path))[0] == 0
    secret = key.read_bytes().splitlines()[1]
    assert not [path for path in here.rglob("*") if path.is_file() and secret in path.read_bytes()]

    for words, told in (
        (("sign",), "Say who signs: `--by"),
        (("sign", "annna", "--by", "Ada"), "`annna` is on no line of roster.csv. Did you mean"),
        (("sign", "cleo", "--by", "Ada"), "cleo has no grade that stands, so there is nothing to sign."),
        (("sign", "anna", "--by", "Ada", "--output", "class.toml"), "cannot be written"),
        (("verify", "none.json", "--key", str(public)), "cannot be read (No such file or directory)"),
    ):
        code, _, error = typed(*words)
        assert (code, told in error) == (2, True), error

    for name in (file, file.with_suffix(".svg"), tmp_path / "ben.json"):
        code, out, error = typed("verify", str(name), "--key", str(public), folder=Path("/"))  # in no class
        assert (code, error) == (0, "")
        assert out.startswith(f"✓ {name} is as it was signed by the key ")
        assert "- 01-add · Add two numbers: " in out
        assert f"release {sound.release}\nSigned by Ada" in out
    replace(file, "Anna Lee", "Eve Lee")
    code, out, _ = typed("verify", str(file), "--key", str(public))
    assert (code, out.startswith(f"✗ {file}: It is not what was signed")) == (1, True)
    key.chmod(0o644)
    code, _, error = typed("sign", "--by", "Ada")
    assert (code, "is open to others on this machine (mode 644)" in error) == (2, True)
