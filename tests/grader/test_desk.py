"""`grader desk` is formgrader for one person on one machine."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from grader.desk import command
from grader.errors import CourseError
from grader.gradebook import project
from grader.manifest import Lab
from tests.grader.classes import a_class
from tests.grader.test_cli_grade import ROOT


def test_a_desk_needs_a_gradebook(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna")
    with pytest.raises(CourseError, match=r"gradebook\.db is not there yet\. Run `grader grade LAB` first"):
        command(classroom, port=0, open_=False)


@pytest.mark.slow
def test_only_who_has_the_token_on_this_machine_gets_in(sound: Lab, tmp_path: Path) -> None:
    classroom = a_class(tmp_path / "class", sound, "anna", box="bubblewrap")
    project(classroom, sound, {})
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
        listening = [
            one.laddr.ip for one in psutil.Process(process.pid).net_connections() if one.status == "LISTEN"
        ]
        assert set(listening) == {"127.0.0.1"}
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()
