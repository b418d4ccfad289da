"""nbgrader's formgrader opens a class, shows the evidence as text, and what is typed there stays."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from grader.classroom import Classroom
from grader.errors import CourseError
from grader.formgrader import write
from grader.gradebook import project, rows
from grader.manifest import Lab
from tests.grader.classes import MINUS, RIGHT, a_class, hand_in, judged

TOKEN = "a-token-for-this-test"
NASTY = (
    "<script>alert(1)</script><img src=x onerror=alert(1)></pre></div></textarea>```\n# h\n<!-- "
    "\x1b]8;;http://evil.invalid\x1b\\click\x1b[0m \x00 \u202e $$\\href{javascript:alert(1)}{x}$$ "
    "[x](javascript:a)"
)


@contextmanager
def formgrader(classroom: Classroom, tmp_path: Path) -> Iterator[httpx.Client]:
    """A Jupyter server with nbgrader's extension, on loopback in the class's folder."""
    log = (tmp_path / "server.log").open("w")
    home = tmp_path / "home"
    environment = os.environ | {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "run"),
    }
    extensions = "{'nbgrader.server_extensions.formgrader': True, 'jupyterlab': False}"
    words = ["--ip=127.0.0.1", "--port=0", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *words, f"--ServerApp.jpserver_extensions={extensions}"],
        cwd=classroom.folder,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        with httpx.Client(
            base_url=_address(process, home / "run"),
            headers={"Authorization": f"token {TOKEN}"},
            follow_redirects=True,
            timeout=60,
            verify=False,
        ) as client:
            yield client
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def _address(process: "subprocess.Popen[bytes]", runtime: Path) -> str:
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                address = str(json.loads(file.read_text())["url"])
                httpx.get(address, timeout=30, verify=False)
            except (ValueError, httpx.TransportError):
                continue
            return address.rstrip("/")
        time.sleep(0.2)
    raise AssertionError("the server did not come up")


@pytest.fixture
def class_of(tmp_path: Path, sound: Lab) -> Classroom:
    """Anna has a failed check and one to look at, with nasty evidence; Ben passed; Cleo handed nothing in."""
    names = ("anna,<script>alert(2)</script> Lee,", "ben", "cleo")
    classroom = a_class(tmp_path / "class", sound, *names)
    results = {
        "anna": judged(
            sound,
            hand_in(classroom, sound, "anna", MINUS),
            found=NASTY,
            adds="FAIL",
            is_committed="GRADER_ERROR",
        ),
        "ben": judged(sound, hand_in(classroom, sound, "ben", RIGHT)),
    }
    project(classroom, sound, results)
    write(classroom, sound, results)
    return classroom


@pytest.mark.slow
def test_formgrader_shows_the_evidence_and_keeps_what_is_typed(
    class_of: Classroom, sound: Lab, tmp_path: Path
) -> None:
    with formgrader(class_of, tmp_path) as client:
        lists = ("manage_assignments", "gradebook", f"gradebook/{sound.id}/{sound.id}", "manage_students")
        for page in lists:
            assert client.get(f"/formgrader/{page}").status_code == 200
        (assignment,) = client.get("/formgrader/api/assignments").json()
        assert (assignment["name"], assignment["max_score"]) == (sound.id, 6)
        listed = client.get(f"/formgrader/api/submitted_notebooks/{sound.id}/{sound.id}").json()
        found = {one["student"]: one for one in listed}
        assert {name: one["score"] for name, one in found.items()} == {"anna": 2, "ben": 6}
        assert found["anna"]["needs_manual_grade"]
        assert "<" not in json.dumps(found)

        anna = found["anna"]["id"]
        shown = client.get(f"/formgrader/submissions/{anna}/")
        assert shown.status_code == 200
        _holds_only_text(shown.text)
        grades = {
            one["name"]: one for one in client.get(f"/formgrader/api/grades?submission_id={anna}").json()
        }
        comments = {
            one["name"]: one for one in client.get(f"/formgrader/api/comments?submission_id={anna}").json()
        }
        assert comments["adds"]["auto_comment"].startswith(
            "FAIL: add(2, 3) is 5\nLooked at: add(2, 3)\nFound: "
        )
        xsrf = {"X-XSRFToken": client.cookies.get("_xsrf") or ""}
        for name, points in (("adds", 2), ("is_committed", 1)):
            put = client.put(
                f"/formgrader/api/grade/{grades[name]['id']}", json={"manual_score": points}, headers=xsrf
            )
            assert put.status_code == 200
        put = client.put(
            f"/formgrader/api/comment/{comments['adds']['id']}",
            json={"manual_comment": "Nearly."},
            headers=xsrf,
        )
        assert put.status_code == 200

        before = rows(class_of)
        pressed = client.post(f"/formgrader/api/submission/{sound.id}/anna/autograde", headers=xsrf)
        assert pressed.json()["success"] is False
        assert rows(class_of) == before

        again = {
            "anna": judged(sound, before[0].snapshot, adds="TIMEOUT", is_committed="GRADER_ERROR"),
            "ben": judged(sound, before[1].snapshot, adds="FAIL"),
        }
        project(class_of, sound, again)
        write(class_of, sound, again)
        after = {one["student"]: one["score"] for one in _listed(client, sound)}
        assert after == {"anna": 5, "ben": 3}
        assert "TIMEOUT: add(2, 3) is 5" in client.get(f"/formgrader/submissions/{anna}/").text
    adds = rows(class_of)[0].marks["adds"]
    assert (adds.points, adds.auto, adds.comment) == (2, 0, "Nearly.")


def _listed(client: httpx.Client, lab: Lab) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get(
        f"/formgrader/api/submitted_notebooks/{lab.id}/{lab.id}"
    ).json()
    return found


def _holds_only_text(page: str) -> None:
    """The evidence is there, as text: no tag of the learner's, nothing fetched from elsewhere."""
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&lt;/pre&gt;" in page
    for active in ("<script>alert", "<img src=x", "\x1b", "\u202e", "<h1>h", 'href="javascript'):
        assert active not in page
    assert "http://evil.invalid" in page  # as text, not as a link
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)


def test_the_notebook_holds_every_check_as_plain_cells(class_of: Classroom, sound: Lab) -> None:
    path = class_of.folder / "autograded" / "anna" / sound.id / f"{sound.id}.ipynb"
    cells = json.loads(path.read_text())["cells"]
    graded = [cell for cell in cells if "nbgrader" in cell["metadata"]]
    assert [cell["metadata"]["nbgrader"]["grade_id"] for cell in graded] == [one.id for one in sound.checks]
    assert [cell["metadata"]["nbgrader"]["points"] for cell in graded] == [0, 3, 2, 1]
    assert {out["output_type"] for cell in graded for out in cell["outputs"]} == {"stream"}
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        if cell["cell_type"] == "markdown":
            assert "<" not in cell["source"]
    source = json.loads((class_of.folder / "source" / sound.id / f"{sound.id}.ipynb").read_text())
    assert not any(cell.get("outputs") for cell in source["cells"])


def test_writing_it_again_changes_no_file(class_of: Classroom, sound: Lab) -> None:
    files = [*class_of.folder.glob("autograded/*/*/*"), class_of.folder / "nbgrader_config.py"]
    before = [file.stat().st_mtime_ns for file in files]
    first = rows(class_of)
    anna = judged(sound, first[0].snapshot, found=NASTY, adds="FAIL", is_committed="GRADER_ERROR")
    written = write(class_of, sound, {"anna": anna, "ben": judged(sound, first[1].snapshot)})
    assert len(written) == 2
    assert [file.stat().st_mtime_ns for file in files] == before


def test_a_class_that_cannot_be_written_is_named(tmp_path: Path, sound: Lab) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    (classroom.folder / "source").write_text("in the way")
    with pytest.raises(CourseError, match=r"cannot be written .* The results are safe\. Mend that"):
        write(classroom, sound, {})
