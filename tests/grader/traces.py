"""A class in which one learner left a trace in every place there is, and what still tells of her."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from grader import audit, class_report, feedback, formgrader
from grader.certificates import certificate, signed_json, signed_svg, standing
from grader.classroom import read_class
from grader.gradebook import project, rows
from grader.manifest import Lab
from grader.runs import load_results
from grader.signing import PrivateKey
from grader.survey import survey
from grader.texts import line
from tests.grader.classes import MINUS, RIGHT, a_class, hand_in, judged, record
from tests.grader.test_gradebook import give

NAME, EMAIL = "Anna Öz-<Lee>", "a.oz@oz-mail.invalid"
WAYS = (NAME, EMAIL, "Öz", json.dumps(NAME)[1:-1], "Anna Öz-&lt;Lee&gt;", "oz-mail.invalid")
TOLD = [re.compile(re.escape(way.encode()), re.IGNORECASE) for way in WAYS]
TOLD.append(re.compile(rb"(?<![A-Za-z0-9])anna(?![A-Za-z0-9])", re.IGNORECASE))
EXTENSIONS = """
[extensions."01-add"]   # who has more time
anna = { until = 2026-12-04T23:59:00, attempts = 5, because = "ill" }
ben = 2026-12-05T23:59:00
"""


def told(folder: Path) -> list[str]:
    """Every file in whose path or bytes anything of Anna still stands."""
    found = []
    for path in sorted(folder.rglob("*")):
        texts = [path.relative_to(folder).as_posix().encode()]
        texts += [path.read_bytes()] if path.is_file() else []
        if any(way.search(text) for way in TOLD for text in texts):
            found.append(path.relative_to(folder).as_posix())
    return found


def leave_traces(folder: Path, sound: Lab) -> Path:
    """A class in which Anna left a trace in every place there is; Ben did too, and stays."""
    lines = (f"anna,{NAME},{EMAIL}", "ben,Ben Hur,b@example.org", "hanna,Hanna,h@example.org")
    classroom = a_class(folder, sound, *lines)
    (folder / "class.toml").write_text((folder / "class.toml").read_text() + EXTENSIONS)
    classroom = read_class(folder)
    for name in ("anna", "ben"):
        record(classroom, sound, name, judged(sound, hand_in(classroom, sound, name, MINUS), adds="FAIL"))
    project(classroom, sound, load_results(classroom, sound))
    give(classroom, "adds", 2.5, "Nearly.")
    for name in ("anna", "ben"):
        files = {**RIGHT, "notes.md": f"By {name}.\n"}
        record(classroom, sound, name, judged(sound, hand_in(classroom, sound, name, files)))
    results = load_results(classroom, sound)
    project(classroom, sound, results)
    found = rows(classroom)
    feedback.write(classroom, sound, results, found)
    formgrader.write(classroom, sound, results)
    class_report.write(survey(classroom, found, now=datetime.now(UTC)), folder / "report")
    key = PrivateKey.generate()
    labs, _ = standing(classroom, found, classroom.roster["ben"], 0)
    for name in ("anna", "ben"):
        one = certificate(classroom, classroom.roster[name], labs, by="Ada", key=key, now=datetime.now(UTC))
        (folder / "certificates").mkdir(exist_ok=True)
        (folder / "certificates" / f"{name}.json").write_text(signed_json(one, key))
        (folder / "certificates" / f"{name}.svg").write_text(signed_svg(one, key))
    for name in ("anna.zip", "hanna.zip", f"{NAME}.zip", "nobody.zip"):
        aside = folder / "aside" / f"20261116T100000Z-{len(name)}"
        aside.mkdir(parents=True)
        (aside / "reason.txt").write_text(f"Name: {line(name)}\nLab: {sound.id}\nReason: It is no zip.\n")
        (aside / "original.zip").write_text("By nobody.")
    (folder / ".formgrader" / "submitted" / "anna").mkdir(parents=True)
    (folder / ".collecting" / "x" / "anna").mkdir(parents=True)
    with (folder / audit.FILE).open("a") as log:
        log.write('{"at": "cut off", "learner": "anna"')
    for path in (folder / "made").rglob("*"):  # where the tests make repositories
        path.chmod(0o755)
    subprocess.run(["rm", "-r", str(folder / "made")], check=True)
    return folder
