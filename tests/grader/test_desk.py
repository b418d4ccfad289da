"""`grader desk` is formgrader for one person on one machine."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import rmtree

import httpx
import psutil
import pytest

from grader.desk import command
from grader.errors import CourseError
from grader.formgrader import lay_out_desk, write
from grader.gradebook import project
from grader.manifest import Lab
from tests.grader.books import Kept
from tests.grader.classes import RIGHT, a_class, hand_in, judged
from tests.grader.test_cli_grade import ROOT

PLANTED = (
    "nbgrader_config.py",
    "jupyter_config.py",
    "jupyter_server_config.py",
    "jupyter_server/__init__.py",
    "mistune.py",
    ".formgrader/templates/formgrade/index.html.j2",
    ".formgrader/desk/nbgrader_config.py",
    ".formgrader/desk/mistune.py",
)


def test_a_desk_needs_a_gradebook(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    with pytest.raises(CourseError, match=r"gradebook\.db is not there yet\. Run `grader grade LAB` first"):
        command(classroom, port=0, open_=False)


def plant(folder: Path) -> None:
    """Put programs into a class, as an archive may: each leaves a file that begins with `was-run`."""
    for name in PLANTED:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        left = folder / f"was-run-{name.replace('/', '-')}"
        if file.suffix == ".j2":
            run = f"cycler.__init__.__globals__.os.open('{left}', 65)"
            file.write_text("{{ %s }}" % run)  # noqa: UP031  # braces are Jinja's
        else:
            file.write_text(f"open({str(left)!r}, 'w')\n")


def test_no_other_settings_are_followed(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    other = classroom.folder / "nbgrader_config.json"
    other.write_text("{}")
    with pytest.raises(CourseError, match=r"follow the settings in .*config\.json too\. Move it out of the"):
        lay_out_desk(classroom)
    other.unlink()
    stands_in = lay_out_desk(classroom).stat().st_ino
    assert lay_out_desk(classroom).stat().st_ino == stands_in  # another desk may be open
    rmtree(classroom.folder / ".formgrader")
    (classroom.folder / ".formgrader").write_text("")
    with pytest.raises(CourseError, match=r"formgrade cannot be written \(Not a directory\)\. Mend"):
        lay_out_desk(classroom)


@pytest.mark.slow
def test_only_who_has_the_token_on_this_machine_gets_in(sound: Lab, tmp_path: Path, kept_in: Kept) -> None:
    classroom = kept_in(a_class(tmp_path / "class", sound, "anna", box="bubblewrap"))
    results = {"anna": judged(sound, hand_in(classroom, sound, "anna", RIGHT))}
    project(classroom, sound, results)
    write(classroom, sound, results)
    plant(classroom.folder)
    log, home = tmp_path / "log", tmp_path / "home"
    (home / ".jupyter").mkdir(parents=True)
    (home / ".jupyter" / "jupyter_server_config.py").write_text("c.IdentityProvider.token = ''\n")
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "grader.cli", "desk", "--no-open"],
            cwd=classroom.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(home), "JUPYTER_TOKEN": "known"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        until, found = time.monotonic() + 90, None
        while found is None and time.monotonic() < until and process.poll() is None:
            time.sleep(0.2)
            found = re.search(r"(http://127\.0\.0\.1:\d+)(/formgrader\?token=\w{40,})", log.read_text())
        assert found, log.read_text()
        with httpx.Client(base_url=found[1], verify=False, timeout=60) as client:
            assert client.get("/formgrader").status_code == 302  # to a page that asks for the token
            assert client.get("/api/contents/.secret").status_code == 403
            assert client.post("/api/terminals").status_code in (403, 404)
            assert client.get(found[2], follow_redirects=True).status_code == 200
            assert client.get("/api/terminals").status_code == 404
            assert client.get("/tree").status_code == 404  # the notebook's own pages
            (anna,) = client.get(f"/formgrader/api/submitted_notebooks/{sound.id}/{sound.id}").json()
            shown = client.get(f"/formgrader/submissions/{anna['id']}/")
            assert (shown.status_code, "add(2, 3) is 5" in shown.text) == (200, True)
        assert list(classroom.folder.glob("**/was-run*")) == []
        listening = [
            one.laddr.ip for one in psutil.Process(process.pid).net_connections() if one.status == "LISTEN"
        ]
        assert set(listening) == {"127.0.0.1"}
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()
